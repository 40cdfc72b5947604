"""Cutting a big file into spans that are read independently, each record in exactly one of them.

A span is a range of the file's bytes as they lie on disk. A record (a page of XML, a line) belongs
to the span in which it starts: its reader goes on behind the span until the record is whole, and
the next span's reader skips that far. Plain files are cut at any byte, .bz2 by the blocks that
start in the range. Other compressions can be read from their start only; where the work on the
records is what takes the time, several readers may each decompress all and take stripes of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from exonym.foundation.bzip2 import BlockReader, DamagedBlockError
from exonym.foundation.compression import DAMAGE, open_binary
from exonym.foundation.errors import FormatError, InputError

TASK_BYTES = 64 << 20
_PIECE = 1 << 20
_WHOLE = (".gz", ".xz", ".zst")


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a file.

    Args:
        start, end: the bytes of the file as it lies on disk, half-open.
        stripe, stripes: of the decompressed bytes in ``stripe_bytes`` pieces, every
            ``stripes``-th from number ``stripe`` on. (0, 1) is all.
        stripe_bytes: the size of such a piece.
    """

    start: int
    end: int
    stripe: int = 0
    stripes: int = 1
    stripe_bytes: int = 16 << 20

    def __str__(self) -> str:
        stripe = f", stripe {self.stripe + 1} of {self.stripes}" if self.stripes > 1 else ""
        return f"bytes {self.start:,} to {self.end:,}{stripe}"


def cut_file(
    path: Path,
    task_bytes: int = TASK_BYTES,
    *,
    lines: bool = False,
    stripes: int = 8,
    stripes_from: int = 1 << 30,
    stripe_bytes: int = 16 << 20,
) -> tuple[Span, ...]:
    """Cut a file into spans of about one size, in file order; only its size is looked at.

    Args:
        path: the file.
        task_bytes: the most bytes of a span, as they lie on disk. A .gz, .xz or .zst file is
            not cut, whatever its size, ...
        lines: ... unless its records are lines: then, from ``stripes_from`` bytes on, it
            becomes ``stripes`` spans, each of which decompresses all and reads its share.
        stripes: how many.
        stripes_from: bytes on disk.
        stripe_bytes: decompressed bytes of which each span takes every ``stripes``-th piece.

    Raises:
        InputError: there is no such file.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise InputError(f"cannot be opened ({error.strerror or error})", where=path) from error
    if path.suffix in _WHOLE:
        if lines and size >= stripes_from:
            return tuple(Span(0, size, n, stripes, stripe_bytes) for n in range(stripes))
        return (Span(0, size),)
    count = max(1, -(-size // task_bytes))
    borders = [size * number // count for number in range(count + 1)]
    return tuple(Span(borders[n], borders[n + 1]) for n in range(count))


class _Source(Protocol):
    """The bytes of a file from a span's start on."""

    def read(self) -> tuple[bool, bytes] | None:
        """Some bytes, at most about a MiB, and whether they are the span's; None at the end."""

    def close(self) -> None: ...


class _Plain:
    """A file that is not compressed."""

    def __init__(self, path: Path, span: Span) -> None:
        self._file = path.open("rb")
        self._file.seek(span.start)
        self._at, self._end = span.start, span.end

    def read(self) -> tuple[bool, bytes] | None:
        own = self._at < self._end
        data = self._file.read(min(_PIECE, self._end - self._at) if own else _PIECE)
        self._at += len(data)
        return (own, data) if data else None

    def close(self) -> None:
        self._file.close()


class _Blocks:
    """A .bz2 file: the blocks that start in the span, and those behind."""

    def __init__(self, path: Path, span: Span) -> None:
        self._reader = BlockReader(path, span.start, span.end if span.start else None)
        self._end = span.end * 8
        self._own, self._block, self._at = True, b"", 0

    def read(self) -> tuple[bool, bytes] | None:
        while self._at >= len(self._block):
            found = self._reader.read()
            if found is None:
                return None
            start, self._block = found
            self._own, self._at = start < self._end, 0
        data = self._block if len(self._block) <= _PIECE else self._next()
        self._at += len(data)
        return self._own, data

    def _next(self) -> bytes:
        return self._block[self._at : self._at + _PIECE]

    def close(self) -> None:
        self._reader.close()


class _Whole:
    """A file that is read from its start, of which perhaps only stripes are the span's."""

    def __init__(self, path: Path, span: Span) -> None:
        self._stream = open_binary(path)
        self._span, self._at = span, 0

    def read(self) -> tuple[bool, bytes] | None:
        span = self._span
        number, used = divmod(self._at, span.stripe_bytes)
        most = _PIECE if span.stripes == 1 else min(_PIECE, span.stripe_bytes - used)
        # read1 hands out what was decompressed before damage; read would lose it.
        data = cast("bytes", cast("Any", self._stream).read1(most))
        self._at += len(data)
        return (number % span.stripes == span.stripe, data) if data else None

    def close(self) -> None:
        self._stream.close()


