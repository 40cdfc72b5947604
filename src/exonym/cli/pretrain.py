"""``exonym pretrain``: from a corpus to a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from exonym.cli.output import on_interrupt, print_json


def pretrain(
    corpus: Annotated[Path, typer.Option(help="Corpus made by `exonym corpus build`.")],
    out: Annotated[Path, typer.Option(help="The run folder.")],
    recipe: Annotated[
        str, typer.Option(help="mluke-base, quickstart, or the path of a TOML file.")
    ] = "quickstart",
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change a field, as in --set stages.all.steps=100."),
    ] = None,
    stages: Annotated[
        str | None, typer.Option(help="Only these stages, as in entities,all.")
    ] = None,
    words_only: Annotated[
        bool, typer.Option("--words-only", help='Train words alone: the "extra training" control.')
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with this run folder.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Begin anew.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Pretrain a model in the stages of a recipe; a killed run goes on with --resume.

    Example: exonym pretrain --corpus work/corpus --out work/run --recipe quickstart
    """
    from exonym.systems import mluke
    from exonym.training import pretrain as run

    chosen = mluke.recipe(recipe, set_ or ())
    if stages:
        chosen = chosen.only(*stages.replace(",", " ").split())
    if words_only:
        chosen = mluke.words_only(chosen)
    with on_interrupt("The same command with --resume (and without --overwrite) goes on"):
        done = run(corpus, out, chosen, resume=resume, overwrite=overwrite)
    if json:
        print_json(
            {
                "run": str(done.path),
                "model": str(done.model),
                "seconds": done.seconds,
                "words": done.words,
            }
        )
    else:
        typer.echo(
            f"{done.model}: {chosen.steps:,} steps, {done.words:,} pieces seen, "
            f"{done.seconds:.0f} s"
        )
