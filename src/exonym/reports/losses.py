"""How training went: loss curves of a run, and where each stage ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from exonym.reports.formats import count, decimal
from exonym.reports.lines import Line, Scale, line_chart
from exonym.reports.page import Table
from exonym.reports.summary import Metrics
from exonym.reports.svg import Drawing

_LABELS = {"words": "masked words", "entities": "masked entities"}


def loss_drawings(
    metrics: Mapping[str, Sequence[Metrics]], captions: Mapping[str, str]
) -> list[Drawing]:
    """One plot per run that has metrics, all with the same axis of losses.

    Args:
        metrics: by run.
        captions: by run.
    """
    filled = {run: records for run, records in metrics.items() if records}
    losses = [
        value
        for records in filled.values()
        for record in records
        for value in (record.words, record.entities)
        if value is not None
    ]
    highest = 1.05 * max(losses, default=1.0)
    return [
        line_chart(
            f"losses-{number}",
            f"Loss curves of the run {run}",
            captions[run],
            _curves(records),
            Scale("loss (nats)", high=highest),
            end=_stages(records)[-1][2],
            stages=[(name, end) for name, _, end in _stages(records)],
            legend=True,
        )
        for number, (run, records) in enumerate(filled.items(), start=1)
    ]


def _stages(records: Sequence[Metrics]) -> list[tuple[str, int, int]]:
    """Each stage's name and the run's steps before and after it."""
    stages, before = [], 0
    for _, group in groupby(records, key=lambda record: record.stage_index):
        of_stage = list(group)
        after = before + of_stage[-1].step
        stages.append((of_stage[0].stage, before, after))
        before = after
    return stages


def _curves(records: Sequence[Metrics]) -> list[Line]:
    starts = {name: before for name, before, _ in _stages(records)}
    curves = []
    for objective, label in _LABELS.items():
        pieces = []
        for name, start in starts.items():
            piece = [
                (start + record.step, value)
                for record in records
                if record.stage == name and (value := getattr(record, objective)) is not None
            ]
            if piece:
                pieces.append(piece)
        if pieces:
            curves.append(Line(label, objective, pieces))
    return curves


def stage_table(metrics: Mapping[str, Sequence[Metrics]], names: Mapping[str, str]) -> Table:
    """The last record of every stage of every run.

    Args:
        metrics: by run.
        names: what to call each run.
    """
    rows = []
    for run, records in metrics.items():
        for _, group in groupby(records, key=lambda record: record.stage_index):
            last = list(group)[-1]
            rows.append(
                (
                    f"{names[run]}: {last.stage}",
                    count(last.step),
                    decimal(last.words),
                    decimal(last.words_accuracy),
                    decimal(last.entities),
                    decimal(last.entities_accuracy),
                    count(last.words_per_second),
                )
            )
    return Table(
        "Where each stage ended (means of its last logged steps; loss in nats, accuracy as the "
        "share of masked places predicted right)",
        (
            "Run and stage",
            "Steps",
            "Loss, words",
            "Accuracy, words",
            "Loss, entities",
            "Accuracy, entities",
            "Pieces a second",
        ),
        tuple(rows),
    )
