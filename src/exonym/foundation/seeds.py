"""Seeds: one user-given number, and from it an independent stream for every purpose."""

from __future__ import annotations

import hashlib

import numpy as np


def derive_seed(seed: int, *purpose: str | int) -> int:
    """A 63-bit seed for one purpose, the same on every machine and in every process.

    A stream is named, not drawn from a shared generator, so that work may be done in any
    order, in parallel, or resumed in the middle, and still see the same numbers.
    """
    text = "\x1f".join(str(part) for part in (seed, *purpose))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def generator(seed: int, *purpose: str | int) -> np.random.Generator:
    """A numpy generator (PCG64) for one named purpose."""
    return np.random.Generator(np.random.PCG64(derive_seed(seed, *purpose)))
