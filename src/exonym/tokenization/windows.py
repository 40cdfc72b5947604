"""What becomes of a text that is too long: an error, its end cut off, or overlapping windows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import numpy.typing as npt

from exonym.foundation.errors import InputError

Overflow = Literal["error", "cut", "window"]
OVERFLOWS = ("error", "cut", "window")

Ids = npt.NDArray[np.int32]


def lengths_after_cut(first: int, second: int, most: int) -> tuple[int, int]:
    """How many pieces of a pair stay: the longer text loses first, then both in turn.

    Args:
        first: pieces of the first text.
        second: pieces of the second text.
        most: pieces that both may have together.
    """
    excess = max(first + second - most, 0)
    gone = min(excess, abs(first - second))
    if first > second:
        first -= gone
    else:
        second -= gone
    excess -= gone
    return max(first - excess // 2, 0), max(second - (excess - excess // 2), 0)


def windows(length: int, spans: Ids, most: int, overlap: int) -> Iterator[tuple[int, int]]:
    """Cover a text with windows, every mention wholly inside at least one.

    Args:
        length: pieces of the text.
        spans: (mentions, 2) pieces [start, end) of each mention.
        most: pieces of a window.
        overlap: pieces that a window shares with the next; more where a mention lies across.

    Yields:
        Pieces [start, end) of each window.

    Raises:
        InputError: a mention has more pieces than a window, or the windows could not advance.
    """
    if most <= overlap:
        raise InputError(
            f"windows of {most} pieces cannot overlap by {overlap}",
            remedy="Pass a larger max_length, or a smaller overlap",
        )
    sizes = spans[:, 1] - spans[:, 0]
    if len(sizes) and sizes.max() > most:
        worst = int(sizes.argmax())
        raise InputError(
            f"mention {worst} has {int(sizes[worst])} pieces, more than the {most} of a window",
            remedy="Pass a larger max_length, or leave the mention out",
        )
    start = 0
    while start + most < length:
        end = start + most
        yield start, end
        # A mention across the end, whole in no window so far, goes whole into the next one.
        across = spans[(spans[:, 0] < end) & (spans[:, 1] > end), 0]
        start = int(min(end - overlap, across.min(initial=end)))
    yield start, length
