"""`Packing`: a batch without its padding.

Rows of padding cost as much as real ones. So the encoder works on one matrix of the real rows of
all items, each item's words and behind them its entities; only attention must know which rows
belong together. Items are sorted by length, and attention runs over buckets of similar ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

# Items whose lengths differ by no more share a bucket: one more call costs about as much as the
# padding of a few items by so many rows.
_SLACK = 16


@dataclass(frozen=True, slots=True)
class Bucket:
    """Items whose attention is computed together, in an even block of (items, length) rows.

    Args:
        rows: of the group's matrix, all of the bucket's items; ``slice(None)`` for all there are.
        items: how many.
        length: rows of each in the block.
        spread: (items * length,) which of `rows` make the block; at padding, any. None when `rows`
            are the block already.
        real: (rows,) places of `rows` in the block; None like `spread`.
        mask: (items, 1, 1, length), true on real columns; None when the block has no padding.
    """

    rows: slice
    items: int
    length: int
    spread: Tensor | None = None
    real: Tensor | None = None
    mask: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Items that go through all layers together.

    Args:
        rows: of the whole matrix.
        buckets: in the order of their rows; they cover the group, but for rows at its end that
            only fill the matrix up.
        is_entity: (rows,) true at entities; None in a batch without entities.
        entity_rows: (entities,) their rows in the group; None in a batch without entities.
    """

    rows: slice
    buckets: tuple[Bucket, ...]
    is_entity: Tensor | None = None
    entity_rows: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Packing:
    """Where the real rows of a batch are.

    Args:
        words: (real words,) places in the flattened (batch, words) grid.
        entities: (real entities,) places in the flattened (batch, entities) grid.
        word_rows: (real words,) the row of each of them in the packed matrix.
        entity_rows: (real entities,) the same for entities.
        order: (rows,) for each row its number among the real words and, behind them, entities; any
            for a row that only fills up a block or the matrix.
        groups: in the order of their rows; they cover the matrix.
        padding: (batch, words + entities), true at padding that has been left in; None when there
            is none left.
    """

    words: Tensor
    entities: Tensor
    word_rows: Tensor
    entity_rows: Tensor
    order: Tensor
    groups: tuple[Group, ...]
    padding: Tensor | None = None

    def join(self, words: Tensor, entities: Tensor | None) -> Tensor:
        """(real words, hidden) and (real entities, hidden) to the packed (rows, hidden)."""
        both = words if entities is None else torch.cat([words, entities])
        return both.index_select(0, self.order)

    def spread_words(self, packed: Tensor, batch: int, length: int) -> Tensor:
        """The packed (rows, hidden) to (batch, words, hidden), zeros at padding."""
        spread = _spread(packed, self.word_rows, self.words, batch, length)
        if self.padding is None:
            return spread
        return spread.masked_fill(self.padding[:, :length, None], 0)

    def spread_entities(self, packed: Tensor, batch: int, length: int) -> Tensor:
        """The packed (rows, hidden) to (batch, entities, hidden), zeros at padding."""
        spread = _spread(packed, self.entity_rows, self.entities, batch, length)
        if self.padding is None:
            return spread
        return spread.masked_fill(self.padding[:, -length:, None], 0)


def _spread(packed: Tensor, rows: Tensor, places: Tensor, batch: int, length: int) -> Tensor:
    width = packed.shape[1]
    full = packed.new_zeros(batch * length, width)
    return full.index_copy(0, places, packed.index_select(0, rows)).view(batch, length, width)


def pad(words: Tensor, entities: Tensor | None = None) -> Packing:
    """Plan a batch with its padding left in: all shapes follow from the batch's own.

    Args:
        words: (batch, words), true on pieces.
        entities: (batch, entities), true on mentions; None without entities.
    """
    grid = words if entities is None else torch.cat([words, entities], dim=1)
    (batch, width), split = grid.shape, words.shape[1]
    rows = torch.arange(batch * width, device=grid.device).view(batch, width)
    entity_rows = rows[:, split:].flatten()
    kinds = () if entities is None else ((rows % width >= split).flatten(), entity_rows)
    bucket = Bucket(slice(None), batch, width, mask=grid[:, None, None, :])
    return Packing(
        words=torch.arange(batch * split, device=grid.device),
        entities=torch.arange(batch * (width - split), device=grid.device),
        word_rows=rows[:, :split].flatten(),
        entity_rows=entity_rows,
        order=torch.argsort(torch.cat([rows[:, :split].flatten(), entity_rows])),
        groups=(Group(bucket.rows, (bucket,), *kinds),),
        padding=~grid,
    )


