"""Reading compressed files and writing so that nothing half-written ever has its final name."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import hashlib
import lzma
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import orjson
import zstandard

from exonym.foundation.errors import ExistsError, FormatError, InputError, VersionError

JSON = dict[str, Any]


@contextlib.contextmanager
def atomic_file(path: Path, *, level: int = 6) -> Iterator[IO[bytes]]:
    """Write a file that appears under its name only when it is whole.

    The suffix decides the compression (.bz2 .gz .xz .zst), ``level`` how hard .zst is compressed.
    On any exception the temporary file is removed. Output is reproducible: gzip carries no time
    stamp.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        with partial.open("wb") as raw:
            with _compressor(raw, path.suffix, level) as stream:
                yield stream
            raw.flush()
            os.fsync(raw.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def _compressor(raw: IO[bytes], suffix: str, level: int) -> Iterator[IO[bytes]]:
    match suffix:
        case ".bz2":
            stream: Any = bz2.BZ2File(raw, "wb")
        case ".gz":
            stream = gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0)
        case ".xz":
            stream = lzma.LZMAFile(raw, "wb")  # noqa: SIM115 - closed below
        case ".zst":
            stream = zstandard.ZstdCompressor(level=level, write_checksum=True).stream_writer(
                raw, closefd=False
            )
        case _:
            yield raw
            return
    with stream:
        yield stream


@contextlib.contextmanager
def atomic_directory(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a fresh directory to fill; it takes its final name only when the block succeeds.

    Raises:
        ExistsError: ``path`` exists, is not an empty directory, and ``overwrite`` is false.
    """
    if path.exists() and not overwrite and not (path.is_dir() and not any(path.iterdir())):
        raise ExistsError(
            "already exists", where=path, remedy="Choose another --out, or pass --overwrite"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        yield partial
        if path.exists():
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        partial.replace(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def remove_partials(directory: Path) -> None:
    """Delete what killed processes were writing below a directory; it never had a final name."""
    for partial in sorted(directory.rglob(".*.partial-*")):
        if partial.is_dir():
            shutil.rmtree(partial)
        else:
            partial.unlink(missing_ok=True)


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes as they lie on disk."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_json(path: Path, value: Any) -> None:
    """Write indented JSON with a final newline, atomically. Numpy scalars are accepted."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE
    with atomic_file(path) as stream:
        stream.write(orjson.dumps(value, option=options))


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        InputError: there is no such file.
        FormatError: it is not JSON.
    """
    try:
        return orjson.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise InputError("no such file", where=path) from error
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror or error})", where=path) from error
    except orjson.JSONDecodeError as error:
        raise FormatError(f"not valid JSON ({error})", where=path) from error


def write_manifest(directory: Path, *, format: str, version: int, **fields: Any) -> None:
    """Write ``manifest.json``: what this directory is, by which version, made from what."""
    write_json(directory / "manifest.json", {"format": format, "version": version, **fields})


def read_manifest(directory: Path, *, format: str, version: int, remedy: str) -> JSON:
    """Read and check ``manifest.json``.

    Args:
        directory: an Exonym directory (knowledge base, corpus, run, ...).
        format: the expected kind, such as ``"exonym-knowledge-base"``.
        version: the version of that format which this code reads.
        remedy: the command that makes such a directory; printed when the check fails.

    Raises:
        InputError: no directory, or not of this format.
        VersionError: of another version.
    """
    path = directory / "manifest.json"
    if not path.is_file():
        seen = "no manifest.json in it" if directory.is_dir() else "no such directory"
        raise InputError(
            f"not a directory of format {format!r} ({seen})", where=directory, remedy=remedy
        )
    manifest = read_json(path)
    if not isinstance(manifest, dict) or manifest.get("format") != format:
        found = manifest.get("format") if isinstance(manifest, dict) else type(manifest).__name__
        raise InputError(f"expected format {format!r}, found {found!r}", where=path, remedy=remedy)
    if manifest.get("version") != version:
        raise VersionError(
            f"format version {manifest.get('version')}, this Exonym reads version {version}",
            where=path,
            remedy=remedy,
        )
    return manifest
