"""Trackers of the field (TensorBoard, Weights & Biases, MLflow, ...), by accelerate's wrappers."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, Protocol

from exonym.foundation.errors import ConfigError, ResourceError
from exonym.foundation.files import JSON

PROJECT = "exonym"
FOLDER = "tracker"
"""The folder of a run in which a tracker keeps what it keeps on disk."""

_GIVEN_UP_AFTER = 3  # failures in a row: waiting for a network that is gone would slow the run
_NO_FIGURES = ("languages", "stage_index", "step")
_PACKAGES = {"tensorboard": "tensorboardX"}  # elsewhere the package has the tracker's name


class Tracker(Protocol):
    """Takes a run's records to where people watch them."""

    def log(self, record: JSON) -> None:
        """Send a line of ``metrics.jsonl``; a failure is told of once and stops nothing."""

    def close(self) -> None:
        """Send what is left, and end."""


def open_tracker(
    name: str, run_folder: Path, run_name: str, config: JSON, *, done: int = 0
) -> Tracker:
    """Start a tracker. Only the first process may call it, after the engine has started.

    Records become scalars such as ``train/words`` and ``held_out/en/entities_accuracy``, at the
    step counted over all stages.

    Args:
        name: as accelerate knows it: ``"tensorboard"``, ``"wandb"``, ``"mlflow"``, ...
        run_folder: what the tracker keeps on disk lies in its folder `FOLDER`.
        run_name: what the run is called there, within the project ``exonym``.
        config: the resolved recipe, shown as the run's settings; the steps of its stages are
            what counts the steps.
        done: steps over all stages that an earlier call has done; TensorBoard then hides what
            that call logged of later ones.

    Raises:
        ConfigError: there is no such tracker, or its package is not installed.
        ResourceError: it does not start (no login, no network, ...).
    """
    kind = tracker_class(name)
    folder = run_folder / FOLDER
    try:
        # Two have one name only, which is then the run's; the others have a project's as well.
        called = run_name.replace("/", "-") if name in ("tensorboard", "aim") else PROJECT
        where = (str(folder),) if kind.requires_logging_directory else ()
        started = kind(called, *where, **_options(name, folder, run_name, done))
        started.start()
        started.store_init_configuration(settings(config))
    except Exception as error:  # whatever another's package raises
        raise ResourceError(
            f"the tracker {name} does not start ({_said(error)})",
            remedy="Set it up as its own documentation says, or run without a tracker",
        ) from error
    return _Tracker(name, started, [stage.get("steps", 0) for stage in config.get("stages", ())])


def tracker_class(name: str) -> Any:
    """Accelerate's class for a tracker.

    Raises:
        ConfigError: there is no such tracker, or its package is not installed.
    """
    from accelerate import tracking
    from accelerate.utils import LoggerType

    if name not in tracking.LOGGER_TYPE_TO_CLASS:
        known = ", ".join(sorted(tracking.LOGGER_TYPE_TO_CLASS))
        raise ConfigError(f"there is no tracker {name!r}", remedy=f"Give one of {known}")
    built_in = name in {str(kind) for kind in LoggerType}
    if built_in and name not in {str(kind) for kind in tracking.get_available_trackers()}:
        raise ConfigError(
            f"the tracker {name} is not installed here",
            remedy=f"Run pip install {_PACKAGES.get(name, name)}",
        )
    return tracking.LOGGER_TYPE_TO_CLASS[name]


def _options(name: str, folder: Path, run_name: str, done: int) -> JSON:
    """What each wrapper passes on to its package, beside the project."""
    match name:
        case "tensorboard" if done:
            return {"purge_step": done + 1}
        case "wandb":
            folder.mkdir(parents=True, exist_ok=True)
            return {"name": run_name, "dir": str(folder)}
        case "mlflow":
            return {"run_name": run_name}
        case "trackio":
            return {"name": run_name}
        case "swanlab":
            return {"experiment_name": run_name, "logdir": str(folder)}
        case "clearml":
            return {"task_name": run_name}
        case "dvclive":
            return {"dir": str(folder)}
        case _:
            return {}


class _Tracker:
    """One of accelerate's trackers, whose failures do not end the run."""

    def __init__(self, name: str, tracker: Any, stage_steps: Sequence[int]) -> None:
        self._name, self._tracker = name, tracker
        self._before = [0, *accumulate(stage_steps)]
        self._lost = self._in_a_row = 0

    def log(self, record: JSON) -> None:
        if self._in_a_row >= _GIVEN_UP_AFTER:
            self._lost += 1
            return
        stage = record.get("stage_index", 0)
        before = self._before[min(stage, len(self._before) - 1)]
        try:
            self._tracker.log(scalars(record), step=before + record["step"])
        except Exception as error:  # the network, or whatever another's package raises
            if not self._lost:
                _warn(f"the tracker {self._name} failed ({_said(error)}); the run goes on")
            self._lost += 1
            self._in_a_row += 1
        else:
            self._in_a_row = 0

    def close(self) -> None:
        try:
            self._tracker.finish()
        except Exception as error:  # see log
            _warn(f"the tracker {self._name} did not end well ({_said(error)})")
        if self._lost:
            _warn(
                f"the tracker {self._name} lacks {self._lost:,} records; metrics.jsonl has them all"
            )


def scalars(record: JSON) -> dict[str, float]:
    """A record's figures by path: ``train/words``, ``held_out/en/entities_accuracy``."""
    kind = record.get("kind", "train")
    figures = {key: value for key, value in record.items() if key not in _NO_FIGURES}
    return {
        f"{kind}/{path}": value
        for path, value in _flat({**figures, **(record.get("languages") or {})}, "/")
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def settings(config: JSON) -> dict[str, bool | int | float | str]:
    """A recipe's fields by dotted path, a stage by its name, in kinds that all trackers take."""
    return {
        path: value if isinstance(value, bool | int | float) else _text(value)
        for path, value in _flat(config, ".")
    }


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _flat(value: Mapping[str, Any], join: str) -> list[tuple[str, Any]]:
    flat: list[tuple[str, Any]] = []
    for key, item in value.items():
        named = item
        if isinstance(item, list) and item and all(isinstance(one, Mapping) for one in item):
            named = {str(one.get("name", place)): one for place, one in enumerate(item)}
        if isinstance(named, Mapping):
            flat += [(f"{key}{join}{path}", inner) for path, inner in _flat(named, join)]
        else:
            flat.append((key, named))
    return flat


def _said(error: BaseException) -> str:
    """An error of another's package in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _warn(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