class SpanReader:
    """The bytes of those records that start in a span, in pieces.

    Args:
        path: the file, compressed or not.
        span: the part of it, from `cut_file`.
        mark: bytes that stand where a record starts, and nowhere else.
        behind: whether the record starts behind its mark (a line behind the end of the one
            before) or with it.

    Attributes:
        at_file_end: whether the last piece reached the end of the file.

    The span that starts at byte 0 also has what stands before the file's first mark. Stripes are
    for marks of one byte.
    """

    def __init__(self, path: Path, span: Span, mark: bytes, *, behind: bool) -> None:
        self._mark, self._behind = mark, len(mark) if behind else 0
        self._once = span.stripes == 1  # the span's bytes are one stretch
        self._taking = span.start == 0 and span.stripe == 0
        self._held = b""  # the last bytes seen, in which a mark may have begun
        self._was_own = True  # whether they are the span's
        self._done = False
        self.at_file_end = False
        try:
            if path.suffix == ".bz2":
                self._source: _Source = _Blocks(path, span)
            elif path.suffix in _WHOLE:
                self._source = _Whole(path, span)
            else:
                self._source = _Plain(path, span)
        except OSError as error:
            raise InputError(f"cannot be opened ({error.strerror or error})", where=path) from error

    def close(self) -> None:
        """Close the file; reading ends."""
        self._done = True
        self._source.close()

    def read(self) -> bytes:
        """The next piece, none at the end; after an exception, what follows the damage.

        Raises:
            one of `exonym.foundation.compression.DAMAGE`: damaged or unfinished. The record that
                was being read is lost; the next piece, if any, begins with another's start.
        """
        while not self._done:
            try:
                found = self._source.read()
                if found is not None and not found[0] and self._was_own and self._held:
                    found = self._at_least(found[1], len(self._mark) - 1)
            except DAMAGE as error:
                self._taking, self._held = False, b""
                self._done = not isinstance(error, DamagedBlockError)
                raise
            if found is None:
                self._done = True
                self.at_file_end = self._taking
                return self._held if self._taking else b""
            data = self._own(found[1]) if found[0] else self._beyond(found[1])
            self._was_own = found[0]
            if data:
                return data
        return b""

    def _at_least(self, data: bytes, size: int) -> tuple[bool, bytes]:
        """Bytes behind the span, and so many more that a mark on the border is whole."""
        while len(data) < size and (more := self._source.read()) is not None:
            data += more[1]
        return False, data

    def _own(self, data: bytes) -> bytes:
        if self._taking:
            return data
        data = self._held + data
        at = data.find(self._mark)
        if at < 0:
            self._held = data[len(data) - len(self._mark) + 1 :]
            return b""
        self._taking, self._held = True, b""
        return data[at + self._behind :]

    def _beyond(self, data: bytes) -> bytes:
        """Of bytes that are not the span's, those of its last record."""
        begun = b""
        if self._was_own and not self._taking and self._held:
            # The span's only mark may straddle its end.
            at = (self._held + data[: len(self._mark) - 1]).find(self._mark)
            self._taking = at >= 0
            begun = self._held[at:] if self._taking else b""
            self._held = b""
        if not self._taking:
            self._done = self._once
            return b""
        data = self._held + data
        at = data.find(self._mark)
        if at < 0:
            sure = len(data) - len(self._mark) + 1
            self._held = data[max(0, sure) :]
            return begun + data[: max(0, sure)]
        self._taking, self._held = False, b""
        self._done = self._once
        return begun + data[: at + self._behind]


def read_span_lines(
    path: Path, span: Span, *, skipped: Counter[str] | None = None
) -> Iterator[bytes]:
    """The lines of a file that belong to a span, without their ends, also the empty ones.

    A line belongs to the span that holds the end of the line before it.

    Args:
        path: the file, compressed or not.
        span: the part of it.
        skipped: go on behind damage where that is possible, and count it here as
            ``"truncated"``; the lines that it touches are left out. None stops at it.

    Raises:
        InputError: the file cannot be opened.
        FormatError: it is damaged or ends early, and ``skipped`` is None.
    """
    reader = SpanReader(path, span, b"\n", behind=True)
    begun: list[bytes] = []
    try:
        while True:
            try:
                data = reader.read()
            except DAMAGE as error:
                if skipped is None:
                    raise FormatError(
                        f"ends early or is damaged in {span} ({error})",
                        where=path,
                        remedy="Pass --keep-going to use what can be read",
                    ) from error
                skipped["truncated"] += 1
                begun = []
                continue
            if not data:
                break
            lines = data.split(b"\n")
            begun.append(lines[0])
            if len(lines) > 1:
                yield b"".join(begun)
                yield from lines[1:-1]
                begun = [lines[-1]]
        if last := b"".join(begun):
            yield last
    finally:
        reader.close()
