"""The run folder: what the run is, its metrics, its checkpoints, its model.

RUN/manifest.json         recipe, seed, versions, digests of the data: what decides the run
RUN/metrics.jsonl         one line per logged step
RUN/checkpoints/NAME/     model, optimiser, place in the recipe; whole or not there
RUN/model/                the result, a checkpoint directory; there only when the run is done
"""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import torch

from exonym.foundation.errors import ExistsError, FormatError, InputError
from exonym.foundation.files import (
    JSON,
    atomic_directory,
    atomic_file,
    read_json,
    read_manifest,
    remove_partials,
    write_json,
    write_manifest,
)
from exonym.modeling import EntityMaskedLM

FORMAT, VERSION = "exonym-run", 1


@dataclass(frozen=True, slots=True)
class Place:
    """How far a run is: ``step`` steps of stage number ``stage`` are done."""

    stage: int = 0
    step: int = 0


class RunFolder:
    """A run's directory.

    Args:
        path: the directory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoints, self.model = path / "checkpoints", path / "model"
        self._metrics = path / "metrics.jsonl"

    @property
    def finished(self) -> bool:
        """Whether the model is there."""
        return self.model.is_dir()

    def require_startable(self, identity: JSON, *, resume: bool, overwrite: bool) -> None:
        """Check that a run may begin or go on here; changes nothing.

        Args:
            identity: everything that decides the run; a resumed run must have the same.
            resume: go on where an earlier run with this identity stopped.
            overwrite: an existing run may be deleted.

        Raises:
            ExistsError: the folder exists and neither option was given.
            InputError: ``resume``, but the folder belongs to a different run.
        """
        if self.path.exists() and not self.path.is_dir():
            raise InputError(
                "is a file, not a run folder", where=self.path, remedy="Choose another --out"
            )
        if not self._begun:
            return
        if overwrite:
            if not (self.path / "manifest.json").is_file():
                raise InputError(
                    "holds something that is no run, so it is not deleted",
                    where=self.path,
                    remedy="Choose another --out",
                )
        elif not resume:
            raise ExistsError(
                "this run folder exists",
                where=self.path,
                remedy="Pass --resume to go on, --overwrite to begin anew, or another --out",
            )
        else:
            self._check(identity)

    @property
    def _begun(self) -> bool:
        return self.path.is_dir() and any(self.path.iterdir())

    def start(self, identity: JSON, *, overwrite: bool) -> Place | None:
        """Begin, or go on, after `require_startable`.

        Returns:
            The place of the newest whole checkpoint, or None at the very start.
        """
        if self._begun and overwrite:
            shutil.rmtree(self.path)
        elif self._begun:
            remove_partials(self.path)
            return self._newest()
        self.path.mkdir(parents=True, exist_ok=True)
        write_manifest(self.path, format=FORMAT, version=VERSION, **identity)
        return None

    def _check(self, identity: JSON) -> None:
        manifest = read_manifest(
            self.path, format=FORMAT, version=VERSION, remedy="Choose another --out"
        )
        for key, value in identity.items():
            if manifest.get(key) != value:
                raise InputError(
                    f"cannot go on: {_difference(key, manifest.get(key), value)}",
                    where=self.path,
                    remedy="Give the options the run was started with, or another --out",
                )

    def _newest(self) -> Place | None:
        for directory in sorted(self.checkpoints.glob("[0-9]*"), reverse=True):
            state = read_json(directory / "place.json")
            return Place(**state)
        return None

    def _directory(self, place: Place) -> Path:
        return self.checkpoints / f"{place.stage:02d}-{place.step:08d}"

    def save(
        self, place: Place, model: EntityMaskedLM, optimizer: torch.optim.Optimizer, keep: int
    ) -> None:
        """Write a checkpoint atomically, then delete all but the ``keep`` newest."""
        with atomic_directory(self._directory(place), overwrite=True) as directory:
            model.save_pretrained(directory)
            torch.save(optimizer.state_dict(), directory / "optimizer.pt")
            write_json(directory / "place.json", {"stage": place.stage, "step": place.step})
        for old in sorted(self.checkpoints.glob("[0-9]*"))[:-keep]:
            shutil.rmtree(old)

    def load(self, place: Place, model: EntityMaskedLM) -> dict[str, Any]:
        """Put a checkpoint's weights into a model; returns the optimiser's state."""
        directory = self._directory(place)
        model.load_pretrained(directory)
        try:
            state: dict[str, Any] = torch.load(directory / "optimizer.pt", weights_only=True)
        except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
            raise FormatError(
                f"cannot be read ({error})",
                where=directory / "optimizer.pt",
                remedy=f"Delete {directory} to go on from the checkpoint before it",
            ) from error
        return state

    def finish(self) -> None:
        """Drop the checkpoints of a run whose model is written."""
        shutil.rmtree(self.checkpoints, ignore_errors=True)

    def log(self, record: JSON) -> None:
        """Append a line to ``metrics.jsonl``."""
        with self._metrics.open("ab") as stream:
            stream.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))

    def forget_metrics_after(self, place: Place) -> None:
        """Drop the lines of steps that a resumed run will do again, and a line cut in half."""
        kept = [
            record
            for record in read_metrics(self.path)
            if (record["stage_index"], record["step"]) <= (place.stage, place.step)
        ]
        with atomic_file(self._metrics) as stream:
            for record in kept:
                stream.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))


def read_metrics(run: Path) -> Iterator[JSON]:
    """The records of a run's ``metrics.jsonl``; a last line cut by a kill is passed over."""
    path = run / "metrics.jsonl"
    if not path.is_file():
        return
    for line in path.read_bytes().splitlines(keepends=True):
        if line.endswith(b"\n"):
            yield orjson.loads(line)


def _difference(key: str, before: object, now: object) -> str:
    """The first field in which two values differ, in words."""
    if isinstance(before, dict) and isinstance(now, dict):
        for name in sorted(before.keys() | now.keys()):
            if before.get(name) != now.get(name):
                return _difference(f"{key}.{name}", before.get(name), now.get(name))
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for index, (one, other) in enumerate(zip(before, now, strict=True)):
            if one != other:
                return _difference(f"{key}[{index}]", one, other)
    return f"{key} was {before!r}, is now {now!r}"
