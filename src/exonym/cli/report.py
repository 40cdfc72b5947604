"""``exonym report``: how training runs went, or are going."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exonym.cli.output import print_json, print_table

if TYPE_CHECKING:
    from exonym.reports.runs import Run

FILE = "report.html"


def report(
    runs: Annotated[list[Path], typer.Argument(help="Run folders of `exonym pretrain`.")],
    out: Annotated[
        Path | None,
        typer.Option(help="The page; by default report.html, of one run in its folder."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the last values as JSON.")] = False,
) -> None:
    """Write a page about runs, finished or in the middle; several runs are laid over each other.

    Example: exonym report work/run
    """
    from exonym.reports import read_run, summarise, write_run_report

    read = [read_run(path) for path in runs]
    page = write_run_report(read, out or (runs[0] / FILE if len(runs) == 1 else Path(FILE)))
    if json:
        print_json({"report": str(page), "runs": [summarise(run) for run in read]})
        return
    _print_runs(read)
    typer.echo(f"Everything in detail: {page}")


def _print_runs(runs: list[Run]) -> None:
    from exonym.reports import run_state

    for run in runs:
        typer.echo(f"{run.path}: {run.recipe.name}, {run_state(run)}")
    rows = [
        [
            str(run.path) if len(runs) > 1 else "",
            label,
            *(
                run.total[kind].last(name)
                for kind in ("train", "held_out")
                for name in (objective, f"{objective}_accuracy")
            ),
        ]
        for run in runs
        for objective, label in (("words", "masked words"), ("entities", "masked entities"))
    ]
    told = [row for row in rows if any(cell is not None for cell in row[2:])]
    header = ["run", "objective", "loss", "accuracy", "held-out loss", "held-out accuracy"]
    if len(runs) == 1:
        told, header = [row[1:] for row in told], header[1:]
    if told:
        print_table("", header, told)
    for run in runs:
        for why, number in sorted(run.unread.items()):
            typer.echo(f"{run.path}: passed over: {number:,} ({why})")
