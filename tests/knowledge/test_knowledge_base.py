"""A knowledge base answers what a reader of the pages would."""

from __future__ import annotations

import itertools
import pickle
import shutil
from collections import Counter
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from knowledge_dumps import BuildPages

from exonym.foundation.errors import FormatError, InputError, VersionError
from exonym.foundation.files import atomic_file
from exonym.knowledge import Candidate, KnowledgeBase, Name, NameKind, Triple
from exonym.knowledge.titles import plain_title


def test_items_join_the_languages_and_pages_without_items_stay_title_keys(
    kb: KnowledgeBase,
) -> None:
    assert kb.languages == ("de", "ja")
    assert [*kb] == ["Q17", "Q1490", "X-stadt-1", "de:Eigenes Wort"]
    assert len(kb) == 4
    assert dict(kb.entity("Q1490").sitelinks) == {"de": "Tokio", "ja": "東京都"}
    assert [entity.key for entity in kb.entities()] == [*kb]


@pytest.mark.parametrize(
    ("language", "title", "key"),
    [
        ("de", "Tokio", "Q1490"),
        ("de", "tokio", "Q1490"),
        ("de", " Paris_(Texas)#Lage", "X-stadt-1"),
        ("de", "Tōkyō", "Q1490"),
        ("de", "Nippon", "Q1490"),
        ("ja", "日本国", "Q17"),
        ("de", "Eigenes Wort", "de:Eigenes Wort"),
        ("de", "Kreis A", None),
        ("de", "Ins Nichts", None),
        ("de", "Kategorie:Asien", None),
        ("de", "東京都", None),
        ("fr", "Asie", None),
    ],
)
def test_titles_are_resolved_as_the_wiki_resolves_links(
    kb: KnowledgeBase, language: str, title: str, key: str | None
) -> None:
    assert kb.resolve(language, title) == key
    assert (f"{language}:{title}" in kb) == (key is not None)
    if key is not None:
        assert kb.entity(f"{language}:{title}").key == key


def test_names_are_link_texts_by_count_and_then_titles_labels_and_aliases(
    kb: KnowledgeBase,
) -> None:
    names = [(name.surface, name.count) for name in kb.names("Q17", "de")]
    assert names == [("Japan", 1), ("das Land", 1), ("Nippon", 0)]
    assert [(n.surface, n.count) for n in kb.names("Q17", "ja")] == [("日本", 1), ("日本国", 0)]
    assert kb.names("X-stadt-1", "de") == (Name("Paris", 1, NameKind.LINK | NameKind.TITLE),)
    assert kb.names("Q17", "fr") == ()


def test_candidates_have_the_shares_of_links_as_priors(
    kb: KnowledgeBase, build_pages: BuildPages
) -> None:
    assert kb.candidates("東京", "ja") == (Candidate("Q1490", 1, 1.0),)
    assert kb.candidates("東京", "de") == ()
    mixed = build_pages(
        [
            ("A", "[[B|x]] [[B|x]] [[C|x]] und [[B|y  y]]"),
            ("B", "Text"), ("C", "Text"), ("D (Ort)", "Text"), ("D (Fluss)", "Text"),
        ]
    )  # fmt: skip
    assert mixed.candidates("x", "de") == (
        Candidate("de:B", 2, 2 / 3),
        Candidate("de:C", 1, 1 / 3),
    )
    assert mixed.candidates(" y \n y", "de") == (Candidate("de:B", 1, 1.0),)
    asked = ["x", "nichts", "y y", "D", "x"]
    assert mixed.candidates_of(asked, "de") == [mixed.candidates(text, "de") for text in asked]
    assert mixed.candidates_of([], "de") == []
    assert mixed.candidates("D", "de") == (
        Candidate("de:D (Ort)", 0, 0.5),
        Candidate("de:D (Fluss)", 0, 0.5),
    )


def test_labels_fall_back_on_the_plain_title(kb: KnowledgeBase) -> None:
    assert kb.label("Q17", "ja") == "日本"
    assert kb.label("Q1490", "de") == "Tokio"
    assert kb.label("X-stadt-1", "de") == "Paris"
    assert kb.label("X-stadt-1", "ja") is None
    assert kb.label("de:Eigenes Wort", "de") == "Eigenes Wort"
    assert kb.description("de:Eigenes Wort", "de") is None
    assert kb.label("Q17", "fr") is None
    assert kb.description("Q17", "de") == "Inselstaat in Ostasien"
    assert kb.description("Q17", "ja") is None


def test_triples_are_kept_once_and_only_between_kept_entities(kb: KnowledgeBase) -> None:
    capital = Triple("Q17", "P36", "Q1490")
    others = [Triple("Q1490", "P17", "Q17"), Triple("Q1490", "P31", "Q17")]
    assert [*kb.triples()] == [capital, *others]
    assert [*kb.triples(subject="ja:日本")] == [capital]
    assert [*kb.triples(relation="P17")] == others[:1]
    assert [*kb.triples(subject="Q17", relation="P17")] == []
    assert [*kb.triples(relation="P999")] == []
    assert [*kb.triples(object="Q17")] == others
    assert [*kb.triples(object="Q17", relation="P31")] == others[1:]
    assert [*kb.triples(object="Q17", subject="Q17")] == []
    assert kb.relations() == {"P17": 1, "P31": 1, "P36": 1}
    assert kb.relation_label("P36", "ja") == "首都"
    assert kb.relation_label("P17", "ja") is None
    assert kb.relation_label("P31", "de") is None


