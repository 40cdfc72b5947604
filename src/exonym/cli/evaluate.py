"""``exonym evaluate``: measure a model on a task."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from exonym.cli.options import language_codes
from exonym.cli.output import print_json, print_table
from exonym.foundation.files import JSON

app = typer.Typer(help="Measure a model on a task.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _tasks() -> None:
    """Keeps ``evaluate`` a group while it has one task."""


@app.command("cloze")
def cloze(
    model: Annotated[Path, typer.Option(help="Checkpoint directory, such as RUN/model.")],
    questions: Annotated[Path, typer.Option(help="Questions in mLAMA's layout.")],
    control: Annotated[
        Path | None, typer.Option(help="Checkpoint of the words-only control, for its row.")
    ] = None,
    languages: Annotated[str | None, typer.Option(help="Only these, as in en,ja,sw.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write all figures as JSON here.")] = None,
    seed: Annotated[int, typer.Option(help="Of the bootstrap intervals.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print all figures as JSON.")] = False,
) -> None:
    """Ask facts in every language, by words and by entities; top-1 accuracy, macro-averaged.

    Example: exonym evaluate cloze --model work/run/model --questions work/atlas/cloze
    """
    from exonym.foundation.files import write_json
    from exonym.systems import mluke
    from exonym.tasks.cloze import load, load_questions

    asked = load_questions(questions, language_codes(languages))
    kinds = sorted({question.told for question in asked.questions}, key=str)
    loaded = load(model)
    loaded_control = load(control) if control else None
    blocks = {}
    for kind in kinds:
        rows = mluke.compare(asked, loaded, loaded_control, [kind])
        blocks[kind or "all"] = mluke.accuracy_block(rows, seed=seed)
    if out is not None:
        write_json(out, blocks)
    if json:
        print_json(blocks)
        return
    for name, block in blocks.items():
        print_accuracy(name, block)


def print_accuracy(name: str, block: JSON) -> None:
    """Print one block of accuracies with intervals."""
    rows = [[row, v["accuracy"], v["low"], v["high"], v["questions"]] for row, v in block.items()]
    title = {
        "untold": "Facts that the language of the question never told, but another did",
        "control": "Control: facts that no language told",
        "told": "Facts told in the language of the question",
    }.get(name, f"Facts: {name}")
    print_table(title, ["asked", "accuracy", "low", "high", "questions"], rows)
