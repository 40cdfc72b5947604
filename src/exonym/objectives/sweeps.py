"""A softmax over a huge table, block by block: losses and gradients with three matrix products.

The full softmax holds several (targets, rows) matrices. Here a chunk of targets goes over the table
twice. The first sweep multiplies each block of rows with the states, turns the logits into
exponentials relative to the highest logit so far, and adds up their sum and their product with the
block (the running maximum of Milakov and Gimelshein 2018). The exponentials are kept, so the second
sweep need not compute them again: it scales the states instead, by what turns exponentials into
probabilities, and one product gives the gradient of the block.

The exponential of the target itself is left out of both products. Its part of the gradient, its
probability less one, is taken from the sum of the others: of a target that is learnt well, the
difference would be lost in rounding, in bfloat16 above all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from exonym.objectives import pages
from exonym.objectives.loss import IGNORED
from exonym.objectives.precision import Precision

KEPT_BYTES = {"cpu": 640 << 20, "cuda": 2 << 30}
"""Most bytes of a chunk's exponentials, by device. A chunk has at least 16 targets even so."""

BLOCK_ROWS = {"cpu": 4096, "cuda": 16384}
"""Rows of a block: on a CPU, the block and its logits stay in the cache."""

# Exponentials of less are taken as that of this. It changes no sum, and without it they become
# denormal numbers, with which a CPU takes up to fifty times as long.
_FLOOR = {torch.float32: -80.0, torch.float64: -700.0}

# Numbers of targets of a chunk are multiples of these: products of odd ones are slower.
_FEWEST, _MULTIPLE = 16, 64


@dataclass(frozen=True, slots=True)
class Wanted:
    """Of which inputs gradients are wanted."""

    states: bool
    table: bool
    bias: bool


@dataclass(frozen=True, slots=True)
class Swept:
    """Losses of all targets, and the gradients of their sum.

    Args:
        nats: (targets,) in the type of sums, like the gradients; zero at `IGNORED`.
        correct: (targets,) bool.
        states: (targets, width); None, like the others, where it was not wanted.
        table: (rows, width).
        bias: (rows,).
    """

    nats: Tensor
    correct: Tensor
    states: Tensor | None
    table: Tensor | None
    bias: Tensor | None


def sweep(
    states: Tensor,
    table: Tensor,
    bias: Tensor,
    targets: Tensor,
    wanted: Wanted,
    precision: Precision,
) -> Swept:
    """Losses and gradients, to be called without autograd.

    Args:
        states: (targets, width).
        table: (rows, width).
        bias: (rows,).
        targets: (targets,) rows, or `IGNORED`.
        wanted: which gradients to compute.
        precision: types of numbers.
    """
    device, count = states.device, len(targets)

    def new(wish: bool, *shape: int) -> Tensor | None:
        return pages.empty(shape, dtype=precision.sum, device=device) if wish else None

    swept = Swept(
        nats=torch.empty(count, dtype=precision.sum, device=device),
        correct=torch.empty(count, dtype=torch.bool, device=device),
        states=new(wanted.states, count, table.shape[1]),
        table=new(wanted.table, *table.shape),
        bias=new(wanted.bias, len(bias)),
    )
    with torch.autocast(device.type, enabled=False):
        keeps = wanted.table or wanted.bias
        size = _chunk_size(count, len(table) if keeps else _block_rows(device), precision, device)
        room = _Room(precision, len(table), size, device, keeps=keeps)
        for start in range(0, count, size):
            part = slice(start, min(start + size, count))
            chunk = _Chunk(states[part], table, bias, targets[part], room)
            chunk.sweep_forward(swept, part)
            if keeps:
                chunk.sweep_again(swept, first=start == 0)
    if not count:
        for gradient in (swept.table, swept.bias):
            if gradient is not None:
                gradient.zero_()
    return swept


def _block_rows(device: torch.device) -> int:
    return BLOCK_ROWS.get(device.type, BLOCK_ROWS["cuda"])


