"""Attention on a CPU that trains: with dropout, and without the weights in memory.

PyTorch's fused attention for CPUs has no dropout, so a model that trains gets the plain one: all
weights of all heads at once, several times over, kept until the backward pass. Here a few heads
are computed at a time, whose weights fit into the cache, and the backward pass computes them again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from exonym.modeling.dropout import Drawing, Mask, new_mask

_WEIGHTS = 1 << 19
"""Attention weights computed at once: what the cache of a core holds, about."""


class _Attention(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        bias: Tensor | None,
        scale: float,
        mask: Mask | None,
    ) -> Tensor:
        ctx.save_for_backward(query, key, value, bias)
        ctx.scale, ctx.mask = scale, mask
        items, heads, length, _ = query.shape
        out = value.new_empty(items, length, heads, value.shape[-1]).transpose(1, 2)
        drawing, factor = (None, 1.0) if mask is None else (mask.draw(), mask.scale)
        for chunk in _chunks(query):
            weights = _weights(query, key, bias, scale, chunk)
            if drawing is not None:
                drawing.apply(weights, drawing.next(weights), weights)
            mixed = torch.bmm(weights, _flat(value[chunk]) * factor)
            out[chunk] = mixed.view(out[chunk].shape)
        return out

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, bias = ctx.saved_tensors
        grads = tuple(_like(tensor) for tensor in (query, key, value))
        mask: Mask | None = ctx.mask
        drawing, factor = (None, 1.0) if mask is None else (mask.draw(), mask.scale)
        with torch.autocast("cpu", enabled=False):
            for chunk in _chunks(query):
                parts = _backward_chunk(
                    tuple(tensor[chunk] for tensor in (query, key, value, gradient)),
                    _weights(query, key, bias, ctx.scale, chunk),
                    (ctx.scale, factor),
                    drawing,
                )
                for grad, part in zip(grads, parts, strict=True):
                    grad[chunk] = part.view(grad[chunk].shape)
        return (*grads, None, None, None)


def _backward_chunk(
    tensors: tuple[Tensor, ...],
    weights: Tensor,
    factors: tuple[float, float],
    drawing: Drawing | None,
) -> tuple[Tensor, Tensor, Tensor]:
    query, key, value, gradient = (_flat(tensor) for tensor in tensors)
    scale, factor = factors
    gradient = gradient * factor  # by which dropout scales what it keeps
    of_weights = torch.empty_like(weights)
    if drawing is None:
        of_value = torch.bmm(weights.transpose(1, 2), gradient)
        torch.bmm(gradient, value.transpose(1, 2), out=of_weights)
    else:
        bits = drawing.next(weights)
        kept = drawing.apply(weights, bits, of_weights)
        of_value = torch.bmm(kept.transpose(1, 2), gradient)
        torch.bmm(gradient, value.transpose(1, 2), out=of_weights)
        drawing.apply(of_weights, bits, of_weights)
    of_scores = torch.ops.aten._softmax_backward_data.out(
        of_weights, weights, -1, weights.dtype, grad_input=of_weights
    )
    of_query = torch.bmm(of_scores, key * scale)
    return of_query, torch.bmm(of_scores.transpose(1, 2), query * scale), of_value


def _chunks(query: Tensor) -> Iterator[tuple[slice, slice]]:
    """Items and heads of one chunk: some items, or some heads of one item."""
    items, heads, length, _ = query.shape
    weights = length * length
    if heads * weights <= _WEIGHTS:
        step = max(1, _WEIGHTS // (heads * weights))
        for item in range(0, items, step):
            yield slice(item, item + step), slice(0, heads)
    else:
        step = max(1, _WEIGHTS // weights)
        for item in range(items):
            for head in range(0, heads, step):
                yield slice(item, item + 1), slice(head, head + step)


def _weights(
    query: Tensor, key: Tensor, bias: Tensor | None, scale: float, chunk: tuple[slice, slice]
) -> Tensor:
    """(chunk's items · heads, length, length), before dropout."""
    scores = torch.bmm(_flat(query[chunk]) * scale, _flat(key[chunk]).transpose(1, 2))
    if bias is not None:
        shape = query[chunk].shape[:2]
        scores.view(*shape, *scores.shape[1:]).add_(bias[chunk[0]])
    return torch.softmax(scores, -1, out=scores)


def longest_together(heads: int) -> int:
    """The length up to which items are computed several at a time."""
    return math.isqrt(_WEIGHTS // (2 * heads))


def _flat(tensor: Tensor) -> Tensor:
    return tensor.flatten(0, 1)


def _like(tensor: Tensor) -> Tensor:
    """(items, heads, length, width), the items' rows one after the other in memory."""
    items, heads, length, width = tensor.shape
    return tensor.new_empty(items, length, heads, width).transpose(1, 2)


def attend(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scale: float, rate: float
) -> Tensor:
    """Softmax attention with dropout, for CPUs.

    Args:
        query: (items, heads, length, width).
        key: (items, heads, length, width).
        value: (items, heads, length, width of values).
        mask: (items, 1, 1, length), true at real columns; None if all are.
        scale: on the products of queries and keys.
        rate: share of weights to drop.

    Returns:
        (items, heads, length, width of values), whose rows lie one after the other in memory.
    """
    bias = None
    if mask is not None:
        bias = torch.zeros(mask.shape, dtype=query.dtype).masked_fill_(~mask, float("-inf"))
    dropped = new_mask(rate) if rate > 0 else None
    mixed: Tensor = _Attention.apply(  # type: ignore[no-untyped-call]
        query, key, value, bias, scale, dropped
    )
    return mixed
