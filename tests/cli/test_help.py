"""Every command explains itself, and its example is one that the command understands."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from commands import Command

from exonym.cli.app import app


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if hasattr(command, "commands"):
        for name, child in command.commands.items():
            yield from commands(child, (*path, name))
    else:
        yield path, command


ALL = dict(commands(typer.main.get_command(app)))


def example(command: Any) -> list[str]:
    lines = [line.strip() for line in (command.help or "").splitlines()]
    examples = [line for line in lines if line.startswith("Example: ")]
    assert len(examples) == 1
    return shlex.split(examples[0].removeprefix("Example: "))


def test_the_commands_are_those_of_the_documentation() -> None:
    assert {" ".join(path) for path in ALL} >= {
        "atlas write", "dumps fetch", "dumps list", "kb build", "kb show", "kb lookup",
        "kb add", "link", "atlas benchmarks",
        "corpus build", "corpus show", "corpus export", "pretrain", "evaluate cloze", "quickstart",
        "reproduce mluke",
        "finetune", "predict", "evaluate ner", "evaluate relation", "evaluate qa",
        "data check ner", "data check relation", "data check qa", "data check cloze",
        "data link qa",
    }  # fmt: skip


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_help_shows_an_example(path: tuple[str, ...], exonym: Command) -> None:
    shown = exonym(*path, "--help")
    assert (shown.status, shown.err) == (0, "")
    assert f"Example: exonym {' '.join(path)}" in " ".join(shown.out.split())


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_the_options_of_the_example_parse(path: tuple[str, ...]) -> None:
    program, *words = example(ALL[path])
    assert program == "exonym"
    assert tuple(words[: len(path)]) == path
    arguments = words[len(path) :]
    with ALL[path].make_context(" ".join(path), arguments) as context:
        given = {name for name in context.params if context.params[name] is not None}
    assert arguments == [] or given


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_option_is_explained_and_results_come_as_json(path: tuple[str, ...]) -> None:
    options = [p for p in ALL[path].params if p.param_type_name == "option"]
    assert all(option.help for option in options)
    assert "--json" in {name for option in options for name in option.opts}


GROUPS = [
    (),
    ("atlas",),
    ("kb",),
    ("corpus",),
    ("dumps",),
    ("data",),
    ("data", "check"),
    ("evaluate",),
]


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_alone_lists_its_commands(group: tuple[str, ...], exonym: Command) -> None:
    shown = exonym(*group)
    for path in ALL:
        if path[: len(group)] == group:
            assert path[len(group)] in shown.out + shown.err


def test_the_version_is_printed(exonym: Command) -> None:
    import exonym as package

    assert exonym("--version").out == f"exonym {package.__version__}\n"
