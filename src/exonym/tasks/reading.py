"""Reading the text files of benchmarks: their encoding, and what is wrong with them, by line."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from exonym.foundation.compression import DAMAGE, open_binary
from exonym.foundation.errors import FormatError, InputError
from exonym.text.languages import MLUKE_LANGUAGES
from exonym.wikimedia.wikis import WIKIPEDIA_LANGUAGES

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FALLBACKS = ("cp1252", "latin-1")
_IN_NAME = re.compile(r"(?:^|[._-])([a-z]{2,3})(?=[._-])")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a file that is not as it should be.

    Args:
        line: where, from 1.
        what: what was expected and what was seen.
        fatal: whether the file cannot be used as it is.
    """

    line: int
    what: str
    fatal: bool = True


def require_usable(problems: Sequence[Problem], path: Path, *, remedy: str) -> None:
    """Raise the first fatal problem.

    Raises:
        FormatError: there is one; it says how many more there are.
    """
    fatal = [problem for problem in problems if problem.fatal]
    if fatal:
        more = f" (and {len(fatal) - 1} more such lines)" if len(fatal) > 1 else ""
        raise FormatError(f"{fatal[0].what}{more}", where=f"{path}:{fatal[0].line}", remedy=remedy)


def read_lines(path: Path, encoding: str | None = None) -> tuple[list[str], str]:
    """The lines of a text file, compressed or not, without their ends; and its encoding.

    Lines end with a line feed, with or without a carriage return before it, in a file without line
    feeds with a carriage return, and with nothing else: words may hold characters that Unicode
    calls line breaks.

    Args:
        path: the file.
        encoding: of the file; None finds it out: a byte order mark, UTF-8, else Windows-1252 or,
            where that has no such character, Latin-1.

    Raises:
        InputError: there is no such file, or no such encoding.
        FormatError: it is damaged, binary, or not in the encoding; names the line.
    """
    with open_binary(path) as stream:
        try:
            data = stream.read()
        except DAMAGE as error:
            raise FormatError(f"cannot be read to its end ({error})", where=path) from error
    text, found = _decode(data, path, encoding)
    ending = "\n" if "\n" in text else "\r"
    lines = [line.rstrip("\r") for line in text.split(ending)]
    return (lines if lines[-1] else lines[:-1]), found


def _decode(data: bytes, path: Path, encoding: str | None) -> tuple[str, str]:
    if encoding is None:
        encoding = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    if encoding is not None:
        try:
            return data.decode(encoding), codecs.lookup(encoding).name
        except LookupError as error:
            raise InputError(f"no encoding is called {encoding!r}", where=path) from error
        except UnicodeDecodeError as error:
            raise _not_in(encoding, data, error.start, path) from error
    if b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        raise FormatError(
            "a NUL byte: this is no text file, or one in UTF-16",
            where=f"{path}:{line}",
            remedy='For UTF-16 pass encoding="utf-16-le" or "utf-16-be"',
        )
    try:
        return data.decode(), "utf-8"
    except UnicodeDecodeError as error:
        # Damaged UTF-8 has whole characters beyond ASCII beside the broken ones; text in another
        # encoding that happens to look like some is very rare.
        if sum(character > "\x7f" for character in data.decode(errors="ignore")):
            raise _not_in("utf-8", data, error.start, path) from error
    for name in _FALLBACKS:
        try:
            return data.decode(name), name
        except UnicodeDecodeError:
            continue  # Windows-1252 has five holes, Latin-1 none
    raise AssertionError("Latin-1 has every byte")


def _not_in(encoding: str, data: bytes, place: int, path: Path) -> FormatError:
    line = data[:place].count(b"\n") + 1
    return FormatError(
        f"not valid {encoding}: the byte 0x{data[place]:02x} does not fit",
        where=f"{path}:{line}",
        remedy='Pass the file\'s encoding, such as encoding="latin-1", or mend the line',
    )


def language_of_file(path: Path) -> str | None:
    """The language that a file's name or folder says, or None.

    In the name the code of one of mLUKE's languages counts, at its beginning or between points,
    hyphens and underscores (``zh_gsd-ud-dev.iob2``, ``test.sw.txt``); else a folder that is called
    like a Wikipedia (``wikineural/de/test.conllu``).
    """
    for code in _IN_NAME.findall(path.name):
        if code in MLUKE_LANGUAGES:
            return str(code)
    return path.parent.name if path.parent.name in WIKIPEDIA_LANGUAGES else None
