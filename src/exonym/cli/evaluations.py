"""How ``exonym evaluate`` measures a fine-tuned model, and prints and writes the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

import typer

from exonym.cli.options import language_codes, require_one_of
from exonym.cli.output import print_json, print_table
from exonym.cli.task_options import open_linker, task_files

if TYPE_CHECKING:
    from exonym.systems.transfer import Measured
    from exonym.tasks.qa.metrics import Rule


@dataclass(frozen=True)
class Measuring:
    """What the commands of all tasks take; see their options."""

    against: str | None
    languages: str | None
    language: str | None
    encoding: str | None
    batch_size: int
    seed: int
    device: str | None
    bfloat16: bool
    kb: Path | None = None


def measure_and_print(
    task: str,
    model: str,
    files: Sequence[str],
    how: Measuring,
    out: Path | None,
    as_json: bool,
    *,
    names: Mapping[str, str | None] | None = None,
    rule: str | None = None,
    by_type: bool = False,
    tag_names: Sequence[str] | None = None,
) -> None:
    """Measure one model, or two, on files; print the table, and write it if wanted.

    Raises:
        InputError: a file or model cannot be used.
        ConfigError: an impossible option.
    """
    from exonym.foundation.files import atomic_file, write_json
    from exonym.reports.score_tables import markdown
    from exonym.systems.task_kits import kit_of
    from exonym.systems.transfer import load_for, measure, on_device
    from exonym.tasks.qa.metrics import Rule

    if rule is not None:
        require_one_of("--rule", rule, get_args(Rule))
    kit = kit_of(task, names=names, rule=cast("Rule | None", rule), tag_names=tag_names)
    named = task_files(files, language=how.language, encoding=how.encoding)
    linker = open_linker(how.kb)
    models = [
        on_device(load_for(kit, one, linker), how.device, bfloat16=how.bfloat16)
        for one in (model, how.against)
        if one is not None
    ]
    measured = measure(
        kit,
        models[0],
        named,
        other=models[1] if len(models) > 1 else None,
        languages=language_codes(how.languages),
        batch_size=how.batch_size,
        seed=how.seed,
    )
    if out is not None and out.suffix == ".md":
        with atomic_file(out) as stream:
            other = how.against or ""
            stream.write(markdown(measured.rows, measured.notes, other=other).encode())
    elif out is not None:
        write_json(out, measured.to_json())
    if as_json:
        print_json(measured.to_json())
    else:
        _print(measured, how.against, by_type=by_type)


def _print(measured: Measured, other: str | None, *, by_type: bool) -> None:
    from exonym.reports.score_tables import TITLES, difference_table, score_table

    print_table(TITLES[measured.task], *score_table(measured.rows))
    if other is not None:
        print_table(f"These scores less those of {other}", *difference_table(measured.rows))
    if by_type:
        print_table(
            "By type",
            ["file", "language", "type", "F1", "precision", "recall", "right", "found", "gold"],
            [
                [part.file, part.language, label, counts.f1, counts.precision, counts.recall,
                 *counts]
                for part in measured.parts
                for label, counts in part.types.items()
            ],
        )  # fmt: skip
    for note in measured.notes:
        typer.echo(f"note: {note}", err=True)