def pack(
    words: Tensor,
    entities: Tensor | None = None,
    *,
    most_rows: int | None = None,
    align: int = 1,
    mixed_lengths: bool = False,
    alone_from: int | None = None,
    multiple: int = 1,
) -> Packing:
    """Plan a batch without its padding.

    Args:
        words: (batch, words), true on pieces.
        entities: (batch, entities), true on mentions; None without entities.
        most_rows: start a new group before one gets more real rows than this (one item alone may
            have more); None puts all items into one group.
        align: let the lengths of blocks be multiples of this, for kernels that are faster then;
            a few rows of padding may stay in the matrix.
        mixed_lengths: put all items of a group into one bucket. For devices on which one large
            call is cheaper than several small ones.
        alone_from: items at least so long share a bucket only with items of the same length. For
            attention that computes long items one by one anyway.
        multiple: fill the matrix up to a multiple of so many rows. For kernels that are made and
            kept for each number of rows.
    """
    grid = words if entities is None else torch.cat([words, entities], dim=1)
    width, split, device = grid.shape[1], words.shape[1], grid.device
    lengths: list[int] = grid.sum(dim=1).tolist()
    order = sorted(filter(lengths.__getitem__, range(len(lengths))), key=lambda i: -lengths[i])
    runs = _runs([lengths[item] for item in order], most_rows)
    groups = [list(_parts(run, align, mixed_lengths, alone_from)) for run in runs]
    steps = [step for group in groups for part in group for step in part.steps()]
    rows = -(-sum(steps) // multiple) * multiple

    def tensor(numbers: list[int]) -> Tensor:
        return torch.tensor(numbers, dtype=torch.long, device=device)

    item, column = grid.index_select(0, tensor(order)).nonzero(as_tuple=True)
    number = torch.arange(len(item), device=device)
    padding = tensor([step - lengths[item] for item, step in zip(order, steps, strict=True)])
    shift = padding.cumsum(0) - padding  # by the padding that stays before an item
    row = number + shift.index_select(0, item)
    is_entity = torch.zeros(rows, dtype=torch.bool, device=device)
    is_entity[row] = column >= split
    is_word = column < split
    word_at, entity_at = is_word.nonzero()[:, 0], (~is_word).nonzero()[:, 0]
    place = tensor(order).index_select(0, item)
    rank = torch.where(is_word, is_word.cumsum(0) - 1, len(word_at) + (~is_word).cumsum(0) - 1)
    return Packing(
        words=(place * split + column).index_select(0, word_at),
        entities=(place * (width - split) + column - split).index_select(0, entity_at),
        word_rows=row.index_select(0, word_at),
        entity_rows=row.index_select(0, entity_at),
        order=number.new_zeros(rows).index_copy(0, row, rank),
        groups=tuple(
            _groups(groups, is_entity, entities=entities is not None, device=device),
        ),
    )


class _Part(NamedTuple):
    """Items of one bucket: their lengths, that of the block, whether the block's padding stays."""

    lengths: list[int]
    block: int
    stays: bool

    @property
    def rows(self) -> int:
        return sum(self.steps())

    def steps(self) -> list[int]:
        """Rows of the matrix for each item."""
        return [self.block] * len(self.lengths) if self.stays else self.lengths


def _runs(lengths: list[int], most_rows: int | None) -> list[list[int]]:
    """Falling lengths, cut so that each run's sum is at most `most_rows` where it can be."""
    runs: list[list[int]] = []
    for length in lengths:
        if not runs or (most_rows is not None and sum(runs[-1]) + length > most_rows):
            runs.append([])
        runs[-1].append(length)
    return runs


def _parts(
    lengths: list[int], align: int, mixed_lengths: bool, alone_from: int | None
) -> Iterator[_Part]:
    """Falling lengths, cut where they become much shorter."""
    first = 0
    for last in range(1, len(lengths) + 1):
        longest = lengths[first]
        most = longest if mixed_lengths else max(_SLACK, longest // 8)
        if alone_from is not None and longest >= alone_from:
            most = 0
        if last == len(lengths) or longest - lengths[last] > most:
            part, block = lengths[first:last], -(-longest // align) * align
            padding = len(part) * block - sum(part)
            yield _Part(part, block, stays=not padding or (align > 1 and 8 * padding <= sum(part)))
            first = last


def _groups(
    groups: list[list[_Part]], is_entity: Tensor, *, entities: bool, device: torch.device
) -> Iterator[Group]:
    start = 0
    for group in groups:
        row, buckets = 0, list[Bucket]()
        for part in group:
            buckets.append(_bucket(row, part, device))
            row += part.rows
        rows = slice(start, len(is_entity) if group is groups[-1] else start + row)
        here = is_entity[rows] if entities else None
        yield Group(rows, tuple(buckets), here, None if here is None else here.nonzero()[:, 0])
        start = rows.stop


def _bucket(start: int, part: _Part, device: torch.device) -> Bucket:
    rows, items = slice(start, start + part.rows), len(part.lengths)
    if part.lengths[-1] == part.block:
        return Bucket(rows, items, part.block)
    sizes = torch.tensor(part.lengths, device=device)
    real = torch.arange(part.block, device=device) < sizes[:, None]
    mask = real[:, None, None, :]
    if part.stays:
        return Bucket(rows, items, part.block, mask=mask)
    spread = real.flatten().cumsum(0) - 1  # at padding, the last real row before it
    return Bucket(rows, items, part.block, spread, real.flatten().nonzero()[:, 0], mask)
