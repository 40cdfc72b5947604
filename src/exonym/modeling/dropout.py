"""Dropout on a CPU that draws its masks fast and keeps none.

PyTorch draws a mask on a CPU in about twelve nanoseconds an element and keeps it until the backward
pass. Here the masks come from numpy's SFC64, fourteen bits an element, seeded from PyTorch's own
generator; the backward pass draws them a second time. That takes one to two nanoseconds an element
and leaves nothing in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

_BITS = 14
_LOW, _KEPT = 16, (2**_BITS - 1) << 16
"""Where the bits of an element lie in its 32: as a float the smallest exponents, so never inf."""
_NORMAL = 0x00800000
"""Lifts every pattern to a normal float, which no setting of the processor takes for zero."""
_CHUNK = 1 << 20
"""Elements drawn at once: they stay in the cache until they are used."""


@dataclass(frozen=True, slots=True)
class Mask:
    """A mask that can be drawn again.

    Args:
        seed: of its bits.
        dropped: of 2**14 possible values of an element's bits, how many drop it.
    """

    seed: int
    dropped: int

    @property
    def scale(self) -> float:
        """What keeps the mean: one over the share that is kept; zero when nothing is."""
        kept = 2**_BITS - self.dropped
        return 2**_BITS / kept if kept else 0.0

    def draw(self) -> Drawing:
        """The mask from its first element on."""
        return Drawing(self)


def new_mask(rate: float) -> Mask | None:
    """A mask with a seed from PyTorch's generator.

    Args:
        rate: share of elements to drop, taken to the nearest 1/16384.

    Returns:
        None when nothing is dropped.
    """
    dropped = round(rate * 2**_BITS)
    return Mask(int(torch.randint(2**63 - 1, ())), dropped) if dropped else None


class Drawing:
    """The elements of a mask, one stretch after the other."""

    __slots__ = ("_bits", "_threshold")

    def __init__(self, mask: Mask) -> None:
        self._bits = np.random.SFC64(mask.seed)
        pattern = torch.tensor(((mask.dropped - 1) << _LOW) + _NORMAL, dtype=torch.int32)
        self._threshold = float(pattern.view(torch.float32))

    def next(self, like: Tensor) -> Tensor:
        """Bits for the next elements, of the shape and type of ``like``, for `apply`."""
        count = like.numel()
        half = -(-count // 4) * 2  # two elements of each 32 bits
        raw = torch.from_numpy(self._bits.random_raw(half // 2).view(np.int64)).view(torch.int32)
        bits = torch.empty(2 * half, dtype=torch.int32)
        torch.bitwise_and(raw, _KEPT, out=bits[:half])
        torch.bitwise_left_shift(raw, _LOW, out=bits[half:])
        bits[half:].bitwise_and_(_KEPT)
        return bits.add_(_NORMAL).view(torch.float32)[:count].view(like.shape).to(like.dtype)

    def apply(self, values: Tensor, bits: Tensor, out: Tensor) -> Tensor:
        """Zeros where the bits say so, into ``out`` (which may be ``values``)."""
        # "The gradient of a threshold" is PyTorch's one vectorised choice between a value and zero.
        torch.ops.aten.threshold_backward.grad_input(values, bits, self._threshold, grad_input=out)
        return out


class _DropoutAdd(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, residual: Tensor | None, mask: Mask) -> Tensor:
        ctx.mask = mask
        out = torch.empty_like(values, memory_format=torch.contiguous_format)
        drawing = mask.draw()
        others = None if residual is None else torch.split(residual.reshape(-1), _CHUNK)
        for number, (part, into) in enumerate(_chunks(values, out)):
            drawing.apply(part, drawing.next(part), into)
            if others is None:
                into.mul_(mask.scale)
            else:
                torch.add(others[number], into, alpha=mask.scale, out=into)
        return out

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor | None, None]:
        out = torch.empty_like(gradient, memory_format=torch.contiguous_format)
        drawing = ctx.mask.draw()
        for part, into in _chunks(gradient, out):
            drawing.apply(part, drawing.next(part), into).mul_(ctx.mask.scale)
        return out, gradient if ctx.needs_input_grad[1] else None, None


def _chunks(values: Tensor, out: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    return zip(
        torch.split(values.reshape(-1), _CHUNK), torch.split(out.view(-1), _CHUNK), strict=True
    )


def dropout_add(values: Tensor, residual: Tensor | None, rate: float, training: bool) -> Tensor:
    """``residual + dropout(values)``; without a residual only the dropout.

    Args:
        values: of any shape.
        residual: of the same shape.
        rate: share of elements to drop.
        training: nothing is dropped otherwise.
    """
    fast = (
        training
        and rate > 0
        and values.device.type == "cpu"
        and values.dtype in (torch.float32, torch.float64)
        and (residual is None or residual.dtype == values.dtype)
        and not torch.compiler.is_compiling()
    )
    if not fast:
        dropped = F.dropout(values, rate, training)
        return dropped if residual is None else residual + dropped
    mask = new_mask(rate)
    if mask is None:
        return values if residual is None else residual + values
    result: Tensor = _DropoutAdd.apply(values, residual, mask)  # type: ignore[no-untyped-call]
    return result
