"""Products with weights laid out beforehand, for inference on a CPU.

oneDNN multiplies faster when a weight matrix already has the blocked layout of its kernels; PyTorch
otherwise makes that layout anew in every call. The laid-out copies are made when a layer first
computes without gradients, and again after its weights have changed; they take as much memory as
the layers. A single text in bfloat16 is 1.4 times as fast with them (`benchmarks/encoder.py`).
"""

from __future__ import annotations

import functools
import platform
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

MOST_ROWS = 4096
"""Rows that go through a layer together: beyond, more at once is no faster and takes memory."""
_IDLE = (192, 768)
"""Between so many rows for each thread oneDNN leaves threads idle in bfloat16, if the product has
at most `_NARROW` columns; so it gets no more than the lower number at once."""
_NARROW = 1024
_ALIGNED = {torch.float32: 1, torch.bfloat16: 16}
"""Rows of a block of oneDNN's kernels, where others cost as much as the next multiple or more."""


def can_prepare(states: Tensor, weight: Tensor) -> bool:
    """Whether a product of states (rows, in) and a weight may use its laid-out copy."""
    return bool(
        not torch.compiler.is_compiling()  # which lays weights out itself, if it is told to
        and states.device.type == "cpu"
        and states.dtype == weight.dtype
        and states.dtype in _ALIGNED
        and not torch.is_grad_enabled()
        and not weight.is_inference()  # has no version counter
        and not torch.is_autocast_enabled("cpu")
        and torch.backends.mkldnn.enabled
        and _available(states.dtype)
    )


def alignment(dtype: torch.dtype) -> int:
    """What the rows of an item are best a multiple of."""
    return _ALIGNED.get(dtype, 1)


@functools.cache
def _available(dtype: torch.dtype) -> bool:
    if not torch._C._has_mkldnn or platform.machine() not in ("x86_64", "AMD64"):
        return False
    return dtype != torch.bfloat16 or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


class PreparedLinear:
    """Linear modules of the same input as one laid-out weight.

    Args:
        modules: with biases, all of the same input width.
    """

    __slots__ = ("bias", "weight")

    def __init__(self, *modules: nn.Linear) -> None:
        weights = [module.weight.detach() for module in modules]
        weight = weights[0] if len(weights) == 1 else torch.cat(weights)
        self.weight = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous())
        biases = [module.bias.detach() for module in modules]
        self.bias = biases[0] if len(biases) == 1 else torch.cat(biases)

    def __call__(self, states: Tensor, *, gelu: bool = False) -> Tensor:
        """(rows, in) to (rows, out), with (erf) GELU behind it on request."""
        kind, form = ("gelu", "none") if gelu else ("none", "")
        multiply = torch.ops.mkldnn._linear_pointwise.default
        return _join(
            [multiply(part, self.weight, self.bias, kind, [], form) for part in self._cut(states)]
        )

    def add(self, states: Tensor, residual: Tensor) -> Tensor:
        """(rows, in) and (rows, out) to the product plus the residual."""
        multiply = torch.ops.mkldnn._linear_pointwise.binary
        pairs = zip(self._cut(states), self._cut(residual), strict=True)
        return _join(
            [multiply(part, other, self.weight, self.bias, "add") for part, other in pairs]
        )

    def _cut(self, states: Tensor) -> Sequence[Tensor]:
        rows, states = states.shape[0], states.contiguous()
        threads = torch.get_num_threads()
        least, most = (number * threads for number in _IDLE)
        narrow = self.bias.shape[0] <= _NARROW and states.dtype == torch.bfloat16
        if threads == 1 or not narrow or rows <= least or rows >= most:
            return (states,)
        size = -(-rows // -(-rows // least))
        return states.split(-(-size // 16) * 16)  # type: ignore[no-untyped-call, no-any-return]


def _join(parts: list[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts)


_Made = TypeVar("_Made")
_held: WeakKeyDictionary[nn.Module, tuple[Any, Any]] = WeakKeyDictionary()


def prepared(owner: nn.Module, modules: Sequence[nn.Linear], make: Callable[[], _Made]) -> _Made:
    """What was made of modules' weights; made now if nothing was yet or they have changed.

    A change is seen by the parameters' addresses and version counters. Changes through ``.data``
    are not counted by PyTorch: call ``.eval()`` after them (it calls `forget`).

    Args:
        owner: the layer that has the modules; what is made lives as long as it does, and is in no
            copy of it and no file.
        modules: the modules, always the same ones.
        make: makes it.
    """
    key = [
        (tensor.data_ptr(), tensor._version, tensor.dtype)
        for module in modules
        for tensor in module._parameters.values()
        if tensor is not None
    ]
    held = _held.get(owner)
    if held is None or held[0] != key:
        held = None
        forget(owner)  # frees the old copy before the new one is made
        held = _held[owner] = (key, make())
    made: _Made = held[1]
    return made


def forget(owner: nn.Module) -> None:
    """Throw away what was made of a layer's weights."""
    _held.pop(owner, None)
