"""Curves of one run or of several over each other, in all and by language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from exonym.reports.formats import language_name
from exonym.reports.lines import Line, Point, Scale, line_chart
from exonym.reports.runs import KINDS, OBJECTIVES, Run, Series
from exonym.reports.svg import Drawing

_MOST_POINTS, _MOST_POINTS_SMALL = 300, 60
_RUN_COLOURS = tuple(f"line-{letter}" for letter in "abcdefgh")
KIND_LABELS = {"train": "training", "held_out": "held out"}
OBJECTIVE_LABELS = {"words": "masked words", "entities": "masked entities"}
_FIGURES = {
    "learning_rate": Scale("learning rate"),
    "gradient_norm": Scale("gradient norm", log=True),
    "words_per_second": Scale("pieces a second"),
    "entities_per_second": Scale("masked entities a second"),
    "memory_mib": Scale("most memory (MiB)"),
}
_CAPTIONS = {
    "learning_rate": "Learning rate. Every stage has a schedule of its own.",
    "gradient_norm": "Norm of the gradient, on a scale of factors.",
    "words_per_second": "Pieces of words read a second.",
    "entities_per_second": "Masked entities predicted a second.",
    "memory_mib": "Most memory in use.",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A run as it is shown.

    Args:
        run: the run.
        label: what it is called; unlike that of any other.
        colour: of its lines where several runs are shown.
    """

    run: Run
    label: str
    colour: str


def shown(runs: Sequence[Run]) -> list[Shown]:
    """Runs with labels and colours: the folders' names, or whole paths where these are equal."""
    names = [run.path.name or str(run.path) for run in runs]
    if len(set(names)) < len(names):
        names = [str(run.path) for run in runs]
    return [
        Shown(run, name, _RUN_COLOURS[place % len(_RUN_COLOURS)])
        for place, (run, name) in enumerate(zip(runs, names, strict=True))
    ]


def thinned(
    series: Series, name: str, run: Run, most: int, *, weight: str | None = None
) -> list[list[Point]]:
    """A column as pieces of points by stage: (step over all stages, value).

    Where there are more lines than points, a point is the mean of lines that follow each other,
    at their middle step.

    Args:
        series: the lines.
        name: the column; lines that lack it are left out.
        run: whose steps of earlier stages are counted.
        most: about how many points, of all pieces together.
        weight: the column by which lines count; None counts them equally.
    """
    values = series.column(name)
    there = ~np.isnan(values)
    stages, steps = np.asarray(series.stage)[there], np.asarray(series.step)[there]
    values = values[there]
    weights = np.ones(len(values))
    if weight is not None:
        known = series.column(weight)[there]
        weights = np.where(known > 0, known, 1.0)  # an older run may not say how many targets
    pieces = []
    for stage in np.unique(stages).tolist():
        mine = stages == stage
        points = max(2, round(most * int(mine.sum()) / len(values)))
        middle, mean = _means(steps[mine].astype(np.float64), values[mine], weights[mine], points)
        before = run.steps_before(stage)
        pieces.append([(before + x, y) for x, y in zip(middle, mean, strict=True)])
    return pieces


def _means(
    steps: npt.NDArray[np.float64],
    values: npt.NDArray[np.float64],
    weights: npt.NDArray[np.float64],
    points: int,
) -> tuple[list[float], list[float]]:
    if len(steps) <= points:
        return steps.tolist(), values.tolist()
    starts = np.linspace(0, len(steps), points, endpoint=False).astype(np.int64)
    counts = np.diff(np.append(starts, len(steps)))
    middle = np.add.reduceat(steps, starts) / counts
    mean = np.add.reduceat(values * weights, starts) / np.add.reduceat(weights, starts)
    return middle.tolist(), mean.tolist()


def _end(runs: Sequence[Shown]) -> float:
    """The last step that any of the runs has come to."""
    return float(max((one.run.steps_done for one in runs), default=0))


def _stages(runs: Sequence[Shown]) -> list[tuple[str, float]]:
    """Names and ends of the stages begun, where all runs have the same ones, as far as they are."""
    marks = []
    for one in runs:
        run, (stage, _) = one.run, one.run.place
        ends = [(run.name_of(n), float(run.steps_before(n + 1))) for n in range(stage)]
        marks.append([*ends, (run.name_of(stage), float(run.steps_done))])
    longest = max(marks, key=lambda mark: mark[-1][1])
    same = all(mark[:-1] == longest[: len(mark) - 1] for mark in marks)
    return longest if same else []


