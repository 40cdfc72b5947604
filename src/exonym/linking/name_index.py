"""`NameIndex`: finds every occurrence of millions of names, of all languages, in one pass.

Names and texts are folded (`folding`) and compared by 64-bit hashes of stretches between borders
(`borders`). A stretch that is no name is taken for one with a probability of names / 2**64: for ten
million names, about once in 10**12 looked-up stretches. Different names with one hash are noticed
when the index is built, and another hash function is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exonym.foundation.errors import InputError
from exonym.foundation.files import atomic_directory, read_manifest, sha256, write_manifest
from exonym.foundation.progress import stage
from exonym.knowledge import KnowledgeBase
from exonym.linking.folding_tables import folding_version
from exonym.linking.found import Found
from exonym.linking.name_scanning import NameScanner
from exonym.linking.name_table import NameTable
from exonym.linking.name_table_building import build_table

FORMAT, VERSION = "exonym-name-index", 1
REMEDY = "Build it anew: NameIndex.build(kb, path, overwrite=True)"


class NameIndex:
    """The names of a knowledge base, or a list of names, ready to be found in texts.

    A name is known by its folded form: names that differ only in what folding makes equal are one.
    Opening an index maps its files, so it costs milliseconds; processes share the pages they read,
    and the object can be pickled (its paths are).

    Args:
        table: the names.
        path: where the index is; None if only in memory.
        kb: the knowledge base whose names they are; None for a list of names.
    """

    def __init__(
        self, table: NameTable, path: Path | None = None, kb: KnowledgeBase | None = None
    ) -> None:
        self._table, self.path, self._kb = table, path, kb

    @classmethod
    def build(cls, kb: KnowledgeBase, path: Path | str, *, overwrite: bool = False) -> NameIndex:
        """Write the index of all names of a knowledge base.

        Takes some hundred thousand names a second and less than 100 bytes of memory a name.

        Args:
            kb: whose names.
            path: the directory to write; it appears when it is whole.
            overwrite: whether a directory that is there is replaced.

        Raises:
            ExistsError: ``path`` is there already.
        """
        path = Path(path)
        with atomic_directory(path, overwrite=overwrite) as partial:
            with stage("index names", total=len(kb.surfaces), unit="names") as progress:
                table = build_table(kb.surfaces, progress.advance)
            table.save(partial)
            write_manifest(
                partial,
                format=FORMAT,
                version=VERSION,
                knowledge_base=_identity(kb),
                folding=folding_version(),
                names=len(table),
                surfaces=len(table.rows),
                surfaces_left_out={"nothing left when folded": table.empty},
            )
        return cls.open(path, kb)

    @classmethod
    def open(cls, path: Path | str, kb: KnowledgeBase) -> NameIndex:
        """Map an index that `build` wrote.

        Raises:
            InputError: there is none, it is of another knowledge base, or of other rules of
                folding.
            VersionError: another version of Exonym wrote it.
            FormatError: a file of it is missing or damaged.
        """
        path = Path(path)
        manifest = read_manifest(path, format=FORMAT, version=VERSION, remedy=REMEDY)
        for field, what, wanted in (
            ("knowledge_base", "of the knowledge base as it is now", _identity(kb)),
            ("folding", "made by these rules of folding and version of Unicode", folding_version()),
        ):
            if manifest.get(field) != wanted:
                raise InputError(
                    f"expected an index {what} ({wanted}), found {manifest.get(field)!r}",
                    where=path,
                    remedy=REMEDY,
                )
        return cls(NameTable.open(path), path, kb)

    @classmethod
    def of(cls, names: Sequence[str]) -> NameIndex:
        """An index of some names, in memory; `surfaces` gives their places in the list.

        Names of which folding leaves nothing are never found.
        """
        return cls(build_table(names))

    def __reduce__(self) -> tuple[Callable[..., NameIndex], tuple[Any, ...]]:
        if self.path is not None:
            return NameIndex.open, (self.path, self._kb)
        return NameIndex, (self._table,)

    def __len__(self) -> int:
        return len(self._table)

    def __repr__(self) -> str:
        where = "in memory" if self.path is None else repr(str(self.path))
        return f"NameIndex({where}: {len(self):,} names)"

    def surfaces(self, name: int) -> NDArray[np.int64]:
        """The rows of ``kb.surfaces`` (places in the list, for `of`) that fold to a name.

        Ascending.
        """
        start, end = int(self._table.starts[name]), int(self._table.starts[name + 1])
        return self._table.rows[start:end].astype(np.int64)

    def surfaces_of(
        self, names: Sequence[int] | NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """`surfaces` of many names, one after the other.

        Returns:
            Two arrays of one length: for each surface the place of its name in ``names``, and
            its row.
        """
        wanted = np.asarray(names, np.int64)
        starts = self._table.starts[wanted].astype(np.int64)
        sizes = self._table.starts[wanted + 1].astype(np.int64) - starts
        owners = np.repeat(np.arange(len(wanted)), sizes)
        places = np.arange(len(owners)) + np.repeat(starts - (np.cumsum(sizes) - sizes), sizes)
        return owners, self._table.rows[places].astype(np.int64)

    def find(self, texts: Sequence[str]) -> Found:
        """Every occurrence of every name, nested and overlapping ones too.

        Args:
            texts: any strings. No name reaches from one text into the next.
        """
        return self._scanner.find(texts)

    @cached_property
    def _scanner(self) -> NameScanner:
        return NameScanner(self._table)


def _identity(kb: KnowledgeBase) -> str:
    """Which knowledge base this is: the manifest holds the digests of its sources."""
    return sha256(kb.path / "manifest.json")
