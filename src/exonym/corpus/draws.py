"""Random numbers that have names: of each sequence, for each purpose, at each place.

A generator gives numbers one after the other, so whoever needs the last must draw the first. Here
number c of a sequence is a hash of the sequence's key and c: any of them can be had alone, all of
them at once, in any order and in any process. Hash and keys are SplitMix64 (Steele, Lea and Flood
2014, "Fast splittable pseudorandom number generators"), which is such a hash of a counter.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.uint64]

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_PURPOSE_BITS = np.uint64(32)  # a purpose has so many numbers: more than a sequence has places
_CHUNK = 1 << 14  # numbers hashed at a time: they stay in the processor's cache


def sequence_keys(seed: int, places: npt.NDArray[np.int64]) -> Numbers:
    """(places,) a key for each sequence of a batch, by its place in the batch.

    Args:
        seed: of the batch; `derive_seed` gives good ones.
        places: (places,) 0 or more each.
    """
    keys = places.astype(np.uint64)
    keys += np.uint64(1)
    keys *= _GAMMA
    keys += np.uint64(seed)
    _mix(keys)
    return keys


def numbers(keys: Numbers, purpose: int, columns: npt.NDArray[np.int64]) -> Numbers:
    """The numbers of some sequences for one purpose, 64 random bits each.

    Args:
        keys: (...) of the sequences.
        purpose: a small number of the caller's choice; other purposes have other numbers.
        columns: (...) which of them, 0 or more; broadcast against ``keys``.
    """
    counters = (columns.astype(np.uint64) + (np.uint64(purpose) << _PURPOSE_BITS)) * _GAMMA
    result: Numbers = keys + counters
    _mix(result)
    return result


def chances(keys: Numbers, purpose: int, columns: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """As `numbers`, but evenly distributed in [0, 1)."""
    bits = numbers(keys, purpose, columns) >> np.uint64(11)
    return bits.astype(np.float64) * np.float64(2.0**-53)


def _mix(values: Numbers) -> None:
    """Hash each value in place."""
    flat = values.reshape(-1)
    buffer = np.empty(min(len(flat), _CHUNK), np.uint64)
    for start in range(0, len(flat), _CHUNK):
        part = flat[start : start + _CHUNK]
        shifted = buffer[: len(part)]
        for shift, factor in ((30, _FIRST), (27, _SECOND), (31, None)):
            np.right_shift(part, np.uint64(shift), out=shifted)
            part ^= shifted
            if factor is not None:
                part *= factor
