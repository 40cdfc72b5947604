"""The folder that dumps are kept in: ``WIKI/NAME``, and in ``fetched.json`` what was checked."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exonym.foundation.errors import FormatError, InputError, ResourceError, VersionError
from exonym.foundation.files import read_json, write_json
from exonym.wikimedia.fetching.catalog import DumpFile
from exonym.wikimedia.fetching.part import part_size

FORMAT, VERSION = "exonym-dumps", 1
_RECORDS, _LOCK = "fetched.json", ".fetching.lock"
_REMEDY = "exonym dumps fetch --out DIR makes such a folder"


@dataclass(frozen=True, slots=True)
class Held:
    """What a folder has of a file that it once fetched.

    Args:
        place: folder and name.
        date: of the dump, eight digits.
        size: in bytes.
        state: ``"complete"`` (of the length that was checked), ``"damaged"`` (of another one, or
            of another checksum) or ``"missing"``.
    """

    place: str
    date: str
    size: int
    state: str


class DumpFolder:
    """A folder of dumps.

    Args:
        path: the folder; it need not exist.

    Raises:
        InputError: it is no folder; ``fetched.json`` is not of this format.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.exists() and not path.is_dir():
            raise InputError("is not a directory", where=path, remedy="Choose another --out")
        self._records = _read_records(path / _RECORDS)

    @property
    def has_records(self) -> bool:
        """Whether a file was ever fetched to it."""
        return bool(self._records)

    def target(self, file: DumpFile) -> Path:
        """Where a file lies when it is whole."""
        return self.path / file.wiki / file.name

    def present(self, file: DumpFile) -> int:
        """Bytes of a file, or of its beginning, that need not be fetched."""
        if self.is_recorded(file):
            return file.size
        target = self.target(file)
        if target.is_file() and target.stat().st_size == file.size and not self._record(file):
            return file.size  # put there by somebody; the checksum will be looked at
        return min(part_size(target, file), file.size)

    def is_recorded(self, file: DumpFile) -> bool:
        """Whether the file was found right before, and still has the length that it had."""
        record, target = self._record(file), self.target(file)
        return (
            record.get("digest") == file.digest
            and target.is_file()
            and target.stat().st_size == record.get("size")
        )

    def is_right(self, file: DumpFile) -> bool:
        """Whether a file is there and has the published checksum; it is read for that."""
        target = self.target(file)
        if not target.is_file():
            return False
        if file.size_is_published and target.stat().st_size != file.size:
            return False
        return _digest(target, file.algorithm) == file.digest

    def record(self, file: DumpFile) -> None:
        """Write down that a file is there and right."""
        self._records[file.place] = {
            "date": file.date,
            "kind": file.kind,
            "url": file.url,
            "size": self.target(file).stat().st_size,
            "algorithm": file.algorithm,
            "digest": file.digest,
        }
        files = dict(sorted(self._records.items()))
        write_json(self.path / _RECORDS, {"format": FORMAT, "version": VERSION, "files": files})

    def held(self, *, verify: bool = False) -> list[Held]:
        """All files that were ever fetched to this folder, ordered by place.

        Args:
            verify: read them, and compare the checksums.

        Raises:
            InputError: nothing was fetched to it.
        """
        if not self._records:
            raise InputError("no dumps were fetched to it", where=self.path, remedy=_REMEDY)
        return [
            Held(place, record["date"], record["size"], self._state(place, record, verify))
            for place, record in sorted(self._records.items())
        ]

    def beginnings(self) -> list[tuple[str, int]]:
        """Places of files that are not whole yet, with the bytes that are there."""
        parts = sorted(self.path.glob("*/.*.part"))
        return [
            (f"{part.parent.name}/{part.name[1:].removesuffix('.part')}", part.stat().st_size)
            for part in parts
        ]

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes from fetching to this folder; the system frees it for the dead.

        Raises:
            ResourceError: another process is at it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / _LOCK).open("a+", encoding="ascii") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                stream.seek(0)
                raise ResourceError(
                    f"another process ({stream.read().strip() or 'unknown'}) is fetching to it",
                    where=self.path,
                    remedy="Wait until it is done, or choose another --out",
                ) from error
            except OSError as error:
                raise ResourceError(
                    f"cannot be locked ({error.strerror})",
                    where=self.path / _LOCK,
                    remedy="Choose an --out on a disk of this machine",
                ) from error
            stream.truncate(0)
            stream.write(f"{os.getpid()}\n")
            stream.flush()
            # What another process did before it let go of the lock.
            self._records = _read_records(self.path / _RECORDS)
            yield

    def _record(self, file: DumpFile) -> dict[str, Any]:
        return self._records.get(file.place, {})

    def _state(self, place: str, record: dict[str, Any], verify: bool) -> str:
        path = self.path / place
        if not path.is_file():
            return "missing"
        if path.stat().st_size != record["size"]:
            return "damaged"
        if verify and _digest(path, record["algorithm"]) != record["digest"]:
            return "damaged"
        return "complete"


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(
            stream, lambda: hashlib.new(algorithm, usedforsecurity=False)
        ).hexdigest()


def _read_records(path: Path) -> dict[str, dict[str, Any]]:
    """The files of ``fetched.json``; none where there is no such file."""
    if not path.is_file():
        return {}
    content = read_json(path)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise FormatError("is not a list of fetched dumps", where=path, remedy=_REMEDY)
    if content.get("version") != VERSION:
        raise VersionError(
            f"format version {content.get('version')}, this Exonym reads version {VERSION}",
            where=path,
            remedy="Delete it; the next fetch looks at the checksums again",
        )
    files = content.get("files")
    wanted = {"date": str, "size": int, "algorithm": str, "digest": str}
    if not isinstance(files, dict) or not all(
        isinstance(record, dict)
        and all(isinstance(record.get(key), kind) for key, kind in wanted.items())
        for record in files.values()
    ):
        raise FormatError(
            "is damaged",
            where=path,
            remedy="Delete it; the next fetch looks at the checksums again",
        )
    return files
