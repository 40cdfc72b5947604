"""Cross-entropy over a huge table without the logits: `streamed_cross_entropy`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from exonym.modeling.embeddings import TiedGradient
from exonym.objectives.loss import IGNORED, Loss
from exonym.objectives.precision import Precision
from exonym.objectives.sweeps import Swept, Wanted, sweep


def streamed_cross_entropy(
    states: Tensor,
    table: Tensor,
    bias: Tensor,
    targets: Tensor,
    *,
    tied: TiedGradient | None = None,
) -> Loss:
    """Exact cross-entropy of the logits ``states @ table.T + bias``, which are never held at once.

    Memory grows with targets plus rows, not with their product: beside the gradients of the inputs,
    probabilities of a chunk of targets (`sweeps.KEPT_BYTES`). Under autocast, products are taken in
    its type and sums in float32. The same input gives the same bits.

    Args:
        states: (targets, width).
        table: (rows, width).
        bias: (rows,).
        targets: (targets,) rows, or `IGNORED`.
        tied: where to leave the table's gradient for a look-up to add to.

    Raises:
        IndexError: a target is no row.
        ValueError: the shapes do not fit each other.
    """
    _check(states, table, bias, targets)
    wanted = Wanted(*(torch.is_grad_enabled() and x.requires_grad for x in (states, table, bias)))
    total, nats, correct = _Streamed.apply(  # type: ignore[no-untyped-call]
        states, table, bias, targets, wanted, Precision.of(states, table), tied
    )
    return Loss(total, nats, correct)


def _check(states: Tensor, table: Tensor, bias: Tensor, targets: Tensor) -> None:
    shapes = [tuple(tensor.shape) for tensor in (states, table, bias, targets)]
    count, rows, width = targets.numel(), bias.numel(), table.shape[-1]
    if shapes != [(count, width), (rows, width), (rows,), (count,)]:
        raise ValueError(f"states, table, bias and targets do not fit each other: {shapes}")
    if count:
        lowest, highest = torch.stack(targets.where(targets != IGNORED, 0).aminmax()).tolist()
        if lowest < 0 or highest >= rows:
            wrong = lowest if lowest < 0 else highest
            raise IndexError(f"target {wrong} is no row of a table of {rows}")


def _total(swept: Swept) -> Tensor:
    return swept.nats.double().sum().to(swept.nats.dtype)


class _Streamed(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        states: Tensor,
        table: Tensor,
        bias: Tensor,
        targets: Tensor,
        wanted: Wanted,
        precision: Precision,
        tied: TiedGradient | None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        swept = sweep(states, table, bias, targets, wanted, precision)
        ctx.save_for_backward(states, table, bias, targets)
        ctx.wanted, ctx.precision, ctx.swept, ctx.tied = wanted, precision, swept, tied
        nats, correct = swept.nats.float(), swept.correct
        ctx.mark_non_differentiable(nats, correct)
        ctx.set_materialize_grads(False)
        return _total(swept), nats, correct

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, scale: Tensor | None, *_: Any) -> tuple[Tensor | None, ...]:
        if scale is None:
            return (None,) * 7
        states, table, bias, targets = ctx.saved_tensors
        # The gradients are scaled in place and given away: they are as large as the table. Who asks
        # a second time (retain_graph) waits for new ones.
        swept, ctx.swept = ctx.swept, None
        if swept is None:
            swept = sweep(states, table, bias, targets, ctx.wanted, ctx.precision)
        gradients = [
            None if gradient is None else gradient.mul_(scale).to(value.dtype)
            for gradient, value in zip(
                (swept.states, swept.table, swept.bias), (states, table, bias), strict=True
            )
        ]
        if ctx.tied is not None and gradients[1] is not None:
            ctx.tied.give(gradients[1])
        return (*gradients, None, None, None, None)
