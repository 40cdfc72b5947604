"""`exonym atlas`: the embedded world, written as genuine dumps."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exonym.cli.options import language_codes
from exonym.cli.output import print_json, print_table

if TYPE_CHECKING:
    from exonym.atlas import AtlasReport

app = typer.Typer(
    name="atlas",
    help="A table of real facts, told as MediaWiki and Wikidata dumps in many languages.",
    no_args_is_help=True,
)


@app.callback()
def _atlas() -> None:
    """Keep `write` a sub-command although it is the only one."""


@app.command()
def write(
    out: Annotated[Path, typer.Option(help="The new directory.")],
    table: Annotated[
        Path | None,
        typer.Option(help="A table of facts (docs/atlas.md); without it, the one in Exonym."),
    ] = None,
    languages: Annotated[
        str | None, typer.Option(help="Wikis to write, such as en,ja,sw; without it, all.")
    ] = None,
    entities: Annotated[
        int | None, typer.Option(min=1, help="Only the first N entities and their kinds.")
    ] = None,
    seed: Annotated[int, typer.Option(help="What is told where, and in which words.")] = 0,
    overwrite: Annotated[bool, typer.Option(help="Replace the directory if it exists.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Write a world: a dump per language, a Wikidata dump, cloze questions and the ledger.

    Example: exonym atlas write --out runs/atlas --entities 600 --languages en,de,ja,sw
    """
    from exonym.atlas import write_atlas

    report = write_atlas(
        out,
        table=table,
        languages=language_codes(languages),
        entities=entities,
        seed=seed,
        overwrite=overwrite,
    )
    if json:
        print_json({**asdict(report), "directory": str(report.directory)})
    else:
        _print_report(report)


def _print_report(report: AtlasReport) -> None:
    columns = ("articles", "redirects", "sentences", "links", "facts told")
    rows = [
        (code, *(counts[column] for column in columns)) for code, counts in report.counts.items()
    ]
    print_table("Wikis", ("language", *columns), rows)
    groups, asked = report.groups, report.questions
    typer.echo(
        f"Groups of facts: {groups['told']:,} told in some language, {groups['control']:,} held "
        f"back as control, {groups['unused']:,} unused."
    )
    typer.echo(
        f"Questions: {asked.get('questions', 0):,}, of them {asked.get('untold here', 0):,} told "
        f"only in other languages and {asked.get('control', 0):,} control."
    )
    if report.left_out:
        typer.echo(f"Left out, having no names in the table: {', '.join(report.left_out)}.")
    typer.echo(f"Written to {report.directory}")
