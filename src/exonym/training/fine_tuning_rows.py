"""AdamW over the rows of a table that batches use.

A step on all of a table of a million entities costs gigabytes and most of a step's time, though a
task's examples name a few of them. Here a row moves in the steps whose batch has it, and only then,
with moments and a count of steps of its own; memory is kept for rows that were seen.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SeenRows:
    """A table whose look-ups have sparse gradients, and AdamW over its rows.

    Args:
        table: its weight is trained in place.
        betas: of AdamW.
        epsilon: of AdamW.
        weight_decay: of AdamW.
    """

    def __init__(
        self,
        table: nn.Embedding,
        *,
        betas: tuple[float, float],
        epsilon: float,
        weight_decay: float,
    ) -> None:
        self._weight = table.weight
        self._betas, self._epsilon, self._decay = betas, epsilon, weight_decay
        rows, width = table.weight.shape
        device = table.weight.device
        self._slots = torch.full((rows,), -1, dtype=torch.int32, device=device)
        # By slot, in the order in which rows were seen; room for more behind `_count`. What the
        # row was at first, both moments, and its steps.
        self._count = 0
        self._rows = torch.zeros(0, dtype=torch.long, device=device)
        self._steps = torch.zeros_like(self._rows)
        nothing = torch.zeros((0, width), dtype=table.weight.dtype, device=device)
        self._first, self._mean, self._square = nothing, nothing.clone(), nothing.clone()
        self._used = self._rows
        self.gradient: Tensor | None = None

    def take_gradient(self) -> None:
        """Take the weight's sparse gradient: (rows of the batch, width) as `gradient`."""
        gradient, self._weight.grad = self._weight.grad, None
        if gradient is None:  # no look-up in this batch
            self.gradient = None
            return
        gradient = gradient.coalesce()
        self._used, self.gradient = gradient.indices()[0], gradient.values()

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move the rows that `gradient` is for."""
        if self.gradient is None:
            return
        slots = self._slots_of(self._used)
        beta1, beta2 = self._betas
        mean = self._mean[slots].lerp_(self.gradient, 1 - beta1)
        square = (
            self._square[slots].mul_(beta2).addcmul_(self.gradient, self.gradient, value=1 - beta2)
        )
        steps = self._steps[slots] + 1
        self._mean[slots], self._square[slots], self._steps[slots] = mean, square, steps
        counts = steps.to(torch.float64)[:, None]
        first, second = (
            (1 - beta**counts).to(mean.dtype) for beta in (beta1, beta2)
        )  # the moments start at zero and are too small at first
        rows = self._weight[self._used].mul_(1 - rate * self._decay)
        rows -= rate * (mean / first) / ((square / second).sqrt_().add_(self._epsilon))
        self._weight.index_copy_(0, self._used, rows)
        self.gradient = None

    def _slots_of(self, rows: Tensor) -> Tensor:
        """(rows,) the slots of rows; new ones are given to those that had none."""
        slots = self._slots[rows].long()
        new = rows[slots < 0]
        if len(new):
            start, self._count = self._count, self._count + len(new)
            if self._count > len(self._rows):
                self._grow(max(2 * len(self._rows), self._count))
            self._rows[start : self._count] = new
            self._first[start : self._count] = self._weight[new]
            self._slots[new] = torch.arange(
                start, self._count, dtype=torch.int32, device=rows.device
            )
            slots = self._slots[rows].long()
        return slots

    def _grow(self, room: int) -> None:
        for name in ("_rows", "_steps", "_first", "_mean", "_square"):
            old: Tensor = getattr(self, name)
            new = old.new_zeros((room, *old.shape[1:]))
            new[: len(old)] = old
            setattr(self, name, new)

    @torch.no_grad()
    def values(self) -> Tensor:
        """(rows seen, width) a copy of their present values."""
        return self._weight[self._rows[: self._count]]

    @torch.no_grad()
    def restore(self, values: Tensor) -> None:
        """Put back what `values` gave; rows that were seen later become what they were at first."""
        then = torch.cat([values, self._first[len(values) : self._count]])
        self._weight.index_copy_(0, self._rows[: self._count], then)
