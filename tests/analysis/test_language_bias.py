"""The share of the most frequent wrong answer, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from exonym.analysis import most_frequent_wrong_share, wrong_share_interval
from exonym.foundation.errors import InputError


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


def test_the_interval_is_around_the_share_and_leaves_whole_facts_out() -> None:
    rng = np.random.default_rng(0)
    wrong = [
        (language, "P36", str(rng.choice(["Q1", "Q2", "Q3"], p=[0.5, 0.3, 0.2])), fact)
        for fact in range(120)
        for language in ("en", "sw")
    ]
    found = wrong_share_interval(wrong)
    assert found.value == most_frequent_wrong_share(row[:3] for row in wrong).share
    assert found.low < found.value < found.high
    assert found.clusters == 120
    # About that of a share of 0.5 among 120 independent facts in two languages.
    assert 0.05 < found.high - found.value < 0.13
    assert wrong_share_interval(wrong) == found


def test_one_fact_has_no_interval() -> None:
    with pytest.raises(InputError, match="two clusters"):
        wrong_share_interval([("en", "P36", "Q1", "fact")])