def _chunk_size(count: int, rows: int, precision: Precision, device: torch.device) -> int:
    """Targets of a chunk: as many as may be kept, in chunks of about the same size."""
    limit = KEPT_BYTES.get(device.type, KEPT_BYTES["cuda"])
    most = max(limit // (max(rows, 1) * precision.product.itemsize), _FEWEST)
    multiple = _MULTIPLE if most >= _MULTIPLE else _FEWEST
    chunks = -(-count // (most - most % multiple))
    even = -(-count // max(chunks, 1))
    return max(even + -even % multiple, 1)


class _Room:
    """Memory that all chunks use in turn, and how they compute.

    Args:
        precision: types of numbers.
        rows: of the table.
        size: most targets of a chunk.
        device: of everything.
        keeps: whether exponentials of all rows are kept, or only of one block.
    """

    def __init__(
        self, precision: Precision, rows: int, size: int, device: torch.device, *, keeps: bool
    ) -> None:
        self.precision, self.keeps = precision, keeps
        self.block_rows = min(_block_rows(device), rows)
        # Where exponentials are kept in the type of sums, they are computed where they are kept.
        self.apart = not keeps or precision.product != precision.sum
        kept, scratch = rows * size if keeps else 0, self.block_rows * size if self.apart else 0
        self.kept = pages.empty((kept,), dtype=precision.product, device=device)
        self.scratch = pages.empty((scratch,), dtype=precision.sum, device=device)

    def exponentials(self, block: slice, targets: int) -> Tensor:
        """Where the (rows, targets) exponentials of a block are kept."""
        return self.kept[block.start * targets : block.stop * targets].view(-1, targets)

    def logits(self, block: slice, targets: int) -> Tensor:
        """Where the (rows, targets) logits of a block are computed."""
        if self.apart:
            return self.scratch[: (block.stop - block.start) * targets].view(-1, targets)
        return self.exponentials(block, targets)


class _Chunk:
    """Some targets, over the whole table.

    Args:
        states: (targets, width).
        table: (rows, width).
        bias: (rows,).
        targets: (targets,).
        room: memory to work in.
    """

    def __init__(
        self, states: Tensor, table: Tensor, bias: Tensor, targets: Tensor, room: _Room
    ) -> None:
        self.table, self.bias, self.room = table, bias, room
        self.precision = room.precision
        self.states = self.precision.factor(states)
        self.real = targets != IGNORED
        self.targets = targets.where(self.real, 0)
        self.highest: list[Tensor] = []
        self.log_sum = self.surplus = torch.empty(0)  # (targets,) from the first sweep on

    def blocks(self) -> Iterator[slice]:
        """The rows of each block."""
        rows, step = len(self.table), self.room.block_rows
        return (slice(start, min(start + step, rows)) for start in range(0, rows, step))

    def sweep_forward(self, swept: Swept, part: slice) -> None:
        """Losses and the gradient of the states; keeps the exponentials and what they lack."""
        count, exact = len(self.targets), self.precision.sum
        highest = self.states.new_full((count,), torch.finfo(exact).min, dtype=exact)
        others = torch.zeros_like(highest, dtype=torch.float64)
        seen = _TargetLogits(self.targets, self.blocks())
        gradient = None
        if swept.states is not None:
            gradient = swept.states[part].zero_()
        turned = self.states.t().contiguous()
        for block in self.blocks():
            rows = self.precision.factor(self.table[block])
            logits = self.room.logits(block, count)
            self.precision.multiply(rows, turned, logits)
            logits += self.bias[block, None]
            highest_here = logits.amax(0)
            own = seen.look(logits, block, highest, highest_here)
            higher = torch.maximum(highest, highest_here)
            exponentials = logits.sub_(higher).clamp_(min=_FLOOR[exact]).exp_()
            fade = (highest - higher).double().exp_()
            if own is not None:
                exponentials[own] = 0
            others.mul_(fade).add_(exponentials.sum(0))
            if self.room.keeps and self.room.apart:
                exponentials = self.room.exponentials(block, count).copy_(exponentials)
            if gradient is not None:
                gradient.mul_(fade[:, None])
                factor = exponentials.to(self.precision.product)
                self.precision.multiply(factor.t(), rows, gradient, add=True)
            if self.room.keeps:
                self.highest.append(higher)
            highest = higher
        sums = others + (seen.logits - highest).double().exp_()
        self.log_sum = sums.log() + highest
        nats = (sums.log() + (highest - seen.logits)).where(self.real, 0)
        swept.nats[part] = nats
        self.surplus = -(others / sums).to(exact).where(self.real, 0)
        swept.correct[part] = self.real & seen.first & (seen.logits == highest)
        if gradient is not None:
            gradient /= sums[:, None]
            gradient += self.precision.factor(self.table[self.targets]) * self.surplus[:, None]
            gradient.masked_fill_(~self.real[:, None], 0)

    def sweep_again(self, swept: Swept, *, first: bool) -> None:
        """Write the gradients of table and bias, or add to those of the chunks before."""
        count, exact = len(self.targets), self.precision.sum
        for block, highest in zip(self.blocks(), self.highest, strict=True):
            exponentials = self.room.exponentials(block, count)
            weights = (highest - self.log_sum).exp_().to(exact).where(self.real, 0)
            if swept.table is not None:
                scaled = self.precision.factor(self.states * weights[:, None])
                out = swept.table[block]
                self.precision.multiply(exponentials, scaled, out, add=not first)
            if swept.bias is not None:
                summed = torch.mv(exponentials, weights.to(exponentials.dtype))
                swept.bias[block] = summed if first else swept.bias[block] + summed
        if swept.table is not None:
            _add_rows(swept.table, self.targets, self.states * self.surplus[:, None])
        if swept.bias is not None:
            _add_rows(swept.bias, self.targets, self.surplus)


class _TargetLogits:
    """The logits of the targets themselves, from the blocks in which they are.

    `first` is true where no lower row has as high a logit, and no row of the same block a higher
    one; so a target is the argmax where it is first and its logit is the highest of all.

    Args:
        targets: (targets,) rows.
        blocks: all blocks, in order.
    """

    def __init__(self, targets: Tensor, blocks: Iterator[slice]) -> None:
        self.targets, self.order = targets, targets.argsort(stable=True)
        stops = torch.tensor([block.stop for block in blocks], device=targets.device)
        # One wait for the device instead of one for every block.
        self.ends = torch.searchsorted(targets[self.order], stops).tolist()
        self.next, self.done = 0, 0
        self.logits = torch.empty(0)
        self.first = torch.zeros_like(targets, dtype=torch.bool)

    def look(
        self, logits: Tensor, block: slice, highest: Tensor, highest_here: Tensor
    ) -> tuple[Tensor, Tensor] | None:
        """Note the targets of a block; returns where they are in it.

        Args:
            logits: (rows, targets) of the block.
            block: its rows in the table.
            highest: (targets,) logits of the rows before.
            highest_here: (targets,) logits of the block.
        """
        if not self.logits.numel():
            self.logits = torch.zeros_like(highest)
        end = self.ends[self.next]
        self.next += 1
        if end == self.done:
            return None
        columns = self.order[self.done : end]
        self.done = end
        places = self.targets[columns] - block.start
        found = logits[places, columns]
        self.logits[columns] = found
        # Which row is the first of the highest is asked only where it may be the target.
        leads = (found == highest_here[columns]) & (found > highest[columns])
        leading = columns[leads]
        best = logits.index_select(1, leading).argmax(0)
        self.first[leading] = best == places[leads]
        return places, columns


def _add_rows(out: Tensor, rows: Tensor, values: Tensor) -> None:
    """Add at rows, some of them several times, always in the same order."""
    if out.device.type == "cpu":
        out.index_add_(0, rows, values.to(out.dtype))
    else:  # there, index_add_ adds in any order
        out.index_put_((rows,), values.to(out.dtype), accumulate=True)
