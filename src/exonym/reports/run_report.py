"""The report of training runs, finished or in the middle: one page, and its figures as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from exonym.foundation.errors import InputError
from exonym.foundation.files import JSON
from exonym.reports import run_tables
from exonym.reports.extras import require_report_extra
from exonym.reports.page import write_page
from exonym.reports.run_charts import (
    OBJECTIVE_LABELS,
    Shown,
    figure_charts,
    language_charts,
    languages_of,
    loss_charts,
    shown,
)
from exonym.reports.runs import FIGURES, KINDS, LOSS_FIELDS, Run, Series

_SUFFIXES = (".html", ".htm")


def write_run_report(runs: Sequence[Run], out: Path) -> Path:
    """Write the report of one run, or of several with their curves over each other.

    The page needs no network; equal folders give equal bytes. A page that is there is replaced.

    Args:
        runs: as `read_run` read them.
        out: the page; its name ends in .html.

    Returns:
        ``out``.

    Raises:
        MissingExtraError: jinja2 is not installed.
        InputError: there is no run, or ``out`` is no name for a page.
    """
    require_report_extra("jinja2")
    if not runs:
        raise InputError("there is no run to report", remedy="Name at least one run folder")
    if out.suffix.lower() not in _SUFFIXES or out.is_dir():
        raise InputError(
            "a report is an HTML file", where=out, remedy="Give a name that ends in .html"
        )
    write_page(out, "run.html", _fields(shown(runs)))
    return out


def _fields(runs: Sequence[Shown]) -> dict[str, object]:
    """What the template shows."""
    # Torch, which the recipes need, costs seconds; other rooms stay light.
    from exonym.reports import recipes
    from exonym.systems import mluke

    codes = languages_of(runs)
    tables = [run_tables.by_language(one, codes) for one in runs]
    own_recipes = []
    for one in runs:
        recipe = one.run.recipe
        large = recipe.name.startswith("mluke-large")
        published = mluke.recipe("mluke-large" if large else "mluke-base").to_json()
        own_recipes.append(
            {
                "label": one.label,
                "name": recipe.name,
                "departures": recipes.departures(recipe, published) if recipe.departures else None,
                "settings": recipes.settings(recipe, published),
                "made_with": run_tables.made_with(one),
            }
        )
    return {
        "runs": runs,
        "states": [run_tables.state(one.run) for one in runs],
        "versions": sorted({str(one.run.machines[-1].get("exonym", "")) for one in runs}),
        "places": run_tables.places(runs),
        "last_losses": run_tables.last_losses(runs),
        "last_figures": run_tables.last_figures(runs),
        "loss_charts": loss_charts(runs),
        "figure_charts": figure_charts(runs),
        "objectives": OBJECTIVE_LABELS,
        "language_charts": language_charts(runs),
        "language_tables": [table for table in tables if table.rows],
        "stages": [run_tables.stages(one) for one in runs],
        "checkpoints": run_tables.checkpoints(runs),
        "passed_over": run_tables.passed_over(runs),
        "recipes": own_recipes,
    }


def summarise(run: Run) -> JSON:
    """Where a run is and its last values, as plain values; what is not known is None.

    Returns:
        ``run`` (the path), ``recipe``, ``finished``, ``stage``, ``step``, ``stage_steps``,
        ``steps_done``, ``steps``, ``seconds_per_step``, ``seconds_left``, ``last_line`` (time,
        UTC), ``train`` and ``held_out`` (the last line's figures), ``languages`` (the same by
        code), ``checkpoints``, ``passed_over``.
    """
    stage, step = run.place
    codes = sorted({code for kind in KINDS for code in run.languages[kind]})
    return {
        "run": str(run.path),
        "recipe": run.recipe.name,
        "finished": run.finished,
        "stage": run.stage_name,
        "step": step,
        "stage_steps": run.steps_of(stage),
        "steps_done": run.steps_done,
        "steps": run.steps,
        "seconds_per_step": run.seconds_per_step(),
        "seconds_left": run.seconds_left(),
        "last_line": run.last_line.isoformat() if run.last_line else None,
        **{kind: _last(run.total[kind], LOSS_FIELDS + FIGURES) for kind in KINDS},
        "languages": {
            code: {
                kind: _last(run.languages[kind][code], LOSS_FIELDS)
                for kind in KINDS
                if code in run.languages[kind]
            }
            for code in codes
        },
        "checkpoints": [
            {
                "stage": run.name_of(saved.stage),
                "step": saved.step,
                "bytes": saved.bytes,
                "held_out": saved.held_out,
            }
            for saved in run.checkpoints
        ],
        "passed_over": dict(sorted(run.unread.items())),
    }


def _last(series: Series, names: Sequence[str]) -> JSON:
    values = {name: series.last(name) for name in names}
    return {name: value for name, value in values.items() if value is not None}
