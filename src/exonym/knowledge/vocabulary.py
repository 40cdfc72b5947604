"""`EntityVocabulary`: which row of an entity embedding table stands for which entity."""

from __future__ import annotations

import shutil
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exonym.foundation.errors import ConfigError, InputError
from exonym.foundation.files import JSON, atomic_directory, read_manifest, write_manifest
from exonym.knowledge.base import KnowledgeBase
from exonym.knowledge.tables import (
    IndexedStrings,
    StringTableWriter,
    map_column,
    save_column,
    write_hash_index,
)

FORMAT, VERSION = "exonym-entity-vocabulary", 1
REMEDY = "Build one: EntityVocabulary.build(KnowledgeBase.open(KB), DIR)"
SPECIAL_ENTITIES = ("[PAD]", "[UNK]", "[MASK]", "[MASK2]")


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


class EntityVocabulary:
    """Rows and entities, both ways, memory-mapped.

    An immutable directory. The special rows are ``pad_row``, ``unk_row``, ``mask_row`` and
    ``mask2_row``: in vocabularies that `build` makes they are 0 to 3, in others anywhere.

    Attributes:
        path: the directory.
        manifest: ``manifest.json``: how it was made and what was left out.
    """

    def __init__(self, path: Path, manifest: JSON) -> None:
        self.path, self.manifest = path, manifest
        special = manifest["special_rows"]
        self.pad_row, self.unk_row, self.mask_row, self.mask2_row = (
            int(special[name]) for name in SPECIAL_ENTITIES
        )
        self._keys = IndexedStrings(path, "entities")
        self._titles = IndexedStrings(path, "titles")
        self._title_rows = map_column(path, "titles.entity")
        self._title_starts = map_column(path, "titles.start")
        self._counts = map_column(path, "entities.links")

    @classmethod
    def open(cls, path: Path | str) -> EntityVocabulary:
        """Open a vocabulary directory.

        Raises:
            InputError: there is no such directory, or it is of another kind.
            VersionError: another version of Exonym wrote it.
            FormatError: a file of it is missing or damaged.
        """
        path = Path(path)
        return cls(path, read_manifest(path, format=FORMAT, version=VERSION, remedy=REMEDY))

    @classmethod
    def build(
        cls,
        kb: KnowledgeBase,
        path: Path | str,
        *,
        size: int | None = None,
        min_languages: int = 1,
        overwrite: bool = False,
    ) -> EntityVocabulary:
        """Choose the most linked entities of a knowledge base.

        mLUKE takes the 1.2 million most linked entities that occur in at least three languages
        (paper, section 2.1). Entities that no link leads to are never taken: nothing could be
        learnt of them. Rows 0 to 3 are special, then come the entities, the most linked first,
        ties in the order of their keys.

        Args:
            kb: where the entities and their link counts come from.
            path: the directory to make.
            size: how many entities to take at most, special rows not counted; None takes all.
            min_languages: in how many languages an entity must have an article or be linked.
            overwrite: replace ``path`` if it exists.

        Raises:
            ConfigError: ``size`` or ``min_languages`` is not positive.
            ExistsError: ``path`` exists and ``overwrite`` is false.
        """
        for name, value in (("size", size), ("min_languages", min_languages)):
            if value is not None and value < 1:
                raise ConfigError(f"{name} must be at least 1, got {value}")
        links, languages = kb.link_counts(), kb.language_counts()
        eligible = np.flatnonzero((links > 0) & (languages >= min_languages))
        ranked = sorted(_most_linked(kb, eligible, links, size))[:size]
        left_out = {
            "beyond the size": len(eligible) - len(ranked),
            "in too few languages": int(np.sum((links > 0) & (languages < min_languages))),
            "never linked": int(np.sum(links == 0)),
        }
        special = (VocabularyRow(name, {}, 0) for name in SPECIAL_ENTITIES)
        entities = (
            VocabularyRow(key, kb.entity(key).sitelinks, -negative) for negative, key in ranked
        )
        return cls.write(
            path,
            chain(special, entities),
            overwrite=overwrite,
            options={"size": size, "min_languages": min_languages},
            left_out=left_out,
        )

    @classmethod
    def write(
        cls,
        path: Path | str,
        rows: Iterable[VocabularyRow],
        *,
        overwrite: bool = False,
        **fields: Any,
    ) -> EntityVocabulary:
        """Write a vocabulary row by row.

        Args:
            path: the directory to make.
            rows: all rows in order, the four special ones among them.
            overwrite: replace ``path`` if it exists.
            **fields: what else the manifest should say.

        Raises:
            InputError: a special row is missing, or a key or title has two rows.
            ExistsError: ``path`` exists and ``overwrite`` is false.
        """
        title_rows, title_starts, counts = array("I"), array("Q", [0]), array("Q")
        special: dict[str, int] = {}
        with atomic_directory(Path(path), overwrite=overwrite) as directory:
            with (
                StringTableWriter(directory, "entities") as keys,
                StringTableWriter(directory, "titles") as titles,
            ):
                for entry in rows:
                    row = keys.append(entry.key)
                    counts.append(entry.count)
                    if entry.key in SPECIAL_ENTITIES:
                        special[entry.key] = row
                    for language in sorted(entry.titles):
                        titles.append(f"{language}:{entry.titles[language]}")
                        title_rows.append(row)
                    title_starts.append(len(titles))
            save_column(directory, "titles.entity", title_rows, "<u4")
            save_column(directory, "titles.start", title_starts, "<u8")
            save_column(directory, "entities.links", counts, "<u4")
            for name in ("entities", "titles"):
                write_hash_index(directory, name)
                _reject_repetition(IndexedStrings(directory, name))
            if missing := [name for name in SPECIAL_ENTITIES if name not in special]:
                raise InputError(f"an entity vocabulary needs a row {missing[0]}")
            write_manifest(
                directory,
                format=FORMAT,
                version=VERSION,
                rows=len(counts),
                special_rows={name: special[name] for name in SPECIAL_ENTITIES},
                **fields,
            )
        return cls.open(path)

    def copy_to(self, directory: Path | str) -> EntityVocabulary:
        """Copy the vocabulary to be ``directory``, as a checkpoint does; returns the copy.

        Raises:
            ExistsError: ``directory`` exists and is not empty.
        """
        with atomic_directory(Path(directory)) as copy:
            for file in sorted(self.path.iterdir()):
                if file.is_file():
                    shutil.copyfile(file, copy / file.name)
        return EntityVocabulary.open(directory)

    def __reduce__(self) -> tuple[Callable[[Path], EntityVocabulary], tuple[Path]]:
        return EntityVocabulary.open, (self.path,)

    def __repr__(self) -> str:
        return f"EntityVocabulary({str(self.path)!r}: {len(self):,} rows)"

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: str) -> bool:
        return self.row(key) is not None

    @property
    def special_rows(self) -> tuple[int, int, int, int]:
        """The rows of [PAD], [UNK], [MASK] and [MASK2]."""
        return self.pad_row, self.unk_row, self.mask_row, self.mask2_row

    def row(self, key: str) -> int | None:
        """The row of an entity, by its key or by the title key of one of its pages; or None."""
        row = self._keys.find(key)
        if row is None and ":" in key:
            language, _, title = key.partition(":")
            row = self.row_of_title(language, title)
        return row

    def row_of_title(self, language: str, title: str) -> int | None:
        """The row of the entity whose page in a language has this title, or None.

        Underscores are read as spaces. Redirects are not known here: `KnowledgeBase.resolve`
        follows them.
        """
        found = self._titles.find(f"{language}:{title.replace('_', ' ').strip()}")
        return None if found is None else int(self._title_rows[found])

    def rows(self, keys: Sequence[str]) -> NDArray[np.int64]:
        """The rows of many entities, shape (len(keys),); unknown ones have ``unk_row``."""
        found = (self.row(key) for key in keys)
        return np.fromiter(
            (self.unk_row if row is None else row for row in found), np.int64, len(keys)
        )

    def key(self, row: int) -> str:
        """The key of a row.

        Raises:
            InputError: there is no such row.
        """
        return self._keys[self._check(row)]

    def titles(self, row: int) -> dict[str, str]:
        """The page titles of a row by language.

        Raises:
            InputError: there is no such row.
        """
        row = self._check(row)
        start, end = int(self._title_starts[row]), int(self._title_starts[row + 1])
        return dict(self._titles[place].split(":", 1) for place in range(start, end))

    def count(self, row: int) -> int:
        """How many links lead to the entity of a row.

        Raises:
            InputError: there is no such row.
        """
        return int(self._counts[self._check(row)])

    def _check(self, row: int) -> int:
        if not 0 <= row < len(self):
            raise InputError(
                f"row {row} of an entity vocabulary of {len(self)} rows", where=self.path
            )
        return row


def _most_linked(
    kb: KnowledgeBase, rows: NDArray[np.int64], links: NDArray[np.int64], size: int | None
) -> Iterator[tuple[int, str]]:
    """Yield (minus the link count, key), in no order: the ``size`` most linked and all ties."""
    if size is not None and size < len(rows):
        least = np.partition(links[rows], len(rows) - size)[len(rows) - size]
        rows = rows[links[rows] >= least]
    for row in rows.tolist():
        yield -int(links[row]), kb.key(row)


def _reject_repetition(table: IndexedStrings) -> None:
    for row in range(len(table)):
        text = table[row]
        if (first := table.find(text)) != row:
            raise InputError(f"{text!r} has two rows in the entity vocabulary, {first} and {row}")
