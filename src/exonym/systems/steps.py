"""A folder whose steps are each done once, so that a killed call goes on where it stopped."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from exonym.foundation.errors import InputError, VersionError
from exonym.foundation.files import JSON, read_json, read_manifest, write_json
from exonym.foundation.machine import peak_memory_mib

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

OVERWRITE = "Choose another --out, or pass --overwrite"
_SECONDS, _MEMORY = "seconds.json", "peak_memory_mib.json"


class StepFolder:
    """Does steps in a folder, and knows what they took in all processes so far.

    Args:
        path: of the folder.

    Attributes:
        path: of the folder.
        seconds: by step.
        memory_mib: the largest peak of the processes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        seconds, memory = path / _SECONDS, path / _MEMORY
        self.seconds: dict[str, float] = read_json(seconds) if seconds.is_file() else {}
        self.memory_mib: float = read_json(memory) if memory.is_file() else 0.0

    def step(self, name: str, work: Callable[[], object], *, done: bool | None = None) -> None:
        """Do a step unless its result is there; remember what it took, also where it fails.

        Args:
            name: of the step.
            work: does it.
            done: whether there is nothing to do; None: whether a file or folder has its name.
        """
        if (self.path / name).exists() if done is None else done:
            return
        started = time.monotonic()
        try:
            work()
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - started
            self.memory_mib = max(self.memory_mib, peak_memory_mib())
            write_json(self.path / _SECONDS, self.seconds)
            write_json(self.path / _MEMORY, self.memory_mib)

    def spent(self) -> JSON:
        """What a summary says: ``seconds``, ``seconds_by_step``, ``peak_memory_mib``."""
        return {
            "seconds": sum(self.seconds.values()),
            "seconds_by_step": self.seconds,
            "peak_memory_mib": max(self.memory_mib, peak_memory_mib()),
        }


def manifest_to_go_on(path: Path, *, format: str, version: int, overwrite: bool) -> JSON | None:
    """The manifest of what a folder holds; None where it is free to be begun.

    Args:
        path: the folder, which need not be there.
        format: what it may hold. Nothing else is ever deleted.
        version: of the format.
        overwrite: delete what it holds.

    Raises:
        InputError: it is a file, or holds something else.
        VersionError: another version of Exonym made it, and ``overwrite`` is false.
    """
    other = "Choose another --out"
    if path.exists() and not path.is_dir():
        raise InputError("is a file, not a directory", where=path, remedy=other)
    if not path.is_dir() or not any(path.iterdir()):
        return None
    try:
        manifest = read_manifest(path, format=format, version=version, remedy=other)
    except VersionError as error:
        if not overwrite:
            raise VersionError(error.what, where=error.where, remedy=OVERWRITE) from error
    if overwrite:
        shutil.rmtree(path)
        return None
    return manifest


def plain_options(options: DataclassInstance) -> JSON:
    """Options as a manifest has them: paths are strings and tuples lists, so equal ones compare."""
    plain = asdict(options)
    for name, value in plain.items():
        if isinstance(value, Path):
            plain[name] = str(value)
        elif isinstance(value, tuple):
            plain[name] = list(value)
    return plain
