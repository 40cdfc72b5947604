"""What the commands of several tasks take, and how it is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from exonym.foundation.errors import ConfigError, InputError

if TYPE_CHECKING:
    from exonym.linking.linker import Linker
    from exonym.systems.transfer import TaskFile

TASK = typer.Argument(metavar="TASK", help="ner, relation or qa.")
TUNED_MODEL = typer.Option(help="What `exonym finetune` made, or a checkpoint with such a head.")
LANGUAGE = typer.Option(help="Of texts that do not say theirs.")
ENCODING = typer.Option(help="Of the files. [default: found out]")
RENAME = typer.Option(
    help="Read a type otherwise, as in GPE=LOC, or leave it out, as in MISC=. May be repeated."
)
DEVICE = typer.Option(help="Such as cpu or cuda. [default: a GPU where there is one]")
BFLOAT16 = typer.Option("--bfloat16", help="Half the memory; faster where the machine has it.")

_NAMED = re.compile(r"([a-z]{2,3}(?:-[a-z]+)*)=(.+)", re.DOTALL)
_CODE = re.compile(r"[A-Za-z]{2,12}(?:[-_][A-Za-z0-9]+)*")
_Number = TypeVar("_Number", int, float)


def task_files(
    arguments: Sequence[str], *, language: str | None = None, encoding: str | None = None
) -> list[TaskFile]:
    """Files as they are named in a command: ``PATH``, or ``de=PATH`` with its language.

    Args:
        arguments: of the command.
        language: of files that are named without, as ``--language`` gives it.
        encoding: of all; None finds it out.

    Raises:
        InputError: a file is not there.
        ConfigError: no language's code looks like ``language``.
    """
    from exonym.systems.transfer import TaskFile

    language, found = language_code(language), []
    for argument in arguments:
        named = None if Path(argument).exists() else _NAMED.fullmatch(argument)
        path = Path(named[2] if named else argument)
        if not path.is_file():
            what = "is a directory" if path.is_dir() else "no such file"
            raise InputError(what, where=path, remedy="Name files, as in test.txt or de=test.txt")
        found.append(TaskFile(path, named[1] if named else language, encoding))
    return found


def renamed(changes: Sequence[str] | None) -> dict[str, str | None]:
    """Types to read otherwise: ``["GPE=LOC", "MISC="]``.

    Raises:
        ConfigError: one has no ``=``, or a type stands twice.
    """
    found: dict[str, str | None] = {}
    for change in changes or ():
        old, equals, new = change.partition("=")
        if not equals or not old or old in found:
            raise ConfigError(
                f"expected OLD=NEW or OLD=, each type once, got {change!r}",
                where="--rename",
                remedy="For example --rename GPE=LOC --rename MISC=",
            )
        found[old] = new or None
    return found


TAG_NAMES = "Of tags that are numbers, in their order from 0, as in O,B-PER,I-PER."


def named_tags(text: str | None, task: str = "ner") -> tuple[str, ...] | None:
    """Names of tags separated by commas or blanks; None, the option's default, stays None.

    Raises:
        ConfigError: the task has no tags, there is no name, or one twice.
    """
    if text is None:
        return None
    names = tuple(text.replace(",", " ").split())
    if task != "ner":
        raise ConfigError(f"is for ner, not for {task}", where="--tag-names")
    if not names or len(set(names)) < len(names):
        raise ConfigError(
            f"expected different names, got {text!r}",
            where="--tag-names",
            remedy="For example --tag-names O,B-PER,I-PER,B-LOC,I-LOC",
        )
    return names


def language_code(text: str | None, option: str = "--language") -> str | None:
    """A language's code as it was given; None, the option's default, stays None.

    Raises:
        ConfigError: no code looks like this.
    """
    if text is not None and not _CODE.fullmatch(text):
        raise ConfigError(
            f"expected the code of a language, got {text!r}",
            where=option,
            remedy=f"Codes are those of Wikipedia, as in {option} de",
        )
    return text


def numbers(text: str, kind: Callable[[str], _Number], option: str) -> tuple[_Number, ...]:
    """Numbers separated by commas or blanks.

    Raises:
        ConfigError: there is none, or something else.
    """
    words = text.replace(",", " ").split()
    try:
        found = tuple(map(kind, words))
    except ValueError as error:
        raise ConfigError(f"expected numbers, got {text!r}", where=option) from error
    if not found:
        raise ConfigError(f"expected numbers, got {text!r}", where=option)
    return found


def open_linker(kb: Path | None) -> Linker | None:
    """The linker of a knowledge base, where one is given."""
    if kb is None:
        return None
    from exonym.linking.linker import Linker

    return Linker.open(kb)
