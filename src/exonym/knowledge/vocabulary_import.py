"""From ``entity_vocab.json`` to an entity vocabulary's directory, once; then it is found again."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import threading
from pathlib import Path

from exonym.foundation.errors import ExonymError, FormatError, InputError, ResourceError
from exonym.foundation.files import JSON, atomic_directory, read_json, read_manifest, write_json
from exonym.knowledge.vocabulary_json import BLOCK, VOCABULARY_FILE, read_entity_json
from exonym.knowledge.vocabulary_writing import FORMAT, MOST_ROWS, VERSION, VocabularyWriter, shown

DIRECTORY = "entities"
"""The vocabulary's folder in a checkpoint or corpus."""

_CACHE = "entity-vocabularies"
_SHOWN_FROM = 1 << 24  # bytes; smaller files are converted before a bar could be read
_WHOLE = 1 << 20  # bytes; larger files are known by samples
_SAMPLES, _SAMPLE = 32, 4096
_TRIES = 100
_NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)


def import_entity_json(
    source: Path, out: Path, *, overwrite: bool = False, block: int = BLOCK
) -> None:
    """Convert an ``entity_vocab.json`` in blocks; a name that comes twice has its last row.

    Args:
        source: the file.
        out: the directory to make.
        overwrite: replace ``out`` if it exists.
        block: bytes that are read at a time.

    Raises:
        InputError: the file cannot be opened.
        FormatError: it is damaged or no entity vocabulary.
        ExistsError: ``out`` exists and ``overwrite`` is false.
    """
    with atomic_directory(out, overwrite=overwrite) as directory:
        writer = VocabularyWriter(directory)
        done, size = 0, source.stat().st_size
        title = f"Converting {source.name}, once"
        with shown(title, size, "bytes", least=_SHOWN_FROM) as progress:
            for names, rows, end in read_entity_json(source, most_rows=MOST_ROWS, block=block):
                writer.add(names, rows)
                progress.advance(end - done)
                done = end
        try:
            writer.finish(last_wins=True, source=_source(source))
        except FormatError as error:
            raise FormatError(error.what, where=source) from error


def fingerprint_of(path: Path) -> str:
    """What tells one ``entity_vocab.json`` from another in milliseconds.

    The hash of its size and, above 1 MiB, of 32 samples spread over it; below, of all of it.

    Raises:
        InputError: it cannot be read.
    """
    digest = hashlib.blake2b(digest_size=16)
    try:
        size = path.stat().st_size
        digest.update(str(size).encode())
        with path.open("rb") as stream:
            if size <= _WHOLE:
                digest.update(stream.read())
            else:
                for number in range(_SAMPLES):
                    stream.seek((size - _SAMPLE) * number // (_SAMPLES - 1))
                    digest.update(stream.read(_SAMPLE))
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror or error})", where=path) from error
    return digest.hexdigest()


def mark_source(directory: Path, source: Path) -> None:
    """Say in a vocabulary's manifest that it is the converted form of ``source``."""
    manifest = read_json(directory / "manifest.json")
    write_json(directory / "manifest.json", {**manifest, "source": _source(source)})


def _source(path: Path) -> JSON:
    return {
        "file": path.name,
        "bytes": path.stat().st_size,
        "fingerprint": fingerprint_of(path),
    }


def vocabulary_directory(checkpoint: Path) -> Path:
    """The directory of a checkpoint's entity vocabulary; converted first if need be.

    Args:
        checkpoint: with a folder ``entities`` or a file ``entity_vocab.json``. A folder that was
            not made from such a file has precedence over it.

    Raises:
        InputError: there is neither.
        FormatError: the file is damaged.
    """
    folder, file = checkpoint / DIRECTORY, checkpoint / VOCABULARY_FILE
    if file.is_file() and (not (folder / "manifest.json").is_file() or _is_converted(folder)):
        return converted(file)
    if folder.is_dir():
        return folder
    raise InputError(
        f"no entity vocabulary here (neither {DIRECTORY}/ nor {VOCABULARY_FILE})",
        where=checkpoint,
    )


