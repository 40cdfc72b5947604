"""The share of the most frequent wrong answer, counted by hand."""

from __future__ import annotations

import pytest

from exonym.analysis import most_frequent_wrong_share


def errors(language: str, relation: str, *answers: str | None) -> list[tuple[str, str, str | None]]:
    return [(language, relation, answer) for answer in answers]


def test_each_relation_of_each_language_has_its_own_most_frequent_wrong_answer() -> None:
    estimate = most_frequent_wrong_share(
        [
            *errors("en", "P36", "A", "A", "A", "B"),  # 3 of 4
            *errors("en", "P38", "C", "D"),  # 1 of 2
            *errors("sw", "P36", "B", "B"),  # 2 of 2
        ]
    )
    assert estimate.wrong == 8
    assert estimate.share == pytest.approx(6 / 8)
    assert estimate.by_language == {"en": pytest.approx(4 / 6), "sw": 1.0}


def test_giving_no_answer_is_an_answer_too() -> None:
    estimate = most_frequent_wrong_share(errors("en", "P36", None, None, "A"))
    assert estimate.share == pytest.approx(2 / 3)


def test_no_error_is_no_bias() -> None:
    estimate = most_frequent_wrong_share([])
    assert (estimate.share, estimate.wrong, estimate.by_language) == (0.0, 0, {})


def test_errors_that_are_all_different_have_the_least_share() -> None:
    estimate = most_frequent_wrong_share(errors("ja", "P17", *"ABCDEFGH"))
    assert estimate.share == pytest.approx(1 / 8)


def test_languages_come_in_order() -> None:
    mixed = [*errors("sw", "P36", "A"), *errors("de", "P36", "A"), *errors("ja", "P36", "A")]
    assert list(most_frequent_wrong_share(mixed).by_language) == ["de", "ja", "sw"]
