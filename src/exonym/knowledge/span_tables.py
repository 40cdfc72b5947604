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
        places = hashes >> np.uint64(64 - 3 - (len(self.bits).bit_length() - 1))
        found: NDArray[np.uint8] = self.bits[places >> np.uint64(3)]
        found >>= (places & np.uint64(7)).astype(np.uint8)
        found &= np.uint8(1)
        return found.astype(np.bool_)


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
        slots = np.empty(len(hashes), np.uint32)
        slots[order] = np.cumsum(new) - 1
        distinct = np.append(ascending[new], _LARGEST)
        leading = max(1, len(distinct).bit_length())
        heads = (distinct >> np.uint64(64 - leading)).astype(np.int64)
        sizes = np.bincount(heads[:-1], minlength=1 << leading)
        buckets = (np.cumsum(sizes) - sizes).astype(np.uint32)
        return cls(distinct, buckets, HashFilter.build(distinct[:-1])), slots

    def __len__(self) -> int:
        return len(self.hashes) - 1

    def find(self, hashes: Hashes) -> NDArray[np.int64]:
        """The slots of those hashes that are in the set, in no promised order.

        A hash of 2**64 - 1 that is not in the set may be given the slot after the last.
        """
        wanted = hashes[self.seen.may_contain(hashes)]
        shift = np.uint64(64 - (len(self.buckets).bit_length() - 1))
        places = self.buckets[wanted >> shift].astype(np.int64)
        found = []
        while len(wanted):
            here = self.hashes[places]
            found.append(places[here == wanted])
            further = np.flatnonzero(here < wanted)
            wanted, places = wanted[further], places[further] + 1
        return np.concatenate(found) if found else np.empty(0, np.int64)
