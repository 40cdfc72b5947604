"""Reading the tables that Wikimedia publishes as SQL: the rows of ``INSERT INTO`` statements."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from exonym.foundation.compression import DAMAGE, open_binary
from exonym.foundation.errors import FormatError

_KEEP_GOING = "Pass --keep-going to use what can be read"
_INSERT = re.compile(rb"INSERT INTO `([^`]+)`(?: \(([^)]*)\))? VALUES ")
_CREATE = re.compile(rb"CREATE TABLE `([^`]+)` \(\s*\Z")
_COLUMN = re.compile(rb"\s*`([^`]+)` ")
_NAME = re.compile(rb"`([^`]+)`")
# A number, NULL or a string in quotes; each alternative starts differently, so nothing is tried
# twice and the time is linear.
_VALUE = rb"(?:_binary )?'[^'\\]*(?:(?:\\.|'')[^'\\]*)*'|NULL|[-+.0-9a-fA-FxX]+"
_ESCAPED = re.compile(rb"\\(.)|''", re.DOTALL)
_CONTROL = {b"0": b"\0", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"Z": b"\x1a"}


def unquote(value: bytes) -> bytes | None:
    """The bytes that a value stands for; None for NULL. A number stays its digits."""
    if value[-1:] != b"'":
        return None if value == b"NULL" else value
    text = value[1:-1] if value[:1] == b"'" else value[value.index(b"'") + 1 : -1]
    if b"\\" in text or b"'" in text:
        return _ESCAPED.sub(_unescape, text)
    return text


def _unescape(match: re.Match[bytes]) -> bytes:
    if match[1] is None:
        return b"'"
    return _CONTROL.get(match[1], match[1])


def read_rows(
    path: Path,
    table: str,
    columns: Sequence[str],
    *,
    keep_going: bool = False,
    skipped: Counter[str] | None = None,
) -> Iterator[tuple[bytes, ...]]:
    """The rows of one table of a dump as mysqldump writes it, in file order.

    Args:
        path: the file (.sql, compressed or not), one ``INSERT`` a line.
        table: its name.
        columns: the names of the columns wanted, in this order.
        keep_going: count what is broken and go on, instead of stopping at the first.
        skipped: with ``keep_going``, counts ``"malformed"`` statements (the rows before the
            broken one are kept) and ``"truncated"``.
    Yields:
        The values as they are written; `unquote` gives what they stand for.
    Raises:
        InputError: the file cannot be opened.
        FormatError: it has no such table or columns, a statement is broken (the message names
            file and line), or the file ends early.
    """
    counts = Counter[str]() if skipped is None else skipped
    names: list[str] = []
    row: re.Pattern[bytes] | None = None
    inside = seen = False
    for number, line in _lines(path, keep_going, counts):
        insert = _INSERT.match(line)
        if insert is None:
            created = _CREATE.match(line)
            column = _COLUMN.match(line) if inside else None
            if created:
                inside = _text(created[1]) == table
                seen |= inside
            elif column:
                names.append(_text(column[1]))
            elif line[:1] == b")":
                inside = False
            continue
        if _text(insert[1]) != table:
            continue
        if insert[2] is not None:
            names = [_text(name) for name in _NAME.findall(insert[2])]
        if row is None or insert[2] is not None:
            row = _row_pattern(names, columns, f"{path}:{number}", table)
        seen = True
        at = insert.end()
        # Each row must begin where the one before ends.
        match_next = row.scanner(line, at).match  # type: ignore[attr-defined]
        while match := match_next():
            at = match.end()
            yield match.groups()
        if at < len(line) or not line.rstrip().endswith(b");"):
            if not keep_going:
                what = f"broken INSERT of {table!r}: no row at byte {at:,} of the line"
                raise FormatError(what, where=f"{path}:{number}", remedy=_KEEP_GOING)
            counts["malformed"] += 1
    if not seen and not counts["truncated"]:
        raise FormatError(f"there is no table {table!r} in it", where=path)


def _row_pattern(
    names: Sequence[str], columns: Sequence[str], where: str, table: str
) -> re.Pattern[bytes]:
    missing = [column for column in columns if column not in names]
    if missing:
        what = (
            f"the table {table!r} has no column {missing[0]!r}, only {', '.join(names) or 'none'}"
        )
        raise FormatError(what, where=where)
    order = [names.index(column) for column in columns]
    if order != sorted(order):
        raise FormatError(f"the columns of {table!r} are in another order", where=where)
    values = [
        b"(" + _VALUE + b")" if number in order else b"(?:" + _VALUE + b")"
        for number in range(len(names))
    ]
    return re.compile(rb"\(" + b",".join(values) + rb"\)[,;]\s*", re.DOTALL)


def _lines(path: Path, keep_going: bool, counts: Counter[str]) -> Iterator[tuple[int, bytes]]:
    number = 0
    with open_binary(path) as stream:
        try:
            for number, line in enumerate(stream, start=1):
                yield number, line
        except DAMAGE as error:
            if not keep_going:
                what = f"ends early or is damaged after line {number:,} ({error})"
                raise FormatError(what, where=path, remedy=_KEEP_GOING) from error
            counts["truncated"] += 1


def _text(name: bytes) -> str:
    return name.decode(errors="replace")
