"""Checkpoint directories in LUKE's layout on disk: ``config.json`` and the files of tensors."""

from __future__ import annotations

import os
import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from exonym.foundation.errors import ConfigError, FormatError, InputError, ResourceError
from exonym.foundation.files import JSON, atomic_directory, read_json, write_json
from exonym.foundation.hub import WEIGHTS, locate
from exonym.modeling.config import EncoderConfig

PREFIX = "luke."  # of the encoder's tensors in a checkpoint that has a head
CONFIG_FILE, WEIGHTS_FILE, OLD_WEIGHTS_FILE = (
    "config.json",
    "model.safetensors",
    "pytorch_model.bin",
)
INDEX_SUFFIX = ".index.json"


def find_checkpoint(
    dir_or_id: str | Path, *, revision: str | None = None, local_files_only: bool = False
) -> Path:
    """The directory with a model's configuration and tensors, fetched from the hub if needed.

    Raises:
        InputError: there is no such directory or model; see `exonym.foundation.hub.locate`.
    """
    return locate(
        dir_or_id,
        patterns=(CONFIG_FILE, *WEIGHTS),
        revision=revision,
        local_files_only=local_files_only,
    )


def read_config(directory: Path) -> JSON:
    """The content of ``config.json``.

    Raises:
        InputError: there is none.
        FormatError: it is no JSON object.
    """
    if not (directory / CONFIG_FILE).is_file():
        raise InputError(
            f"no checkpoint here (no {CONFIG_FILE})",
            where=directory,
            remedy="Give a directory with config.json and model.safetensors",
        )
    config = read_json(directory / CONFIG_FILE)
    if not isinstance(config, dict):
        raise FormatError("expected a JSON object", where=directory / CONFIG_FILE)
    return config


def read_shape(directory: Path, **changes: object) -> EncoderConfig:
    """The shape that a directory's ``config.json`` gives, some fields replaced.

    Raises:
        InputError: there is no checkpoint.
        FormatError: it is not a shape this encoder can have.
    """
    try:
        return EncoderConfig.from_json({**read_config(directory), **changes})
    except FormatError as error:
        where = error.where or directory / CONFIG_FILE
        raise FormatError(error.what, where=where, remedy=error.remedy) from error
    except ConfigError as error:
        raise FormatError(error.what, where=directory / CONFIG_FILE) from error


def weight_files(directory: Path) -> tuple[Path, ...]:
    """The files that hold a checkpoint's tensors; several if it is sharded.

    Of several forms the first counts: ``model.safetensors``, its shards, ``pytorch_model.bin``,
    its shards. Shards are listed by their index.

    Raises:
        InputError: no file of weights.
        FormatError: the index is damaged, or a shard that it names is missing.
    """
    return tuple(_shards(directory))


def read_weights(directory: Path) -> dict[str, Tensor]:
    """All tensors of a checkpoint directory, by the names in its files.

    The tensors lie in the mapped files: nothing is read before it is used, and writing into a
    tensor changes no file. (Only a ``.bin`` older than torch 1.6 is read into memory.)

    Raises:
        InputError: no file of weights.
        FormatError: a file is damaged, lacks a tensor that the index places there, or is a pickle
            of more than tensors.
    """
    tensors: dict[str, Tensor] = {}
    for path, expected in _shards(directory).items():
        found = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)
        lacking = sorted(expected - found.keys())
        if lacking:
            raise FormatError(
                f"the tensor {lacking[0]!r} is missing ({len(lacking)} such), "
                f"which the index places here",
                where=path,
            )
        tensors.update(found)
    return tensors


def _shards(directory: Path) -> dict[Path, set[str]]:
    """The files of weights, each with the names that an index says it holds."""
    for name in (WEIGHTS_FILE, OLD_WEIGHTS_FILE):
        if (directory / name).is_file():
            return {directory / name: set()}
        index = directory / f"{name}{INDEX_SUFFIX}"
        if index.is_file():
            return _indexed(index)
    raise InputError(
        f"neither {WEIGHTS_FILE} nor {OLD_WEIGHTS_FILE} is here",
        where=directory,
        remedy="Copy all files of the model",
    )


