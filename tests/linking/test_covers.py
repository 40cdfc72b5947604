"""Covers: what is taken of overlapping names, against trying all."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exonym.linking.covers import best, longest, overlapping
from exonym.linking.found import Found

Span = tuple[int, int, int]


@st.composite
def occurrences(draw: st.DrawFn) -> tuple[Found, list[int]]:
    """Occurrences in order, some of one span, and whole scores (their sums are exact)."""
    span = st.tuples(st.integers(0, 2), st.integers(0, 8), st.integers(1, 5))
    spans = sorted(
        (text, start, start + size) for text, start, size in draw(st.lists(span, max_size=9))
    )
    scores = [draw(st.integers(-2, 6)) for _ in spans]
    columns = np.array(spans, np.int64).reshape(-1, 3).T
    return Found(*columns, np.arange(len(spans))), scores


def spans_of(found: Found) -> list[Span]:
    return list(zip(found.text.tolist(), found.start.tolist(), found.end.tolist(), strict=True))


def apart(one: Span, other: Span) -> bool:
    return one[0] != other[0] or one[2] <= other[1] or other[2] <= one[1]


@given(occurrences())
def test_the_best_set_is_the_best_of_all_sets(case: tuple[Found, list[int]]) -> None:
    found, scores = case
    spans = spans_of(found)
    sets = [
        rows
        for size in range(len(spans) + 1)
        for rows in combinations(range(len(spans)), size)
        if all(apart(spans[one], spans[other]) for one, other in combinations(rows, 2))
    ]
    expected = min(
        sets,
        key=lambda rows: (
            -sum(scores[row] for row in rows),
            -sum(spans[row][2] - spans[row][1] for row in rows),
            rows,
        ),
    )
    assert best(found, np.array(scores, float)).tolist() == list(expected)


@given(occurrences(), st.booleans())
def test_the_longest_are_taken_from_left_to_right(
    case: tuple[Found, list[int]], scored: bool
) -> None:
    found, scores = case
    spans = spans_of(found)
    order = sorted(
        range(len(spans)),
        key=lambda row: (spans[row][:2], -spans[row][2], -scores[row] if scored else 0, row),
    )
    expected: list[int] = []
    for row in order:
        if all(apart(spans[row], spans[other]) for other in expected):
            expected.append(row)
    taken = longest(found, np.array(scores, float) if scored else None)
    assert taken.tolist() == sorted(expected)


@given(occurrences())
def test_occurrences_overlap_if_another_one_is_not_apart(case: tuple[Found, list[int]]) -> None:
    found, _ = case
    spans = spans_of(found)
    assert overlapping(found).tolist() == [
        any(not apart(span, other) for place, other in enumerate(spans) if place != number)
        for number, span in enumerate(spans)
    ]


@pytest.mark.parametrize("taken", [longest, lambda found: best(found, np.ones(len(found)))])
def test_of_names_in_a_row_each_is_taken(taken: object) -> None:
    starts = np.arange(50_000) * 3
    found = Found(starts * 0, starts, starts + 3, starts)
    assert callable(taken)
    assert len(taken(found)) == 50_000


def test_some_occurrences_are_taken_by_number_or_mask() -> None:
    found = Found(*(np.arange(4) + shift for shift in range(4)))
    assert found.take(np.array([2, 0])).start.tolist() == [3, 1]
    assert found.take(found.text > 1).name.tolist() == [5, 6]
    assert len(found) == 4
