"""Golden checkpoints, and ways to change a copy of one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

GOLDEN = Path(__file__).parent / "golden"
LUKE, XLMR = GOLDEN / "luke", GOLDEN / "xlmr"
INPUTS = (
    "input_ids",
    "attention_mask",
    "entity_ids",
    "entity_attention_mask",
    "entity_position_ids",
)


def expected(directory: Path, name: str = "expected") -> dict[str, Tensor]:
    """The oracle's inputs and outputs."""
    with np.load(directory / f"{name}.npz") as file:
        return {key: torch.from_numpy(file[key]) for key in file.files}


def inputs(golden: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: golden[name] for name in INPUTS}


def spans(golden: Mapping[str, Tensor]) -> dict[str, Tensor]:
    positions = golden["entity_position_ids"]
    return {
        "entity_start_positions": positions[..., 0].clamp(min=0),
        "entity_end_positions": positions.amax(dim=-1).clamp(min=0),
    }


def close(ours: Tensor | None, theirs: Tensor, mask: Tensor, tolerance: float = 1e-5) -> bool:
    """Whether two tensors agree on the places of a mask, which are not none."""
    assert ours is not None
    assert mask.any()
    return torch.allclose(ours[mask.bool()], theirs[mask.bool()], rtol=0, atol=tolerance)


def copy_of(name: str, to: Path) -> Path:
    return Path(shutil.copytree(GOLDEN / name, to / name))


def tensors_of(directory: Path) -> dict[str, Tensor]:
    return dict(load_file(directory / "model.safetensors"))


def change_tensors(directory: Path, **tensors: Tensor | None) -> None:
    """Add or replace tensors (names with ``__`` for dots); None takes one away."""
    whole = tensors_of(directory)
    for key, tensor in tensors.items():
        name = key.replace("__", ".")
        whole.pop(name, None)
        if tensor is not None:
            whole[name] = tensor
    save_file(whole, directory / "model.safetensors", metadata={"format": "pt"})


def config_of(directory: Path) -> dict[str, Any]:
    return dict(json.loads((directory / "config.json").read_bytes()))


def change_config(directory: Path, **values: object) -> None:
    """Set fields of config.json; None takes one away."""
    config = {**config_of(directory), **values}
    kept = {name: value for name, value in config.items() if value is not None}
    (directory / "config.json").write_text(json.dumps(kept))


def as_old_file(directory: Path, **tensors: Tensor) -> Path:
    """Turn a checkpoint into a pytorch_model.bin, with further tensors."""
    path = directory / "pytorch_model.bin"
    whole = tensors_of(directory)
    whole.update({name.replace("__", "."): tensor for name, tensor in tensors.items()})
    torch.save(whole, path)
    (directory / "model.safetensors").unlink()
    return path


def as_shards(directory: Path, kind: str = "safetensors") -> list[Path]:
    """Turn a checkpoint into two shards with an index."""
    whole = tensors_of(directory)
    (directory / "model.safetensors").unlink()
    stem = "model" if kind == "safetensors" else "pytorch_model"
    files = [f"{stem}-0000{part}-of-00002.{kind}" for part in (1, 2)]
    places = {name: files[number % 2] for number, name in enumerate(whole)}
    for file in files:
        shard = {name: whole[name] for name in places if places[name] == file}
        if kind == "safetensors":
            save_file(shard, directory / file, metadata={"format": "pt"})
        else:
            torch.save(shard, directory / file)
    index = {"metadata": {"total_size": 1}, "weight_map": places}
    (directory / f"{stem}.{kind}.index.json").write_text(json.dumps(index))
    return [directory / file for file in files]
