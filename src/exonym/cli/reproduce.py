"""``exonym reproduce``: the paper, re-run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exonym.cli.options import (
    ENTITIES,
    LANGUAGES,
    RECIPE,
    SET,
    TABLE,
    VOCABULARY,
    language_codes,
    require_one_of,
)
from exonym.cli.output import on_interrupt, print_json, print_table
from exonym.foundation.errors import ConfigError, InputError

if TYPE_CHECKING:
    from exonym.systems.reproduction import ReproductionOptions
    from exonym.systems.reproduction.checks import Check

app = typer.Typer(
    name="reproduce",
    help="The paper, re-run: every table in miniature, or the plan at its own scale.",
    no_args_is_help=True,
)
_ATLAS, _PAPER = "atlas", "paper"


_OUT = typer.Option(help="Where everything goes.")
_SCALE = typer.Option(help="atlas: run it all on a small world; paper: print what it would take.")
_SEEDS = typer.Option(min=1, help="Models of each row, from pretraining on.")
_MAX_WORDS = typer.Option(help="Most pieces of a sequence of the corpus.")
_TRAIN = typer.Option(min=1, help="Most examples to train a task with.")
_VALIDATION = typer.Option(min=1, help="Most to choose an epoch by.")
_TEST = typer.Option(min=1, help="Most to test with in each language.")
_SEED = typer.Option(help="Of the world; the models' seeds count from it.")
_DATA = typer.Option(help="With --scale paper: dumps, XLM-R and benchmarks (docs/reproducing.md).")
_DRY_RUN = typer.Option("--dry-run", help="With --scale paper: check every file in --data.")
_OVERWRITE = typer.Option("--overwrite", help="Begin anew.")
_JSON = typer.Option("--json", help="Print the outcome as JSON.")


@app.callback()
def _group() -> None:
    """The paper, re-run: every table in miniature, or the plan at its own scale."""


@app.command()
def mluke(
    out: Annotated[Path, _OUT] = Path("runs/reproduction"),
    scale: Annotated[str, _SCALE] = _ATLAS,
    seeds: Annotated[int, _SEEDS] = 3,
    entities: Annotated[int, ENTITIES] = 500,
    languages: Annotated[str | None, LANGUAGES] = None,
    table: Annotated[Path | None, TABLE] = None,
    recipe: Annotated[str, RECIPE] = "mluke-atlas",
    set_: Annotated[list[str] | None, SET] = None,
    vocabulary_size: Annotated[int, VOCABULARY] = 8000,
    max_words: Annotated[int, _MAX_WORDS] = 64,
    train: Annotated[int, _TRAIN] = 2000,
    validation: Annotated[int, _VALIDATION] = 300,
    test: Annotated[int, _TEST] = 200,
    seed: Annotated[int, _SEED] = 0,
    data: Annotated[Path | None, _DATA] = None,
    dry_run: Annotated[bool, _DRY_RUN] = False,
    overwrite: Annotated[bool, _OVERWRITE] = False,
    json: Annotated[bool, _JSON] = False,
) -> None:
    """Train the paper's models, run its tasks, and say which of its claims come out.

    A stopped run goes on when it is called again, also with more seeds. At the paper's scale
    nothing is run: the commands are printed in order, with what they would cost.

    Example: exonym reproduce mluke --scale atlas --seeds 3
    """
    require_one_of("--scale", scale, (_ATLAS, _PAPER))
    if scale == _PAPER:
        _plan(data, out, dry_run=dry_run, as_json=json)
        return
    if data is not None or dry_run:
        raise ConfigError(
            "--data and --dry-run are for the paper's scale", remedy=f"Add --scale {_PAPER}"
        )
    from exonym.systems.reproduction import ReproductionOptions

    options = ReproductionOptions(
        seeds=seeds,
        entities=entities or None,
        table=table,
        languages=language_codes(languages),
        recipe=recipe,
        changes=tuple(set_ or ()),
        vocabulary_size=vocabulary_size,
        max_words=max_words,
        train=train,
        validation=validation,
        test=test,
        seed=seed,
    )
    _run(out, options, overwrite=overwrite, as_json=json)


def _run(out: Path, options: ReproductionOptions, *, overwrite: bool, as_json: bool) -> None:
    """Do it on Atlas, write the report, and print the claims."""
    from exonym.reports import require_report_extra
    from exonym.reports.reproduction import write_reproduction_report
    from exonym.systems.reproduction import Reproduction

    require_report_extra("jinja2")  # before two hours of work
    with on_interrupt("The same command (without --overwrite) goes on"):
        summary = Reproduction(out, options).run(overwrite=overwrite)
        page, text = write_reproduction_report(out)
    if as_json:
        print_json(summary)
        return
    for claim in summary["claims"]:
        typer.echo(f"{claim['outcome'] + ' here:':<24}{claim['text']}")
    typer.echo(
        f"\n{summary['seconds']:,.0f} s, at most {summary['peak_memory_mib']:,.0f} MiB. "
        f"Every table: {page}, {text}"
    )


def _plan(data: Path | None, out: Path, *, dry_run: bool, as_json: bool) -> None:
    """Print the commands of the paper's scale, and with a dry run what of their files is there.

    Raises:
        InputError: a dry run without --data, or a file is missing or of another shape.
    """
    from exonym.systems.reproduction.checks import check_data, dump_bytes
    from exonym.systems.reproduction.published import commands, totals

    if dry_run and data is None:
        raise InputError("a dry run looks at files", remedy="Say where they are: --data DIR")
    if data is not None and not data.is_dir():
        raise InputError("no such directory", where=data, remedy="docs/reproducing.md says what")
    wiki, wikidata = (0, 0) if data is None else dump_bytes(data)
    steps = commands(data or Path("DATA"), out, wiki_bytes=wiki, wikidata_bytes=wikidata)
    checks = check_data(data) if dry_run and data is not None else []
    days, disk = totals(steps)
    if as_json:
        print_json(
            {
                "commands": [asdict(step) for step in steps],
                "gpu_days": days,
                "disk_gb": disk,
                "checks": [asdict(check) for check in checks],
            }
        )
    else:
        for number, step in enumerate(steps, start=1):
            typer.echo(f"{number}. {step.what}{_cost(step.gpu_days, step.hours, step.disk_gb)}")
            typer.echo(f"   {step.line}")
        typer.echo(
            f"\nIn all about {days:.0f} days of one GPU with 312 TFLOP/s in bfloat16 at 40 %, and "
            f"{disk:,.0f} GB of disk beside dumps and corpus"
            f"{'' if wiki else ' and, until there are dumps to reckon by, the knowledge base'}."
        )
        if checks:
            _print_checks(checks)
    bad = [check for check in checks if check.state != "there"]
    if bad:
        raise InputError(
            f"{len(bad)} of {len(checks)} things that the commands read are missing or wrong",
            where=data,
            remedy="The list above says which, and whose they are",
        )


def _cost(gpu_days: float, hours: float | None, disk_gb: float | None) -> str:
    parts = []
    if gpu_days >= 1:
        parts.append(f"{gpu_days:.0f} GPU-days")
    elif gpu_days:
        parts.append(f"{24 * gpu_days:.1f} GPU-hours")
    if hours is not None:
        parts.append(f"{hours:.1f} hours of 16 processes")
    if disk_gb is not None:
        parts.append(f"{disk_gb:.0f} GB of disk")
    return f" ({', '.join(parts)})" if parts else ""


def _print_checks(checks: Sequence[Check]) -> None:
    rows = [(check.path, check.state, check.found or None, check.source) for check in checks]
    typer.echo()
    print_table("What the commands read", ("below --data", "state", "found", "to be had as"), rows)
