"""Reading an entity vocabulary's columns: rows by name, names by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exonym.foundation.errors import InputError
from exonym.foundation.files import JSON
from exonym.knowledge.tables import IndexedStrings, map_column, numbers
from exonym.knowledge.vocabulary_writing import (
    NO_NAME,
    SPECIAL_ENTITIES,
    is_item,
    languages_of,
    title_key,
)

_BATCH = 1 << 16
_FEW = 16  # keys, below which looking them up one by one is faster


class VocabularyRows:
    """What `EntityVocabulary` answers with; its columns are memory-mapped."""

    def __init__(self, path: Path, manifest: JSON) -> None:
        self.path, self.manifest = path, manifest
        special = manifest["special_rows"]
        self.pad_row, self.unk_row, self.mask_row, self.mask2_row = (
            int(special[name]) for name in SPECIAL_ENTITIES
        )
        self._names = IndexedStrings(path, "names")
        self._row_column = map_column(path, "names.entity")
        self._start_column = map_column(path, "rows.start")
        self._key_column = map_column(path, "rows.key")
        self._rows, self._row_starts = numbers(self._row_column), numbers(self._start_column)
        self._key_places = numbers(self._key_column)
        self._row_names = numbers(map_column(path, "rows.name"))
        self._links = numbers(map_column(path, "rows.links"))

    def __len__(self) -> int:
        return len(self._key_places)

    def __contains__(self, key: str) -> bool:
        return self.row(key) is not None

    @property
    def special_rows(self) -> tuple[int, int, int, int]:
        """The rows of [PAD], [UNK], [MASK] and [MASK2]."""
        return self.pad_row, self.unk_row, self.mask_row, self.mask2_row

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that have titles, sorted."""
        return tuple(self.manifest["languages"])

    def row(self, key: str, *, exact: bool = False) -> int | None:
        """The row of an entity, by its key or by the title key of one of its pages; or None.

        Underscores in a title are read as spaces where nothing has the very name; ``exact``
        leaves that out, as transformers does.
        """
        found = self._names.find(key)
        if found is None and not exact and (other := title_key(key)) != key:
            found = self._names.find(other)
        return None if found is None else self._rows[found]

    def row_of_title(self, language: str | None, title: str) -> int | None:
        """The row of the entity whose page in a language has this title, or None.

        Underscores are read as spaces. Redirects are not known here: `KnowledgeBase.resolve`
        follows them.

        Args:
            language: None for vocabularies of one language, whose titles do not name it.
            title: as the page is called.
        """
        return self.row(title if language is None else f"{language}:{title}")

    def rows(self, keys: Sequence[str], *, exact: bool = False) -> NDArray[np.int64]:
        """The rows of many keys, shape (len(keys),), ``unk_row`` for unknown ones; see `row`."""
        if len(keys) < _FEW:
            few = (self.row(key, exact=exact) for key in keys)
            return np.array([self.unk_row if row is None else row for row in few], np.int64)
        found = self._names.find_all(keys)
        rows = np.where(found < 0, self.unk_row, self._row_column[found])
        for place in () if exact else np.flatnonzero(found < 0).tolist():
            if (row := self.row(keys[place])) is not None:
                rows[place] = row
        return rows.astype(np.int64)

    def key(self, row: int) -> str:
        """The key of a row; "" for a row without a name, which imported vocabularies may have.

        Raises:
            InputError: there is no such row.
        """
        place = self._key_places[self._check(row)]
        return "" if place == NO_NAME else self._names[place]

    def names(self, row: int) -> tuple[str, ...]:
        """All strings that lead to a row: its key, item and title keys, in the file's order.

        Raises:
            InputError: there is no such row.
        """
        row = self._check(row)
        places = self._row_names[self._row_starts[row] : self._row_starts[row + 1]]
        return tuple(self._names[place] for place in places)

    def titles(self, row: int) -> dict[str, str]:
        """The page titles of a row by language, of several in one language the first.

        Names without a language, as vocabularies of one language have, are not among them.

        Raises:
            InputError: there is no such row.
        """
        names = self.names(row)
        titles: dict[str, str] = {}
        for name, language in zip(names, languages_of(names), strict=True):
            if language:
                titles.setdefault(language, name[len(language) + 1 :])
        return titles

    def count(self, row: int) -> int:
        """How many links lead to the entity of a row; 0 where that is not known.

        Raises:
            InputError: there is no such row.
        """
        return self._links[self._check(row)]

    @property
    def names_count(self) -> int:
        """How many names there are in all."""
        return len(self._names)

    def names_in_order(self) -> Iterator[tuple[list[str], NDArray[np.uint32]]]:
        """Yield all names, a batch at a time, and their rows."""
        for start in range(0, len(self._names), _BATCH):
            stop = min(start + _BATCH, len(self._names))
            yield self._names.strings(start, stop), self._row_column[start:stop]

    def key_places(self, rows: NDArray[np.uint32]) -> NDArray[np.uint32]:
        """The place among all names of each row's key."""
        places: NDArray[np.uint32] = self._key_column[rows]
        return places

    def json_blocks(self) -> Iterator[tuple[list[str], list[int]]]:
        """Yield the names that ``entity_vocab.json`` has, a batch at a time, and their rows."""
        for names, rows in self.names_in_order():
            sizes = self._start_column[rows + 1] - self._start_column[rows]
            kept = [
                (name, row)
                for name, row, size in zip(names, rows.tolist(), sizes.tolist(), strict=True)
                if size == 1 or not is_item(name)
            ]
            yield [name for name, _ in kept], [row for _, row in kept]

    def _check(self, row: int) -> int:
        if not 0 <= row < len(self):
            raise InputError(
                f"row {row} of an entity vocabulary of {len(self)} rows", where=self.path
            )
        return row
