"""Model directories by path or by their name on the Hugging Face hub, with and without a network.

Files of the hub lie in the usual cache. The library's own variables are honoured: ``HF_HOME``,
``HF_ENDPOINT``, ``HF_TOKEN``, ``HF_HUB_OFFLINE``.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import re
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from exonym.foundation.errors import ExonymError, InputError, ResourceError
from exonym.foundation.files import read_json

WEIGHTS = (
    "model.safetensors",
    "model.safetensors.index.json",
    "model-*-of-*.safetensors",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "pytorch_model-*-of-*.bin",
)
"""Patterns of weights; of several kinds that a repository has, only the first is fetched."""

_WHOLE_FILES = ("model.safetensors", "pytorch_model.bin")
_NAME = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*", re.ASCII)
_CONFIG, _INDEX = "config.json", ".index.json"


def is_hub_id(dir_or_id: str | Path) -> bool:
    """Whether this would be looked up on the hub: ``owner/name``, and no directory of that name."""
    return (
        isinstance(dir_or_id, str)
        and _NAME.fullmatch(dir_or_id) is not None
        and not Path(dir_or_id).exists()
    )


def locate(
    dir_or_id: str | Path,
    *,
    patterns: Sequence[str],
    revision: str | None = None,
    local_files_only: bool = False,
) -> Path:
    """The directory where a model's files are, fetched from the hub where needed.

    Args:
        dir_or_id: a directory, which is returned as it is, or a name on the hub, ``owner/name``.
            A `Path` is never a name on the hub.
        patterns: which files are wanted, as in ``["config.json", *WEIGHTS]``. One without a
            slash means files at the top only. Of weights in several forms only one is fetched,
            safetensors before ``.bin``.
        revision: branch, tag or commit on the hub; None is its main branch.
        local_files_only: use what is in the cache, ask nobody.

    Returns:
        The directory; for the hub's models a snapshot in the cache. When the hub cannot be
        reached, the last one that was fetched, with a warning.

    Raises:
        InputError: no such directory; no such model or revision; no permission; offline and not
            in the cache.
        ResourceError: the hub cannot be reached, or the disk is full.
    """
    name, path = str(dir_or_id), Path(dir_or_id)
    if name.strip() and path.is_dir():
        return path
    if not is_hub_id(dir_or_id):
        is_file = name.strip() and path.exists()
        raise InputError(
            "is a file; expected a directory" if is_file else "no such directory",
            where=name if name.strip() else repr(name),
            remedy=None if is_file else "A model of the hub is given as owner/name",
        )
    if local_files_only:
        return _cached(name, patterns, revision, None)
    try:
        return _fetched(name, patterns, revision)
    except _failures() as error:
        root = _root(error)
        if not _unreachable(root):
            raise _explained(root, name, revision) from error
        folder = _cached(name, patterns, revision, root)
        if not _offline(root):
            warnings.warn(
                f"{name}: the hub cannot be reached, using what is in the cache", stacklevel=2
            )
        return folder


def _fetched(name: str, patterns: Sequence[str], revision: str | None) -> Path:
    """Download what is not in the cache yet; raises the library's errors."""
    from huggingface_hub import HfApi, constants, hf_hub_download, snapshot_download

    # Listing by this call is not tried again and again where the hub is down: the cache is there.
    info = HfApi().model_info(
        name, revision=revision, files_metadata=True, timeout=constants.HF_HUB_ETAG_TIMEOUT
    )
    if info.sha is None:
        raise ValueError("no commit in it")
    sizes = {entry.rfilename: entry.size for entry in info.siblings or ()}
    chosen = _chosen(sizes, patterns)
    if not chosen:
        raise InputError(
            f"no file here is named like {', '.join(patterns)}",
            where=name,
            remedy="Give a model in LUKE's layout",
        )
    with _quiet_off_a_terminal():
        for index in [file for file in chosen if file.endswith(_INDEX)]:
            whole = Path(hf_hub_download(name, index, revision=revision))
            chosen = _without_strays(chosen, index, _shards(whole))
        _say_what_comes(name, {file: sizes[file] for file in chosen}, revision)
        exactly = [glob.escape(file) for file in chosen]
        return Path(snapshot_download(name, revision=revision, allow_patterns=exactly))


def _chosen(names: Iterable[str], patterns: Sequence[str]) -> list[str]:
    """The files that match, with one form of the weights."""
    chosen = sorted(file for file in names if any(_matches(file, pattern) for pattern in patterns))
    forms = [
        form for whole in _WHOLE_FILES for form in (whole, whole + _INDEX) if form in chosen
    ]  # the best first
    if not forms:
        return chosen
    return [file for file in chosen if not _is_weights(file) or _belongs(file, forms[0])]


def _matches(file: str, pattern: str) -> bool:
    return fnmatchcase(file, pattern) and ("/" in pattern or "/" not in file)


def _is_weights(file: str) -> bool:
    return any(_matches(file, pattern) for pattern in WEIGHTS)


def _belongs(file: str, form: str) -> bool:
    """Whether a file of weights is this form's: the file itself, or a shard of the index."""
    stem, suffix = form.removesuffix(_INDEX).rsplit(".", 1)
    return file == form or (form.endswith(_INDEX) and fnmatchcase(file, f"{stem}-*-of-*.{suffix}"))


def _shards(index: Path) -> set[str]:
    """The files that an index names; a damaged one names none, and its reader will say so."""
    content = read_json(index)
    places = content.get("weight_map") if isinstance(content, dict) else None
    return set(map(str, places.values())) if isinstance(places, dict) else set()


