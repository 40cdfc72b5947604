"""``exonym quickstart``: everything at once, on a small world."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from exonym.cli.evaluate_cloze import print_accuracy
from exonym.cli.options import (
    ENTITIES,
    LANGUAGES,
    RECIPE,
    SET,
    TABLE,
    VOCABULARY,
    language_codes,
)
from exonym.cli.output import on_interrupt, print_json


def quickstart(
    out: Annotated[Path, typer.Option(help="Where everything goes.")] = Path("runs/quickstart"),
    entities: Annotated[int, ENTITIES] = 500,
    table: Annotated[Path | None, TABLE] = None,
    languages: Annotated[str | None, LANGUAGES] = None,
    recipe: Annotated[str, RECIPE] = "mluke-atlas",
    set_: Annotated[list[str] | None, SET] = None,
    vocabulary_size: Annotated[int, VOCABULARY] = 8000,
    max_words: Annotated[int, typer.Option(help="Most pieces of a sequence.")] = 64,
    max_sentences: Annotated[
        int, typer.Option(help="Most sentences of a sequence; 0 packs as many as fit.")
    ] = 1,
    seed: Annotated[int, typer.Option(help="Of everything.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Begin anew.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Write a world as dumps in 24 languages, pretrain on them, and ask facts across languages.

    A killed quickstart goes on when it is called again; a finished one begins anew.

    Example: exonym quickstart --out runs/quickstart
    """
    from exonym.reports import write_quickstart_report
    from exonym.systems.quickstart import Quickstart, QuickstartOptions

    options = QuickstartOptions(
        entities=entities or None,
        table=table,
        languages=language_codes(languages),
        recipe=recipe,
        changes=tuple(set_ or ()),
        vocabulary_size=vocabulary_size,
        max_words=max_words,
        max_sentences=max_sentences or None,
        seed=seed,
    )
    with on_interrupt("The same command (without --overwrite) goes on"):
        summary = Quickstart(out, options).run(overwrite=overwrite)
        report = write_quickstart_report(out)
    if json:
        print_json(summary)
        return
    for kind, block in summary["cloze"].items():
        print_accuracy(kind, block)
    if "control" not in summary["cloze"]:
        typer.echo("This world is too small for control facts, which no language tells.")
    if summary["atlas"]["left_out"]:
        left_out = ", ".join(summary["atlas"]["left_out"])
        typer.echo(f"Left out, having no names in the table: {left_out}.")
    typer.echo(
        f"{summary['seconds']:.0f} s, at most {summary['peak_memory_mib']:,.0f} MiB. "
        f"Everything in detail: {report}"
    )
