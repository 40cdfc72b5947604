"""How often each name occurs in texts: the lower half of link probability.

Every occurrence counts, inside links and outside, nested and overlapping ones too. Letters are
compared one by one; runs of white space are one blank (`titles.plain_surface`). In a language
with blanks between its words an occurrence begins and ends at a border: not between two characters
of words (letters, marks, digits, joiners, underscores). Elsewhere it may stand anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exonym.foundation.errors import InputError, ResourceError
from exonym.knowledge.span_tables import HashFilter, HashTable
from exonym.knowledge.tables import map_column, save_column
from exonym.knowledge.titles import plain_surface
from exonym.knowledge.token_spans import Hashes, SpanHasher, Tokens, batches, cut_tokens

_BATCH = 1 << 17  # characters: so that what is looked at stays in the processor's cache
_WINDOW = 1 << 16  # tokens that are started from at a time
_SEEDS = 8  # two names with one hash are rare already; so many choices in a row do not fail


class OccurrenceCounter:
    """Counts how often each of many names occurs in texts of one language.

    Names are told apart by 64-bit hashes. Names with equal hashes are noticed, and another hash
    function is taken, so the names are never mixed up with each other. A stretch of text that is
    no name is counted as one with a probability of names / 2**64: for ten million names and the
    ten thousand million stretches of a large Wikipedia, the chance that a single count is off by
    one is about one in two hundred.

    The table is made once and may be saved; processes that count different texts map the same
    files, and the sum of their counts is that of all texts. It takes 20 to 26 bytes a name,
    however long the names are, and the counts take eight more.

    Args:
        names: UTF-8, of one language; a name that stands there twice has the same count twice,
            and one of nothing but white space has 0.
        spaced: whether the language puts blanks between its words (`exonym.text.language_of`).

    Raises:
        InputError: a name is not UTF-8.

    Attributes:
        spaced: as given.
    """

    def __init__(self, names: Iterable[bytes], *, spaced: bool) -> None:
        rows: Sequence[bytes] = names if isinstance(names, Sequence) else list(names)
        for seed in range(_SEEDS):
            hasher = SpanHasher(seed)
            hashed = _hash_names(rows, hasher, spaced)
            table, slots = HashTable.build(hashed.names)
            slots[hashed.empty] = len(table)
            if not _mixed_up(rows, slots):
                break
        else:
            raise ResourceError(f"{_SEEDS} hash functions mixed up some of {len(rows):,} names")
        self._set(seed, spaced, hashed.longest, slots, table, HashFilter.build(hashed.prefixes))

    def _set(
        self,
        seed: int,
        spaced: bool,
        longest: int,
        slots: NDArray[np.uint32],
        table: HashTable,
        prefixes: HashFilter,
    ) -> None:
        self._seed, self.spaced, self._longest = seed, spaced, longest
        self._hasher = SpanHasher(seed)
        self._slots, self._table, self._prefixes = slots, table, prefixes
        self._counts = np.zeros(len(table) + 1, np.int64)

    def __len__(self) -> int:
        return len(self._slots)

    @property
    def counts(self) -> NDArray[np.int64]:
        """How often each name has occurred so far; shape (names,)."""
        counts = self._counts.copy()
        counts[-1] = 0  # the slot of names without a token
        return counts[self._slots]

    def add(self, texts: Iterable[str]) -> None:
        """Count the names in some texts; no name reaches from one text into the next.

        Args:
            texts: any strings, as many as there are: they are taken in batches of some hundred
                thousand characters. Counting takes about 30 bytes of memory a character of a
                batch or, if that is more, of the longest text.
        """
        for batch in batches(iter(texts), _BATCH):
            self._count(cut_tokens(batch, spaced=self.spaced))

    def _count(self, tokens: Tokens) -> None:
        for first in range(0, len(tokens), _WINDOW):
            begun = min(len(tokens) - first, _WINDOW)
            last = min(first + begun + self._longest - 1, len(tokens))
            window = self._hasher.window(tokens, first, last)
            starts = np.arange(begun)
            for length in range(self._longest):
                hashes = window.hashes(starts, starts + length)
                np.add.at(self._counts, self._table.find(hashes)[1], 1)
                starts = starts[self._prefixes.may_contain(hashes)]
                starts = starts[starts < last - first - length - 1]
                if not len(starts):
                    break

    def save(self, directory: Path, name: str) -> None:
        """Write the table (not the counts) as files ``name.*`` of a directory, for `open`."""
        head = [self._seed, self.spaced, self._longest]
        save_column(directory, f"{name}.head", head, "<i8")
        save_column(directory, f"{name}.slot", self._slots, "<u4")
        save_column(directory, f"{name}.hash", self._table.hashes, "<u8")
        save_column(directory, f"{name}.bucket", self._table.buckets, "<u4")
        save_column(directory, f"{name}.names", self._table.seen.bits, "|u1")
        save_column(directory, f"{name}.prefixes", self._prefixes.bits, "|u1")

    @classmethod
    def open(cls, directory: Path, name: str) -> OccurrenceCounter:
        """Map a table that `save` wrote; all counts are 0.

        Raises:
            FormatError: a file is missing or damaged.
        """
        seed, spaced, longest = map_column(directory, f"{name}.head").tolist()
        table = HashTable(
            map_column(directory, f"{name}.hash"),
            map_column(directory, f"{name}.bucket"),
            HashFilter(map_column(directory, f"{name}.names")),
        )
        prefixes = HashFilter(map_column(directory, f"{name}.prefixes"))
        counter = cls.__new__(cls)
        slots = map_column(directory, f"{name}.slot")
        counter._set(seed, bool(spaced), longest, slots, table, prefixes)
        return counter


@dataclass(frozen=True, slots=True)
class _HashedNames:
    """Names and their beginnings as hashes.

    Args:
        names: (names,) 0 for names without a token.
        empty: the numbers of names without a token.
        prefixes: ascending, each once: what names of several tokens begin with.
        longest: the most tokens in a name, at least 1.
    """

    names: Hashes
    empty: list[int]
    prefixes: Hashes
    longest: int


def _hash_names(names: Sequence[bytes], hasher: SpanHasher, spaced: bool) -> _HashedNames:
    hashes = np.zeros(len(names), np.uint64)
    empty: list[int] = []
    prefixes = DistinctHashes()
    longest, done = 1, 0
    for batch in batches(_decoded(names), _BATCH):
        tokens = cut_tokens(batch, spaced=spaced)
        first, end = tokens.text_starts[:-1], tokens.text_starts[1:]
        full = np.flatnonzero(end > first)
        empty.extend((np.flatnonzero(end == first) + done).tolist())
        if len(full):
            window = hasher.window(tokens, 0, len(tokens))
            hashes[done + full] = window.hashes(first[full], end[full] - 1)
            within = np.ones(len(tokens), np.bool_)
            within[end[full] - 1] = False  # the whole name is no beginning of itself
            places = np.flatnonzero(within)
            prefixes.add(window.hashes(np.repeat(first, end - first)[places], places))
            longest = max(longest, int((end - first).max()))
        done += len(batch)
    return _HashedNames(hashes, empty, prefixes.all(), longest)


def _decoded(names: Iterable[bytes]) -> Iterator[str]:
    for number, name in enumerate(names):
        try:
            yield name.decode()
        except UnicodeDecodeError as error:
            raise InputError(
                f"expected names in UTF-8, got {bytes(name[:40])!r} ({error.reason})",
                where=f"name {number:,}",
            ) from error


class DistinctHashes:
    """Collects hashes of which many are equal, without keeping them all."""

    def __init__(self) -> None:
        self._known: Hashes = np.empty(0, np.uint64)
        self._new: list[Hashes] = []
        self._waiting = 0

    def add(self, hashes: Hashes) -> None:
        """Add some, in any order."""
        self._new.append(np.unique(hashes))
        self._waiting += len(self._new[-1])
        if self._waiting > max(len(self._known), _BATCH):
            self.all()

    def all(self) -> Hashes:
        """The hashes so far, each once, ascending."""
        self._known = np.unique(np.concatenate((self._known, *self._new)))
        self._new, self._waiting = [], 0
        return self._known


def _mixed_up(names: Sequence[bytes], slots: NDArray[np.uint32]) -> bool:
    """Whether two different names share a slot."""
    order = np.argsort(slots, kind="stable")
    ascending = slots[order]
    same = np.flatnonzero(ascending[1:] == ascending[:-1])
    pairs = zip(order[same].tolist(), order[same + 1].tolist(), strict=True)
    return any(
        names[one] != names[other]
        and plain_surface(names[one].decode()) != plain_surface(names[other].decode())
        for one, other in pairs
    )
