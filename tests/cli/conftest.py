"""A tiny world, built once through the command line, and the command line itself."""

from __future__ import annotations

import pytest
from commands import TABLE, Command, Outcome, World, run_command


@pytest.fixture
def exonym(capfd: pytest.CaptureFixture[str]) -> Command:
    """Runs a command in this process, through everything but the interpreter's start."""

    def command(*arguments: object) -> Outcome:
        capfd.readouterr()
        status = run_command(*arguments)
        out, err = capfd.readouterr()
        return Outcome(status, out, err)

    return command


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Dumps, knowledge base, corpus and model, made by the commands."""
    made = World(tmp_path_factory.mktemp("world"))
    for arguments in (
        ("atlas", "write", "--out", made.atlas, "--table", TABLE, "--languages", "en,de,ja"),
        ("kb", "build", "--dumps", made.atlas, "--out", made.kb),
        ("corpus", "build", "--kb", made.kb, "--out", made.corpus, "--vocabulary-size", 400,
         "--max-words", 40),
        ("pretrain", "--corpus", made.corpus, "--out", made.run, *made.small),
    ):  # fmt: skip
        assert run_command(*arguments) == 0, arguments
    return made
