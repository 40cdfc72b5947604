"""The names of an index as arrays: what they are recognised by, and which surfaces they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from exonym.knowledge.span_tables import HashFilter, HashTable
from exonym.knowledge.tables import Column, map_column, save_column


@dataclass(frozen=True, slots=True)
class NameTable:
    """Names by number.

    Args:
        seed: of the hash function.
        longest: the most tokens in a name, at least 1.
        empty: how many surfaces have no name, for folding leaves nothing of them.
        names: the hashes; a name's number is its slot.
        prefixes: what passes the hashes of what names of several tokens begin with.
        starts: (names + 1,) where each name's surfaces begin in ``rows``.
        rows: (surfaces - empty,) the surfaces of each name, ascending.
    """

    seed: int
    longest: int
    empty: int
    names: HashTable
    prefixes: HashFilter
    starts: Column
    rows: Column

    def __len__(self) -> int:
        return len(self.names)

    def save(self, directory: Path) -> None:
        """Write the columns into a directory."""
        save_column(directory, "head", [self.seed, self.longest, self.empty], "<i8")
        save_column(directory, "hash", self.names.hashes, "<u8")
        save_column(directory, "bucket", self.names.buckets, "<u4")
        save_column(directory, "names", self.names.seen.bits, "|u1")
        save_column(directory, "prefixes", self.prefixes.bits, "|u1")
        save_column(directory, "surfaces.start", self.starts, "<u4")
        save_column(directory, "surfaces.row", self.rows, "<u4")

    @classmethod
    def open(cls, directory: Path) -> NameTable:
        """Map what `save` wrote.

        Raises:
            FormatError: a file is missing or damaged.
        """
        seed, longest, empty = map_column(directory, "head").tolist()
        names = HashTable(
            map_column(directory, "hash"),
            map_column(directory, "bucket"),
            HashFilter(map_column(directory, "names")),
        )
        return cls(
            seed,
            longest,
            empty,
            names,
            HashFilter(map_column(directory, "prefixes")),
            map_column(directory, "surfaces.start"),
            map_column(directory, "surfaces.row"),
        )
