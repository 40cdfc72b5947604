"""Run folders as a report reads them, finished or in the middle: manifest, metrics, checkpoints.

A run that is being written may be read at any moment, and one of another version too: what is not
there is absent, and lines that cannot be read are counted.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path

import numpy as np
import numpy.typing as npt
import orjson
from pydantic import BaseModel, TypeAdapter

from exonym.foundation.errors import InputError
from exonym.foundation.files import JSON, read_json
from exonym.reports.summary import RecipeRecord, check

RUN_FORMAT = "exonym-run"
KINDS = ("train", "held_out")
OBJECTIVES = ("words", "entities")
LOSS_FIELDS = tuple(
    f"{objective}{what}" for objective in OBJECTIVES for what in ("", "_accuracy", "_targets")
)
FIGURES = (
    "learning_rate",
    "gradient_norm",
    "words_per_second",
    "entities_per_second",
    "memory_mib",
    "seconds",
    "data_seconds",
)
Floats = npt.NDArray[np.float64]
_CHECKPOINT = re.compile(r"(\d{2,})-(\d{8,})")
_LAST_LINES = 10
_NO_NUMBER = float("nan")
_REMEDY = "Name a folder that `exonym pretrain --out` made"


class _HasRecipe(BaseModel):
    recipe: RecipeRecord


_HAS_RECIPE = TypeAdapter(_HasRecipe)


class Series:
    """The lines of one kind, in all or of one language: a row of figures each.

    A run may have a hundred thousand lines of two dozen languages; as numbers they fit.

    Args:
        fields: of a line; NaN stands where a line lacks one.
    """

    def __init__(self, fields: tuple[str, ...]) -> None:
        self.stage, self.step = array("q"), array("q")
        self._place = {name: place for place, name in enumerate(fields)}
        self._figures, self._get = array("d"), itemgetter(*fields)

    def __len__(self) -> int:
        return len(self.step)

    def append(self, stage: int, step: int, record: JSON) -> None:
        """Add a line."""
        self.stage.append(stage)
        self.step.append(step)
        try:
            self._figures.extend(array("d", self._get(record)))
        except (KeyError, TypeError, OverflowError):  # one is absent, or is no number
            self._figures.extend(_number(record.get(name)) for name in self._place)

    def column(self, name: str) -> Floats:
        """A field's value in every line."""
        rows = np.frombuffer(self._figures, np.float64).reshape(len(self), len(self._place))
        column: Floats = rows[:, self._place[name]]
        return column.copy()  # a view would forbid further lines

    def last(self, name: str) -> float | None:
        """The last line's value; None where it has none."""
        value = self._figures[self._place[name] - len(self._place)] if self.step else _NO_NUMBER
        return None if value != value else value


def _number(value: object) -> float:
    return float(value) if isinstance(value, float | int) else _NO_NUMBER


def _object(value: object) -> JSON:
    return value if isinstance(value, dict) else {}


@dataclass(frozen=True, slots=True)
class Saved:
    """A checkpoint: ``step`` steps of stage number ``stage`` are done in it."""

    stage: int
    step: int
    bytes: int
    held_out: float | None


@dataclass(frozen=True, slots=True)
class Run:
    """A run folder, read.

    Args:
        path: the folder.
        manifest: as it is.
        recipe: of the manifest.
        finished: whether the model is there.
        total: per kind, the figures of each line.
        languages: per kind, the losses of each line, by language.
        unread: what was passed over, by reason: lines of the metrics, checkpoints.
        stage_names: by place in the recipe.
        last_line: when the metrics were last written to; None where there are none.
        checkpoints: those that are whole, in order.
    """

    path: Path
    manifest: JSON
    recipe: RecipeRecord
    finished: bool
    total: dict[str, Series]
    languages: dict[str, dict[str, Series]]
    unread: Counter[str]
    stage_names: dict[int, str] = field(default_factory=dict)
    last_line: datetime | None = None
    checkpoints: tuple[Saved, ...] = ()

    def steps_of(self, stage: int) -> int | None:
        """Steps of a stage as the recipe has them; None where it does not say."""
        stages = self.recipe.stages
        steps = stages[stage].get("steps") if stage < len(stages) else None
        return steps if isinstance(steps, int) else None

    def steps_before(self, stage: int) -> int:
        """Steps of all stages before one: planned, or else logged."""
        planned = [self.steps_of(number) for number in range(stage)]
        logged: dict[int, int] = {}
        if None in planned:
            train = self.total["train"]
            logged = dict(zip(train.stage, train.step, strict=True))  # the last step of each
        return sum(
            logged.get(number, 0) if steps is None else steps
            for number, steps in enumerate(planned)
        )

    @property
    def steps_done(self) -> int:
        """Steps of all stages up to the last line."""
        stage, step = self.place
        return self.steps_before(stage) + step

    @property
    def steps(self) -> int | None:
        """Steps of all stages of the recipe; None where it does not say."""
        planned = [self.steps_of(stage) for stage in range(len(self.recipe.stages))]
        return None if None in planned else sum(steps or 0 for steps in planned)

    @property
    def place(self) -> tuple[int, int]:
        """The stage and step of the last line; (0, 0) before the first."""
        train = self.total["train"]
        return (train.stage[-1], train.step[-1]) if len(train) else (0, 0)

    @property
    def machines(self) -> list[JSON]:
        """The machines and versions that it ran on, the last one last."""
        manifest = self.manifest
        older = {**_object(manifest.get("versions")), **_object(manifest.get("machine"))}
        machines = manifest.get("machines") or [older]
        return [_object(one) for one in machines] if isinstance(machines, list) else [older]

    @property
    def stage_name(self) -> str:
        """What the present stage is called."""
        return self.name_of(self.place[0])

    def name_of(self, stage: int) -> str:
        """What a stage is called in the recipe, or else in the metrics."""
        stages = self.recipe.stages
        named = stages[stage].get("name") if stage < len(stages) else None
        return str(named or self.stage_names.get(stage, stage))

    def seconds_per_step(self) -> float | None:
        """Pace of the last lines of the present stage, checkpoints and held-out losses included."""
        train, (stage, end) = self.total["train"], self.place
        mine = [n for n in range(len(train)) if train.stage[n] == stage][-_LAST_LINES - 1 :]
        if not mine:
            return None
        # With one line alone, it began at the stage's first step.
        start = train.step[mine[0]] if len(mine) > 1 else 0
        spent = float(train.column("seconds")[mine[1:] or mine].sum())
        pace = spent / max(end - start, 1)
        return None if pace != pace else pace

    def seconds_left(self) -> float | None:
        """Time that the steps left take at that pace; None where it is not known."""
        pace = self.seconds_per_step()
        if self.finished or pace is None or self.steps is None:
            return None
        return pace * max(self.steps - self.steps_done, 0)


