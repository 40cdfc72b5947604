"""`EntityVocabulary`: which row of an entity embedding table stands for which entity."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from exonym.foundation.errors import ConfigError
from exonym.foundation.files import atomic_directory, read_manifest
from exonym.knowledge.base import KnowledgeBase
from exonym.knowledge.vocabulary_building import choose_entities
from exonym.knowledge.vocabulary_extension import NewEntities, extend_vocabulary
from exonym.knowledge.vocabulary_import import (
    DIRECTORY,
    converted,
    import_entity_json,
    mark_source,
    vocabulary_directory,
)
from exonym.knowledge.vocabulary_json import VOCABULARY_FILE, write_entity_json
from exonym.knowledge.vocabulary_rows import VocabularyRows
from exonym.knowledge.vocabulary_selection import items_from, select_rows
from exonym.knowledge.vocabulary_writing import (
    FORMAT,
    SPECIAL_ENTITIES,
    VERSION,
    VocabularyRow,
    write_rows,
)

REMEDY = "Build one: EntityVocabulary.build(KnowledgeBase.open(KB), DIR)"
__all__ = ["SPECIAL_ENTITIES", "EntityVocabulary", "VocabularyRow"]


class EntityVocabulary(VocabularyRows):
    """Rows and entities, both ways, memory-mapped.

    An immutable directory. The special rows are ``pad_row``, ``unk_row``, ``mask_row`` and
    ``mask2_row``: in vocabularies that `build` makes they are 0 to 3, in others anywhere.

    Attributes:
        path: the directory.
        manifest: ``manifest.json``: how it was made and what was left out.
    """

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
        if size is not None and size < 1:
            raise ConfigError(f"size must be at least 1, got {size}")
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
        special = (VocabularyRow(name, {}, 0) for name in SPECIAL_ENTITIES)
        return cls.write(
            path,
            chain(special, entities),
            overwrite=overwrite,
            options=options,
            left_out=left_out,
        )

    def extended(
        self,
        kb: KnowledgeBase,
        path: Path | str,
        wanted: NewEntities | None = None,
        *,
        overwrite: bool = False,
    ) -> EntityVocabulary:
        """This vocabulary with a knowledge base's names for its rows, and new rows behind them.

        All rows keep their numbers and names, those of entities that the knowledge base does not
        know, too; so a model's entity table can be extended to fit. Rows known by titles only, as
        in the released vocabularies, get their items. See `extend_vocabulary`.

        Args:
            kb: where names, new entities and their link counts come from.
            path: the directory to make.
            wanted: which entities are added, the most linked first; None adds all linked ones.
            overwrite: replace ``path`` if it exists.

        Raises:
            ConfigError: a number is not positive, there is no such language, or the knowledge base
                knows none of the entities.
            ExistsError: ``path`` exists and ``overwrite`` is false.
        """
        extend_vocabulary(self, kb, Path(path), wanted or NewEntities(), overwrite=overwrite)
        return EntityVocabulary.open(path)

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
        write_rows(Path(path), rows, overwrite=overwrite, **fields)
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
        return write_entity_json(Path(path), self.json_blocks())

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
