"""The run folder: what the run is, its metrics, its checkpoints, its model.

RUN/manifest.json         recipe, seed, versions, digests of the data: what decides the run
RUN/metrics.jsonl         one line per logged step and per measurement on the held-out part
RUN/checkpoints/          see `exonym.training.checkpoints`
RUN/model/                the result, a checkpoint directory; there only when the run is done
RUN/stopped/              batches whose loss was not a number
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import orjson

from exonym.foundation.errors import ExistsError, InputError
from exonym.foundation.files import (
    JSON,
    atomic_file,
    read_manifest,
    remove_partials,
    write_manifest,
)
from exonym.training.checkpoints import Place
from exonym.training.recipe import deciding

FORMAT, VERSION = "exonym-run", 2
METRICS = "metrics.jsonl"


class RunFolder:
    """A run's directory.

    Args:
        path: the directory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoints, self.model = path / "checkpoints", path / "model"
        self.stopped = path / "stopped"
        self._metrics = path / METRICS

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

    def start(self, identity: JSON, machine: JSON, *, overwrite: bool) -> None:
        """Begin, or go on, after `require_startable`.

        Args:
            identity: what decides the run.
            machine: where it runs; a run may go on elsewhere, and remembers every place.
            overwrite: delete what is there.
        """
        if self._begun and overwrite:
            shutil.rmtree(self.path)
        machines = [machine]
        if self._begun:
            remove_partials(self.path)
            before = self._manifest()["machines"]
            machines = before if machine == before[-1] else [*before, machine]
        self.path.mkdir(parents=True, exist_ok=True)
        write_manifest(self.path, format=FORMAT, version=VERSION, **identity, machines=machines)

    def other_machine(self, machine: JSON) -> str | None:
        """In what the machine differs from the one that the run was on last; None if in nothing.

        On another machine, or another number of threads or processes, a run sees the same
        examples, but adds up in another order.
        """
        before = self._manifest()["machines"][-1]
        return None if before == machine else _difference("machine", before, machine)

    def _manifest(self) -> JSON:
        return read_manifest(
            self.path, format=FORMAT, version=VERSION, remedy="Choose another --out"
        )

    def _check(self, identity: JSON) -> None:
        manifest = self._manifest()
        for key, value in identity.items():
            before = manifest.get(key)
            if key == "recipe":
                before, value = deciding(before or {}), deciding(value)
            if before != value:
                raise InputError(
                    f"cannot go on: {_difference(key, before, value)}",
                    where=self.path,
                    remedy="Give the options the run was started with, or another --out",
                )

    def log(self, record: JSON) -> None:
        """Append a line to ``metrics.jsonl``."""
        with self._metrics.open("ab") as stream:
            stream.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))

    def forget_metrics_after(self, place: Place) -> None:
        """Drop the lines of steps that a resumed run will do again, and a line cut in half."""
        kept = [
            record
            for record in read_metrics(self.path)
            if Place(record["stage_index"], record["step"]) <= place
        ]
        with atomic_file(self._metrics) as stream:
            for record in kept:
                stream.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))


def read_metrics(run: Path, kind: str | None = None) -> Iterator[JSON]:
    """The records of a run's ``metrics.jsonl``; a last line cut by a kill is passed over.

    Args:
        run: the run folder.
        kind: ``"train"`` or ``"held_out"``; None for both, as they were written.
    """
    path = run / METRICS
    if not path.is_file():
        return
    for line in path.read_bytes().splitlines(keepends=True):
        if line.endswith(b"\n"):
            record: JSON = orjson.loads(line)
            if kind is None or record["kind"] == kind:
                yield record


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
