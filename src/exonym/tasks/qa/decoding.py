"""From the scores of pieces to the best answers: the search over all spans of all windows.

A span's score is the logit of its first piece as a start plus that of its last as an end. All spans
up to the longest answer are compared, not those of a few good starts and ends alone, so the result
is exact. A question always has an answer, as in SQuAD 1.1, unless its passage has no character.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]

_DRAWN = 8  # spans looked at for each that is wanted; several may stand for the same characters


@dataclass(frozen=True, slots=True, eq=False)
class WindowLogits:
    """What a model says about one window of a passage.

    Args:
        starts: (pieces,) logits of each piece as the first of the answer.
        ends: (pieces,) as its last.
        offsets: (pieces, 2) characters [start, end) that each piece stands for.
    """

    starts: Floats
    ends: Floats
    offsets: Ints


@dataclass(frozen=True, slots=True)
class ScoredSpan:
    """A stretch of a passage as an answer.

    Args:
        start: first character.
        end: one past the last.
        logit: of its start and of its end together.
        probability: of this span among all spans of all windows.
    """

    start: int
    end: int
    logit: float
    probability: float


def best_spans(
    windows: Sequence[WindowLogits], text: str, *, most: int, longest: int
) -> list[ScoredSpan]:
    """The best answers to one question, the best first.

    Blanks at the ends of a span are no part of it. A span in several windows has the highest of its
    scores. Of equally good spans the earlier and then the shorter one comes first.

    Args:
        windows: of one passage.
        text: the passage.
        most: how many answers.
        longest: most pieces of an answer.
    """
    found: dict[tuple[int, int], float] = {}
    total = -np.inf
    for window in windows:
        scores = _scores(window, longest)
        allowed = scores[scores > -np.inf]
        if len(allowed):
            total = float(np.logaddexp(total, np.logaddexp.reduce(allowed)))
        for span, logit in _best_of_window(window, scores, text, most):
            found[span] = max(found.get(span, -np.inf), logit)
    best = sorted(found.items(), key=lambda item: (-item[1], item[0]))[:most]
    return [
        ScoredSpan(start, end, logit, float(np.exp(min(logit - total, 0.0))))
        for (start, end), logit in best
    ]


def _scores(window: WindowLogits, longest: int) -> Floats:
    """(pieces, longest): the score of the span from piece i with j further pieces.

    Minus infinity where it has no character or goes beyond the window.
    """
    pieces = len(window.starts)
    if not pieces:
        return np.empty((0, longest))
    longest = min(longest, pieces)
    ends = np.concatenate([window.ends, np.full(longest - 1, -np.inf)])
    scores: Floats = window.starts[:, None] + np.lib.stride_tricks.sliding_window_view(
        ends, longest
    )
    real = np.concatenate([[0], np.cumsum(window.offsets[:, 0] < window.offsets[:, 1])])
    last = np.minimum(np.arange(pieces)[:, None] + np.arange(longest) + 1, pieces)
    scores[real[last] == real[:pieces, None]] = -np.inf
    return scores


def _best_of_window(
    window: WindowLogits, scores: Floats, text: str, most: int
) -> Iterator[tuple[tuple[int, int], float]]:
    """At least ``most`` different spans of a window, where it has so many."""
    flat = scores.ravel()
    allowed = int((flat > -np.inf).sum())
    wanted = most * _DRAWN
    while True:
        spans: dict[tuple[int, int], float] = {}
        for place in _highest(flat, min(wanted, allowed)):
            first, further = divmod(place, scores.shape[1])
            span = _characters(window.offsets[first : first + further + 1], text)
            if span is not None:
                spans.setdefault(span, float(flat[place]))
        if len(spans) >= most or wanted >= allowed:
            yield from spans.items()
            return
        wanted *= _DRAWN


def _highest(values: Floats, count: int) -> list[int]:
    """Indices of the ``count`` highest values and of those that equal the last, the best first."""
    if not count:
        return []
    limit = np.partition(values, len(values) - count)[len(values) - count]
    places = np.flatnonzero(values >= limit)
    return places[np.argsort(-values[places], kind="stable")].tolist()  # type: ignore[no-any-return]


def _characters(offsets: Ints, text: str) -> tuple[int, int] | None:
    """The characters of some pieces without blanks at their ends; None if there is nothing else."""
    real = offsets[offsets[:, 0] < offsets[:, 1]]
    start, end = int(real[:, 0].min()), int(real[:, 1].max())
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else None
