"""``exonym evaluate``: measure a model on a task."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from exonym.cli.evaluations import Measuring, measure_and_print
from exonym.cli.options import LANGUAGES, language_codes
from exonym.cli.output import print_json, print_table
from exonym.cli.task_options import (
    BFLOAT16,
    DEVICE,
    ENCODING,
    LANGUAGE,
    RENAME,
    TUNED_MODEL,
    renamed,
)
from exonym.foundation.files import JSON

app = typer.Typer(help="Measure a model on a task.", no_args_is_help=True, rich_markup_mode=None)

_FILES = typer.Argument(metavar="FILE...", help="Labelled files; de=FILE says the language.")
_AGAINST = typer.Option(help="A second model; the table then has the differences to it.")
_OUT = typer.Option(help="Write the table here: .md is Markdown, anything else JSON.")
_BATCH = typer.Option(help="Inputs that go through a model together, at most.")
_SEED = typer.Option(help="Of the bootstrap intervals.")
_JSON = typer.Option("--json", help="Print all figures as JSON.")
_BY_TYPE = typer.Option("--by-type", help="Print the scores of each type, too.")
_RULE = typer.Option(help="squad or mlqa. [default: mlqa for files named like MLQA's, else squad]")


@app.command("ner")
def ner(
    files: Annotated[list[str], _FILES],
    model: Annotated[str, TUNED_MODEL],
    against: Annotated[str | None, _AGAINST] = None,
    languages: Annotated[str | None, LANGUAGES] = None,
    rename: Annotated[list[str] | None, RENAME] = None,
    by_type: Annotated[bool, _BY_TYPE] = False,
    language: Annotated[str | None, LANGUAGE] = None,
    encoding: Annotated[str | None, ENCODING] = None,
    out: Annotated[Path | None, _OUT] = None,
    batch_size: Annotated[int, _BATCH] = 32,
    seed: Annotated[int, _SEED] = 0,
    device: Annotated[str | None, DEVICE] = None,
    bfloat16: Annotated[bool, BFLOAT16] = False,
    json: Annotated[bool, _JSON] = False,
) -> None:
    """Score named entities in many languages: F1, precision and recall as conlleval has them.

    Example: exonym evaluate ner --model ner/ de/test.conllu sw=masakhane-test.txt
    """
    how = Measuring(against, languages, language, encoding, batch_size, seed, device, bfloat16)
    measure_and_print("ner", model, files, how, out, json, by_type=by_type, names=renamed(rename))


@app.command("relation")
def relation(
    files: Annotated[list[str], _FILES],
    model: Annotated[str, TUNED_MODEL],
    against: Annotated[str | None, _AGAINST] = None,
    languages: Annotated[str | None, LANGUAGES] = None,
    language: Annotated[str | None, LANGUAGE] = None,
    encoding: Annotated[str | None, ENCODING] = None,
    out: Annotated[Path | None, _OUT] = None,
    batch_size: Annotated[int, _BATCH] = 32,
    seed: Annotated[int, _SEED] = 0,
    device: Annotated[str | None, DEVICE] = None,
    bfloat16: Annotated[bool, BFLOAT16] = False,
    json: Annotated[bool, _JSON] = False,
) -> None:
    """Score relations in many languages: macro F1 as RELX has it, micro F1, accuracy.

    Example: exonym evaluate relation --model re/ RELX_en.txt RELX_de.txt
    """
    how = Measuring(against, languages, language, encoding, batch_size, seed, device, bfloat16)
    measure_and_print("relation", model, files, how, out, json)


@app.command("qa")
def qa(
    files: Annotated[list[str], _FILES],
    model: Annotated[str, TUNED_MODEL],
    against: Annotated[str | None, _AGAINST] = None,
    languages: Annotated[str | None, LANGUAGES] = None,
    rule: Annotated[str | None, _RULE] = None,
    kb: Annotated[
        Path | None, typer.Option(help="Knowledge base: links questions that have no entities.")
    ] = None,
    language: Annotated[str | None, LANGUAGE] = None,
    out: Annotated[Path | None, _OUT] = None,
    batch_size: Annotated[int, _BATCH] = 32,
    seed: Annotated[int, _SEED] = 0,
    device: Annotated[str | None, DEVICE] = None,
    bfloat16: Annotated[bool, BFLOAT16] = False,
    json: Annotated[bool, _JSON] = False,
) -> None:
    """Score answers in many languages: F1 and exact match as SQuAD's or MLQA's script has them.

    Example: exonym evaluate qa --model qa/ xquad.en.json xquad.zh.json
    """
    how = Measuring(against, languages, language, None, batch_size, seed, device, bfloat16, kb)
    measure_and_print("qa", model, files, how, out, json, rule=rule)


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