def test_links_are_counted_by_entity_and_language(kb: KnowledgeBase) -> None:
    assert kb.link_count("Q1490", "de") == 4
    assert kb.link_count("Q1490", "ja") == 1
    assert kb.link_count("Q1490") == 5 == kb.entity("Q1490").link_count
    assert kb.link_count("Q1490", "fr") == 0
    assert kb.languages_of("Q1490") == ("de", "ja")
    assert kb.languages_of("de:Eigenes Wort") == ("de",)
    assert kb.link_counts().tolist() == [kb.link_count(key) for key in kb]
    assert kb.language_counts().tolist() == [len(kb.languages_of(key)) for key in kb]


def test_articles_come_with_mentions_resolved_and_red_links_as_plain_text(
    kb: KnowledgeBase,
) -> None:
    articles = {article.title: article for article in kb.articles("de")}
    assert [*articles] == ["Tokio", "Japan", "Paris (Texas)", "Eigenes Wort"]
    (paragraph,) = articles["Tokio"].paragraphs
    assert paragraph.text == "Tokio ist die Hauptstadt von Japan. Nahe ist etwas."
    assert paragraph.source == "de:Tokio"
    assert [(paragraph.surface(m), m.entity) for m in paragraph.mentions] == [("Japan", "Q17")]
    (paragraph,) = articles["Japan"].paragraphs
    assert [(paragraph.surface(m), m.entity) for m in paragraph.mentions] == [
        ("Tokio", "Q1490"),
        ("Tokyo", "Q1490"),
    ]
    (article, *_) = kb.articles("ja")
    assert article.paragraphs[0].mentions[0].entity == "Q17"


def test_names_and_counts_agree_with_counting_the_articles_again(kb: KnowledgeBase) -> None:
    counted: Counter[tuple[str, str, str]] = Counter()
    for language in kb.languages:
        for article in kb.articles(language):
            for text in article.paragraphs:
                for mention in text.mentions:
                    assert mention.entity is not None
                    counted[mention.entity, language, text.surface(mention)] += 1
    for key, language in itertools.product(kb, kb.languages):
        names = kb.names(key, language)
        links = {name.surface: name.count for name in names if name.count}
        assert links == {
            s: n for (k, code, s), n in counted.items() if (k, code) == (key, language)
        }
        assert sum(links.values()) == kb.link_count(key, language)
        for name in names:
            matching = [c for c in kb.candidates(name.surface, language) if c.entity == key]
            assert [c.count for c in matching] == [name.count]
            priors = [c.prior for c in kb.candidates(name.surface, language)]
            assert sum(priors) == pytest.approx(1.0)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(), st.text())
def test_no_query_is_an_accident(kb: KnowledgeBase, query: str, language: str) -> None:
    assert kb.candidates(query, "de") == kb.candidates(query, "de")
    assert kb.resolve(language, query) is None or language in kb.languages
    assert (query in kb) == (query in [*kb])


def test_an_unknown_entity_or_language_says_what_to_do(kb: KnowledgeBase) -> None:
    with pytest.raises(InputError, match=r"no entity 'Q99'.*exonym kb lookup"):
        kb.entity("Q99")
    with pytest.raises(InputError, match="no language 'fr' here, only de, ja"):
        kb.articles("fr")


def test_a_knowledge_base_travels_to_other_processes_by_its_path(kb: KnowledgeBase) -> None:
    assert [*pickle.loads(pickle.dumps(kb))] == [*kb]


def test_another_version_a_missing_directory_and_a_missing_file_are_told_apart(
    kb: KnowledgeBase, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"no such directory.*exonym kb build"):
        KnowledgeBase.open(tmp_path / "nothing")
    copy = tmp_path / "copy"
    shutil.copytree(kb.path, copy)
    (copy / "names.count.npy").unlink()
    with pytest.raises(FormatError, match=r"names\.count\.npy.*Build the directory anew"):
        KnowledgeBase.open(copy)
    manifest = {**kb.manifest, "version": 99}
    (copy / "manifest.json").write_bytes(orjson.dumps(manifest))
    with pytest.raises(VersionError, match="format version 99"):
        KnowledgeBase.open(copy)


def test_articles_that_were_cut_short_are_noticed(kb: KnowledgeBase, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(kb.path, copy)
    path = copy / "articles" / "de.jsonl.zst"
    whole = path.read_bytes()
    for damaged in (whole[:-20], b"", b"no zstandard"):
        path.write_bytes(damaged)
        with pytest.raises(FormatError, match=r"de\.jsonl\.zst"):
            list(KnowledgeBase.open(copy).articles("de"))
    with atomic_file(path) as stream:
        stream.write(b'{"id": 1, "title": "A", "paragraphs": [["text", [[0, 2, 999]]]]}\n')
    with pytest.raises(FormatError, match=r"de\.jsonl\.zst:1.*not an article"):
        list(KnowledgeBase.open(copy).articles("de"))


@pytest.mark.parametrize(
    ("title", "plain"),
    [
        ("Paris (Texas)", "Paris"),
        ("東京（曖昧さ回避）", "東京"),
        ("(500) Days of Summer", "(500) Days of Summer"),
        ("(Gruppe)", "(Gruppe)"),
        ("A (b) (c)", "A (b)"),
    ],
)
def test_plain_titles_have_no_parenthesis_at_the_end(title: str, plain: str) -> None:
    assert plain_title(title) == plain
