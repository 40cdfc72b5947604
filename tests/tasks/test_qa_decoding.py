"""The search for the best spans equals looking at every span, one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exonym.tasks.qa.decoding import ScoredSpan, WindowLogits, best_spans

TEXT = "ab  c東京\u3000 d e"


def window(starts: list[float], ends: list[float], offsets: list[tuple[int, int]]) -> WindowLogits:
    return WindowLogits(
        np.array(starts, dtype=np.float64),
        np.array(ends, dtype=np.float64),
        np.array(offsets, dtype=np.int32).reshape(-1, 2),
    )


def brute_force(
    windows: list[WindowLogits], text: str, most: int, longest: int
) -> tuple[list[tuple[int, int, float]], float]:
    """The best spans and the logarithm of the sum over all spans."""
    best: dict[tuple[int, int], float] = {}
    everything: list[float] = []
    for one in windows:
        for first in range(len(one.starts)):
            for last in range(first, min(first + longest, len(one.starts))):
                covered = [(a, b) for a, b in one.offsets[first : last + 1].tolist() if a < b]
                if not covered:
                    continue
                logit = float(one.starts[first] + one.ends[last])
                everything.append(logit)
                places = [
                    place
                    for place in range(min(a for a, _ in covered), max(b for _, b in covered))
                    if not text[place].isspace()
                ]
                if places:
                    span = places[0], places[-1] + 1
                    best[span] = max(best.get(span, -math.inf), logit)
    ranked = sorted((-logit, *span) for span, logit in best.items())[:most]
    total = float(np.logaddexp.reduce(everything)) if everything else -math.inf
    return [(start, end, -logit) for logit, start, end in ranked], total


@st.composite
def any_windows(draw: st.DrawFn) -> list[WindowLogits]:
    made = []
    for _ in range(draw(st.integers(1, 3))):
        size = draw(st.integers(0, 9))
        whole = st.integers(-4, 4).map(float)  # few values, so that there are ties
        logits = draw(st.lists(whole, min_size=2 * size, max_size=2 * size))
        places = sorted(draw(st.lists(st.integers(0, len(TEXT)), min_size=size, max_size=size)))
        widths = draw(st.lists(st.integers(0, 3), min_size=size, max_size=size))
        offsets = [
            (place, min(place + width, len(TEXT)))
            for place, width in zip(places, widths, strict=True)
        ]
        made.append(window(logits[:size], logits[size:], offsets))
    return made


@settings(max_examples=120)
@given(any_windows(), st.integers(1, 12), st.integers(1, 12))
def test_the_best_spans_are_the_best_of_all(
    windows: list[WindowLogits], most: int, longest: int
) -> None:
    found = best_spans(windows, TEXT, most=most, longest=longest)
    expected, total = brute_force(windows, TEXT, most, longest)
    assert [(span.start, span.end, span.logit) for span in found] == expected
    for span in found:
        assert span.probability == pytest.approx(math.exp(span.logit - total))
        assert not TEXT[span.start].isspace()
        assert not TEXT[span.end - 1].isspace()


def test_a_span_that_many_pieces_stand_for_is_there_once_and_others_still_follow() -> None:
    """Of 40 pieces, 30 stand for the same character."""
    offsets = [(0, 1)] * 30 + [(place, place + 1) for place in range(1, 11)]
    scores = [5.0] * 30 + [0.0] * 10
    (first, second) = best_spans([window(scores, scores, offsets)], "a" * 11, most=2, longest=5)
    assert ((first.start, first.end), (second.start, second.end)) == ((0, 1), (0, 2))


def test_no_character_no_answer() -> None:
    assert best_spans([], TEXT, most=3, longest=3) == []
    assert best_spans([window([], [], [])], TEXT, most=3, longest=3) == []
    assert best_spans([window([1.0], [1.0], [(2, 2)])], TEXT, most=3, longest=3) == []
    assert best_spans([window([1.0], [1.0], [(2, 4)])], TEXT, most=3, longest=3) == []


def test_huge_logits_make_no_infinite_probability() -> None:
    (best, *_) = best_spans(
        [window([1e4, -1e4], [1e4, -1e4], [(0, 1), (1, 2)])], "ab", most=2, longest=2
    )
    assert best == ScoredSpan(0, 1, 2e4, 1.0)
