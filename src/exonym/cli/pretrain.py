"""``exonym pretrain``: from a corpus to a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exonym.cli.output import on_interrupt, print_json, print_table
from exonym.foundation.errors import InputError

if TYPE_CHECKING:
    from exonym.training import Estimate


def pretrain(
    corpus: Annotated[
        Path | None, typer.Option(help="Corpus made by `exonym corpus build`.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The run folder.")] = None,
    recipe: Annotated[
        str,
        typer.Option(
            help="mluke-base, mluke-large, mluke-mini, mluke-atlas, or the path of a TOML file."
        ),
    ] = "mluke-atlas",
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
    shard: Annotated[
        bool,
        typer.Option(
            "--shard", help="Of several processes, let each hold a part of the model (FSDP2)."
        ),
    ] = False,
    tracker: Annotated[
        list[str] | None,
        typer.Option(help="Tell the metrics to this tracker too: tensorboard, wandb, mlflow …"),
    ] = None,
    show: Annotated[
        bool, typer.Option("--show", help="Print the recipe as TOML, and do nothing.")
    ] = False,
    estimate: Annotated[
        bool,
        typer.Option(
            "--estimate", help="Do ten steps of every stage, print what the run will take, and end."
        ),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Pretrain a model in the stages of a recipe; a killed run goes on with --resume.

    Several processes: torchrun --nproc-per-node 8 -m exonym pretrain …, or accelerate launch.

    Example: exonym pretrain --corpus work/corpus --out work/run --recipe mluke-atlas
    """
    from exonym.systems import mluke
    from exonym.training import estimate as probe
    from exonym.training import pretrain as run
    from exonym.training import to_toml

    chosen = mluke.recipe(recipe, set_ or (), corpus=corpus)
    if stages:
        chosen = chosen.only(*stages.replace(",", " ").split())
    if words_only:
        chosen = mluke.words_only(chosen)
    if show:
        typer.echo(to_toml(chosen), nl=False)
        return
    if corpus is None:
        raise InputError("--corpus is missing", remedy="Give one made by `exonym corpus build`")
    if estimate:
        expected = probe(corpus, chosen, shard=shard)
        if expected.is_main and json:
            print_json(expected.to_json())
        elif expected.is_main:
            _print_estimate(expected)
        return
    if out is None:
        raise InputError("--out is missing", remedy="Give the run folder, as in --out work/run")
    with on_interrupt("The same command with --resume (and without --overwrite) goes on"):
        done = run(
            corpus,
            out,
            chosen,
            resume=resume,
            overwrite=overwrite,
            shard=shard,
            trackers=tracker or (),
        )
    if not done.is_main:
        return
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


def _print_estimate(expected: Estimate) -> None:
    print_table(
        f"{expected.processes} on {expected.device}, {expected.parameters:,} parameters",
        ["stage", "steps", "trained", "s per step", "hours", "state, MiB", "peak, MiB"],
        [
            [
                stage.name,
                stage.steps,
                stage.trained,
                stage.seconds_per_step,
                stage.seconds / 3600,
                round(stage.state_mib),
                round(stage.peak_mib),
            ]
            for stage in expected.stages
        ],
    )
    typer.echo(
        f"In all {expected.seconds / 3600:,.2f} hours (measuring and saving not counted). "
        f"A checkpoint takes {expected.checkpoint_mib:,.0f} MiB, the run folder at most "
        f"{expected.disk_mib:,.0f} MiB."
    )
