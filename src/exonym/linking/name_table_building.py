"""Making the table of an index from surfaces, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from exonym.foundation.errors import ResourceError
from exonym.knowledge.occurrence_counting import DistinctHashes
from exonym.knowledge.span_tables import HashFilter, HashTable
from exonym.knowledge.surfaces import Surfaces
from exonym.knowledge.token_spans import span_hasher
from exonym.linking.borders import tokens
from exonym.linking.folding_tables import folding_tables
from exonym.linking.name_table import NameTable
from exonym.linking.unit_streams import cluster_begins, unit_stream

_ROWS = 1 << 14  # at a time
_SEEDS = 8  # two names with one hash are rare already; so many choices in a row do not fail


def build_table(
    names: Surfaces | Sequence[str], advance: Callable[[int], None] | None = None
) -> NameTable:
    """Hash names, and group those with one folded form.

    Args:
        names: in the order of their rows.
        advance: told how many more names are done.

    Raises:
        ResourceError: there is no hash function that tells the names apart.
    """
    if len(names) >= 1 << 32:
        raise ResourceError(f"expected fewer than 2**32 names, got {len(names):,}")
    for seed in range(_SEEDS):
        hashing = _Hashing(len(names), seed)
        for batch in _batches(names):
            hashing.add(batch)
            if advance is not None:
                advance(len(batch))
        table = hashing.table()
        if table is not None:
            return table
    raise ResourceError(f"{_SEEDS} hash functions mixed up some of {len(names):,} names")


def _batches(names: Surfaces | Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), _ROWS):
        stop = min(start + _ROWS, len(names))
        yield names.texts(start, stop) if isinstance(names, Surfaces) else names[start:stop]


class _Hashing:
    """Names as hashes: 16 bytes a name, and 8 for each different beginning.

    Args:
        names: how many.
        seed: of the hash function.
    """

    def __init__(self, names: int, seed: int) -> None:
        self._seed, self._folding = seed, folding_tables()
        self._hasher, self._control = span_hasher(seed), span_hasher(seed + _SEEDS)
        self._hashes, self._controls = np.zeros(names, np.uint64), np.zeros(names, np.uint64)
        self._full = np.zeros(names, np.bool_)
        self._prefixes = DistinctHashes()
        self._done, self._longest = 0, 1

    def add(self, names: Sequence[str]) -> None:
        """Hash the next names."""
        stream = unit_stream(names, self._folding)
        # A text that has the name's folded form may have more clusters than the name, as ½ and
        # 1⁄2: the beginnings are to be known for all of them.
        flags = self._folding.flags[stream.units]
        stream = replace(stream, flags=flags, begins=cluster_begins(stream.units, flags))
        starts, ends = tokens(stream)
        bounds = np.searchsorted(starts, np.concatenate(([0], stream.breaks + 1)))
        first, last = bounds[:-1], bounds[1:]
        full = np.flatnonzero(last > first)
        self._full[self._done + full] = True
        first, last = first[full], last[full]
        for hasher, hashes in ((self._hasher, self._hashes), (self._control, self._controls)):
            sums = hasher.sums(stream.units)
            hashes[self._done + full] = sums.hashes(starts[first], ends[last - 1])
        sums = self._hasher.sums(stream.units)
        within = np.ones(len(starts), np.bool_)
        within[last - 1] = False  # the whole name is no beginning of itself
        begin = np.repeat(starts[first], last - first)[within]
        self._prefixes.add(sums.hashes(begin, ends[within]))
        if len(full):
            self._longest = max(self._longest, int((last - first).max()))
        self._done += len(names)

    def table(self) -> NameTable | None:
        """The table; None if two different names have one hash. To be called once."""
        prefixes = HashFilter.build(self._prefixes.all())
        rows = np.flatnonzero(self._full).astype(np.uint32)
        empty = len(self._full) - len(rows)
        hashes, self._hashes = self._hashes, self._hashes[:0]
        self._prefixes = DistinctHashes()  # what is no longer needed makes room
        names, slots = HashTable.build(hashes[rows] if empty else hashes)
        del hashes
        order = np.argsort(slots, kind="stable").astype(np.uint32)
        slots, rows = slots[order], rows[order]
        del order
        if self._mixed_up(slots, rows):
            return None
        sizes = np.bincount(slots, minlength=len(names))
        starts = np.concatenate(([0], np.cumsum(sizes))).astype(np.uint32)
        return NameTable(self._seed, self._longest, empty, names, prefixes, starts, rows)

    def _mixed_up(self, slots: NDArray[np.uint32], rows: NDArray[np.uint32]) -> bool:
        """Whether names that share a slot differ by the other hash."""
        controls = self._controls[rows]
        return bool(((slots[1:] == slots[:-1]) & (controls[1:] != controls[:-1])).any())
