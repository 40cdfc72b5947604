"""Greedy choice of spans, beside a twin that looks for the best span again and again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ner_twins import greedy

from exonym.tasks.ner.decoding import decode, outside_row


@given(
    st.integers(1, 8),
    st.integers(2, 4),
    st.integers(0, 1),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_decoding_is_greedy(words: int, labels: int, outside: int, nested: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    spans = [(a, b) for a in range(words) for b in range(a + 1, words + 1)]
    # Few different values, so that there are ties.
    logits = rng.integers(-2, 3, (len(spans), labels)).astype(np.float32)
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    probabilities = (powers / powers.sum(axis=1, keepdims=True)).tolist()
    found = decode(
        np.array(spans, dtype=np.int32),
        logits,
        outside=outside,
        overlaps="nested" if nested else "flat",
    )
    wanted = greedy(spans, probabilities, outside, nested=nested)
    assert {(one.start, one.end, one.row) for one in found} == wanted
    assert [(one.start, -one.end) for one in found] == sorted(
        (one.start, -one.end) for one in found
    )
    by_span = dict(zip(spans, probabilities, strict=True))
    for one in found:
        assert one.score == pytest.approx(max(by_span[one.start, one.end]))


def test_of_overlapping_spans_the_most_probable_wins() -> None:
    spans = np.array([[0, 3], [4, 8], [0, 8], [4, 12]], dtype=np.int32)
    logits = np.array([[0, 3, 0], [0, 0, 2], [0, 2.5, 0], [5, 0, 0]], dtype=np.float32)
    flat = decode(spans, logits, outside=0)
    assert [(one.start, one.end, one.row) for one in flat] == [(0, 3, 1), (4, 8, 2)]
    nested = decode(spans, logits, outside=0, overlaps="nested")
    assert [(one.start, one.end, one.row) for one in nested] == [(0, 8, 1), (0, 3, 1), (4, 8, 2)]


def test_no_candidates_and_no_spans() -> None:
    assert decode(np.zeros((0, 2), np.int32), np.zeros((0, 3), np.float32), outside=0) == []
    spans, logits = np.array([[0, 1]], np.int32), np.array([[1, 0]], np.float32)
    assert decode(spans, logits, outside=0) == []


def test_very_large_logits_do_not_overflow() -> None:
    spans = np.array([[0, 1]], np.int32)
    (one,) = decode(spans, np.array([[-1e9, 1e9, 0]], np.float32), outside=0)
    assert one.score == 1.0


@pytest.mark.parametrize(
    ("labels", "row"),
    [(("NIL", "LOC"), 0), (("LOC", "O"), 1), (("X", "none", "Y"), 1), (("LABEL_0", "LABEL_1"), 0)],
)
def test_the_row_of_no_entity(labels: tuple[str, ...], row: int) -> None:
    assert outside_row(labels) == row
