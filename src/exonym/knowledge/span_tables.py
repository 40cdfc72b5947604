"""Sets of 64-bit hashes in which millions are looked up a second: plain arrays, so files too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from exonym.knowledge.token_spans import Hashes

_BITS_PER_HASH = 12
_LARGEST = np.uint64(2**64 - 1)


@dataclass(frozen=True, slots=True)
class HashFilter:
    """Says of a hash that it is surely not in a set, or may be: one bit for each leading part.

    Args:
        bits: (2**n,) bytes, n at least 1; a bit is set where some hash begins with its number.
    """

    bits: NDArray[np.uint8]

    @classmethod
    def build(cls, hashes: Hashes) -> Self:
        """The filter of a set; at most one in twelve of other hashes passes it."""
        leading = max(4, (_BITS_PER_HASH * len(hashes)).bit_length())
        marked = np.zeros(1 << leading, np.bool_)
        marked[hashes >> np.uint64(64 - leading)] = True
        return cls(np.packbits(marked, bitorder="little"))

    def may_contain(self, hashes: Hashes) -> NDArray[np.bool_]:
        """For each hash whether it may be in the set; never False for one that is."""
        leading = hashes >> np.uint64(64 - 3 - (len(self.bits).bit_length() - 1))
        bit = leading.astype(np.uint8)
        bit &= np.uint8(7)
        leading >>= np.uint64(3)
        found: NDArray[np.uint8] = self.bits.take(_numbers(leading))
        found >>= bit
        found &= np.uint8(1)
        return found.view(np.bool_)


@dataclass(frozen=True, slots=True)
class HashTable:
    """A set of hashes, each with a number: its place in ascending order.

    Args:
        hashes: (slots + 1,) ascending, and 2**64 - 1 as a stop.
        buckets: (2**n,) where hashes with each leading part begin, n at least 1.
        seen: what most hashes that are not in the set do not pass.
    """

    hashes: Hashes
    buckets: NDArray[np.uint32]
    seen: HashFilter

    @classmethod
    def build(cls, hashes: Hashes) -> tuple[Self, NDArray[np.uint32]]:
        """The table of some hashes in any order, and the number (slot) of each.

        Args:
            hashes: (hashes,) at most 2**32 - 2; equal ones share a slot.
        """
        order = np.argsort(hashes)
        ascending = hashes[order]
        new = np.ones(len(hashes), np.bool_)
        new[1:] = ascending[1:] != ascending[:-1]
        ranks = np.cumsum(new, dtype=np.uint32)
        ranks -= np.uint32(1)
        slots = np.empty(len(hashes), np.uint32)
        slots[order] = ranks
        del order, ranks  # tables of many millions have no room to spare
        distinct = np.append(ascending[new], _LARGEST)
        del ascending, new
        leading = max(1, len(distinct).bit_length())
        heads = _numbers(distinct[:-1] >> np.uint64(64 - leading))
        sizes = np.bincount(heads, minlength=1 << leading)
        buckets = np.cumsum(sizes).astype(np.uint32)
        buckets -= sizes.astype(np.uint32)
        return cls(distinct, buckets, HashFilter.build(distinct[:-1])), slots

    def __len__(self) -> int:
        return len(self.hashes) - 1

    def find(self, hashes: Hashes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Those hashes that are in the set.

        Returns:
            The places in ``hashes`` of those that were found, in no promised order, and their
            slots.
        """
        places = np.flatnonzero(self.seen.may_contain(hashes))
        wanted = hashes.take(places)
        shift = np.uint64(64 - (len(self.buckets).bit_length() - 1))
        slots = self.buckets.take(_numbers(wanted >> shift)).astype(np.int64)
        found: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
        while len(wanted):
            here = self.hashes.take(slots)
            equal = np.flatnonzero((here == wanted) & (slots < len(self)))  # not the stop
            found.append((places.take(equal), slots.take(equal)))
            further = np.flatnonzero(here < wanted)
            wanted, places, slots = wanted.take(further), places.take(further), slots.take(further)
            slots += 1
        if not found:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        if len(found) == 1:
            return found[0]
        return np.concatenate([a for a, _ in found]), np.concatenate([b for _, b in found])


def _numbers(leading: Hashes) -> NDArray[np.int64]:
    """The same numbers, less than 2**63, in the type that numpy looks up without a copy."""
    return leading.view(np.int64)
