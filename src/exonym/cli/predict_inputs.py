"""What ``exonym predict`` is given: texts, files of texts, and files of a task's examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import orjson

from exonym.cli.link_inputs import STDIN, is_stream, read_inputs
from exonym.foundation.compression import DAMAGE, open_binary
from exonym.foundation.errors import FormatError, InputError
from exonym.text import AnnotatedText

if TYPE_CHECKING:
    from exonym.linking.formats import InputKind
    from exonym.systems.task_kits import Kit
    from exonym.tasks.ner import NerExample
    from exonym.tasks.qa import QuestionExample
    from exonym.tasks.relation import RelationExample

    Example = NerExample | RelationExample | QuestionExample
    Given = AnnotatedText | Example

Kind = Literal["text", "jsonl", "examples"]
UNKNOWN = "und"
_OF_TEXTS = frozenset({"text", "language", "mentions", "source"})
_LOOKED_AT = 200  # lines


def kind_of(argument: str, task: str) -> Kind:
    """What an argument holds: texts, or a task's examples, as its first lines say.

    Args:
        argument: a text, the name of a file, or ``-``.
        task: ``"ner"``, ``"relation"`` or ``"qa"``.

    Raises:
        InputError: it is a directory, or a file that cannot be read.
        FormatError: a file is damaged at its beginning.
    """
    if argument == STDIN or not is_stream(argument):
        return "text"
    try:
        with open_binary(Path(argument)) as stream:
            raw = list(islice(stream, _LOOKED_AT))
    except DAMAGE as error:
        raise FormatError(f"cannot be read ({error})", where=argument) from error
    lines = [line.decode("utf-8", "replace").lstrip("\ufeff").rstrip("\r\n") for line in raw]
    first = next((line.strip() for line in lines if line.strip()), "")
    if first.startswith("{"):
        return _kind_of_object(first)
    match task:
        case "relation":
            tagged = first.startswith("[") or "\t" in first
        case "ner":
            from exonym.tasks.ner.columns import find_layout

            tagged = find_layout(lines) is not None
        case _:
            tagged = False
    return "examples" if tagged else "text"


def _kind_of_object(line: str) -> Kind:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:  # a document over many lines
        return "examples"
    return "jsonl" if isinstance(value, dict) and value.keys() <= _OF_TEXTS else "examples"


def read_given(
    kit: Kit, arguments: Sequence[str], kind: Kind | None, language: str, encoding: str | None
) -> Iterator[Given]:
    """The texts and examples of all arguments, in order; texts are read as they are asked for.

    Args:
        kit: of the task.
        arguments: of the command.
        kind: of all files; None: see `kind_of`.
        language: of texts that do not say theirs.
        encoding: of files of examples; None finds it out.

    Raises:
        InputError: a file cannot be opened or used.
    """
    for argument in arguments:
        found = kind or kind_of(argument, kit.name)
        if found == "examples" and is_stream(argument):
            if argument == STDIN:
                raise InputError(
                    "examples are read from files, not from a pipe",
                    remedy="Name the file, or give --input text or --input jsonl",
                )
            spoken = None if language == UNKNOWN else language
            yield from kit.read(Path(argument), spoken, encoding).examples
        else:
            texts: InputKind = "jsonl" if found == "jsonl" else "text"
            for text in read_inputs([argument], texts):
                yield _annotated(text, language)


def _annotated(text: str | AnnotatedText, language: str) -> AnnotatedText:
    if isinstance(text, str):
        return AnnotatedText(text, language)
    return replace(text, language=language) if text.language == UNKNOWN else text
