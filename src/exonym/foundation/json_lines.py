"""JSON Lines: each line an object, or what is wrong with it."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

import orjson

from exonym.foundation.compression import DAMAGE, open_binary
from exonym.foundation.errors import FormatError
from exonym.foundation.files import JSON

_WIDE = (
    (codecs.BOM_UTF32_LE, "UTF-32"),  # first: it begins with UTF-16's mark
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


def read_json_lines(path: Path) -> Iterator[tuple[int, JSON]]:
    """Yield (line number, object) of a JSON Lines file, compressed or not; blank lines pass.

    Raises:
        InputError: the file cannot be opened.
        FormatError: a line is not a JSON object, or the file is damaged or in UTF-16; the message
            names the file and line.
    """
    for number, value in read_objects(path):
        if isinstance(value, str):
            raise FormatError(value, where=f"{path}:{number}")
        yield number, value


def read_objects(path: Path) -> Iterator[tuple[int, JSON | str]]:
    """The same for files whose errors are collected: an object, or what is wrong in that line.

    Blank lines and a byte order mark of UTF-8 pass. A file that is damaged, or in UTF-16, ends
    with the line that shows it.

    Raises:
        InputError: the file cannot be opened.
    """
    number = 0
    with open_binary(path) as stream:
        try:
            for number, line in enumerate(stream, start=1):
                wide = _wide(line) if number == 1 else None
                if wide is not None:
                    yield 1, f"not UTF-8, but {wide}: {in_utf8(wide.lower())}"
                    return
                text = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
                if text.strip():
                    yield number, _object(text)
        except DAMAGE as error:
            yield number + 1, f"ends early or is damaged after line {number} ({error})"


def in_utf8(encoding: str) -> str:
    """How to get a file that can be read."""
    return f"convert the file, as in `iconv -f {encoding} -t utf-8 OLD > NEW`"


def _wide(line: bytes) -> str | None:
    """The encoding of wide characters that a file's first line shows."""
    for mark, name in _WIDE:
        if line.startswith(mark):
            return name
    return "UTF-16" if b"\0" in line[:4] else None


def _object(line: bytes) -> JSON | str:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return _no_text(line) or f"not valid JSON ({error})"
    return value if isinstance(value, dict) else "expected a JSON object"


def _no_text(line: bytes) -> str | None:
    """What is wrong with a line that is not UTF-8."""
    try:
        line.decode()
    except UnicodeDecodeError as error:
        byte = line[error.start]
        return f"not UTF-8: the byte 0x{byte:02x} does not fit; {in_utf8('latin1')}"
    return None
