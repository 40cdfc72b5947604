"""`EntityVocabulary`: which row of an entity embedding table stands for which entity."""

from __future__ import annotations

import shutil
import tempfile
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exonym.foundation.errors import InputError
from exonym.foundation.files import JSON, atomic_directory, read_manifest
from exonym.knowledge.base import KnowledgeBase
from exonym.knowledge.tables import IndexedStrings, map_column, numbers
from exonym.knowledge.vocabulary_building import choose_entities
from exonym.knowledge.vocabulary_import import (
    DIRECTORY,
    converted,
    import_entity_json,
    mark_source,
    vocabulary_directory,
)
from exonym.knowledge.vocabulary_json import VOCABULARY_FILE, write_entity_json
from exonym.knowledge.vocabulary_selection import items_from, select_rows
from exonym.knowledge.vocabulary_writing import (
    FORMAT,
    KEY,
    NO_NAME,
    OTHER,
    SPECIAL_ENTITIES,
    VERSION,
    VocabularyRow,
    VocabularyWriter,
    is_item,
    languages_of,
    names_of,
    title_key,
)

REMEDY = "Build one: EntityVocabulary.build(KnowledgeBase.open(KB), DIR)"
__all__ = ["SPECIAL_ENTITIES", "EntityVocabulary", "VocabularyRow"]

_BATCH = 1 << 16
_FEW = 16  # keys, below which looking them up one by one is faster


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
        self._names = IndexedStrings(path, "names")
        self._row_column = map_column(path, "names.entity")
        self._start_column = map_column(path, "rows.start")
        self._key_column = map_column(path, "rows.key")
        self._rows, self._row_starts = numbers(self._row_column), numbers(self._start_column)
        self._key_places = numbers(self._key_column)
        self._row_names = numbers(map_column(path, "rows.name"))
        self._links = numbers(map_column(path, "rows.links"))

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
        min_links: int = 1,
        languages: Collection[str] | None = None,
        types: Collection[str] | None = None,
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
            min_links: how many links must lead to an entity.
            languages: count links and languages among these only; None counts all.
            types: take only instances of these classes or their subclasses, by item id
                (``["Q5"]``: people); None takes all.
            overwrite: replace ``path`` if it exists.

        Raises:
            ConfigError: a number is not positive, or there is no such language.
            ExistsError: ``path`` exists and ``overwrite`` is false.
        """
        rule = {"size": size, "min_languages": min_languages, "min_links": min_links}
        entities, left_out = choose_entities(
            kb,
            size=size,
            min_languages=min_languages,
            min_links=min_links,
            languages=languages,
            types=types,
        )
        options = {
            **rule,
            "languages": None if languages is None else sorted(languages),
            "types": None if types is None else sorted(types),
        }
        return cls.write(path, entities, overwrite=overwrite, options=options, left_out=left_out)

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
            InputError: a key or title has two rows.
            FormatError: a special row is missing.
            ExistsError: ``path`` exists and ``overwrite`` is false.
        """
        counts = array("I")
        with atomic_directory(Path(path), overwrite=overwrite) as directory:
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
        return cls.open(path)

    @classmethod
    def import_json(
        cls,
        source: Path | str,
        out: Path | str,
        *,
        kb: KnowledgeBase | None = None,
        items: Mapping[str, str] | None = None,
        overwrite: bool = False,
    ) -> EntityVocabulary:
        """Convert the ``entity_vocab.json`` of a LUKE or mLUKE checkpoint, in blocks.

        Rows stay as they are; one that no name leads to is kept without a name. A name that comes
        twice leads to its last row, as JSON has it, and is counted in the manifest under
        ``repeated_names``. The key of a row is its Wikidata item where ``kb`` or ``items`` know
        it, else its name without a language, else its English title key, else the first of its
        title keys in the file.

        Args:
            source: the file: one object from names (``"ja:東京都"``, ``"[MASK]"``; ``"Japan"`` in
                vocabularies of one language) to rows.
            out: the directory to make.
            kb: gives rows their items: the one that most of a row's titles lead to.
            items: gives rows their items by title key; asked before ``kb``.
            overwrite: replace ``out`` if it exists.

        Raises:
            InputError: the file cannot be opened.
            FormatError: it is damaged, a row is no whole number from 0, or a special row is
                missing; the message names the byte or the name.
            ExistsError: ``out`` exists and ``overwrite`` is false.
        """
        source, out = Path(source), Path(out)
        if kb is None and items is None:
            import_entity_json(source, out, overwrite=overwrite)
            return cls.open(out)
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.partial-") as folder:
            import_entity_json(source, Path(folder) / "plain")
            plain = cls.open(Path(folder) / "plain")
            find_item = items_from(kb, items or {})
            select_rows(plain, out, find_item=find_item, overwrite=overwrite)
        return cls.open(out)

    @classmethod
    def from_json(cls, source: Path | str) -> EntityVocabulary:
        """Open an ``entity_vocab.json``, converted when it is seen for the first time.

        The result lies next to the file as ``entities``, or, where that cannot be written or
        belongs to a download cache, in ``$EXONYM_CACHE`` (else ``~/.cache/exonym``). A file that
        has changed is converted anew.

        Raises:
            InputError: the file cannot be opened, or no place for the result can be written.
            FormatError: it is damaged; see `import_json`.
        """
        return cls.open(converted(Path(source)))

    @classmethod
    def from_pretrained(cls, directory: Path | str) -> EntityVocabulary:
        """Open the vocabulary of a checkpoint directory: ``entities`` or ``entity_vocab.json``.

        Raises:
            InputError: there is neither.
            VersionError: another version of Exonym wrote the folder.
            FormatError: a file is damaged.
        """
        return cls.open(vocabulary_directory(Path(directory)))

    def write_json(self, path: Path | str) -> int:
        """Write an ``entity_vocab.json`` that transformers reads; returns the number of names.

        Title keys, special names and names without a language are written; Wikidata items only
        for rows that have no other name. Names keep their order, so the same vocabulary gives the
        same bytes.
        """
        return write_entity_json(Path(path), self._json_blocks())

    def copy_to(self, directory: Path | str, *, overwrite: bool = False) -> EntityVocabulary:
        """Copy the vocabulary to be ``directory``, as a checkpoint does; returns the copy.

        Raises:
            ExistsError: ``directory`` exists and is not empty.
        """
        with atomic_directory(Path(directory), overwrite=overwrite) as copy:
            for file in sorted(self.path.iterdir()):
                if file.is_file():
                    shutil.copyfile(file, copy / file.name)
        return EntityVocabulary.open(directory)

    def save_pretrained(self, directory: Path | str) -> EntityVocabulary:
        """Write ``entities`` and ``entity_vocab.json`` into a checkpoint directory.

        The file is transformers'; the folder knows that it is the file's converted form. What was
        there before is replaced.
        """
        directory = Path(directory)
        copy = self.copy_to(directory / DIRECTORY, overwrite=True)
        self.write_json(directory / VOCABULARY_FILE)
        mark_source(copy.path, directory / VOCABULARY_FILE)
        return EntityVocabulary.open(copy.path)

    def __reduce__(self) -> tuple[Callable[[Path], EntityVocabulary], tuple[Path]]:
        return EntityVocabulary.open, (self.path,)

    def __repr__(self) -> str:
        return f"EntityVocabulary({str(self.path)!r}: {len(self):,} rows)"

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

    def _json_blocks(self) -> Iterator[tuple[list[str], list[int]]]:
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
