"""The beginning of a file: ``.NAME.part``, and beside it what it is the beginning of."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from exonym.foundation.errors import ExonymError
from exonym.foundation.files import read_json, write_json
from exonym.wikimedia.fetching.catalog import DumpFile
from exonym.wikimedia.fetching.client import Client, ClientStoppedError

_BLOCK = 1 << 22


def part_of(target: Path) -> Path:
    """Where the beginning of a file is kept."""
    return target.with_name(f".{target.name}.part")


def note_of(target: Path) -> Path:
    """Where it is written down what that is the beginning of."""
    return target.with_name(f".{target.name}.part.json")


def part_size(target: Path, file: DumpFile) -> int:
    """Bytes that are there already of a file; 0 where a part is of something else."""
    if not _is_beginning(_read_note(target), file):
        return 0
    try:
        return part_of(target).stat().st_size
    except FileNotFoundError:
        return 0


def remove_part(target: Path) -> None:
    """Delete a part and its note."""
    part_of(target).unlink(missing_ok=True)
    note_of(target).unlink(missing_ok=True)


class Part:
    """Takes bytes at its end, and knows their checksum.

    Args:
        target: the name that the file is to have when it is whole.
        file: what it is to become.
        client: when it is stopped, so is the reading of a long part.

    Attributes:
        size: bytes so far.
        etag, last_modified: what the server called the version that these bytes are of; None where
            it did not say, or where another server said it.
    """

    def __init__(self, target: Path, file: DumpFile, client: Client) -> None:
        self._target, self._file = target, file
        self.etag: str | None = None
        self.last_modified: str | None = None
        target.parent.mkdir(parents=True, exist_ok=True)
        self.size = part_size(target, file)
        self._hash = hashlib.new(file.algorithm, usedforsecurity=False)
        if self.size:
            note = _read_note(target)
            if note.get("url") == file.url:
                self.etag, self.last_modified = note.get("etag"), note.get("last_modified")
            self._read(client)
        else:
            remove_part(target)
        self._stream = part_of(target).open("ab", buffering=0)

    @property
    def digest(self) -> str:
        """The checksum of the bytes so far."""
        return self._hash.hexdigest()

    def begin(self, etag: str | None = None, last_modified: str | None = None) -> None:
        """Forget all bytes; those that follow are of this version."""
        self._stream.truncate(0)
        self.size = 0
        self.etag, self.last_modified = etag, last_modified
        self._hash = hashlib.new(self._file.algorithm, usedforsecurity=False)
        write_json(
            note_of(self._target),
            {
                "url": self._file.url,
                "etag": etag,
                "last_modified": last_modified,
                "algorithm": self._file.algorithm,
                "digest": self._file.digest,
            },
        )

    def append(self, chunk: bytes) -> None:
        """Add bytes at the end."""
        rest = memoryview(chunk)
        while rest:
            written = self._stream.write(rest) or 0
            self._hash.update(rest[:written])
            self.size += written
            rest = rest[written:]

    def finish(self) -> None:
        """Give the whole file its name."""
        os.fsync(self._stream.fileno())
        self._stream.close()
        part_of(self._target).replace(self._target)
        note_of(self._target).unlink(missing_ok=True)

    def close(self) -> None:
        """Keep what is there, for another time; an empty part is not kept."""
        self._stream.close()
        if not self.size:
            remove_part(self._target)

    def _read(self, client: Client) -> None:
        """Take the bytes of an earlier run into the checksum."""
        with part_of(self._target).open("rb") as stream:
            while block := stream.read(_BLOCK):
                if client.stopped:
                    raise ClientStoppedError
                self._hash.update(block)


def _read_note(target: Path) -> dict[str, Any]:
    try:
        note = read_json(note_of(target))
    except ExonymError:  # none, or a damaged one: what lies beside it could be anything
        return {}
    return note if isinstance(note, dict) else {}


def _is_beginning(note: dict[str, Any], file: DumpFile) -> bool:
    """Whether a part was to become just this file, from whatever server."""
    return note.get("algorithm") == file.algorithm and note.get("digest") == file.digest
