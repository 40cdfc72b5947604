"""Memory for tensors of gigabytes.

Fresh memory comes in pages of 4 KiB that the kernel clears one by one when they are first written.
For a gradient of 1.2 million rows this takes longer than a matrix product. Where Linux offers it,
such memory is asked for in huge pages (2 MiB).
"""

from __future__ import annotations

import math
import mmap
from contextlib import suppress

import torch
from torch import Tensor

LARGE = 32 << 20
"""Bytes from which on a tensor lies in huge pages."""


def empty(shape: tuple[int, ...], *, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Like `torch.empty`; large tensors on a CPU lie in huge pages where the system has them.

    Args:
        shape: of the tensor.
        dtype: of its elements.
        device: where it lies.
    """
    count = math.prod(shape)
    size = count * dtype.itemsize
    if device.type != "cpu" or size < LARGE or not hasattr(mmap, "MADV_HUGEPAGE"):
        return torch.empty(shape, dtype=dtype, device=device)
    try:
        memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError:  # none left: torch says so in its own words, as everywhere else
        return torch.empty(shape, dtype=dtype, device=device)
    with suppress(OSError):  # a kernel without huge pages gives the same memory in small ones
        memory.madvise(mmap.MADV_HUGEPAGE)
    # Not a view: autograd takes over a gradient's memory only if nothing else has it.
    return torch.frombuffer(memory, dtype=dtype).resize_(shape)
