"""``exonym predict``: use a fine-tuned model on texts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

import typer

from exonym.cli.link_inputs import is_stream
from exonym.cli.predict_inputs import UNKNOWN, Kind, read_given
from exonym.cli.task_options import (
    BFLOAT16,
    DEVICE,
    LANGUAGE,
    TAG_NAMES,
    TASK,
    TUNED_MODEL,
    language_code,
    named_tags,
    open_linker,
)
from exonym.foundation.errors import ConfigError

if TYPE_CHECKING:
    from exonym.cli.predictions import Asked
    from exonym.foundation.files import JSON
    from exonym.foundation.progress import Progress
    from exonym.systems.task_kits import Kit

_INPUTS = typer.Argument(
    metavar="TEXT|FILE|-", help="Texts, files of texts or of the task's examples; - reads a pipe."
)
_KB = typer.Option(help="Knowledge base of `exonym kb build`, which says which entity is meant.")
_QUESTION = typer.Option(help="For qa: what is asked; the inputs are passages then.")
_QUESTION_LANGUAGE = typer.Option(help="For qa: of --question, if it is another.")
_HEAD = typer.Option(help="For relation: words of the text, or START:END.")
_TAIL = typer.Option(help="For relation: the other mention.")
_MOST = typer.Option(help="For qa: answers to each question, the best first.")
_INPUT = typer.Option(help="text (one a line), jsonl or examples. [default: as the file begins]")
_ENCODING = typer.Option(help="Of files of examples. [default: found out]")
_TAG_NAMES = typer.Option(help=f"For ner: {TAG_NAMES[0].lower()}{TAG_NAMES[1:]}")
_OUT = typer.Option(help="Write JSON Lines here, compressed by suffix. [default: print]")
_BATCH = typer.Option(help="Inputs that go through the model together, at most.")
_JSON = typer.Option("--json", help="Print JSON Lines, of texts in the command, too.")


def predict(
    task: Annotated[str, TASK],
    inputs: Annotated[list[str], _INPUTS],
    model: Annotated[str, TUNED_MODEL],
    language: Annotated[str, LANGUAGE] = UNKNOWN,
    kb: Annotated[Path | None, _KB] = None,
    question: Annotated[str | None, _QUESTION] = None,
    question_language: Annotated[str | None, _QUESTION_LANGUAGE] = None,
    head: Annotated[str | None, _HEAD] = None,
    tail: Annotated[str | None, _TAIL] = None,
    most: Annotated[int, _MOST] = 1,
    input: Annotated[str | None, _INPUT] = None,
    encoding: Annotated[str | None, _ENCODING] = None,
    tag_names: Annotated[str | None, _TAG_NAMES] = None,
    out: Annotated[Path | None, _OUT] = None,
    batch_size: Annotated[int, _BATCH] = 32,
    device: Annotated[str | None, DEVICE] = None,
    bfloat16: Annotated[bool, BFLOAT16] = False,
    json: Annotated[bool, _JSON] = False,
) -> None:
    """Find named entities, relations or answers; offsets count the characters of the text.

    Example: exonym predict ner --model ner/ --language de "Ada Lovelace lebte in London."

    An argument that is no file is a text. A file has a text a line, or {"text": ..., "language":
    ...}, or examples in a layout of the task, as `exonym data check` reads them.
    """
    from exonym.cli.predictions import Asked
    from exonym.systems.task_kits import kit_of
    from exonym.systems.transfer import load_for, on_device

    language = language_code(language) or UNKNOWN
    language_code(question_language, "--question-language")
    kit = kit_of(task, tag_names=named_tags(tag_names, task))
    if input is not None and input not in get_args(Kind):
        known = ", ".join(get_args(Kind))
        raise ConfigError(f"must be one of {known}, got {input!r}", where="--input")
    _require_own(task, "qa", question=question, question_language=question_language)
    _require_own(task, "relation", head=head, tail=tail)
    opened = on_device(load_for(kit, model, open_linker(kb)), device, bfloat16=bfloat16)
    given = read_given(kit, inputs, cast("Kind | None", input), language, encoding)
    streaming = any(map(is_stream, inputs))
    records = _records(
        kit, opened, given, Asked(question, question_language, head, tail, most), batch_size
    )
    _write(records, out, as_json=json or streaming or out is not None, bar=streaming)


def _require_own(task: str, owner: str, **options: str | None) -> None:
    for name, value in options.items():
        if value is not None and task != owner:
            raise ConfigError(
                f"is for {owner}, not for {task}", where=f"--{name.replace('_', '-')}"
            )


def _records(
    kit: Kit, model: Any, given: Iterator[Any], asked: Asked, batch_size: int
) -> Iterator[JSON]:
    from exonym.cli import predictions

    match kit.name:
        case "ner":
            return predictions.entity_records(model, given, batch_size)
        case "relation":
            return predictions.relation_records(model, given, asked, batch_size)
        case _:
            return predictions.answer_records(model, given, asked, batch_size)


def _write(records: Iterator[JSON], out: Path | None, *, as_json: bool, bar: bool) -> None:
    from exonym.cli.predictions import json_lines, listing
    from exonym.foundation.files import atomic_file
    from exonym.foundation.progress import stage
    from exonym.linking.formats import encode_pieces

    with ExitStack() as open_things:
        if bar:
            records = _counted(
                records, open_things.enter_context(stage("Predicting", unit="texts"))
            )
        stream = sys.stdout.buffer if out is None else open_things.enter_context(atomic_file(out))
        for piece in encode_pieces((json_lines if as_json else listing)(records)):
            stream.write(piece)
        stream.flush()
    if out is not None:
        typer.echo(f"Predictions in {out}", err=True)


def _counted(records: Iterator[JSON], progress: Progress) -> Iterator[JSON]:
    for one in records:
        progress.advance()
        yield one
