"""``entity_vocab.json``, the entity vocabulary of LUKE checkpoints: read and written in blocks.

One JSON object from names to rows, written by transformers with a pair per line, sorted. The
released mLUKE file has 8.4 million pairs in 439 MB; nothing here holds more than a block of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import orjson

from exonym.foundation.compression import open_binary
from exonym.foundation.errors import FormatError
from exonym.foundation.files import atomic_file

VOCABULARY_FILE = "entity_vocab.json"
BLOCK = 1 << 22
_LONGEST_PAIR = 1 << 24
_BLANKS = b" \t\r\n"


class Block(NamedTuple):
    """Some pairs of the file, in its order.

    Args:
        names: the strings.
        rows: (names,) their rows, not negative.
        end: how many bytes of the file have been read.
    """

    names: list[str]
    rows: list[int]
    end: int


def read_entity_json(path: Path, *, most_rows: int, block: int = BLOCK) -> Iterator[Block]:
    """Yield the pairs of an ``entity_vocab.json``, repeated names included.

    Args:
        path: the file.
        most_rows: rows from this on are refused.
        block: bytes that are read at a time.

    Raises:
        InputError: it cannot be opened.
        FormatError: it is not JSON, ends early, is no object, or a row is no whole number from 0;
            the message names the byte or the name.
    """
    with open_binary(path) as stream:
        yield from _blocks(stream, path, most_rows, block)


def _blocks(stream: IO[bytes], path: Path, most_rows: int, size: int) -> Iterator[Block]:
    rest, start = _beginning(stream, path)
    first = True
    while True:
        data = stream.read(size)
        last, rest = not data, rest + data
        if last:
            body, end = _ending(rest, start, path)
        else:
            end = _last_border(rest)
            if end < 0:
                if len(rest) > _LONGEST_PAIR:
                    raise FormatError("expected a comma behind each pair", where=_at(path, start))
                continue
            body = rest[:end]
        if not body.strip(_BLANKS) and not (first and last):
            raise FormatError("expected a name and its row", where=_at(path, start + len(body)))
        first = False
        names, rows = _pairs(body, start, path)
        _check_rows(names, rows, body, start, path, most_rows)
        yield Block(names, rows, start + end + 1)
        if last:
            return
        rest, start = rest[end + 1 :], start + end + 1


def _beginning(stream: IO[bytes], path: Path) -> tuple[bytes, int]:
    """The first bytes behind the opening brace, and how many are before them."""
    data = stream.read(4096)
    text = data.lstrip(_BLANKS)
    if not text.startswith(b"{"):
        found = "nothing" if not text else repr(text[:20].decode(errors="replace"))
        raise FormatError(f"expected a JSON object of names and rows, found {found}", where=path)
    return text[1:], len(data) - len(text) + 1


def _ending(rest: bytes, start: int, path: Path) -> tuple[bytes, int]:
    text = rest.rstrip(_BLANKS)
    if not text.endswith(b"}"):
        raise FormatError(
            f"ends early at byte {start + len(rest):,}: the closing brace is missing",
            where=path,
            remedy="Download or copy the file again",
        )
    return text[:-1], len(text) - 1


def _last_border(data: bytes) -> int:
    """The place of the last comma that stands between two pairs, or -1."""
    comma = data.rfind(b",")
    if comma < 0:
        return -1
    if _unescaped_quotes(data[:comma]) % 2:  # within a name: the comma before it is none's
        quote = data.rfind(b'"', 0, comma)
        while _is_escaped(data, quote):
            quote = data.rfind(b'"', 0, quote)
        comma = data.rfind(b",", 0, quote)
    return comma


def _unescaped_quotes(data: bytes) -> int:
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    return data.count(b'"')


def _is_escaped(data: bytes, place: int) -> bool:
    before = data[:place]
    return (len(before) - len(before.rstrip(b"\\"))) % 2 == 1


def _pairs(body: bytes, start: int, path: Path) -> tuple[list[str], list[Any]]:
    try:
        pairs = orjson.loads(b"{" + body + b"}")
    except orjson.JSONDecodeError as error:
        place = start + max(_error_place(body, error) - 1, 0)
        reason = error.msg.split(":")[0]
        raise FormatError(f"not valid JSON ({reason})", where=_at(path, place)) from error
    if 2 * len(pairs) != _unescaped_quotes(body):
        # Names that came twice (or rows that are strings, which `_check_rows` refuses).
        every = json.loads(b"{" + body + b"}", object_pairs_hook=list)
        return [name for name, _ in every], [row for _, row in every]
    return list(pairs), list(pairs.values())


def _error_place(body: bytes, error: orjson.JSONDecodeError) -> int:
    """The byte of an error in the body with a brace before it."""
    try:
        body.decode()
    except UnicodeDecodeError as wrong:
        return wrong.start + 1
    return len(error.doc[: error.pos].encode("utf-8", "surrogatepass"))


def _check_rows(
    names: list[str], rows: list[Any], body: bytes, start: int, path: Path, most_rows: int
) -> None:
    if not rows or ({*map(type, rows)} == {int} and min(rows) >= 0 and max(rows) < most_rows):
        return
    for name, row in zip(names, rows, strict=True):
        if type(row) is int and 0 <= row < most_rows:
            continue
        at = start + max(body.find(orjson.dumps(name)), 0)
        if type(row) is int and row > 0:
            wrong = f"row {row} of {name!r} is beyond any entity table"
        else:
            wrong = f"the row of {name!r} is {row!r}, expected a whole number from 0"
        raise FormatError(wrong, where=_at(path, at))


def _at(path: Path, place: int) -> str:
    return f"{path}: byte {place:,}"


def write_entity_json(path: Path, blocks: Iterable[tuple[list[str], list[int]]]) -> int:
    """Write an ``entity_vocab.json``, a pair per line; returns the number of pairs.

    Args:
        path: the file.
        blocks: names and their rows, in the order of the file.
    """
    written = 0
    with atomic_file(path) as stream:
        stream.write(b"{")
        for names, rows in blocks:
            if not names:
                continue
            pairs = orjson.dumps(dict(zip(names, rows, strict=True)), option=orjson.OPT_INDENT_2)
            stream.write((b"," if written else b"") + pairs[1:-2])
            written += len(names)
        stream.write(b"\n}\n")
    return written