def _without_strays(chosen: list[str], index: str, shards: set[str]) -> list[str]:
    return [file for file in chosen if file == index or not _is_weights(file) or file in shards]


def _say_what_comes(name: str, sizes: dict[str, int | None], revision: str | None) -> None:
    """One plain line before a download without a terminal; terminals have bars."""
    from huggingface_hub import try_to_load_from_cache

    coming = [
        size or 0
        for file, size in sizes.items()
        if not isinstance(try_to_load_from_cache(name, file, revision=revision), str)
    ]
    if coming and not sys.stderr.isatty():
        megabytes = sum(coming) / 1e6
        print(
            f"download {name}: {len(coming)} files, {megabytes:,.1f} MB",
            file=sys.stderr,
            flush=True,
        )


@contextlib.contextmanager
def _quiet_off_a_terminal() -> Iterator[None]:
    from huggingface_hub.utils.tqdm import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    if sys.stderr.isatty() or are_progress_bars_disabled():
        yield
        return
    disable_progress_bars()
    try:
        yield
    finally:
        enable_progress_bars()


def _cached(
    name: str, patterns: Sequence[str], revision: str | None, error: BaseException | None
) -> Path:
    """The snapshot in the cache, if it has what is asked for."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    lacking = "it is"
    try:
        # No pattern: which files belong to the model is not known without the hub.
        folder = snapshot_download(
            name, revision=revision, local_files_only=True, allow_patterns=[]
        )
    except HFValidationError as invalid:
        raise _explained(invalid, name, revision) from invalid
    except LocalEntryNotFoundError:
        pass
    else:
        path = Path(folder)
        missing = _missing(path, patterns)
        if missing is None:
            return path
        lacking = f"its {missing} is"
    of = f" --revision {revision}" if revision else ""
    reason = (
        f"the hub cannot be reached ({_first_line(error)})"
        if error is not None and not _offline(error)
        else "working offline"
    )
    kind = InputError if error is None or _offline(error) else ResourceError
    raise kind(
        f"no such directory here, and {lacking} not in the hub's cache; {reason}",
        where=name,
        remedy=f"With a network, `exonym checkpoint check {name}{of}` fetches it",
    ) from error


def _missing(folder: Path, patterns: Sequence[str]) -> str | None:
    """What a snapshot certainly lacks of the files that are wanted, or None."""
    here = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    chosen = _chosen(here, patterns)
    if _CONFIG in patterns and _CONFIG not in chosen:
        return _CONFIG
    indices = [file for file in chosen if file.endswith(_INDEX)]
    for index in indices:
        if absent := sorted(_shards(folder / index) - here):
            return absent[0]
    if set(WEIGHTS) <= set(patterns) and not indices and not set(_WHOLE_FILES) & set(chosen):
        return "file of weights"
    return None if chosen else "content"


def _client_errors() -> tuple[type[BaseException], ...]:
    """The errors of the HTTP client under the library: requests, httpx or httpx2, by version."""
    from huggingface_hub.errors import HfHubHTTPError

    # The library's HTTP error is one of the client's; above it is what all of them have in common,
    # refused and broken connections too.
    return tuple(kind for kind in HfHubHTTPError.__mro__[1:] if kind.__module__ != "builtins")


def _failures() -> tuple[type[BaseException], ...]:
    """What the library raises; ValueError and the like where a reply is not a hub's."""
    return (*_client_errors(), OSError, ValueError, KeyError, TypeError)


def _root(error: BaseException) -> BaseException:
    """The first cause: the library wraps refused connections into errors about its cache."""
    from huggingface_hub.errors import LocalEntryNotFoundError

    while isinstance(error, LocalEntryNotFoundError) and error.__cause__ is not None:
        error = error.__cause__
    return error


def _offline(error: BaseException) -> bool:
    from huggingface_hub.errors import OfflineModeIsEnabled

    return isinstance(error, OfflineModeIsEnabled)


def _unreachable(error: BaseException) -> bool:
    """Whether nobody answered, or a server that is out of order."""
    status = _status(error)
    if status is not None:
        return status >= 500
    return isinstance(error, (*_client_errors(), ConnectionError, TimeoutError))


def _status(error: BaseException) -> int | None:
    """The HTTP status of the hub's answer, if it gave one."""
    return getattr(getattr(error, "response", None), "status_code", None)


def _explained(error: BaseException, name: str, revision: str | None) -> ExonymError:
    """The library's errors, a page long each, as one line."""
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return InputError(
            "its owners let only those have it who asked for it",
            where=name,
            remedy="Ask on its page on the hub, then set HF_TOKEN to a token of yours",
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return InputError(
            f"has no revision {revision!r}", where=name, remedy="Leave it out for the main branch"
        )
    if isinstance(error, (errors.RepositoryNotFoundError, errors.HFValidationError)):
        return InputError(
            "no such directory here, and no such model on the hub (or a private one)",
            where=name,
            remedy="Check the name; for a private model set HF_TOKEN to a token of yours",
        )
    status = _status(error)
    if status in (401, 403):
        return InputError(
            f"the hub refuses access ({status})",
            where=name,
            remedy="Set HF_TOKEN to a token that may read it",
        )
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return ResourceError(
            "the disk is full",
            where=error.filename or name,
            remedy="Free some space, or set HF_HOME to a folder on another disk",
        )
    if isinstance(error, OSError) and error.filename is not None:
        return InputError(f"{error.strerror or error}", where=error.filename)
    return ResourceError(
        f"the hub's answer cannot be used ({_first_line(error)})",
        where=name,
        remedy="Try again; if HF_ENDPOINT is set, check it",
    )


def _first_line(error: BaseException | None) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
