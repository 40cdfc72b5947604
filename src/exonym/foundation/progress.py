"""Progress: a bar on a terminal, plain lines elsewhere; always on standard error."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import Protocol

PLAIN_LINE_SECONDS = 10.0


class Progress(Protocol):
    """What a stage's code sees."""

    def advance(self, amount: int = 1) -> None:
        """Count ``amount`` more units as done."""

    def note(self, text: str) -> None:
        """Show a short figure beside the bar (a loss, a file name)."""


class _Bar:
    def __init__(self, name: str, total: int | None, unit: str) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as RichProgress

        self._rich = RichProgress(
            TextColumn("{task.description:<28}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(unit),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=Console(stderr=True),
        )
        self._task = self._rich.add_task(name, total=total, note="")
        self._rich.start()

    def advance(self, amount: int = 1) -> None:
        self._rich.advance(self._task, amount)

    def note(self, text: str) -> None:
        self._rich.update(self._task, note=text)

    def close(self) -> None:
        self._rich.stop()


class _Lines:
    def __init__(self, name: str, total: int | None, unit: str) -> None:
        self._name, self._total, self._unit = name, total, unit
        self._done, self._note = 0, ""
        self._start = self._last = time.monotonic()

    def advance(self, amount: int = 1) -> None:
        self._done += amount
        if time.monotonic() - self._last >= PLAIN_LINE_SECONDS:
            self._print()

    def note(self, text: str) -> None:
        self._note = text

    def _print(self) -> None:
        self._last = time.monotonic()
        of = f"/{self._total:,}" if self._total is not None else ""
        line = f"{self._name}: {self._done:,}{of} {self._unit} ({self._last - self._start:.0f} s)"
        print(f"{line} {self._note}".rstrip(), file=sys.stderr, flush=True)

    def close(self) -> None:
        self._print()


@contextlib.contextmanager
def stage(name: str, *, total: int | None = None, unit: str = "") -> Iterator[Progress]:
    """Show the progress of one stage of work.

    Args:
        name: what is being done, in the user's words.
        total: how many units there are; None when unknown.
        unit: what is counted ("pages", "steps").
    """
    reporter = _Bar(name, total, unit) if sys.stderr.isatty() else _Lines(name, total, unit)
    try:
        yield reporter
    finally:
        reporter.close()
