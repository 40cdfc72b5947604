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
    from exonym.atlas.benchmarks import BenchmarkReport

app = typer.Typer(
    name="atlas",
    help="A table of real facts, told as MediaWiki and Wikidata dumps in many languages.",
    no_args_is_help=True,
)


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


@app.command()
def benchmarks(
    dumps: Annotated[Path, typer.Argument(help="What `exonym atlas write` wrote.")],
    out: Annotated[Path, typer.Option(help="The new directory.")],
    table: Annotated[
        Path | None,
        typer.Option(help="The table of facts it was written from; without it, the one in Exonym."),
    ] = None,
    train: Annotated[int, typer.Option(min=1, help="Most examples to train with, each task.")] = (
        2000
    ),
    validation: Annotated[int, typer.Option(min=1, help="Most examples to validate with.")] = 300,
    test: Annotated[int, typer.Option(min=1, help="Most examples to test with, each task.")] = 300,
    source: Annotated[str, typer.Option(help="The language of training and validation.")] = "en",
    seed: Annotated[int, typer.Option(help="Which entities and facts are held out.")] = 0,
    overwrite: Annotated[bool, typer.Option(help="Replace the directory if it exists.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Write named entities, relations and questions: train in English, test in every language.

    Example: exonym atlas benchmarks runs/atlas --out runs/atlas-benchmarks
    """
    from exonym.atlas.benchmarks import BenchmarkOptions, write_benchmarks

    options = BenchmarkOptions(
        train=train, validation=validation, test=test, source=source, seed=seed
    )
    report = write_benchmarks(dumps, out, table=table, options=options, overwrite=overwrite)
    if json:
        print_json({**asdict(report), "directory": str(report.directory)})
    else:
        _print_benchmarks(report)


def _print_benchmarks(report: BenchmarkReport) -> None:
    rows = []
    for task, splits in report.counts.items():
        for split, files in splits.items():
            for name, found in files.items():
                if name.startswith("context-"):
                    continue  # the same passages, asked about in another language
                parts = ("listed names", "sentences")  # of examples that are there
                reasons = found["left out"].items()
                left_out = sum(n for reason, n in reasons if not reason.startswith(parts))
                told = found["sentences that the dump states"]
                rows.append((task, split, name, found["examples"], left_out, told))
    header = ("task", "split", "language", "examples", "left out", "sentences in the dump")
    print_table("Benchmarks", header, rows)
    if report.empty:
        typer.echo(f"Without an example, and not written: {', '.join(report.empty)}.")
    typer.echo(f"Written to {report.directory}")


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
