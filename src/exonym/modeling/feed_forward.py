"""The feed-forward block of a layer on a CPU that trains, a stretch of rows at a time.

The inner states are four times as wide as the outer. Plain autograd keeps them before and after
GELU and makes their gradients in whole matrices, for which the system finds fresh memory each time.
Here GELU is computed again in the backward pass, and stretches of rows pass through memory that is
at hand already.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_ROWS = 1024
"""Of a stretch."""


class _FeedForward(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, states: Tensor, inward: Tensor, inner_bias: Tensor, outward: Tensor, bias: Tensor
    ) -> Tensor:
        inner = F.linear(states, inward, inner_bias)
        ctx.save_for_backward(states, inner, inward, outward)
        out = states.new_empty(states.shape[0], outward.shape[0])
        for start in range(0, len(states), _ROWS):
            rows = slice(start, start + _ROWS)
            torch.addmm(bias, F.gelu(inner[rows]), outward.t(), out=out[rows])
        return out

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        with torch.autocast("cpu", enabled=False):
            return _gradients(ctx.saved_tensors, gradient, ctx.needs_input_grad)


def _gradients(
    saved: tuple[Tensor, ...], gradient: Tensor, needs: tuple[bool, ...]
) -> tuple[Tensor | None, ...]:
    states, inner, inward, outward = saved
    of_states = torch.empty_like(states) if needs[0] else None
    of_inward, of_inner_bias, of_outward = (
        torch.zeros_like(tensor) if needed else None
        for tensor, needed in zip((inward, inner[0], outward), needs[1:4], strict=True)
    )
    for start in range(0, len(states), _ROWS):
        rows = slice(start, start + _ROWS)
        of_inner = torch.ops.aten.gelu_backward(gradient[rows] @ outward, inner[rows])
        if of_outward is not None:
            of_outward.addmm_(gradient[rows].t(), F.gelu(inner[rows]))
        if of_inward is not None:
            of_inward.addmm_(of_inner.t(), states[rows])
        if of_inner_bias is not None:
            of_inner_bias += of_inner.sum(0)
        if of_states is not None:
            torch.mm(of_inner, inward, out=of_states[rows])
    of_bias = gradient.sum(0) if needs[4] else None
    return of_states, of_inward, of_inner_bias, of_outward, of_bias


def feed_forward(states: Tensor, inward: nn.Linear, outward: nn.Linear) -> Tensor:
    """``outward(gelu(inward(states)))``.

    Args:
        states: (rows, hidden).
        inward: from hidden to inner.
        outward: from inner to hidden.

    Returns:
        (rows, hidden).
    """
    own = (
        torch.is_grad_enabled()
        and states.device.type == "cpu"
        and states.dtype in (torch.float32, torch.float64)
        and states.dtype == inward.weight.dtype
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()
    )
    if not own:
        return outward(F.gelu(inward(states)))  # type: ignore[no-any-return]
    result: Tensor = _FeedForward.apply(  # type: ignore[no-untyped-call]
        states, inward.weight, inward.bias, outward.weight, outward.bias
    )
    return result
