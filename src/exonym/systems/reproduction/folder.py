"""The folder of a reproduction: what is where, and which steps are done.

atlas/ kb/ corpus/                   the world, as the quickstart makes it
benchmarks/                          the tasks' files
questions/                           its questions, with the entities that the linker found
seed-N/backbone, mluke, words-only   pretrained models; random/: mLUKE with a random table
tuned/TASK/ROW-N/                    fine-tuned models
measured/TABLE-ROW-N.json            what was measured, item by item
summary.json report.html report.md   the outcome
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from exonym.foundation.errors import InputError, VersionError
from exonym.foundation.files import (
    read_json,
    read_manifest,
    remove_partials,
    write_json,
    write_manifest,
)
from exonym.foundation.machine import peak_memory_mib
from exonym.systems.reproduction.plan import ReproductionOptions

FORMAT, VERSION = "exonym-reproduction", 1
SUMMARY = "summary.json"
_SECONDS, _MEMORY = "seconds.json", "peak_memory_mib.json"


class Folder:
    """Where a reproduction lies. Made by `open`.

    Attributes:
        path: the directory.
        seconds: by step, of all processes so far.
        memory_mib: the largest peak of them.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        seconds, memory = path / _SECONDS, path / _MEMORY
        self.seconds: dict[str, float] = read_json(seconds) if seconds.is_file() else {}
        self.memory_mib: float = read_json(memory) if memory.is_file() else 0.0

    @classmethod
    def open(cls, path: Path, options: ReproductionOptions, *, overwrite: bool) -> Folder:
        """Make the folder, or open the one of a call that was stopped or is to have more seeds.

        Raises:
            InputError: it is a file, or holds something else or a reproduction of other options.
            VersionError: another version of Exonym made it.
        """
        if path.exists() and not path.is_dir():
            raise InputError(
                "is a file, not a directory", where=path, remedy="Choose another --out"
            )
        if path.is_dir() and any(path.iterdir()):
            _require_same(path, options, overwrite=overwrite)
            if not overwrite:
                remove_partials(path)
                return cls(path)
            shutil.rmtree(path)
        path.mkdir(parents=True, exist_ok=True)
        write_manifest(path, format=FORMAT, version=VERSION, options=options.identity())
        return cls(path)

    def step(self, name: str, work: Callable[[], object], *, done: bool | None = None) -> None:
        """Do a step unless its result is there; remember what it took.

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


def seed_folder(path: Path, seed: int) -> Path:
    """Where the pretrained models of a seed are."""
    return path / f"seed-{seed}"


def pretrained(path: Path, seed: int, run: str) -> Path:
    """A pretrained model, as `systems.transfer.find_model` takes it."""
    return seed_folder(path, seed) / run


def measured_file(path: Path, table: str, row: str, seed: int) -> Path:
    """What was measured of a row with one seed."""
    return path / "measured" / f"{table}-{row}-{seed}.json"


def _require_same(path: Path, options: ReproductionOptions, *, overwrite: bool) -> None:
    """Only a reproduction may be deleted, and only one of the same options be gone on with."""
    remedy = "Choose another --out, or pass --overwrite"
    try:
        manifest = read_manifest(
            path, format=FORMAT, version=VERSION, remedy="Choose another --out"
        )
    except VersionError as error:
        if not overwrite:
            raise VersionError(error.what, where=error.where, remedy=remedy) from error
        return
    before, now = manifest.get("options", {}), options.identity()
    if overwrite or before == now:
        return
    other = sorted(name for name in now if before.get(name) != now[name])
    raise InputError(
        f"holds a reproduction of other options ({', '.join(other)})", where=path, remedy=remedy
    )
