"""Checkpoint directories: LUKE's layout, and starting from an XLM-R directory."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from exonym.foundation.errors import FormatError, InputError
from exonym.foundation.files import JSON, read_json, write_json
from exonym.modeling.config import EncoderConfig
from exonym.modeling.heads import EntityMaskedLM

CONFIG_FILE, WEIGHTS_FILE, OLD_WEIGHTS_FILE = (
    "config.json",
    "model.safetensors",
    "pytorch_model.bin",
)
# Tensors of the layout that are another tensor by definition, or that no computation here uses.
_TIED = ("lm_head.decoder.weight", "lm_head.decoder.bias", "entity_predictions.decoder.weight")
# The released mLUKE files hold the queries of entity-aware attention, which their configuration
# switches off.
_POOLER = ("luke.pooler.dense.weight", "luke.pooler.dense.bias")
_UNUSED = (
    "position_ids",
    "pooler.dense.weight",
    "pooler.dense.bias",
    *(f"self.{kind}_query.{end}" for kind in ("w2e", "e2w", "e2e") for end in ("weight", "bias")),
)


def save_model(model: EntityMaskedLM, directory: Path) -> None:
    """Write ``config.json`` and ``model.safetensors`` into an existing directory.

    Tied output tables are not written twice. LUKE's layout has a pooler, which no objective of
    pretraining trains; it is written as zeros.
    """
    tensors = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    width = model.config.hidden_size
    tensors |= dict(zip(_POOLER, (torch.zeros(width, width), torch.zeros(width)), strict=True))
    save_file(tensors, directory / WEIGHTS_FILE, metadata={"format": "pt"})
    write_json(directory / CONFIG_FILE, model.config.to_json())


def load_model(directory: str | Path) -> EntityMaskedLM:
    """Read a LUKE checkpoint directory.

    Raises:
        InputError: there is no checkpoint.
        FormatError: its tensors do not fit its configuration; the message names the first.
    """
    directory = Path(directory)
    config = _read_config(directory)
    try:
        shape = EncoderConfig.from_json(config)
    except InputError as error:
        raise FormatError(error.what, where=directory / CONFIG_FILE) from error
    model = EntityMaskedLM(shape)
    load_weights(model, directory)
    return model


def load_weights(model: EntityMaskedLM, directory: Path) -> None:
    """Put a checkpoint directory's tensors into a model.

    Raises:
        InputError: no weights file.
        FormatError: a tensor is missing, unknown or of another shape.
    """
    _load_exactly(model, read_weights(directory), directory)


def from_backbone(
    directory: str | Path,
    *,
    entity_vocab_size: int,
    entity_emb_size: int = 256,
    entity_position_init: str = "random",
    entity_position_pooling: str = "mean",
) -> EntityMaskedLM:
    """A new model whose words come from an XLM-R (or LUKE) checkpoint, its entities new.

    Args:
        directory: with ``config.json`` and ``model.safetensors`` or ``pytorch_model.bin``, its
            word head included.
        entity_vocab_size: rows of the new entity table.
        entity_emb_size: its width.
        entity_position_init: ``"random"``, or ``"words"`` to copy the word positions.
        entity_position_pooling: ``"mean"`` or ``"sum"``.

    Raises:
        InputError: there is no checkpoint.
        FormatError: it is no XLM-R or LUKE, or a word tensor is missing.
    """
    directory = Path(directory)
    config = _read_config(directory)
    if config.get("model_type") not in ("xlm-roberta", "roberta", "luke"):
        raise FormatError(
            f"expected an XLM-R checkpoint, found model_type {config.get('model_type')!r}",
            where=directory / CONFIG_FILE,
        )
    shape = {
        **config,
        "model_type": "luke",
        "entity_vocab_size": entity_vocab_size,
        "entity_emb_size": entity_emb_size,
        "entity_position_pooling": entity_position_pooling,
    }
    try:
        model = EntityMaskedLM(EncoderConfig.from_json(shape))
    except InputError as error:
        raise FormatError(error.what, where=directory / CONFIG_FILE) from error
    weights = {
        "luke." + name.removeprefix("roberta.") if name.startswith("roberta.") else name: tensor
        for name, tensor in read_weights(directory).items()
    }
    own = {name: tensor for name, tensor in model.state_dict().items() if model.is_new(name)}
    words = {name: tensor for name, tensor in weights.items() if not model.is_new(name)}
    _load_exactly(model, {**words, **own}, directory)
    if entity_position_init == "words":
        copy_positions(model)
    return model


def copy_positions(model: EntityMaskedLM) -> None:
    """Start the entity position table from the word positions.

    Entities count the input's pieces from 0, words from ``pad_token_id + 1``.
    """
    shift = model.config.pad_token_id + 1
    source = model.luke.embeddings.position_embeddings.weight
    target = model.luke.entity_embeddings.position_embeddings.weight
    with torch.no_grad():
        target[: len(target) - shift] = source[shift:]


def _read_config(directory: Path) -> JSON:
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


def _load_exactly(model: EntityMaskedLM, weights: dict[str, Tensor], directory: Path) -> None:
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
