"""Writing an entity vocabulary: names in any order, many at a time, into a memory-mapped directory.

A *name* is a string that leads to a row: an item id, a title key (``"ja:東京都"``), a plain title,
or the name of a special row. One look-up holds them all. Which of a row's names is its key is
decided by their ranks. The columns:

- ``names.*``: the strings and their look-up, in the order they were added;
- ``names.entity``: each name's row;
- ``rows.start``, ``rows.name``: each row's names;
- ``rows.key``: the name that is the row's key, or `NO_NAME`;
- ``rows.links``: how many links lead to the row's entity.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exonym.foundation.errors import FormatError, InputError
from exonym.foundation.files import atomic_directory, write_manifest
from exonym.foundation.progress import Progress, stage
from exonym.knowledge.tables import (
    Column,
    IndexedStrings,
    StringTableWriter,
    group_starts,
    hash64,
    save_column,
    write_hash_index,
)

FORMAT, VERSION = "exonym-entity-vocabulary", 2
SPECIAL_ENTITIES = ("[PAD]", "[UNK]", "[MASK]", "[MASK2]")
NO_NAME = 2**32 - 1
MOST_ROWS = 2**27
"""More than any entity table has: with 256 numbers of two bytes each, 69 GB."""

# Which of a row's names is its key: the lowest rank, then the first that was added.
KEY, PLAIN, ENGLISH, OTHER = range(4)

_ITEM = re.compile(r"Q[1-9][0-9]*\Z")
# Wikipedia's titles begin with a capital where the script has any, so "ja:" is a language and
# "Re:Zero" a title.
_LANGUAGE = re.compile(r"[a-z]{2,12}(-[a-z]{2,12})*\Z")
_LONGEST_CODE = 24
_BATCH = 1 << 16


def is_item(name: str) -> bool:
    """Whether a name is a Wikidata item id."""
    return _ITEM.match(name) is not None


def languages_of(names: Sequence[str]) -> list[str]:
    """The language of each name; "" for one that is no title key."""
    prefixes = [
        name[:end] if (end := name.find(":", 0, _LONGEST_CODE)) > 0 else "" for name in names
    ]
    known = {prefix: prefix if _LANGUAGE.match(prefix) else "" for prefix in set(prefixes)}
    return [known[prefix] for prefix in prefixes]


def title_key(key: str) -> str:
    """A title key, or a title, as pages are called: spaces for underscores, none around it."""
    spaced = key.replace("_", " ")
    (language,) = languages_of([spaced])
    if not language:
        return spaced.strip()
    return f"{language}:{spaced[len(language) + 1 :].strip()}"


@dataclass(frozen=True, slots=True)
class VocabularyRow:
    """One row of a vocabulary that is being written.

    Args:
        key: the entity's key, or one of ``[PAD] [UNK] [MASK] [MASK2]``.
        titles: its page titles by language; empty for a special entity.
        count: how many links lead to it.
    """

    key: str
    titles: Mapping[str, str]
    count: int


def names_of(entry: VocabularyRow) -> list[str]:
    """The names of a row that is being written: its key, then its titles by language."""
    titles = (f"{language}:{entry.titles[language]}" for language in sorted(entry.titles))
    return list(dict.fromkeys([entry.key, *titles]))


class _Silent:
    def advance(self, amount: int = 1) -> None:
        """Show nothing."""

    def note(self, text: str) -> None:
        """Show nothing."""


def shown(name: str, total: int, unit: str, *, least: int) -> AbstractContextManager[Progress]:
    """A stage whose progress is shown only if it has ``least`` units: others end at once."""
    return nullcontext(_Silent()) if total < least else stage(name, total=total, unit=unit)


class VocabularyWriter:
    """Fills a directory with the columns of an entity vocabulary.

    Args:
        directory: an empty directory.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._names = StringTableWriter(directory, "names")
        self._rows, self._ranks, self._hashes = array("I"), array("B"), array("Q")
        self._languages: Counter[str] = Counter()
        self._special: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._names)

    def add(
        self, names: Sequence[str], rows: Sequence[int], ranks: Sequence[int] | None = None
    ) -> None:
        """Add names.

        Args:
            names: the strings.
            rows: (names,) the row each leads to, below `MOST_ROWS`.
            ranks: (names,) `KEY` to `OTHER`; without them item ids and special names come first,
                then plain titles, English ones, and others.
        """
        encoded = [name.encode() for name in names]
        languages = languages_of(names)
        self._names.extend(encoded)
        self._hashes.extend(map(hash64, encoded))
        self._rows.extend(rows)
        self._languages.update(languages)
        given = _ranks(names, languages) if ranks is None else ranks
        self._ranks.extend(given)
        if "" in languages:
            for name, language, row in zip(names, languages, rows, strict=True):
                if not language and name in SPECIAL_ENTITIES:
                    self._special[name] = row

    def finish(
        self,
        *,
        rows: int | None = None,
        links: Column | array[int] | None = None,
        last_wins: bool = False,
        **fields: Any,
    ) -> None:
        """Write the columns and the manifest.

        Args:
            rows: how many there are; None takes as many as the highest row says.
            links: (rows,) link counts; None writes zeros.
            last_wins: a name that was added twice leads where it was said last, as in JSON;
                otherwise it is an error.
            **fields: what else the manifest should say.

        Raises:
            InputError: a name was added twice.
            FormatError: a special row is missing, or two are the same.
        """
        self._names.__exit__(None, None, None)
        entity: Column = np.frombuffer(self._rows, np.uint32)
        ranks: Column = np.frombuffer(self._ranks, np.uint8)
        hashes: Column = np.frombuffer(self._hashes, np.uint64)
        write_hash_index(self._directory, "names", hashes=hashes)
        table = IndexedStrings(self._directory, "names")
        repeated = list(table.repeated())
        if repeated and not last_wins:
            self._refuse(repeated[0])
        if repeated:
            superseded = np.array([place for places in repeated for place in places[:-1]])
            self._remove_names(table, superseded)
            entity, ranks = np.delete(entity, superseded), np.delete(ranks, superseded)
            hashes = np.delete(hashes, superseded)
            write_hash_index(self._directory, "names", hashes=hashes)
        del hashes, table
        special = self._special_rows()
        count = int(entity.max()) + 1 if rows is None else rows
        unnamed = _write_rows(self._directory, entity, ranks, count)
        save_column(
            self._directory, "rows.links", np.zeros(count) if links is None else links, "<u4"
        )
        languages = sorted((code, n) for code, n in self._languages.items() if code)
        write_manifest(
            self._directory,
            format=FORMAT,
            version=VERSION,
            rows=count,
            names=len(entity),
            special_rows=special,
            languages=dict(languages),
            rows_without_name=unnamed,
            **({"repeated_names": self._repetitions(repeated)} if last_wins else {}),
            **fields,
        )

    def _refuse(self, places: Sequence[int]) -> None:
        name = IndexedStrings(self._directory, "names")[places[0]]
        first, second = self._rows[places[0]], self._rows[places[1]]
        raise InputError(f"{name!r} has two rows in the entity vocabulary, {first} and {second}")

    def _repetitions(self, repeated: list[list[int]]) -> dict[str, int]:
        """How many names came more than once, by whether they led to one row."""
        differing = sum(len({self._rows[place] for place in places}) > 1 for places in repeated)
        return {"of one row": len(repeated) - differing, "of different rows": differing}

    def _special_rows(self) -> dict[str, int]:
        if missing := [name for name in SPECIAL_ENTITIES if name not in self._special]:
            raise FormatError(f"an entity vocabulary needs a row {missing[0]}, and has none")
        names: dict[int, str] = {}
        for name in SPECIAL_ENTITIES:
            row = self._special[name]
            if row in names:
                raise FormatError(f"{names[row]} and {name} have the same row, {row}")
            names[row] = name
        return {name: self._special[name] for name in SPECIAL_ENTITIES}

    def _remove_names(self, table: IndexedStrings, places: NDArray[np.int64]) -> None:
        """Write the strings anew without some of them."""
        removed = frozenset(places.tolist())
        gone = languages_of([table[place] for place in sorted(removed)])
        self._languages.subtract(gone)
        with StringTableWriter(self._directory, "kept") as kept:
            for start in range(0, len(table), _BATCH):
                stop = min(start + _BATCH, len(table))
                kept.extend([table.encoded(i) for i in range(start, stop) if i not in removed])
        for part in ("utf8", "offsets.npy"):
            (self._directory / f"kept.{part}").replace(self._directory / f"names.{part}")


