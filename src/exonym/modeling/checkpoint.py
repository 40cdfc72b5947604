"""Checkpoint directories in LUKE's layout: ``config.json`` and the tensors, read and checked."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from exonym.foundation.errors import ConfigError, FormatError, InputError
from exonym.foundation.files import JSON, read_json, write_json
from exonym.modeling.config import EncoderConfig

PREFIX = "luke."  # of the encoder's tensors in a checkpoint that has heads
CONFIG_FILE, WEIGHTS_FILE, OLD_WEIGHTS_FILE = (
    "config.json",
    "model.safetensors",
    "pytorch_model.bin",
)
# Tensors of the layout that are another tensor by definition, or that no computation here uses.
_TIED = ("lm_head.decoder.weight", "lm_head.decoder.bias", "entity_predictions.decoder.weight")
# The released mLUKE files hold the queries of entity-aware attention, which their configuration
# switches off.
_UNUSED = (
    "position_ids",
    "pooler.dense.weight",
    "pooler.dense.bias",
    *(f"self.{kind}_query.{end}" for kind in ("w2e", "e2w", "e2e") for end in ("weight", "bias")),
)


def write_checkpoint(directory: Path, config: JSON, tensors: Mapping[str, Tensor]) -> None:
    """Write ``config.json`` and ``model.safetensors``; makes the directory.

    LUKE's layout has a pooler, which no objective of pretraining trains; it is written as zeros.
    Tied output tables are not written twice.
    """
    directory.mkdir(parents=True, exist_ok=True)
    width = config["hidden_size"]
    prefix = PREFIX if any(name.startswith(PREFIX) for name in tensors) else ""
    pooler = {
        f"{prefix}pooler.dense.weight": torch.zeros(width, width),
        f"{prefix}pooler.dense.bias": torch.zeros(width),
    }
    whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
    save_file({**whole, **pooler}, directory / WEIGHTS_FILE, metadata={"format": "pt"})
    write_json(directory / CONFIG_FILE, config)


def read_shape(directory: Path, **changes: object) -> EncoderConfig:
    """The shape that a directory's ``config.json`` gives, some fields replaced.

    Raises:
        InputError: there is no checkpoint.
        FormatError: it is not a shape this encoder can have.
    """
    try:
        return EncoderConfig.from_json({**read_config(directory), **changes})
    except FormatError as error:
        raise FormatError(error.what, where=error.where or directory / CONFIG_FILE) from error
    except ConfigError as error:
        raise FormatError(error.what, where=directory / CONFIG_FILE) from error


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


def read_weights(directory: Path) -> dict[str, Tensor]:
    """All tensors of a checkpoint directory, by name.

    Raises:
        InputError: no weights file.
        FormatError: the file is damaged.
    """
    path = directory / WEIGHTS_FILE
    try:
        if path.is_file():
            return load_file(path)
        path = directory / OLD_WEIGHTS_FILE
        if path.is_file():
            return _tensors(torch.load(path, map_location="cpu", weights_only=True), path)
    except (SafetensorError, OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise FormatError(f"cannot be read ({error})", where=path) from error
    raise InputError(f"neither {WEIGHTS_FILE} nor {OLD_WEIGHTS_FILE} is here", where=directory)


def _tensors(value: object, path: Path) -> dict[str, Tensor]:
    if not isinstance(value, dict) or not all(isinstance(v, Tensor) for v in value.values()):
        raise FormatError(f"expected tensors by name, found {type(value).__name__}", where=path)
    return value


def load_exactly(model: nn.Module, weights: Mapping[str, Tensor], directory: Path) -> None:
    """Put tensors into a model; tied and unused ones are passed over.

    Raises:
        FormatError: a tensor is missing, unknown or of another shape; names the first.
    """
    own = model.state_dict()
    given = {
        name: tensor
        for name, tensor in weights.items()
        if name not in _TIED and not name.endswith(_UNUSED)
    }
    missing = sorted(own.keys() - given.keys())
    unknown = sorted(given.keys() - own.keys())
    if missing or unknown:
        names = missing or unknown
        what = "is missing" if missing else "is not known"
        raise FormatError(f"the tensor {names[0]!r} {what} ({len(names)} such)", where=directory)
    for name, tensor in given.items():
        if tensor.shape != own[name].shape:
            raise FormatError(
                f"the tensor {name!r} has shape {tuple(tensor.shape)}, "
                f"config.json says {tuple(own[name].shape)}",
                where=directory,
            )
    model.load_state_dict(given)
