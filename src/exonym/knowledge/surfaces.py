"""`Surfaces`: every name of a knowledge base by its row, read many at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from exonym.knowledge.records import Candidate
from exonym.knowledge.tables import Column, StringTable, map_column

if TYPE_CHECKING:
    from exonym.knowledge.base import KnowledgeBase

Rows = NDArray[np.int64]


class Surfaces:
    """The names of a knowledge base: a text in a language, and the entities it may mean.

    A name of two languages has two rows. Rows go from 0 to ``len`` - 1, language by language in
    the order of ``kb.languages``, and all that is known of one row or of many is read from
    memory-mapped columns. Get it from ``kb.surfaces``.

    Args:
        kb: the knowledge base.
        texts: the table of names, each with its language and a colon before it.
    """

    def __init__(self, kb: KnowledgeBase, texts: StringTable) -> None:
        self._kb, self._texts = kb, texts
        path: Path = kb.path
        self._bounds: Rows = map_column(path, "surfaces.language_start").astype(np.int64)
        self._starts = map_column(path, "candidates.start")
        self._entities = map_column(path, "candidates.entity")
        self._counts = map_column(path, "candidates.count")
        self._occurrences = map_column(path, "surfaces.occurrences")

    def __len__(self) -> int:
        return len(self._texts)

    @property
    def language_starts(self) -> Rows:
        """Where the rows of each language begin, and the number of rows; (languages + 1,)."""
        return self._bounds

    def text(self, row: int) -> str:
        """The characters of a name."""
        return self._texts[row].partition(":")[2]

    def texts(self, start: int, stop: int) -> list[str]:
        """The characters of the names in rows [start, stop); faster than one by one."""
        return [key.partition(":")[2] for key in self._texts.strings(start, stop)]

    def language(self, row: int) -> str:
        """The language that a name belongs to."""
        return self._kb.languages[int(np.searchsorted(self._bounds, row, side="right")) - 1]

    def languages(self, rows: Sequence[int] | Rows) -> Rows:
        """The languages of many names, as numbers of ``kb.languages``; shape (rows,)."""
        return np.searchsorted(self._bounds, np.asarray(rows, np.int64), side="right") - 1

    def occurrences(self, rows: Sequence[int] | Rows) -> Rows:
        """How often each name stands in its language's text, as a link or not; shape (rows,)."""
        return self._occurrences[np.asarray(rows, np.int64)].astype(np.int64)

    def links(self, rows: Sequence[int] | Rows) -> Rows:
        """How many links have each name as their text; shape (rows,)."""
        owners, _, counts = self.candidate_rows(rows)
        return np.bincount(owners, counts, len(rows)).astype(np.int64)

    def link_probability(self, rows: Sequence[int] | Rows) -> NDArray[np.float64]:
        """The share of each name's occurrences that are links, as `KnowledgeBase` counts them.

        Shape (rows,); not a number where the name never stands in its language's text.
        """
        occurrences = self.occurrences(rows).astype(np.float64)
        occurrences[occurrences == 0] = np.nan
        return self.links(rows) / occurrences

    def candidates(self, row: int) -> tuple[Candidate, ...]:
        """The entities that a name may mean, the most linked first."""
        _, entities, counts = self.candidate_rows([row])
        total = int(counts.sum())
        return tuple(
            Candidate(self._kb.key(entity), count, count / total if total else 1 / len(counts))
            for entity, count in zip(entities.tolist(), counts.tolist(), strict=True)
        )

    def candidate_rows(self, rows: Sequence[int] | Rows) -> tuple[Rows, Rows, Rows]:
        """The entities that many names may mean, name by name, the most linked first.

        Returns:
            Three arrays of one length: for each candidate the place of its name in ``rows``,
            the row of its entity, and how many links with this text lead to it.
        """
        wanted = np.asarray(rows, np.int64)
        starts: Column = self._starts[wanted].astype(np.int64)
        sizes = self._starts[wanted + 1].astype(np.int64) - starts
        owners = np.repeat(np.arange(len(wanted)), sizes)
        first = np.cumsum(sizes) - sizes
        places = np.arange(len(owners)) + np.repeat(starts - first, sizes)
        return (
            owners,
            self._entities[places].astype(np.int64),
            self._counts[places].astype(np.int64),
        )
