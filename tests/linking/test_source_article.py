"""Entities by a text's source article: which names are looked for, and where they are found."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import source_articles
from exonym.foundation.errors import ConfigError, InputError
from exonym.knowledge import KnowledgeBase
from exonym.linking import source_article
from exonym.linking.source_article import (
    ArticleNames,
    ArticleRule,
    SourceArticle,
    find_article,
    read_source_articles,
)

TOKYO = ("en", "Tokyo")


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeBase:
    return source_articles.build(tmp_path_factory.mktemp("articles"))


@pytest.fixture(scope="module")
def tokyo(kb: KnowledgeBase) -> SourceArticle:
    return read_source_articles(kb, [TOKYO])[TOKYO]


def found(names: ArticleNames, text: str) -> list[tuple[str, str | None]]:
    """What is annotated, as (characters, entity)."""
    return [(text[m.start : m.end], m.entity) for m in names.annotate([text])[0]]


@pytest.mark.parametrize(
    ("title", "article"),
    [
        ("Tokyo", "Tokyo"),
        ("Edo", "Tokyo"),
        ("Osaka_(film)", "Osaka (film)"),
        ("osaka (film)", "Osaka (film)"),
        ("Beyonc%C3%A9", "Beyoncé"),
        ("Beyoncé", "Beyoncé"),
        ("Atlantis", None),
        ("", None),
        ("100%", None),
    ],
)
def test_titles_are_understood_as_data_sets_write_them(
    title: str, article: str | None, kb: KnowledgeBase
) -> None:
    assert find_article(kb, "en", title) == article


def test_an_article_is_read_with_its_links(tokyo: SourceArticle) -> None:
    assert (tokyo.language, tokyo.title, tokyo.entity) == ("en", "Tokyo", "Q1490")
    assert tokyo.links["Japan", "Q17"] == 2
    assert tokyo.links["Nippon", "Q17"] == 1
    assert {entity for surface, entity in tokyo.links if surface == "Japanese"} == {
        "Q5287", "Q161652",
    }  # fmt: skip


def test_many_articles_are_read_in_one_pass_that_ends_with_the_last_one(
    kb: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: list[str] = []
    seen: list[str] = []
    read = KnowledgeBase.articles

    def articles(self: KnowledgeBase, language: str) -> object:
        passes.append(language)
        for article in read(self, language):
            seen.append(article.title)
            yield article

    monkeypatch.setattr(KnowledgeBase, "articles", articles)
    wanted = [("en", "Honshu"), TOKYO, ("ja", "日本"), ("en", "Japan"), TOKYO]
    assert set(read_source_articles(kb, wanted)) == set(wanted)
    assert passes == ["en", "ja"]
    assert seen == ["Tokyo", "Japan", "Honshu", "東京都", "日本"]


def test_articles_that_are_not_there_are_missing(kb: KnowledgeBase) -> None:
    assert read_source_articles(kb, [("en", "Atlantis")]) == {}
    assert read_source_articles(kb, []) == {}
    with pytest.raises(InputError, match="no language 'fr'"):
        read_source_articles(kb, [("fr", "Tokyo")])


def test_names_of_the_article_are_found_as_the_paper_says(
    kb: KnowledgeBase, tokyo: SourceArticle
) -> None:
    names = ArticleNames(kb, tokyo, "en")
    assert names.meanings == {
        "Japan": "Q17", "Nippon": "Q17", "Honshu": "Q13989", "Osaka": "Q35765", "York": "Q42462",
        "New York": "Q60", "US": "Q30", "Apple": "Q312",
    }  # fmt: skip
    # Linked twice to one entity: Osaka. To two: Japanese. Once in 150 times: state.
    assert names.counts[source_article.AMBIGUOUS] == 1
    assert names.counts[source_article.RARE] == 1
    assert names.counts[source_article.NAMES] == 10
    assert names.counts[source_article.ENTITIES] == 10
    text = "In Osaka (Japan) the Japanese state buys from New York and York, JAPAN's Nippon."
    assert found(names, text) == [
        ("Osaka", "Q35765"), ("Japan", "Q17"), ("New York", "Q60"), ("York", "Q42462"),
        ("JAPAN", "Q17"), ("Nippon", "Q17"),
    ]  # fmt: skip
    assert found(names, "Tokyo, Yorkshire and Japanology") == []  # no own name, no parts of words


def test_the_articles_own_entity_is_found_on_demand(
    kb: KnowledgeBase, tokyo: SourceArticle
) -> None:
    names = ArticleNames(kb, tokyo, "en", ArticleRule(subject=True))
    assert found(names, "Edo is Tokyo.") == [("Edo", "Q1490"), ("Tokyo", "Q1490")]
    german = ArticleNames(kb, tokyo, "de", ArticleRule(subject=True))
    assert found(german, "Tokio in Japan") == [("Tokio", "Q1490"), ("Japan", "Q17")]


def test_the_rule_can_be_changed(kb: KnowledgeBase, tokyo: SourceArticle) -> None:
    names = ArticleNames(kb, tokyo, "en", ArticleRule(min_link_probability=0.0))
    assert found(names, "no state") == [("state", "Q7275")]
    strict = ArticleNames(kb, tokyo, "en", ArticleRule(min_link_probability=1.0))
    assert found(strict, "Japan is in New York") == [("New York", "Q60")]
    for rule in ({"min_link_probability": 1.1}, {"min_prior": -0.1}):
        with pytest.raises(ConfigError, match=r"must lie between 0 and 1"):
            ArticleRule(**rule)


def test_a_spelling_that_means_something_else_is_no_match(
    kb: KnowledgeBase, tokyo: SourceArticle
) -> None:
    names = ArticleNames(kb, tokyo, "en")
    assert found(names, "The US told us. Apple sells no apple.") == [
        ("US", "Q30"), ("Apple", "Q312"),
    ]  # fmt: skip
    assert names.counts[source_article.OTHERWISE_SPELLED] == 2
    assert found(names, "the uS, aPPle") == [("uS", "Q30"), ("aPPle", "Q312")]  # nothing is known


def test_a_rare_spelling_of_the_entity_itself_is_no_match(
    kb: KnowledgeBase, tokyo: SourceArticle
) -> None:
    names = ArticleNames(kb, tokyo, "en")
    assert found(names, "state, Apple") == [("Apple", "Q312")]
    loose = ArticleNames(kb, tokyo, "en", ArticleRule(min_link_probability=0.005))
    assert found(loose, "State, state") == [("state", "Q7275")]  # "State" is never linked


def test_other_languages_have_all_names_of_the_linked_entities(
    kb: KnowledgeBase, tokyo: SourceArticle
) -> None:
    german = ArticleNames(kb, tokyo, "de")
    text = "Osaka (Ōsaka) und New York in Japan, Hondo, Honshū, die Insel; Tokio."
    assert found(german, text) == [
        ("Osaka", "Q35765"), ("Ōsaka", "Q35765"), ("New York", "Q60"), ("Japan", "Q17"),
        ("Hondo", "Q13989"), ("Honshū", "Q13989"),
    ]  # fmt: skip
    # One link in three hundred calls Honshu "Japan"; so it is not ambiguous. "Partnerstadt" is.
    assert german.counts[source_article.ODD] == 1
    assert german.counts[source_article.AMBIGUOUS] == 1
    assert "Partnerstadt" not in german.meanings
    # An alias that no link shows, in 121 places, is rare; one that stands nowhere is not.
    assert german.counts[source_article.RARE] == 1
    assert german.counts[source_article.UNNAMED] == 6
    kept = ArticleNames(kb, tokyo, "de", ArticleRule(min_prior=0.0))
    assert "Japan" not in kept.meanings
    assert kept.counts[source_article.AMBIGUOUS] == 2


def test_languages_without_blanks_need_no_borders(kb: KnowledgeBase, tokyo: SourceArticle) -> None:
    japanese = ArticleNames(kb, tokyo, "ja")
    assert found(japanese, "東日本の本州と大阪市、大阪。東京都") == [
        ("日本", "Q17"), ("本州", "Q13989"), ("大阪市", "Q35765"), ("大阪", "Q35765"),
    ]  # fmt: skip


def test_a_language_that_the_knowledge_base_has_not_finds_nothing(
    kb: KnowledgeBase, tokyo: SourceArticle
) -> None:
    names = ArticleNames(kb, tokyo, "sw")
    assert names.annotate(["Tokyo, Japan", ""]) == [(), ()]
    assert names.counts[source_article.UNNAMED] == 10


def test_an_article_without_links_finds_nothing(kb: KnowledgeBase) -> None:
    page = ("en", "York")
    names = ArticleNames(kb, read_source_articles(kb, [page])[page], "en")
    assert names.annotate(["York", "Japan"]) == [(), ()]


def brute_force(text: str, meanings: dict[str, str]) -> list[tuple[int, int, str]]:
    """From left to right the longest at each place, whole words, without regard to capitals."""
    spans = []
    for name, entity in meanings.items():
        for match in re.finditer(rf"(?<!\w)(?={re.escape(name)}(?!\w))", text, re.IGNORECASE):
            spans.append((match.start(), match.start() + len(name), entity))
    taken: list[tuple[int, int, str]] = []
    for span in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not taken or taken[-1][1] <= span[0]:
            taken.append(span)
    return taken


WORDS = ("Japan", "japan", "New", "York", "new york", "Osaka", "Nippon", "x", "Japanese", "Honshu",
         "US", "NEW", "Yorks", "state", "é")  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.sampled_from([*WORDS, " ", ", ", "-"]), max_size=12), max_size=3))
def test_mentions_are_those_of_a_search_by_hand(
    kb: KnowledgeBase, tokyo: SourceArticle, pieces: list[list[str]]
) -> None:
    names = ArticleNames(kb, tokyo, "en")
    texts = ["".join(inside) for inside in pieces]
    for text, mentions in zip(texts, names.annotate(texts), strict=True):
        expected = brute_force(text, names.meanings)
        assert [(m.start, m.end, m.entity) for m in mentions] == expected


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=30))
def test_any_text_is_annotated(kb: KnowledgeBase, tokyo: SourceArticle, text: str) -> None:
    names = ArticleNames(kb, tokyo, "en")
    inside = f"{text} Japan {text}"
    for mention in names.annotate([inside])[0]:
        assert inside[mention.start : mention.end].strip()
