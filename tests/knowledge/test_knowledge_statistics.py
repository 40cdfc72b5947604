"""What people ask of a knowledge base: link probability, kinds of names, types, coverage."""

from __future__ import annotations

import json

import pytest
from knowledge_dumps import BuildPages, item
from typer.testing import CliRunner

from exonym.cli.kb import app
from exonym.foundation.errors import ConfigError, InputError
from exonym.knowledge import EntityVocabulary, KnowledgeBase, NameKind
from exonym.knowledge.statistics import ambiguous_names, coverage

PAGES = [
    ("Bern", "[[Bern]] liegt in der [[Schweiz]]. Bern ist schön, Berner auch. ((Bern))"),
    ("Schweiz", "Die [[Schweiz]], [[Bern|die Stadt]]; bei der Stadt die Stadt [[Köln|Bern]]."),
    ("Köln", "[[Köln]] ist [[Köln|die Stadt]]. Vorbern nicht."),
    ("Helvetia", "#REDIRECT [[Schweiz]]"),
]
RECORDS = [
    item("Q70", {"dewiki": "Bern"}, labels={"de": "Bern"}, aliases={"de": ["Bundesstadt"]},
         claims=[("P31", "Q515")]),
    item("Q39", {"dewiki": "Schweiz"}, descriptions={"de": "Staat"}, claims=[("P31", "Q6256")]),
    item("Q365", {"dewiki": "Köln"}, claims=[("P31", "Q1549591")]),
    item("Q515", {}, claims=[("P279", "Q486972")]),
    item("Q1549591", {}, claims=[("P279", "Q515")]),
]  # fmt: skip


@pytest.fixture
def swiss(build_pages: BuildPages) -> KnowledgeBase:
    return build_pages(PAGES, RECORDS)


def test_link_probability_is_the_share_of_a_names_occurrences_that_are_links(swiss):
    assert swiss.occurrences("Bern", "de") == 4  # within "Berner" and "Vorbern" it is none
    assert swiss.link_probability("Bern", "de") == 2 / 4
    assert swiss.occurrences("die Stadt", "de") == 3
    assert swiss.link_probability("die Stadt", "de") == 2 / 3
    assert swiss.occurrences("Helvetia", "de") == 0
    assert swiss.link_probability("Helvetia", "de") is None
    assert swiss.link_probability("Nirgendwo", "de") is None


def test_unspaced_languages_count_names_anywhere(build_pages):
    kb = build_pages([("京都", "東京都と[[京都]]、京都人。"), ("東京", "[[京都]]")], language="ja")
    assert kb.occurrences("京都", "ja") == 4
    assert kb.link_probability("京都", "ja") == 2 / 4


def test_a_link_within_a_word_is_an_occurrence(build_pages):
    kb = build_pages([("Bern", "das Vor[[Bern|bern]]."), ("B", "[[Bern|bern]]")])
    assert kb.occurrences("bern", "de") == 2
    assert kb.link_probability("bern", "de") == 1.0


def test_names_say_where_they_are_known_from(swiss):
    kinds = {name.surface: name.kinds for name in swiss.names("Q70", "de")}
    assert kinds == {
        "Bern": NameKind.LINK | NameKind.TITLE | NameKind.LABEL,
        "die Stadt": NameKind.LINK,
        "Bundesstadt": NameKind.ALIAS,
    }
    assert swiss.names("Q39", "de")[-1].kinds == NameKind.REDIRECT


def test_types_are_followed_through_classes_that_are_no_entities(swiss):
    assert swiss.types("Q70") == ("Q515",)
    assert swiss.is_a("Q365", "Q486972")
    assert not swiss.is_a("Q39", "Q486972")
    assert "Q515" not in swiss


def test_ambiguous_names_come_with_their_best_entity(swiss):
    found = ambiguous_names(swiss, "de")
    assert [(name.surface, name.entities, name.links, name.prior) for name in found] == [
        ("Bern", 2, 2, 0.5),
        ("die Stadt", 2, 2, 0.5),
    ]
    assert ambiguous_names(swiss, "de", 1) == found[:1]
    with pytest.raises(InputError, match="only de"):
        ambiguous_names(swiss, "fr")


def test_coverage_counts_what_each_language_has(swiss):
    (german,) = coverage(swiss)
    assert (german.articles, german.shared, german.labels, german.descriptions) == (3, 0, 1, 1)
    assert (german.named, german.linked, german.ambiguous) == (3, 3, 2)
    assert german.names == sum(len(swiss.names(key, "de")) for key in swiss)


def test_a_vocabulary_may_be_chosen_by_type_links_and_languages(swiss, tmp_path):
    cities = EntityVocabulary.build(swiss, tmp_path / "cities", types=["Q486972"])
    assert [cities.key(row) for row in range(4, len(cities))] == ["Q365", "Q70"]
    assert cities.manifest["left_out"]["of other types"] == 1
    often = EntityVocabulary.build(swiss, tmp_path / "often", min_links=3)
    assert [often.key(row) for row in range(4, len(often))] == ["Q365"]
    assert often.manifest["left_out"]["linked too seldom"] == 2
    german = EntityVocabulary.build(swiss, tmp_path / "german", languages=["de"])
    assert len(german) == 7
    with pytest.raises(ConfigError, match="no language 'fr'"):
        EntityVocabulary.build(swiss, tmp_path / "french", languages=["fr"])


def _shown(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_show_prints_ambiguous_names_and_coverage(swiss):
    assert "die Stadt" in _shown("show", swiss.path, "--ambiguous", "de")
    assert json.loads(_shown("show", swiss.path, "--ambiguous", "de", "--json"))["names"][0] == {
        "surface": "Bern", "entities": 2, "links": 2, "top": "Q70", "prior": 0.5,
    }  # fmt: skip
    assert "ambiguous names" in _shown("show", swiss.path, "--coverage")
    assert json.loads(_shown("show", swiss.path, "--coverage", "--json"))["entities"] == 3
