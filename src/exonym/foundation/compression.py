"""Reading compressed files by their suffix, with the fastest decompressor that is installed.

Damaged and unfinished files end in one of the exceptions of `DAMAGE`, whichever library read them.
"""

from __future__ import annotations

import bz2
import functools
import gzip
import importlib
import io
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Protocol, cast

import zstandard

from exonym.foundation.errors import InputError

# What reading a damaged or unfinished file raises.
DAMAGE = (EOFError, OSError, lzma.LZMAError, zlib.error, zstandard.ZstdError)
# Bytes taken from the file at a time: what a damaged stretch of so many would have given is lost.
_READ, _READ_GZIP = 1 << 13, 1 << 16
_BUFFER = 1 << 19


class _Decompressor(Protocol):
    """One stream of a file, as `bz2.BZ2Decompressor` has it."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def open_binary(path: Path) -> IO[bytes]:
    """Open a file for reading, decompressed by its suffix (.bz2 .gz .xz .zst, else plain).

    With the extra ``fast`` installed, .gz is read by isal.

    Raises:
        InputError: the file cannot be opened.
    """
    try:
        match path.suffix:
            case ".bz2":
                return _buffered(_StreamReader(path, bz2.BZ2Decompressor))
            case ".gz":
                isal = _isal()
                if isal is None:
                    return cast("IO[bytes]", gzip.open(path, "rb"))
                fresh = functools.partial(isal.IgzipDecompressor, flag=isal.DECOMP_GZIP)
                return _buffered(_StreamReader(path, fresh, isal.IsalError, gzip=True))
            case ".xz":
                return cast("IO[bytes]", lzma.open(path, "rb"))
            case ".zst":
                return _buffered(_ZstdReader(path))
            case _:
                return path.open("rb")
    except OSError as error:
        raise InputError(f"cannot be opened ({error.strerror or error})", where=path) from error


def _buffered(raw: io.RawIOBase) -> IO[bytes]:
    return io.BufferedReader(raw, _BUFFER)


def _isal() -> Any:
    """The module of isal that reads gzip members, or None where it is not installed."""
    try:
        return importlib.import_module("isal.igzip_lib")
    except ImportError:
        return None


class _StreamReader(io.RawIOBase):
    """Reads all streams of a .bz2 file, or members of a .gz file, one after the other.

    Unlike the library's reader of .bz2 it does not take bytes behind a stream that are no further
    stream for the end of the file: what follows them would be lost in silence.

    Args:
        path: the file.
        fresh: makes the decompressor of one stream.
        error: what that raises on damage.
        gzip: between whose members zeros say nothing.
    """

    def __init__(
        self,
        path: Path,
        fresh: Callable[[], _Decompressor],
        error: type[Exception] = OSError,
        *,
        gzip: bool = False,
    ) -> None:
        self._file = path.open("rb")
        self._fresh, self._error, self._padded = fresh, error, gzip
        self._read_bytes = _READ_GZIP if gzip else _READ
        self._stream = fresh()
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            data = b""
            if self._stream.eof:
                data = self._next_stream()
                if not data:
                    return 0
                self._stream = self._fresh()
            elif self._stream.needs_input:
                data = self._file.read(self._read_bytes)
                if not data:
                    raise EOFError("the compressed stream has no end")
            try:
                self._ready = memoryview(self._stream.decompress(data, len(buffer)))
            except self._error as error:
                raise OSError(f"invalid compressed data: {error}") from error
        count = min(len(buffer), len(self._ready))
        buffer[:count], self._ready = self._ready[:count], self._ready[count:]
        return count

    def _next_stream(self) -> bytes:
        """The first bytes of the next stream, none at the end of the file."""
        data = self._stream.unused_data or self._file.read(self._read_bytes)
        while self._padded and data and not (data := data.lstrip(b"\0")):
            data = self._file.read(self._read_bytes)
        return data

    def close(self) -> None:
        self._file.close()
        super().close()


class _ZstdReader(io.RawIOBase):
    """Reads all frames of a .zst file; unlike the library's reader it notices a missing end."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            compressed = self._file.read(1 << 16)
            if self._frame.eof:
                compressed = self._frame.unused_data + compressed
                if not compressed:
                    return 0
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            elif not compressed:
                raise EOFError("the compressed stream has no end")
            self._ready = memoryview(self._frame.decompress(compressed))
        count = min(len(buffer), len(self._ready))
        buffer[:count], self._ready = self._ready[:count], self._ready[count:]
        return count

    def close(self) -> None:
        self._file.close()
        super().close()
