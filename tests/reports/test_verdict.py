"""What the report claims follows from the figures, and only from them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exonym.analysis.bootstrap import Estimate
from exonym.reports.summary import Cloze, Rows
from exonym.reports.verdict import Outcome, judge

shares = st.floats(0, 1, allow_nan=False)


def rows(accuracies: tuple[float, float, float, float, float, float], half: float = 0.01) -> Rows:
    return Rows(*(Estimate(a, max(a - half, 0), min(a + half, 1), 100, {}) for a in accuracies))


GOOD = (0.02, 0.20, 0.18, 0.19, 0.43, 0.88)
LEVEL = (0.02, 0.20, 0.18, 0.19, 0.15, 0.14)


def test_entities_above_words_make_the_claim_come_true() -> None:
    verdict = judge(Cloze(rows(GOOD), rows(LEVEL)))
    assert verdict.outcome is Outcome.TRUE
    assert verdict.caution is None
    assert [check.passed for check in verdict.checks] == [True] * 4
    assert "88.0\N{NO-BREAK SPACE}%" in verdict.sentences[0]


def test_only_both_entities_above_words_is_a_part_of_the_claim() -> None:
    verdict = judge(Cloze(rows((0.02, 0.20, 0.18, 0.19, 0.19, 0.88)), rows(LEVEL)))
    assert verdict.outcome is Outcome.PARTLY


def test_overlapping_intervals_do_not_make_the_claim_come_true() -> None:
    verdict = judge(Cloze(rows(GOOD, half=0.4), rows(LEVEL)))
    assert verdict.outcome is Outcome.FALSE
    assert "did not come true" in verdict.sentences[1]


def test_a_better_word_row_is_reported_as_such() -> None:
    verdict = judge(Cloze(rows((0.02, 0.20, 0.60, 0.65, 0.43, 0.50)), rows(LEVEL)))
    assert verdict.outcome is Outcome.FALSE
    assert [check.passed for check in verdict.checks] == [False, False, False, True]


def test_a_leak_in_the_control_is_a_caution_that_names_the_row() -> None:
    verdict = judge(Cloze(rows(GOOD), rows(GOOD)))
    assert verdict.caution is not None
    assert "mLUKE-E([X]&[Y])" in verdict.caution
    assert "mLUKE-W" not in verdict.caution
    assert not verdict.checks[-1].passed


def test_chance_above_a_useless_most_frequent_object_is_no_leak() -> None:
    verdict = judge(Cloze(rows(GOOD), rows((0.10, 0.0, 0.11, 0.09, 0.10, 0.08), half=0.005)))
    assert verdict.caution is None
    assert verdict.checks[-1].passed


def test_no_control_is_a_caution() -> None:
    verdict = judge(Cloze(rows(GOOD)))
    assert verdict.caution is not None
    assert len(verdict.checks) == 3


@given(st.tuples(shares, shares, shares, shares, shares, shares), st.floats(0, 0.5))
def test_the_claim_comes_true_only_above_both_word_rows(
    accuracies: tuple[float, float, float, float, float, float], half: float
) -> None:
    verdict = judge(Cloze(rows(accuracies, half), rows(LEVEL)))
    *_, words_only, mluke_w, only_y, both = accuracies
    if verdict.outcome is not Outcome.FALSE:
        assert both > max(words_only, mluke_w)
    if verdict.outcome is Outcome.TRUE:
        assert only_y > max(words_only, mluke_w)
