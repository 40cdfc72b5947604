"""Printing results: a table for people, JSON for machines; and what to do after Ctrl-C."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson
import typer

from exonym.foundation.errors import StoppedError

_WIDTH = 10_000  # off a terminal nothing is folded: a line of the table is a line of the file


@contextlib.contextmanager
def on_interrupt(remedy: str) -> Iterator[None]:
    """Say after Ctrl-C how to go on, where more than the usual "begin again" is possible."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise StoppedError("interrupted", remedy=remedy) from error


def print_json(value: Any) -> None:
    """Print a value as indented JSON."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
    typer.echo(orjson.dumps(value, option=options).decode())


def print_table(title: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table: text on the left, figures on the right, an empty line behind.

    Args:
        title: printed above.
        header: of the columns.
        rows: cells, as `table_lines` takes them.
    """
    typer.echo(title)
    for line in table_lines(header, rows):
        typer.echo(line)
    typer.echo()


def table_lines(header: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """The lines of a table: text on the left, figures on the right.

    On a terminal long cells are folded; elsewhere every row is one line.

    Args:
        header: of the columns.
        rows: cells; whole numbers get thousands separators, others three decimals, None a dash.
    """
    from rich.console import Console
    from rich.table import Table

    lines = [tuple(row) for row in rows]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, name in enumerate(header):
        figures = _figures([line[index] for line in lines])
        table.add_column(name, justify="right" if figures else "left", overflow="fold")
    for line in lines:
        table.add_row(*(_cell(value) for value in line))
    console = Console(markup=False, highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console = Console(markup=False, highlight=False, width=_WIDTH)
    with console.capture() as printed:
        console.print(table)
    return [text.rstrip() for text in printed.get().splitlines()]


def _figures(cells: Sequence[object]) -> bool:
    """Whether a column holds numbers, and nothing else but gaps."""
    given = [cell for cell in cells if cell is not None]
    return bool(given) and all(isinstance(cell, int | float) for cell in given)


def _cell(value: object) -> str:
    match value:
        case float():
            return f"{value:.3f}"
        case int():
            return f"{value:,}"
        case None:
            return "-"
        case _:
            return str(value)