def _indexed(index: Path) -> dict[Path, set[str]]:
    content = read_json(index)
    places = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(places, dict) or not places:
        raise FormatError("expected a weight_map of tensors to files", where=index)
    kind = index.name.removesuffix(INDEX_SUFFIX).rpartition(".")[2]
    shards: dict[Path, set[str]] = {}
    for tensor, file in places.items():
        if not isinstance(file, str) or Path(file).name != file or not file.endswith(f".{kind}"):
            raise FormatError(
                f"expected the name of a .{kind} file beside it for {tensor!r}, found {file!r}",
                where=index,
            )
        shards.setdefault(index.parent / file, set()).add(tensor)
    for path in shards:
        if not path.is_file():
            raise FormatError(
                f"the shard {path.name} is missing",
                where=index.parent,
                remedy=f"Fetch all files that {index.name} names",
            )
    return shards


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no dict
    except (SafetensorError, OSError, RuntimeError, ValueError, TypeError) as error:
        raise _unreadable(path, error) from error


def _read_pickle(path: Path) -> dict[str, Tensor]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of odd pickles; refused below
            mapped = zipfile.is_zipfile(path)  # files older than torch 1.6 are not
            value = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except pickle.UnpicklingError as error:
        raise FormatError(
            f"refused, because reading it would run code: it is a pickle of more than tensors"
            f"{_what_it_calls(error)}",
            where=path,
            remedy="Use a copy with model.safetensors; if you trust this file, let its author "
            "write one",
        ) from error
    except Exception as error:  # damaged bytes lead torch's reader into errors of any kind
        raise _unreadable(path, error) from error
    found = value.values() if isinstance(value, dict) else (value,)
    odd = [type(each).__name__ for each in found if not isinstance(each, Tensor)]
    if odd or not isinstance(value, dict):
        kind = odd[0] if odd else "one tensor"
        raise FormatError(f"expected tensors by name, found {kind}", where=path)
    return {str(name): tensor.detach() for name, tensor in value.items()}


def _what_it_calls(error: pickle.UnpicklingError) -> str:
    found = re.search(r"GLOBAL ([\w.]+)", str(error))
    return f" ({found[1]})" if found else ""


def _unreadable(path: Path, error: Exception) -> FormatError:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return FormatError(
        f"cannot be read ({lines[0]})",
        where=path,
        remedy="The file is damaged or cut short; fetch it again",
    )


def write_checkpoint(directory: Path, config: JSON, tensors: Mapping[str, Tensor]) -> None:
    """Write ``config.json`` and ``model.safetensors`` with exactly these tensors.

    A new directory appears when it is whole; in one that is there, each file does.
    """
    if directory.exists():
        _write_into(directory, config, tensors)
        return
    with atomic_directory(directory) as partial:
        _write_into(partial, config, tensors)


def _write_into(directory: Path, config: JSON, tensors: Mapping[str, Tensor]) -> None:
    write_tensors(directory / WEIGHTS_FILE, tensors)
    write_json(directory / CONFIG_FILE, config)


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write a safetensors file that appears when it is whole.

    Raises:
        ResourceError: the disk is full.
    """
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    whole: dict[str, Any] = {name: tensor.contiguous() for name, tensor in tensors.items()}
    try:
        with partial.open("wb") as stream:
            mode = os.fstat(stream.fileno()).st_mode  # safetensors' own files are the owner's only
        save_file(whole, partial, metadata={"format": "pt"})
        partial.chmod(mode)
        with partial.open("rb") as stream:
            os.fsync(stream.fileno())
        partial.replace(path)
    except SafetensorError as error:
        if not any(said in str(error) for said in _FULL):
            raise
        raise ResourceError(
            f"the disk is full ({sum(t.nbytes for t in whole.values()) / 2**30:.2f} GiB are to be "
            "written)",
            where=path,
            remedy="Free some space; a run goes on with --resume",
        ) from error
    finally:
        partial.unlink(missing_ok=True)


_FULL = ("No space left", "Disk quota exceeded", "File too large")
