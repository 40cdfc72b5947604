"""What ``exonym link`` is given: texts, files of texts, or a pipe."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import typer

from exonym.foundation.compression import open_binary
from exonym.foundation.errors import InputError
from exonym.linking.formats import InputKind, input_kind, read_texts, require_kind

if TYPE_CHECKING:
    from exonym.text import AnnotatedText

STDIN = "-"


def is_stream(argument: str) -> bool:
    """Whether an argument is a file or the pipe, and not a text.

    Raises:
        InputError: it is a directory.
    """
    if argument == STDIN:
        return True
    if not argument:  # as a path it would be this directory
        return False
    try:
        path = Path(argument)
        if path.is_dir():
            raise InputError("is a directory", where=path, remedy="Name the files in it")
        return path.exists()
    except (OSError, ValueError):  # no name that a file could have: too long, or with a NUL
        return False


def read_inputs(arguments: Sequence[str], kind: str | None) -> Iterator[str | AnnotatedText]:
    """The texts of all arguments, in order, read as they are asked for.

    Args:
        arguments: texts, names of files, and ``-``.
        kind: of all files, an `InputKind`; None: by their names, else lines of text.

    Raises:
        InputError: there is no such kind, at once; or a file cannot be opened.
        FormatError: a line cannot be read; names file and line.
    """
    if kind is not None:
        require_kind(kind, InputKind, "--input")
    return itertools.chain.from_iterable(
        _texts(argument, cast("InputKind | None", kind)) for argument in arguments
    )


def _texts(argument: str, kind: InputKind | None) -> Iterator[str | AnnotatedText]:
    if argument == STDIN:
        yield from read_texts(sys.stdin.buffer, "standard input", kind or "text")
    elif is_stream(argument):
        with open_binary(Path(argument)) as stream:
            yield from read_texts(stream, argument, kind or input_kind(argument) or "text")
    else:
        if input_kind(argument) is not None and not any(map(str.isspace, argument)):
            typer.echo(f"There is no file {argument}; it is read as a text.", err=True)
        yield argument
