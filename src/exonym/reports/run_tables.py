"""Tables of runs: where they are, their last values, what trains, by language, checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exonym.foundation.files import JSON
from exonym.reports.formats import (
    ABSENT,
    count,
    decimal,
    duration,
    language_name,
    percent,
    setting,
)
from exonym.reports.page import Table
from exonym.reports.run_charts import OBJECTIVE_LABELS, Shown
from exonym.reports.runs import KINDS, OBJECTIVES, Run, Series

_TRAINED = {
    "all": "everything",
    "words": "what XLM-R has",
    "new": "what XLM-R lacks (entity embeddings and entity head)",
}
_LOSS_HEADS = ("Loss", "Accuracy", "Loss, held out", "Accuracy, held out")


def state(run: Run) -> str:
    """Where a run is, in a sentence without an end."""
    if run.finished:
        return f"finished: {count(run.steps_done)} steps"
    if not run.steps_done:
        return "has begun; no step is logged yet"
    stage, step = run.place
    left = run.seconds_left()
    parts = [f"stage {run.stage_name}, step {count(step)} of {count(run.steps_of(stage))}"]
    if run.steps:
        parts.append(f"{percent(run.steps_done / run.steps)} of all steps")
    if left is not None:
        parts.append(f"{duration(left)} left at this pace")
    return ", ".join(parts)


def places(runs: Sequence[Shown]) -> Table:
    """Where every run is."""
    rows = []
    for one in runs:
        run, (stage, step) = one.run, one.run.place
        pace = run.seconds_per_step()
        rows.append(
            (
                one.label,
                run.recipe.name,
                "finished" if run.finished else run.stage_name if run.steps_done else "begun",
                f"{count(step)} of {count(run.steps_of(stage))}",
                f"{count(run.steps_done)} of {count(run.steps)}",
                ABSENT if pace is None else duration(pace),
                _duration(run.seconds_left()),
                f"{run.last_line:%Y-%m-%d %H:%M} UTC" if run.last_line else ABSENT,
            )
        )
    return Table(
        "Where it is; the time left goes by the pace of the last lines of the present stage",
        (
            "Run",
            "Recipe",
            "Stage",
            "Step of the stage",
            "Step of all",
            "A step takes",
            "Time left",
            "Last line",
        ),
        tuple(rows),
    )


def _duration(seconds: float | None) -> str:
    return ABSENT if seconds is None else duration(seconds)


def _losses(kinds: dict[str, Series], objective: str) -> tuple[str, ...]:
    """Loss and accuracy of an objective, training and held out, of the last lines."""
    return tuple(
        decimal(kinds[kind].last(name)) if kind in kinds else ABSENT
        for kind in KINDS
        for name in (objective, f"{objective}_accuracy")
    )


def last_losses(runs: Sequence[Shown]) -> Table:
    """Losses and accuracies of the last lines of every run."""
    rows = []
    for one in runs:
        for objective, label in OBJECTIVE_LABELS.items():
            cells = _losses(one.run.total, objective)
            if set(cells) != {ABSENT}:
                rows.append((f"{one.label}: {label}" if len(runs) > 1 else label, *cells))
    return Table(
        "Losses (nats) and accuracies of the last lines; a training line is the mean of the few "
        "steps since the one before it, a held-out line that of the whole held-out part",
        ("Objective" if len(runs) == 1 else "Run and objective", *_LOSS_HEADS),
        tuple(rows),
    )


def last_figures(runs: Sequence[Shown]) -> Table:
    """Learning rate, gradient norm, speed and memory of the last line of every run."""
    rows = []
    for one in runs:
        train = one.run.total["train"]
        seconds, waited = train.last("seconds"), train.last("data_seconds")
        rows.append(
            (
                one.label,
                *(
                    ABSENT if (value := train.last(name)) is None else f"{value:.3g}"
                    for name in ("learning_rate", "gradient_norm")
                ),
                count(train.last("words_per_second")),
                count(train.last("entities_per_second")),
                percent(waited / seconds) if seconds and waited is not None else ABSENT,
                count(train.last("memory_mib")),
            )
        )
    return Table(
        "The last training line",
        (
            "Run",
            "Learning rate",
            "Gradient norm",
            "Pieces a second",
            "Masked entities a second",
            "Time waited for data",
            "Most memory, MiB",
        ),
        tuple(rows),
    )


def stages(one: Shown) -> Table:
    """What each stage does and how far it is."""
    run = one.run
    rows = []
    for number, stage in enumerate(run.recipe.stages):
        at, step = run.place
        done = (run.steps_of(number) or 0) if number < at else step if number == at else 0
        rate = stage.get("learning_rate")
        rows.append(
            (
                run.name_of(number),
                f"{count(done)} of {count(run.steps_of(number))}",
                _trained(stage),
                setting([OBJECTIVE_LABELS.get(name, name) for name in _list(stage, "objectives")]),
                f"{setting(rate)}, warm-up {setting(stage.get('warmup_steps'))} steps",
            )
        )
    return Table(
        f"Stages of {one.label}",
        ("Stage", "Steps", "What trains", "Objectives", "Learning rate"),
        tuple(rows),
        text=True,
    )


def _list(stage: JSON, name: str) -> list[Any]:
    value = stage.get(name) or []
    return list(value) if isinstance(value, list | tuple) else [value]


def _trained(stage: JSON) -> str:
    """What a stage trains, in words; patterns of names as they are."""
    text = setting([_TRAINED.get(str(name), str(name)) for name in _list(stage, "train")])
    if frozen := _list(stage, "freeze"):
        text += f"; not {setting([_TRAINED.get(str(name), str(name)) for name in frozen])}"
    factors = stage.get("rate_factors")
    for name, factor in factors.items() if isinstance(factors, dict) else ():
        text += f"; {_TRAINED.get(str(name), str(name))} at {setting(factor)} times the rate"
    return text or ABSENT


def by_language(one: Shown, codes: Sequence[str]) -> Table:
    """The last losses and accuracies of each language that the run has."""
    run, rows = one.run, []
    for code in codes:
        kinds = {k: found for k in KINDS if (found := run.languages[k].get(code)) is not None}
        if kinds:
            cells = [cell for objective in OBJECTIVES for cell in _losses(kinds, objective)]
            rows.append((language_name(code), *cells))
    heads = [
        f"{head}{', ' if ',' in head else ' of '}{objective}"
        for objective in OBJECTIVES
        for head in _LOSS_HEADS
    ]
    return Table(
        f"Last values by language, {one.label}: those with the most training first; each value is "
        "of the last line that has the language",
        ("Language", *heads),
        tuple(rows),
    )


def checkpoints(runs: Sequence[Shown]) -> Table:
    """The checkpoints that are there."""
    return Table(
        "Checkpoints",
        ("Run", "Stage", "Step", "Size, MiB", "Held-out loss"),
        tuple(
            (
                one.label,
                one.run.name_of(saved.stage),
                count(saved.step),
                count(saved.bytes / 2**20),
                decimal(saved.held_out),
            )
            for one in runs
            for saved in one.run.checkpoints
        ),
    )


def passed_over(runs: Sequence[Shown]) -> Table:
    """What could not be read, by reason."""
    return Table(
        "Passed over, by reason",
        ("Run", "Reason", "Number"),
        tuple(
            (one.label, why, count(number))
            for one in runs
            for why, number in sorted(one.run.unread.items())
        ),
        text=True,
    )


def made_with(one: Shown) -> Table:
    """Versions, machines and corpus that the run's manifest names."""
    machines = one.run.machines
    rows = [
        (name if len(machines) == 1 else f"{name} ({place} of {len(machines)})", setting(value))
        for place, machine in enumerate(machines, start=1)
        for name, value in machine.items()
    ]
    corpus = one.run.manifest.get("corpus")
    if isinstance(corpus, dict):
        rows += [(f"corpus, {name}", setting(value)) for name, value in corpus.items()]
    return Table(
        f"What {one.label} runs with; on several machines in turn, each with its number",
        ("What", "Value"),
        tuple(rows),
        text=True,
    )