def read_run(path: Path) -> Run:
    """Read a run folder as it is now.

    Raises:
        InputError: it is no run folder.
        FormatError: its manifest is damaged.
    """
    manifest = _manifest(path)
    has_recipe = check(_HAS_RECIPE, manifest, path / "manifest.json", remedy=_REMEDY)
    unread: Counter[str] = Counter()
    run = Run(
        path,
        manifest,
        has_recipe.recipe,
        finished=(path / "model").is_dir(),
        total={kind: Series(LOSS_FIELDS + FIGURES) for kind in KINDS},
        languages={kind: {} for kind in KINDS},
        unread=unread,
        last_line=_written(path / "metrics.jsonl"),
        checkpoints=tuple(_checkpoints(path / "checkpoints", unread)),
    )
    for record in _records(path / "metrics.jsonl", run.unread):
        _add(run, record)
    return run


def _manifest(path: Path) -> JSON:
    if not path.is_dir():
        seen = "is a file" if path.exists() else "no such folder"
        raise InputError(f"not a run folder ({seen})", where=path, remedy=_REMEDY)
    if not (path / "manifest.json").is_file():
        raise InputError("not a run folder (no manifest.json in it)", where=path, remedy=_REMEDY)
    manifest = read_json(path / "manifest.json")
    found = manifest.get("format") if isinstance(manifest, dict) else type(manifest).__name__
    if found != RUN_FORMAT:
        raise InputError(
            f"expected format {RUN_FORMAT!r}, found {found!r}",
            where=path / "manifest.json",
            remedy=_REMEDY,
        )
    return dict(manifest)


def _written(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
    except FileNotFoundError:
        return None


def _records(path: Path, unread: Counter[str]) -> Iterator[JSON]:
    try:
        stream = path.open("rb")
    except FileNotFoundError:
        return
    with stream:
        for line in stream:
            if not line.endswith(b"\n"):
                unread["the last line is cut short (being written, or the run was killed)"] += 1
                continue
            try:
                record = orjson.loads(line)
            except orjson.JSONDecodeError:
                record = None
            if isinstance(record, dict) and _has_place(record):
                yield record
            else:
                unread["not a line of metrics"] += 1


def _has_place(record: JSON) -> bool:
    places = (record.get("stage_index"), record.get("step"))
    return all(type(place) is int and 0 <= place < 2**63 for place in places)


def _add(run: Run, record: JSON) -> None:
    kind = record.get("kind", "train")
    if kind not in KINDS:
        run.unread[f"of the kind {kind!r:.40}, which this version does not know"] += 1
        return
    stage, step = record["stage_index"], record["step"]
    run.stage_names[stage] = str(record.get("stage", stage))
    run.total[kind].append(stage, step, record)
    by_language = record.get("languages")
    for code, fields in by_language.items() if isinstance(by_language, dict) else ():
        if isinstance(fields, dict):
            if code not in run.languages[kind]:
                run.languages[kind][code] = Series(LOSS_FIELDS)
            run.languages[kind][code].append(stage, step, fields)


def _checkpoints(path: Path, unread: Counter[str]) -> Iterator[Saved]:
    for directory in sorted(path.glob("[0-9]*")):
        found = _CHECKPOINT.fullmatch(directory.name)
        try:
            size = sum(file.stat().st_size for file in directory.rglob("*") if file.is_file())
            state = read_json(directory / "state.json")
        except (FileNotFoundError, InputError):  # runs delete old ones while they go
            found = None
        if found is None or not isinstance(state, dict):
            unread["a checkpoint that is not whole"] += 1
            continue
        held_out = state.get("held_out")
        yield Saved(
            int(found[1]), int(found[2]), size, held_out if isinstance(held_out, float) else None
        )