def rows_at_hand(checkpoint: Path) -> int | None:
    """How many rows a checkpoint's entity vocabulary has, if that can be told at once.

    None where there is no vocabulary, or a large ``entity_vocab.json`` that was never converted.

    Raises:
        FormatError: a file is damaged.
    """
    folder, file = checkpoint / DIRECTORY, checkpoint / VOCABULARY_FILE
    if file.is_file() and (not (folder / "manifest.json").is_file() or _is_converted(folder)):
        if file.stat().st_size <= _WHOLE:
            return 1 + max(max(rows) for _, rows, _ in read_entity_json(file, most_rows=MOST_ROWS))
        fingerprint = fingerprint_of(file)
        places = (folder, cache_directory() / _CACHE / fingerprint)
        found = [place for place in places if _is_conversion(place, fingerprint)]
        folder = found[0] if found else folder / "never converted"
    if not (folder / "manifest.json").is_file():
        return None
    manifest = read_json(folder / "manifest.json")
    rows = manifest.get("rows") if isinstance(manifest, dict) else None
    return rows if isinstance(rows, int) else None


def converted(source: Path) -> Path:
    """The directory that an ``entity_vocab.json`` was converted to; made if it is missing.

    It lies next to the file as ``entities``, or, where the folder cannot be written or belongs to
    a download cache, in Exonym's own cache. A file that has changed is converted anew.

    Raises:
        InputError: the file cannot be read, or no place for the result can be written.
        FormatError: the file is damaged.
    """
    fingerprint = fingerprint_of(source)
    beside = source.parent / DIRECTORY
    cached = cache_directory() / _CACHE / fingerprint
    for place in (beside, cached):
        if _is_conversion(place, fingerprint):
            return place
    # A folder that is there and was not made here is somebody's, and stays.
    ours = not beside.exists() or _is_converted(beside)
    target = beside if ours and _may_write(source) else cached
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _convert(source, target, fingerprint)
    except OSError as error:
        if error.errno not in _NOT_WRITABLE:
            raise
        raise InputError(
            f"the entity vocabulary must be converted once, and {target.parent} cannot be written",
            where=source,
            remedy="Set EXONYM_CACHE to a folder that can",
        ) from error
    return target


def cache_directory() -> Path:
    """``$EXONYM_CACHE``, else ``exonym`` in ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    own = os.environ.get("EXONYM_CACHE")
    if own:
        return Path(own)
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "exonym"


def _convert(source: Path, target: Path, fingerprint: str) -> None:
    """Convert and give the result its name, unless another process was faster."""
    unique = f"partial-{os.getpid()}-{threading.get_ident()}"
    staged = target.with_name(f".{target.name}.{unique}")
    stale = target.with_name(f".{target.name}.{unique}-old")
    try:
        import_entity_json(source, staged, overwrite=True)
        for _ in range(_TRIES):
            occupied = target.exists()
            if _is_conversion(target, fingerprint):
                return
            if occupied:  # of another file or version; what appears from now on stays
                with contextlib.suppress(FileNotFoundError):  # another process took it away
                    target.rename(stale)
                shutil.rmtree(stale, ignore_errors=True)
            try:
                staged.rename(target)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
                # Another process has put its own there in the meantime.
        raise ResourceError("others keep replacing the converted entity vocabulary", where=target)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
        shutil.rmtree(stale, ignore_errors=True)


def _may_write(source: Path) -> bool:
    """Whether a folder may be made beside a file: not in a hub's cache, whose files are links."""
    in_cache = source.is_symlink() or source.parent.parent.name == "snapshots"
    return not in_cache and os.access(source.parent, os.W_OK)


def _is_conversion(directory: Path, fingerprint: str) -> bool:
    """Whether a directory is an ``entity_vocab.json`` of this fingerprint, converted."""
    try:
        manifest = read_manifest(directory, format=FORMAT, version=VERSION, remedy="")
    except ExonymError:
        return False
    source = manifest.get("source")
    return isinstance(source, dict) and source.get("fingerprint") == fingerprint


def _is_converted(directory: Path) -> bool:
    """Whether a directory was converted from some ``entity_vocab.json``, by any version."""
    try:
        manifest = read_json(directory / "manifest.json")
    except ExonymError:
        return False
    return isinstance(manifest, dict) and manifest.get("format") == FORMAT and "source" in manifest