def _lines(
    runs: Sequence[Shown], name: str, *, most: int, language: str | None = None, colour: str
) -> list[Line]:
    """A loss or an accuracy of every run, training and held-out."""
    lines = []
    weight = f"{name.removesuffix('_accuracy')}_targets"
    for one in runs:
        for kind in KINDS:
            found: Series | None = one.run.total[kind]
            if language is not None:
                found = one.run.languages[kind].get(language)
            if found is not None:
                label = KIND_LABELS[kind] if len(runs) == 1 else f"{one.label}, {KIND_LABELS[kind]}"
                pieces = thinned(found, name, one.run, most, weight=weight)
                if kind == "held_out":
                    pieces = [[point for piece in pieces for point in piece]]
                own = colour if len(runs) == 1 else one.colour
                lines.append(Line(label, own, pieces, marked=kind == "held_out"))
    return lines


def loss_charts(runs: Sequence[Shown]) -> list[Drawing]:
    """Loss and accuracy of each objective that a run has."""
    drawings = []
    for objective in OBJECTIVES:
        for what, scale in (
            ("", Scale("loss (nats)")),
            ("_accuracy", Scale("accuracy", high=1.0)),
        ):
            lines = _lines(runs, f"{objective}{what}", most=_MOST_POINTS, colour=objective)
            if any(any(line.pieces) for line in lines):
                label = OBJECTIVE_LABELS[objective]
                caption = f"{scale.label.capitalize()} of {label}."
                drawings.append(
                    line_chart(
                        f"{objective}{'-accuracy' if what else '-loss'}",
                        caption.rstrip("."),
                        caption,
                        lines,
                        scale,
                        end=_end(runs),
                        stages=_stages(runs),
                        legend=True,
                    )
                )
    return drawings


def figure_charts(runs: Sequence[Shown]) -> list[Drawing]:
    """Learning rate, gradient norm, speed and memory, as far as the runs have them."""
    drawings = []
    for name, scale in _FIGURES.items():
        lines = [
            Line(
                one.label,
                "ink" if len(runs) == 1 else one.colour,
                thinned(one.run.total["train"], name, one.run, _MOST_POINTS),
            )
            for one in runs
        ]
        if any(any(line.pieces) for line in lines):
            drawings.append(
                line_chart(
                    name.replace("_", "-"),
                    _CAPTIONS[name].rstrip("."),
                    _CAPTIONS[name],
                    lines,
                    scale,
                    end=_end(runs),
                    stages=_stages(runs),
                    legend=len(runs) > 1,
                )
            )
    return drawings


def languages_of(runs: Sequence[Shown]) -> list[str]:
    """The languages of the runs, those first that had the most targets in training."""
    targets: dict[str, float] = {}
    for one in runs:
        for kind in KINDS:
            for code, series in one.run.languages[kind].items():
                found = [np.nansum(series.column(f"{name}_targets")) for name in OBJECTIVES]
                trained = float(sum(found)) if kind == "train" else 0.0
                targets[code] = targets.get(code, 0.0) + trained
    return sorted(targets, key=lambda code: (-targets[code], code))


def language_charts(runs: Sequence[Shown]) -> Mapping[str, list[Drawing]]:
    """By objective, a small chart of accuracy for each language."""
    grids: dict[str, list[Drawing]] = {}
    for objective in OBJECTIVES:
        for number, code in enumerate(languages_of(runs)):
            lines = _lines(
                runs,
                f"{objective}_accuracy",
                most=_MOST_POINTS_SMALL,
                language=code,
                colour=objective,
            )
            if any(any(line.pieces) for line in lines):
                name = language_name(code)
                grids.setdefault(objective, []).append(
                    line_chart(
                        f"{objective}-{number}",
                        f"Accuracy of {OBJECTIVE_LABELS[objective]}, {name}",
                        name,
                        lines,
                        Scale("accuracy", high=1.0),
                        end=_end(runs),
                        stages=_stages(runs),
                        small=True,
                    )
                )
    return grids
