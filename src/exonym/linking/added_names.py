"""The additions to a knowledge base as a linker uses them: found in texts, read anew on change."""

from __future__ import annotations

from pathlib import Path

from exonym.knowledge import KnowledgeBase
from exonym.linking.additions import FILE, read_additions
from exonym.linking.name_index import NameIndex


class AddedNames:
    """What was added to a knowledge base, in memory.

    Entities that the knowledge base does not have get rows behind its own, so that an entity is a
    number wherever it comes from.

    Args:
        kb: what was added to.
        folder: where ``additions.jsonl`` lies, or will lie.

    Attributes:
        additions: in the order of the file.
        index: finds their names; its names' surfaces are places in ``additions``. None where
            there are none.
        rows: the row of each addition's entity.

    Raises:
        FormatError: a line cannot be used.
    """

    def __init__(self, kb: KnowledgeBase, folder: Path) -> None:
        self._kb, self._folder = kb, folder
        self._seen: tuple[int, int, int] | None = None
        self._read()

    def refresh(self) -> bool:
        """Read the file again if it has changed; whether it had.

        Raises:
            FormatError: a line cannot be used.
        """
        if self._state() == self._seen:
            return False
        self._read()
        return True

    def key(self, row: int) -> str:
        """The key of an entity, of the knowledge base or an added one."""
        size = len(self._kb)
        return self._kb.key(row) if row < size else self._new_keys[row - size]

    def _state(self) -> tuple[int, int, int] | None:
        try:
            found = (self._folder / FILE).stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _read(self) -> None:
        seen = self._state()  # before reading: what changes meanwhile is read the next time
        self.additions = read_additions(self._kb, self._folder) if seen else []
        keys = list(dict.fromkeys(addition.entity for addition in self.additions))
        rows = self._kb.rows(keys).tolist() if keys else []
        self._new_keys = [key for key, row in zip(keys, rows, strict=True) if row < 0]
        number = {key: len(self._kb) + place for place, key in enumerate(self._new_keys)}
        row_of = {key: number.get(key, row) for key, row in zip(keys, rows, strict=True)}
        self.rows = [row_of[addition.entity] for addition in self.additions]
        surfaces = [addition.surface for addition in self.additions]
        self.index = NameIndex.of(surfaces) if surfaces else None
        self._seen = seen
