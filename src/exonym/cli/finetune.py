"""``exonym finetune``: train a pretrained model for a task."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from exonym.cli.options import require_one_of
from exonym.cli.output import on_interrupt, print_json, print_table
from exonym.cli.task_options import (
    ENCODING,
    RENAME,
    TAG_NAMES,
    TASK,
    named_tags,
    numbers,
    renamed,
    task_files,
)
from exonym.foundation.errors import ConfigError

if TYPE_CHECKING:
    from exonym.systems.transfer import TunedTask
    from exonym.tasks.tuning import Grid

_MODEL = typer.Option(help="A checkpoint, a run folder of `exonym pretrain`, or a name on the hub.")
_TRAIN = typer.Option(help="File to learn from; may be given several times; de=FILE in German.")
_VALIDATION = typer.Option(help="File to choose by: epoch, settings, seed. May be repeated.")
_OUT = typer.Option(help="Folder of all runs; the best model is its model/.")
_VARIANT = typer.Option(help="entities, or words: the twin whose input has words alone.")
_SEEDS = typer.Option(help="The best settings are run with each of them.")
_GRID = typer.Option(
    help="Settings to search: around (rates and batch sizes around the released ones), released "
    "(these alone), or a TOML file."
)
_RATE = typer.Option(help="Instead of the grid's: 1e-5, or several as in 1e-5,3e-5.")
_BATCH = typer.Option(help="Instead of the grid's: examples per step, one or several.")
_EPOCHS = typer.Option(help="Instead of the grid's: passes over the examples, one or several.")
_SET = typer.Option("--set", help="Any other setting of training or input, as in --set patience=2.")
_LANGUAGE = typer.Option(help="Of files that do not say theirs.")
_TAG_NAMES = typer.Option(help=f"For ner: {TAG_NAMES[0].lower()}{TAG_NAMES[1:]}")
_SEARCH_SEEDS = typer.Option(help="With how many of the seeds each of the settings is tried.")
_KEEP = typer.Option(help="Whose models stay: of all seeds of the best settings, or best.")
_OVERWRITE = typer.Option("--overwrite", help="Delete what is in --out, and begin anew.")
_JSON = typer.Option("--json", help="Print the outcome as JSON.")


def finetune(
    task: Annotated[str, TASK],
    model: Annotated[str, _MODEL],
    train: Annotated[list[str], _TRAIN],
    out: Annotated[Path, _OUT],
    validation: Annotated[list[str] | None, _VALIDATION] = None,
    variant: Annotated[str, _VARIANT] = "entities",
    seeds: Annotated[str, _SEEDS] = "0,1,2",
    grid: Annotated[str, _GRID] = "around",
    learning_rate: Annotated[str | None, _RATE] = None,
    batch: Annotated[str | None, _BATCH] = None,
    epochs: Annotated[str | None, _EPOCHS] = None,
    set_: Annotated[list[str] | None, _SET] = None,
    rename: Annotated[list[str] | None, RENAME] = None,
    tag_names: Annotated[str | None, _TAG_NAMES] = None,
    language: Annotated[str | None, _LANGUAGE] = None,
    encoding: Annotated[str | None, ENCODING] = None,
    search_seeds: Annotated[int, _SEARCH_SEEDS] = 1,
    keep: Annotated[str, _KEEP] = "seeds",
    overwrite: Annotated[bool, _OVERWRITE] = False,
    json: Annotated[bool, _JSON] = False,
) -> None:
    """Train for a task; the validation files alone choose epoch, settings and seed.

    Example: exonym finetune ner --model run/ --train train.txt --validation dev.txt --out ner/

    Every setting of the grid is tried, and the best one run with all seeds. The same command goes
    on where a stopped one was.
    """
    from exonym.modeling.config import Variant
    from exonym.systems.task_kits import kit_of
    from exonym.systems.transfer import tune_task
    from exonym.tasks.grid_files import parse_changes, split_changes, with_changes
    from exonym.tasks.qa.evaluating import rule_of_file
    from exonym.tasks.tuning import Keep

    require_one_of("--variant", variant, get_args(Variant))
    require_one_of("--keep", keep, get_args(Keep))
    names = renamed(rename)
    if names and task != "ner":
        raise ConfigError("--rename is for the types of named entities", where=f"finetune {task}")
    kit = kit_of(
        task,
        names=names,
        rule=rule_of_file(validation[0]) if validation else None,
        tag_names=named_tags(tag_names, task),
    )
    searched = _grid(task, grid, learning_rate, batch, epochs)
    training_changes, input_changes = split_changes(
        parse_changes(set_ or ()), searched.base, kit.defaults
    )
    if "variant" in input_changes:
        raise ConfigError("variant is an option of its own", where="--set", remedy="--variant")
    with on_interrupt("The same command goes on; runs that are finished are kept"):
        done = tune_task(
            kit,
            model,
            task_files(train, language=language, encoding=encoding),
            task_files(validation or (), language=language, encoding=encoding),
            out,
            grid=with_changes(searched, training_changes),
            seeds=numbers(seeds, int, "--seeds"),
            variant=cast("Variant", variant),
            settings=input_changes,
            notes={"renamed": names} if names else None,
            search_seeds=search_seeds,
            keep=cast("Keep", keep),
            overwrite=overwrite,
        )
    if json:
        print_json({"model": str(done.tuned.model), "counts": done.counts, **done.tuned.to_json()})
    else:
        _print_tuned(task, done)


def _grid(task: str, name: str, rates: str | None, batches: str | None, epochs: str | None) -> Grid:
    """The named grid, with the lists that were given in the command instead of its own."""
    from exonym.tasks.grid_files import named_grid

    grid = named_grid(task, name)
    if rates is not None:
        grid = replace(grid, learning_rates=numbers(rates, float, "--learning-rate"))
    if batches is not None:
        grid = replace(grid, batch_sizes=numbers(batches, int, "--batch"))
    if epochs is not None:
        grid = replace(grid, epochs=numbers(epochs, int, "--epochs"))
    grid.settings()  # refuses impossible numbers before anything is read
    return grid


def _print_tuned(task: str, done: TunedTask) -> None:
    tuned = done.tuned
    chosen = [run.recipe for run in tuned.runs]
    runs = [run for run in tuned.searched if run.recipe not in chosen] + list(tuned.runs)
    header = ["learning rate", "batch", "epochs", "seed", "best epoch", *tuned.best.scores]
    print_table(
        "Runs, the chosen ones last",
        header,
        [
            [
                f"{run.recipe.learning_rate:g}",
                run.recipe.batch_size,
                run.recipe.epochs,
                run.seed,
                f"{run.best_epoch:.3g}",
                *run.scores.values(),
            ]
            for run in runs
        ],
    )
    if tuned.best.scores:
        print_table(
            "Validation, chosen settings",
            ["score", "mean", "deviation", "seeds"],
            [[name, *both, len(tuned.runs)] for name, both in tuned.validation.items()],
        )
    for reason, count in done.counts.items():
        typer.echo(f"training data: {reason}: {count:,}")
    speed = fmean(run.tokens_per_second for run in tuned.runs)
    typer.echo(
        f"{tuned.model}: seed {tuned.best.seed}, described in its README.md; trained at "
        f"{speed:,.0f} tokens a second. Use it: exonym predict {task} --model {tuned.model}"
    )
