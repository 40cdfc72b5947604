"""A softmax over a huge table, block by block: losses and gradients with three matrix products.

The full softmax holds several (targets, rows) matrices. Here a chunk of targets goes over the table
twice. The first sweep multiplies the states with each block of rows, takes the softmax of the block
by itself, and adds up the blocks' sums and products with their rows, each by its weight among those
so far (the running sum of Milakov and Gimelshein 2018). The blocks' probabilities are kept, so the
second sweep need not compute them again: it scales the states instead, by the weight of the block
among all, and one product gives the gradient of its rows.

The probability of the target itself is left out of both products. Its part of the gradient, its
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
"""Most bytes of a chunk's probabilities, by device. A chunk has at least 16 targets even so."""

BLOCK_ROWS = 16384
"""Rows of a block."""

# Smaller probabilities within a block are taken as this. It changes no sum, and without it they
# become denormal numbers, with which a CPU takes up to fifty times as long.
_LEAST = {torch.float32: 1e-35, torch.float64: 1e-300}

# Numbers of targets of a chunk are multiples of these: products of odd ones are slower.
_FEWEST, _MULTIPLE = 16, 64

# A bias of minus infinity excludes a row. Were all rows of a block excluded, its softmax would be
# undefined, so they are given a weight that is zero among all instead.
_EXCLUDED = -1e30


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
        size = _chunk_size(count, len(table) if keeps else BLOCK_ROWS, precision, device)
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
        keeps: whether probabilities of all rows are kept, or only of one block.
    """

    def __init__(
        self, precision: Precision, rows: int, size: int, device: torch.device, *, keeps: bool
    ) -> None:
        self.precision, self.keeps = precision, keeps
        self.block_rows = min(BLOCK_ROWS, rows)
        block = self.block_rows * size
        kept = rows * size if keeps else block
        self._kept = pages.empty((kept,), dtype=precision.product, device=device)
        self._logits = pages.empty((block,), dtype=precision.sum, device=device)
        self._product = torch.empty(0, dtype=precision.sum, device=device)

    def probabilities(self, block: slice, targets: int) -> Tensor:
        """Where the (targets, rows) probabilities of a block within the block are kept."""
        start = block.start if self.keeps else 0
        return self._part(self._kept[start * targets :], block, targets)

    def logits(self, block: slice, targets: int) -> Tensor:
        """Where the (targets, rows) logits of a block are computed."""
        return self._part(self._logits, block, targets)

    def product(self, like: Tensor) -> Tensor:
        """Where a product is computed that is then added to one of the same shape."""
        if self._product.shape != like.shape:
            self._product = torch.empty_like(like)
        return self._product

    @staticmethod
    def _part(memory: Tensor, block: slice, targets: int) -> Tensor:
        return memory[: (block.stop - block.start) * targets].view(targets, -1)


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
        self.log_sums: list[Tensor] = []  # (targets,) of each block by itself, in float64
        self.log_sum = self.surplus = torch.empty(0)  # (targets,) from the first sweep on

    def blocks(self) -> Iterator[slice]:
        """The rows of each block."""
        rows, step = len(self.table), self.room.block_rows
        return (slice(start, min(start + step, rows)) for start in range(0, rows, step))

    def sweep_forward(self, swept: Swept, part: slice) -> None:
        """Losses and the gradient of the states; keeps the probabilities and their weights."""
        count, exact = len(self.targets), self.precision.sum
        log_sum = self.states.new_full((count,), -torch.inf, dtype=torch.float64)
        others, highest = log_sum.clone(), log_sum.to(exact)
        seen = _TargetLogits(self.targets, self.blocks(), exact)
        gradient = None if swept.states is None else swept.states[part].zero_()
        for block in self.blocks():
            rows = self.precision.factor(self.table[block])
            logits = self.room.logits(block, count)
            self.precision.multiply(self.states, rows.t(), logits)
            logits += self.bias[block].clamp(min=_EXCLUDED)
            highest_here = logits.amax(1)
            own = seen.look(logits, block, highest, highest_here)
            highest = torch.maximum(highest, highest_here)
            probabilities, log_sum_here, others_here = self._softmax(
                logits, block, highest_here, own
            )
            others = torch.logaddexp(others, others_here)
            before, log_sum = log_sum, torch.logaddexp(log_sum, log_sum_here)
            if gradient is not None:
                product = self.room.product(gradient)
                self.precision.multiply(probabilities, rows, product)
                gradient.mul_((before - log_sum).exp_().to(exact)[:, None])
                gradient.addcmul_(product, (log_sum_here - log_sum).exp_().to(exact)[:, None])
            if self.room.keeps:
                self.log_sums.append(log_sum_here)
        # Not the sum over all blocks, but exactly the others' and the target's.
        self.log_sum = torch.logaddexp(others, seen.logits.double())
        ahead = others - seen.logits
        nats = ahead.clamp(min=0) + ahead.abs().neg().exp().log1p()
        nats.masked_fill_(self.bias[self.targets] == -torch.inf, torch.inf)
        swept.nats[part] = nats.where(self.real, 0)
        self.surplus = -(others - self.log_sum).exp_().to(exact).where(self.real, 0)
        swept.correct[part] = self.real & seen.first & (seen.logits == highest)
        if gradient is not None:
            gradient *= (log_sum - self.log_sum).exp_().to(exact)[:, None]
            gradient += self.precision.factor(self.table[self.targets]) * self.surplus[:, None]
            gradient.masked_fill_(~self.real[:, None], 0)

    def _softmax(
        self,
        logits: Tensor,
        block: slice,
        highest: Tensor,
        own: tuple[Tensor, Tensor] | None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """A block by itself.

        Args:
            logits: (targets, rows), which may be overwritten.
            block: its rows in the table.
            highest: (targets,) of the logits.
            own: which of the targets are in the block, and where.

        Returns:
            The probabilities (targets, rows), zero for the targets, and logarithms of sums of
            exponentials in float64: (targets,) of all, and of all but the target.
        """
        exact, count = self.precision.sum, len(self.targets)
        kept = self.room.probabilities(block, count)
        same = kept.dtype == exact
        probabilities = torch.softmax(logits, 1, out=kept) if same else logits.softmax(1)
        # The probability of the highest logit is one by the sum of exponentials below it.
        log_sum = highest.double() - probabilities.amax(1).double().log_()
        probabilities.clamp_(min=_LEAST[exact])
        others = log_sum
        if own is not None:
            targets, places = own
            probabilities[targets, places] = 0
            others = log_sum.clone()
            others[targets] += probabilities[targets].sum(1, dtype=torch.float64).log_()
        return probabilities if same else kept.copy_(probabilities), log_sum, others

    def sweep_again(self, swept: Swept, *, first: bool) -> None:
        """Write the gradients of table and bias, or add to those of the chunks before."""
        count, exact = len(self.targets), self.precision.sum
        for block, log_sum in zip(self.blocks(), self.log_sums, strict=True):
            probabilities = self.room.probabilities(block, count)
            weights = (log_sum - self.log_sum).exp_().to(exact)
            weights = weights.where(self.real & (weights > _LEAST[exact]), 0)
            if swept.table is not None:
                scaled = self.precision.factor(self.states * weights[:, None])
                out = swept.table[block]
                self.precision.multiply(probabilities.t(), scaled, out, add=not first)
            if swept.bias is not None:
                summed = torch.mv(probabilities.t(), weights.to(probabilities.dtype))
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
        dtype: of logits.
    """

    def __init__(self, targets: Tensor, blocks: Iterator[slice], dtype: torch.dtype) -> None:
        self.targets, self.order = targets, targets.argsort(stable=True)
        stops = torch.tensor([block.stop for block in blocks], device=targets.device)
        # One wait for the device instead of one for every block.
        self.ends = torch.searchsorted(targets[self.order], stops).tolist()
        self.next, self.done = 0, 0
        self.logits = torch.zeros_like(targets, dtype=dtype)
        self.first = torch.zeros_like(targets, dtype=torch.bool)

    def look(
        self, logits: Tensor, block: slice, highest: Tensor, highest_here: Tensor
    ) -> tuple[Tensor, Tensor] | None:
        """Note the targets of a block; returns which they are and where in it.

        Args:
            logits: (targets, rows) of the block.
            block: its rows in the table.
            highest: (targets,) logits of the rows before.
            highest_here: (targets,) logits of the block.
        """
        end = self.ends[self.next]
        self.next += 1
        if end == self.done:
            return None
        columns = self.order[self.done : end]
        self.done = end
        places = self.targets[columns] - block.start
        found = logits[columns, places]
        self.logits[columns] = found
        # Which row is the first of the highest is asked only where it may be the target.
        leads = (found == highest_here[columns]) & (found > highest[columns])
        leading = columns[leads]
        best = logits.index_select(0, leading).argmax(1)
        self.first[leading] = best == places[leads]
        return columns, places


def _add_rows(out: Tensor, rows: Tensor, values: Tensor) -> None:
    """Add at rows, some of them several times, always in the same order."""
    if out.device.type == "cpu":
        out.index_add_(0, rows, values.to(out.dtype))
    else:  # there, index_add_ adds in any order
        out.index_put_((rows,), values.to(out.dtype), accumulate=True)