def write_rows(
    path: Path, rows: Iterable[VocabularyRow], *, overwrite: bool = False, **fields: Any
) -> None:
    """Write a vocabulary row by row; see `EntityVocabulary.write`."""
    counts = array("I")
    with atomic_directory(path, overwrite=overwrite) as directory:
        writer = VocabularyWriter(directory)
        entries = iter(rows)
        while batch := list(islice(entries, _BATCH)):
            names = [names_of(entry) for entry in batch]
            first = len(counts)
            writer.add(
                [name for group in names for name in group],
                [row for row, group in enumerate(names, start=first) for _ in group],
                [rank for group in names for rank in (KEY, *[OTHER] * (len(group) - 1))],
            )
            counts.extend(entry.count for entry in batch)
        writer.finish(rows=len(counts), links=counts, **fields)


def _ranks(names: Sequence[str], languages: Sequence[str]) -> Iterator[int]:
    for name, language in zip(names, languages, strict=True):
        if language:
            yield ENGLISH if language == "en" else OTHER
        else:
            yield KEY if name in SPECIAL_ENTITIES or is_item(name) else PLAIN


def _write_rows(directory: Path, entity: Column, ranks: Column, count: int) -> int:
    """Write the columns of rows; returns how many have no name."""
    by_row = np.argsort(entity, kind="stable").astype(np.uint32)
    starts = group_starts(entity[by_row], count).astype(np.int64)
    named = np.flatnonzero(starts[1:] > starts[:-1])
    # The lowest rank and, within it, the first name: one number, so that one pass finds it.
    order = ranks[by_row].astype(np.uint64) << np.uint64(32) | by_row
    keys = np.full(count, NO_NAME, np.uint32)
    if len(named):
        keys[named] = np.minimum.reduceat(order, starts[named]) & np.uint64(NO_NAME)
    save_column(directory, "names.entity", entity, "<u4")
    save_column(directory, "rows.name", by_row, "<u4")
    save_column(directory, "rows.start", starts, "<u4")
    save_column(directory, "rows.key", keys, "<u4")
    return count - len(named)
