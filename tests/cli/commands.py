"""Running commands, here and in processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

TABLE = Path(__file__).resolve().parents[1] / "data" / "tiny_table.jsonl"
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "80"}
_SETTINGS = (
    "batch_sequences=4", "model.hidden_size=16", "model.entity_emb_size=8",
    "model.num_hidden_layers=1", "model.num_attention_heads=2", "model.intermediate_size=24",
    "stages.backbone.steps=2", "stages.entities.steps=2", "stages.all.steps=2",
    "checkpoint_seconds=0",
)  # fmt: skip


@dataclass(frozen=True)
class World:
    """Where everything lies."""

    path: Path

    @property
    def atlas(self) -> Path:
        return self.path / "atlas"

    @property
    def kb(self) -> Path:
        return self.path / "kb"

    @property
    def corpus(self) -> Path:
        return self.path / "corpus"

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def small(self) -> tuple[str, ...]:
        """Options that make the quickstart's recipe tiny."""
        return tuple(part for setting in _SETTINGS for part in ("--set", setting))


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line that says what was wrong; progress lines before it are left out."""
        lines = self.err.splitlines()
        assert "Traceback" not in self.err, self.err
        assert [line.startswith("exonym: ") for line in lines].count(True) == 1, self.err
        assert lines[-1].startswith("exonym: "), self.err
        return lines[-1].removeprefix("exonym: ")


Command = Callable[..., Outcome]


def run_command(*arguments: object) -> int:
    """Run a command in this process; returns its exit status."""
    from exonym.cli import main

    with mock.patch.object(sys, "argv", ["exonym", *map(str, arguments)]):
        try:
            main()
        except SystemExit as done:
            return int(done.code or 0)
    return 0


def start(*arguments: object, program: str | None = None) -> subprocess.Popen[str]:
    """Start a command in a process of its own; ``program`` replaces ``python -m exonym``."""
    how = ["-m", "exonym"] if program is None else ["-c", program]
    return subprocess.Popen(
        [sys.executable, *how, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
        # Shells start what runs in the background deaf to Ctrl-C, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
