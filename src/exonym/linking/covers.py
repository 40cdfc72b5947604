"""Choosing among overlapping names: the longest from left to right, or the best set."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exonym.linking.found import Found

Places = NDArray[np.int64]
Scores = NDArray[np.float64]


def longest(found: Found, scores: Scores | None = None) -> Places:
    """From left to right: the longest name that begins here, then on behind it.

    Args:
        found: occurrences, in order.
        scores: (found,) which of several with the same span is taken: that with the highest, of
            equal ones the first.

    Returns:
        The numbers of the occurrences that are taken, ascending; no two of a text overlap.
    """
    rows = np.arange(len(found))
    if scores is None:
        order = np.lexsort((rows, -found.end, found.start, found.text))
    else:
        order = np.lexsort((rows, -scores, -found.end, found.start, found.text))
    text, start = found.text[order], found.start[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (text[1:] != text[:-1]) | (start[1:] != start[:-1])
    rows = order[first]
    groups, apart = _groups(found, rows)
    # A name that begins first and reaches to the end of its group leaves room for no other.
    taken = rows[groups[:-1]]
    left = np.flatnonzero(apart > found.end[taken])
    chosen = [taken]
    for group in left.tolist():
        inside = rows[groups[group] : groups[group + 1]]
        free, more = int(found.end[inside[0]]), []
        spans = zip(
            inside.tolist(), found.start[inside].tolist(), found.end[inside].tolist(), strict=True
        )
        for row, begin, end in spans:
            if begin >= free:
                more.append(row)
                free = end
        chosen.append(np.array(more, np.int64))
    return np.sort(np.concatenate(chosen))


def best(found: Found, scores: Scores) -> Places:
    """The set without overlaps that has the highest sum of scores.

    Of sets with equal sums, that with more characters; of those, the one whose first name that
    differs comes earlier in ``found``. Names with negative scores are never taken.

    Args:
        found: occurrences, in order.
        scores: (found,) finite.

    Returns:
        The numbers of the occurrences that are taken, ascending.
    """
    rows = np.flatnonzero(scores >= 0)
    groups, _ = _groups(found, rows)
    sizes = groups[1:] - groups[:-1]
    chosen = [rows[groups[:-1][sizes == 1]]]
    starts, ends, values = (
        found.start[rows].tolist(),
        found.end[rows].tolist(),
        scores[rows].tolist(),
    )
    for first, last in zip(
        groups[:-1][sizes > 1].tolist(), groups[1:][sizes > 1].tolist(), strict=True
    ):
        taken = _best_of(starts[first:last], ends[first:last], values[first:last])
        chosen.append(rows[first + np.array(taken, np.int64)])
    return np.sort(np.concatenate(chosen))


def overlapping(found: Found) -> NDArray[np.bool_]:
    """Whether each occurrence overlaps another one; shape (found,)."""
    rows = np.arange(len(found))
    groups, _ = _groups(found, rows)
    sizes = groups[1:] - groups[:-1]
    return np.repeat(sizes > 1, sizes)


def _groups(found: Found, rows: Places) -> tuple[Places, Places]:
    """Where groups of occurrences begin that overlap nothing outside, and where each reaches to.

    Args:
        found: occurrences.
        rows: some of them, by text and start.

    Returns:
        (groups + 1,) places in ``rows``, and (groups,) the last end in characters.
    """
    if not len(rows):
        return np.zeros(1, np.int64), np.zeros(0, np.int64)
    text, start, end = found.text[rows], found.start[rows], found.end[rows]
    width = int(end.max()) + 1
    reach = np.maximum.accumulate(text * width + end)
    first = np.ones(len(rows), np.bool_)
    first[1:] = text[1:] * width + start[1:] >= reach[:-1]
    # The end of a text before this one is less than the start of this text, whatever the width.
    groups = np.append(np.flatnonzero(first), len(rows))
    return groups, reach[groups[1:] - 1] % width


def _best_of(starts: list[int], ends: list[int], scores: list[float]) -> list[int]:
    """Weighted interval scheduling, from right to left; starts ascend."""
    size = len(starts)
    sums: list[tuple[float, int]] = [(0.0, 0)] * (size + 1)
    after = np.searchsorted(starts, ends).tolist()
    takes = [False] * size
    for place in range(size - 1, -1, -1):
        score, characters = sums[after[place]]
        with_it = (scores[place] + score, ends[place] - starts[place] + characters)
        # Of equal sums the one that takes what comes first.
        takes[place] = with_it >= sums[place + 1]
        sums[place] = max(with_it, sums[place + 1])
    taken, place = [], 0
    while place < size:
        if takes[place]:
            taken.append(place)
            place = after[place]
        else:
            place += 1
    return taken
