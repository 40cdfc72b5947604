"""What a name may mean: by language, by spelling, by how often it is linked."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from linking_world import (
    COUNTRY,
    MAY,
    MONTH,
    MUNICH,
    STATE,
    TBILISI,
    UNITED_NATIONS,
    WASHINGTON,
    YEAR,
)

from exonym.knowledge import KnowledgeBase
from exonym.linking import Linker, LinkingOptions, ScoredCandidate
from exonym.linking.candidates import priors
from exonym.text import AnnotatedText, Mention

Ask = Callable[..., tuple[ScoredCandidate, ...]]

LEVELS = st.lists(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 1000)), max_size=6), min_size=4, max_size=4
).filter(lambda levels: any(levels))


@pytest.fixture(scope="module")
def ask(linker: Linker) -> Ask:
    """The candidates of a text that is a mention as a whole."""

    def candidates(
        surface: str, language: str, linker: Linker = linker
    ) -> tuple[ScoredCandidate, ...]:
        text = AnnotatedText(surface, language, (Mention(0, len(surface)),))
        return linker(text, detect=False).links[0].candidates

    return candidates


def popularity(levels: list[list[tuple[int, int]]]) -> dict[int, int]:
    return {entity: entity for level in levels for entity, _ in level}


def test_the_prior_is_the_formula_of_the_module() -> None:
    levels = [[(1, 3), (2, 1)], [], [(2, 5), (3, 0)], []]
    found = priors(levels, {1: 9, 2: 19, 3: 69})
    last = {1: 10 / 100, 2: 20 / 100, 3: 70 / 100}
    elsewhere = {
        1: 0.5 * last[1] / 6,
        2: (5 + 0.5 / 2 + 0.5 * last[2]) / 6,
        3: (0 + 0.5 / 2 + 0.5 * last[3]) / 6,
    }
    assert found == pytest.approx(
        {
            1: (3 + 0.25 + 0.5 * elsewhere[1]) / 5,
            2: (1 + 0.25 + 0.5 * elsewhere[2]) / 5,
            3: 0.5 * elsewhere[3] / 5,
        }
    )


@given(LEVELS)
def test_priors_are_probabilities(levels: list[list[tuple[int, int]]]) -> None:
    found = priors(levels, popularity(levels))
    assert found.keys() == popularity(levels).keys()
    assert all(0 < prior <= 1 for prior in found.values())
    assert sum(found.values()) == pytest.approx(1)


@given(st.integers(1, 20), st.integers(0, 10**9))
def test_a_link_at_hand_outweighs_all_links_elsewhere(near: int, far: int) -> None:
    found = priors([[(1, near)], [], [(2, far)], []], {1: 0, 2: far})
    assert found[1] > found[2]


def test_the_language_of_the_text_comes_first(ask: Ask) -> None:
    english, german = ask("Georgia", "en"), ask("Georgia", "de")
    assert [one.entity for one in english] == [COUNTRY, STATE]
    assert [one.entity for one in german] == [STATE, COUNTRY]
    assert [(one.count, one.language) for one in english] == [(3, "en"), (1, "en")]
    assert [(one.count, one.language) for one in german] == [(8, "de"), (1, "de")]
    assert all(one.score == one.prior for one in english)
    assert sum(one.prior for one in english) == pytest.approx(1)


def test_names_of_other_languages_count_where_the_language_has_none(
    ask: Ask, world: KnowledgeBase
) -> None:
    (only,) = ask("München", "en")
    assert (only.entity, only.count, only.language) == (MUNICH, 2, "de")
    assert [one.entity for one in ask("トビリシ", "de")] == [TBILISI]
    alone = Linker.open(world, options=LinkingOptions(across_languages=False))
    assert ask("München", "en", alone) == ()
    assert [one.entity for one in ask("München", "de", alone)] == [MUNICH]


def test_a_text_in_no_known_language_may_mean_what_any_language_means(ask: Ask) -> None:
    assert [one.entity for one in ask("München", "xx")] == [MUNICH]
    assert {one.entity for one in ask("Georgia", "xx")} == {COUNTRY, STATE}


def test_other_spellings_lead_to_the_same_entities(ask: Ask) -> None:
    for spelling in ("GEORGIA", "georgia", "Ｇｅｏｒｇｉａ"):
        assert [one.entity for one in ask(spelling, "en")] == [COUNTRY, STATE]
    assert [one.entity for one in ask("Mu\u0308nchen", "de")] == [MUNICH]


def test_a_name_without_links_is_a_candidate(ask: Ask) -> None:
    assert [(one.entity, one.count) for one in ask("Peach State", "en")] == [(STATE, 0)]
    assert [(one.entity, one.language) for one in ask("Pfirsichstaat", "en")] == [(STATE, "de")]
    assert [one.entity for one in ask("Washington", "en")] == [WASHINGTON]


def test_no_more_candidates_than_wanted(ask: Ask, world: KnowledgeBase) -> None:
    one = Linker.open(world, options=LinkingOptions(most_candidates=1))
    assert [c.entity for c in ask("Georgia", "en", one)] == [COUNTRY]
    assert ask("Georgia", "en", one)[0].prior == ask("Georgia", "en")[0].prior


def test_nothing_is_known_of_other_texts(ask: Ask) -> None:
    assert ask("Nowhere", "en") == ()
    assert ask("   ", "en") == ()


def _probability(linker: Linker, surface: str, language: str) -> float | None:
    links = linker(surface, language).links
    return next((link.link_probability for link in links if link.surface == surface), None)


def test_the_link_probability_is_that_of_the_spelling_in_the_language(
    keep_all: Linker, world: KnowledgeBase
) -> None:
    for surface in ("Georgia", "Atlanta", "York", "May"):
        assert _probability(keep_all, surface, "en") == world.link_probability(surface, "en")


def test_a_word_that_is_a_name_only_with_a_capital_is_seldom_a_mention(
    keep_all: Linker, linker: Linker
) -> None:
    named, lower = (_probability(keep_all, word, "en") for word in ("May", "may"))
    assert named is not None
    assert lower is not None
    assert lower == pytest.approx(named * 0.1)
    assert _probability(keep_all, "MAY", "en") == named
    assert [one.surface for one in linker("It may be May.", "en").links] == ["may", "May"]
    assert {c.entity for c in linker("May", "en").links[0].candidates} == {MAY, MONTH}


def test_names_of_other_languages_are_mentions_half_as_often(
    keep_all: Linker, world: KnowledgeBase
) -> None:
    german = world.link_probability("München", "de")
    assert german is not None
    assert _probability(keep_all, "München", "de") == german
    assert _probability(keep_all, "München", "en") == pytest.approx(german / 2)


def test_short_abbreviations_are_mentions_only_as_they_are_spelt(
    keep_all: Linker, ask: Ask
) -> None:
    assert _probability(keep_all, "UN", "en") == 1.0
    assert _probability(keep_all, "UN", "de") == 0.5
    for language in ("en", "de", "xx"):
        assert _probability(keep_all, "Un", language) == 0.0
        assert _probability(keep_all, "un", language) == 0.0
        assert [one.entity for one in ask("un", language)] == [UNITED_NATIONS]


def test_numbers_of_other_languages_are_no_mentions(keep_all: Linker, ask: Ask) -> None:
    assert _probability(keep_all, "1945", "en") == 1.0
    assert _probability(keep_all, "1945", "de") == 0.0
    assert [one.entity for one in ask("1945", "de")] == [YEAR]


def test_names_that_no_text_has_are_mentions_now_and_then(keep_all: Linker) -> None:
    assert _probability(keep_all, "Peach State", "en") == pytest.approx(0.1)
    assert _probability(keep_all, "Pfirsichstaat", "en") == pytest.approx(0.05)


def test_what_is_remembered_does_not_change_what_is_answered(
    world: KnowledgeBase, linker: Linker, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["Georgia and Atlanta", "München, Munich, Georgia", "York, New York and May"] * 3
    monkeypatch.setattr("exonym.linking.candidates._MOST_KNOWN", 2)
    forgetful = Linker.open(world)
    for text in texts:
        assert forgetful(text, "en") == linker(text, "en")
