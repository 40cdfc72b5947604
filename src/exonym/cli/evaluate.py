"""``exonym evaluate``: measure a model on a task."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from exonym.cli import evaluate_cloze
from exonym.cli.evaluations import Measuring, measure_and_print
from exonym.cli.options import LANGUAGES
from exonym.cli.task_options import (
    BFLOAT16,
    DEVICE,
    ENCODING,
    LANGUAGE,
    RENAME,
    TAG_NAMES,
    TUNED_MODEL,
    named_tags,
    renamed,
)

app = typer.Typer(help="Measure a model on a task.", no_args_is_help=True, rich_markup_mode=None)

_FILES = typer.Argument(metavar="FILE...", help="Labelled files; de=FILE says the language.")
_AGAINST = typer.Option(help="A second model; the table then has the differences to it.")
_OUT = typer.Option(help="Write the table here: .md is Markdown, anything else JSON.")
_BATCH = typer.Option(help="Inputs that go through a model together, at most.")
_SEED = typer.Option(help="Of the bootstrap intervals.")
_JSON = typer.Option("--json", help="Print all figures as JSON.")
_BY_TYPE = typer.Option("--by-type", help="Print the scores of each type, too.")
_TAG_NAMES = typer.Option(help=TAG_NAMES)
_RULE = typer.Option(help="squad or mlqa. [default: mlqa for files named like MLQA's, else squad]")


@app.command("ner")
def ner(
    files: Annotated[list[str], _FILES],
    model: Annotated[str, TUNED_MODEL],
    against: Annotated[str | None, _AGAINST] = None,
    languages: Annotated[str | None, LANGUAGES] = None,
    rename: Annotated[list[str] | None, RENAME] = None,
    by_type: Annotated[bool, _BY_TYPE] = False,
    tag_names: Annotated[str | None, _TAG_NAMES] = None,
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
    measure_and_print(
        "ner",
        model,
        files,
        how,
        out,
        json,
        by_type=by_type,
        names=renamed(rename),
        tag_names=named_tags(tag_names),
    )


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


app.command("cloze")(evaluate_cloze.cloze)
