"""The folder of a tuning: each finished run once, and the models that may still be needed."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import orjson

from exonym.foundation.errors import ExistsError, FormatError
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
from exonym.tasks.tuned import Run
from exonym.training.fine_tuning import FineTuning, History, Learner

FORMAT, VERSION = "exonym-tuning", 1
_REMEDY = "Choose another folder, or pass --overwrite"
_HOW = ("pieces_at_once",)
"""What of a recipe may change between two calls: how much memory a step takes."""


class TuningFolder:
    """Runs by their recipes. Made by `start`.

    Args:
        path: the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.model = path, path / "model"

    @classmethod
    def start(cls, path: Path, identity: JSON, *, overwrite: bool) -> TuningFolder:
        """Make the folder, or open the one of a call that was stopped.

        Raises:
            ExistsError: it has something else in it, or runs of another identity.
            VersionError: it was written by another version.
        """
        identity = orjson.loads(orjson.dumps(identity))
        if overwrite and path.exists():
            shutil.rmtree(path)
        if path.is_dir() and any(path.iterdir()):
            if not (path / "manifest.json").is_file():
                raise ExistsError("already exists", where=path, remedy=_REMEDY)
            manifest = read_manifest(path, format=FORMAT, version=VERSION, remedy=_REMEDY)
            other = _difference(manifest.get("identity", {}), identity)
            if other is not None:
                raise ExistsError(
                    f"has runs of another {other}", where=path / "manifest.json", remedy=_REMEDY
                )
            remove_partials(path)
        else:
            path.mkdir(parents=True, exist_ok=True)
            write_manifest(path, format=FORMAT, version=VERSION, identity=identity)
        return cls(path)

    def find(self, recipe: FineTuning) -> Run | None:
        """The run of a recipe, where it is finished.

        Raises:
            FormatError: its record is damaged.
        """
        directory = self._directory(recipe)
        record = directory / "run.json"
        if not record.is_file():
            return None
        value = read_json(record)
        model = directory / "model"
        try:
            return Run(
                recipe,
                value["main"],
                value["scores"],
                value["best_epoch"],
                value["seconds"],
                value["tokens_per_second"],
                model if model.is_dir() else None,
            )
        except (KeyError, TypeError) as error:
            raise FormatError(f"is no record of a run ({error})", where=record) from error

    def save(self, recipe: FineTuning, history: History, learner: Learner[Any]) -> Run:
        """Write a run that has just ended, model and all; it replaces one of the same recipe."""
        model = self._directory(recipe) / "model"
        run = Run(
            recipe,
            learner.main,
            dict(history.scores),
            history.best_epoch,
            history.seconds,
            history.tokens_per_second,
            model,
        )
        with atomic_directory(model.parent, overwrite=True) as directory:
            learner.save(directory / "model")
            write_json(directory / "run.json", {**run.to_json(), "history": history.to_json()})
        return run

    def drop_model(self, run: Run) -> None:
        """Delete a run's model, but not its record."""
        model = self._directory(run.recipe) / "model"
        if model.is_dir():
            # Half a model has never its name.
            doomed = model.with_name(f".model.partial-{os.getpid()}")
            model.rename(doomed)
            shutil.rmtree(doomed)

    def publish(self, run: Run, card: str | None) -> None:
        """Put a run's model, with its card, where the tuning's model is."""
        with atomic_directory(self.model, overwrite=True) as directory:
            shutil.copytree(
                self._directory(run.recipe) / "model",
                directory,
                copy_function=_link,
                dirs_exist_ok=True,
            )
            if card is not None:
                with atomic_file(directory / "README.md") as stream:
                    stream.write(card.encode())

    def _directory(self, recipe: FineTuning) -> Path:
        deciding = {name: value for name, value in recipe.to_json().items() if name not in _HOW}
        digest = hashlib.sha256(orjson.dumps(deciding, option=orjson.OPT_SORT_KEYS)).hexdigest()
        name = (
            f"rate{recipe.learning_rate:g}-batch{recipe.batch_size}-epochs{recipe.epochs}"
            f"-seed{recipe.seed}-{digest[:8]}"
        )
        return self.path / "runs" / name


def _difference(old: object, new: object, name: str = "") -> str | None:
    """The name of the first field in which two plain values differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            path = f"{name}.{key}" if name else key
            other = _difference(old.get(key), new.get(key), path)
            if other is not None:
                return other
        return None
    return None if old == new else name or "identity"


def _link(source: str, target: str) -> None:
    """A second name for a file where the disk has such, else a copy; files are replaced, never
    written into, so that the first stays as it is."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
