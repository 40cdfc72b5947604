"""Which of many inputs of different lengths go through a model together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

PIECES_AT_ONCE = 8192
"""Pieces and entities of a batch, padding included, unless one input alone has more."""


def similar_lengths(
    lengths: Sequence[int], most: int, *, pieces: int = PIECES_AT_ONCE
) -> Iterator[list[int]]:
    """Places of inputs in batches, the longest first; the same lengths in their order.

    Args:
        lengths: pieces and entities of each input.
        most: inputs in a batch.
        pieces: most pieces and entities in a batch, padding included.
    """
    order = sorted(range(len(lengths)), key=lambda place: (-lengths[place], place))
    start = 0
    while start < len(order):
        count = max(1, min(most, pieces // max(lengths[order[start]], 1)))
        yield order[start : start + count]
        start += count
