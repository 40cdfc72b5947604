"""A view of a stage while it runs: a bar and its figures on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from exonym.foundation.files import JSON
from exonym.foundation.progress import Progress, stage

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

_OBJECTIVES = {"words": "masked words", "entities": "masked entities"}
_REDRAWN_PER_SECOND = 4


class View(Protocol):
    """What the training loop tells."""

    def advance(self, amount: int = 1) -> None:
        """Count ``amount`` more steps as done."""

    def show(self, record: JSON) -> None:
        """Show the figures of a line of ``metrics.jsonl``."""

    def saved(self, step: int) -> None:
        """A checkpoint of this step is written."""


class _Silent:
    def advance(self, amount: int = 1) -> None:
        """Nothing is shown."""

    def show(self, record: JSON) -> None:
        """Nothing is shown."""

    def saved(self, step: int) -> None:
        """Nothing is shown."""


class _Lines:
    """The lines of `exonym.foundation.progress`, with the training losses as their note."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def advance(self, amount: int = 1) -> None:
        self._progress.advance(amount)

    def show(self, record: JSON) -> None:
        if record.get("kind", "train") == "train":
            losses = {name: record.get(name) for name in _OBJECTIVES}
            found = [f"{name} {_decimal(loss)}" for name, loss in losses.items() if name in record]
            self._progress.note(" ".join(found))

    def saved(self, step: int) -> None:
        """A plain line has no room for it."""


class _Terminal:
    """A bar, and beneath it the figures of the last lines."""

    def __init__(
        self, title: str, total: int, done: int, console: Console, now: Callable[[], float]
    ) -> None:
        from rich.live import Live
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as RichProgress

        self._records: dict[str, JSON] = {"train": {}, "held_out": {}}
        self._saved: tuple[int, float] | None = None
        self._now = now
        self._bar = RichProgress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("steps"),
            TimeElapsedColumn(),
            TextColumn("left:"),
            TimeRemainingColumn(),
            console=console,
        )
        # What an earlier call did is no measure of this one's speed.
        self._task = self._bar.add_task(title, total=total, completed=done)
        self._live = Live(
            get_renderable=self._render,
            console=console,
            refresh_per_second=_REDRAWN_PER_SECOND,
            redirect_stdout=sys.stdout.isatty(),  # what goes to a file is not ours to move
        )

    def __enter__(self) -> _Terminal:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Also after Ctrl-C: it draws the last state once, and shows the cursor again.
        self._live.stop()

    def advance(self, amount: int = 1) -> None:
        self._bar.advance(self._task, amount)

    def show(self, record: JSON) -> None:
        kind = record.get("kind", "train")
        if kind in self._records:
            self._records[kind] = record

    def saved(self, step: int) -> None:
        self._saved = (step, self._now())

    def _render(self) -> RenderableType:
        from rich.console import Group
        from rich.text import Text

        if not any(self._records.values()):
            return self._bar
        return Group(self._bar, self._losses(), Text(self._figures(), style="dim"))

    def _losses(self) -> Table:
        from rich.table import Table

        table = Table(box=None, pad_edge=False, header_style="dim")
        table.add_column("")
        for heading in ("loss", "accuracy", "held-out loss", "held-out accuracy"):
            table.add_column(heading, justify="right")
        train, held_out = self._records["train"], self._records["held_out"]
        for name, label in _OBJECTIVES.items():
            if name in train or name in held_out:
                cells = [
                    _decimal(record.get(field))
                    for record in (train, held_out)
                    for field in (name, f"{name}_accuracy")
                ]
                table.add_row(label, *cells)
        return table

    def _figures(self) -> str:
        record = self._records["train"]
        figures = [
            f"{label} {_figure(record[field], form)}{unit}"
            for field, label, form, unit in (
                ("learning_rate", "learning rate", ".3g", ""),
                ("gradient_norm", "gradient norm", ".3g", ""),
                ("words_per_second", "pieces/s", ",.0f", ""),
                ("entities_per_second", "masked entities/s", ",.0f", ""),
                ("memory_mib", "memory", ",.0f", " MiB"),
            )
            if field in record
        ]
        if self._saved is not None:
            step, when = self._saved
            figures.append(f"checkpoint of step {step:,} saved {_ago(self._now() - when)}")
        return " · ".join(figures)


def _figure(value: object, form: str) -> str:
    return format(value, form) if isinstance(value, int | float) else "-"


def _decimal(value: object) -> str:
    return _figure(value, ".3f")


def _ago(seconds: float) -> str:
    return f"{seconds:.0f} s ago" if seconds < 120 else f"{seconds / 60:.0f} min ago"


@contextlib.contextmanager
def live(
    title: str,
    total: int,
    *,
    done: int = 0,
    silent: bool = False,
    console: Console | None = None,
    now: Callable[[], float] = time.monotonic,
) -> Iterator[View]:
    """Show a stage on standard error while it runs.

    On a terminal: a bar, and beneath it losses and accuracies (training and held-out), learning
    rate, gradient norm, speed, memory, the last checkpoint. Elsewhere: plain lines.

    Args:
        title: what runs, such as ``"mluke-base: all"``.
        total: the stage's steps.
        done: steps that an earlier call has done.
        silent: show nothing, as processes other than the first do.
        console: where to draw; None takes standard error.
        now: the clock, in seconds.
    """
    if silent:
        yield _Silent()
    elif sys.stderr.isatty() if console is None else console.is_terminal:
        from rich.console import Console

        with _Terminal(title, total, done, console or Console(stderr=True), now) as view:
            yield view
    else:
        with stage(title, total=total, unit="steps") as progress:
            progress.advance(done)
            yield _Lines(progress)
