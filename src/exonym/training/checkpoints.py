"""Checkpoints of a run: written atomically, kept by rule, for any number of processes.

CHECKPOINTS/SS-NNNNNNNN/model/                 a checkpoint directory with its tokenizer
CHECKPOINTS/SS-NNNNNNNN/optimizer.safetensors  AdamW's state by parameter name, whole tensors
CHECKPOINTS/SS-NNNNNNNN/state.json             the place in the recipe, sizes and digests of files
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from exonym.foundation.errors import FormatError, InputError
from exonym.foundation.files import JSON, atomic_directory, read_json, sha256, write_json
from exonym.modeling import EntityMaskedLM
from exonym.modeling.checkpoint import write_tensors
from exonym.tokenization import EntityTokenizer
from exonym.training.engine import Engine, part_of, whole
from exonym.training.model import PretrainingModel

MODEL, _OPTIMIZER, _STATE = "model", "optimizer.safetensors", "state.json"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """How far a run is: ``step`` steps of stage number ``stage`` are done."""

    stage: int = 0
    step: int = 0

    @property
    def name(self) -> str:
        """Of its checkpoint; names sort as places do."""
        return f"{self.stage:02d}-{self.step:08d}"


@dataclass(frozen=True, slots=True)
class Keeping:
    """Which checkpoints stay.

    Args:
        last: how many of the newest, while the run is going.
        every: checkpoints after a multiple of so many steps stay for good; None for none.
        best: the one with the lowest held-out loss of the last stage stays for good.
    """

    last: int
    every: int | None
    best: bool


class Checkpoints:
    """The checkpoints of one run.

    Args:
        path: the directory.
        tokenizer: written beside every model.
        keeping: which stay.
        last_stage: the stage that has a best one.
    """

    def __init__(
        self, path: Path, tokenizer: EntityTokenizer, keeping: Keeping, *, last_stage: int
    ) -> None:
        self.path, self.keeping = path, keeping
        self._tokenizer, self._last_stage = tokenizer, last_stage

    def save(
        self,
        place: Place,
        module: nn.Module,
        optimizer: torch.optim.Optimizer,
        engine: Engine,
        *,
        held_out: float | None,
    ) -> None:
        """Write a checkpoint, then delete those that no rule keeps. All processes must call it.

        Args:
            place: what is done.
            module: a `PretrainingModel`, as the engine has prepared it.
            optimizer: its optimiser.
            engine: brings sharded tensors together.
            held_out: the loss on held-out sequences at this place, where it was measured.
        """
        weights, moments = _gathered(module, optimizer, keep=engine.is_main)
        if engine.is_main:
            with atomic_directory(self.path / place.name, overwrite=True) as directory:
                model = _bare(module)
                model.save_pretrained(directory / MODEL, weights)
                self._tokenizer.save_pretrained(directory / MODEL)
                write_tensors(directory / _OPTIMIZER, moments)
                state = {"stage": place.stage, "step": place.step, "held_out": held_out}
                write_json(directory / _STATE, {**state, "files": _files(directory)})
            self._tidy(self.keeping.last)
        engine.wait()

    def finish(self) -> None:
        """Delete what is kept only for going on."""
        self._tidy(0)
        if self.path.is_dir() and not any(self.path.iterdir()):
            self.path.rmdir()

    def newest(self) -> Place | None:
        """The place of the newest checkpoint that is whole.

        Others are told of on standard error, and passed over.
        """
        for directory in sorted(self.path.glob("[0-9]*"), reverse=True):
            fault = _fault(directory)
            if fault is None:
                state = read_json(directory / _STATE)
                return Place(state["stage"], state["step"])
            print(f"{directory}: {fault}; the one before it is taken", file=sys.stderr)
        return None

    def model(self, place: Place) -> Path:
        """The model's directory in a checkpoint."""
        return self.path / place.name / MODEL

    def load_optimizer(
        self, place: Place, module: nn.Module, optimizer: torch.optim.Optimizer
    ) -> None:
        """Put the optimiser's state back, each process its part.

        Raises:
            FormatError: the file cannot be read, or is of other parameters.
        """
        path = self.path / place.name / _OPTIMIZER
        try:
            with safe_open(path, framework="pt") as file:
                keys: dict[str, list[str]] = {}
                for key in file.keys():  # noqa: SIM118 - not a dictionary
                    name, _, moment = key.rpartition(".")
                    keys.setdefault(name, []).append(moment)
                for name, parameter in _trained(module, optimizer):
                    optimizer.state[parameter] = {
                        moment: part_of(file.get_tensor(f"{name}.{moment}"), parameter)
                        for moment in keys.pop(name, [])
                    }
        except (OSError, SafetensorError) as error:
            raise FormatError(f"cannot be read ({error})", where=path) from error
        if keys:
            raise FormatError(f"is of other parameters, such as {min(keys)}", where=path)

    def _tidy(self, last: int) -> None:
        """Delete all but the newest ``last`` and those that a rule keeps."""
        directories = sorted(self.path.glob("[0-9]*"))
        states = {directory: _state(directory) for directory in directories}
        kept = set(directories[len(directories) - last :]) if last else set()
        every = self.keeping.every
        if every is not None:
            kept |= {d for d, state in states.items() if state and state["step"] % every == 0}
        if self.keeping.best:
            measured = [
                (state["held_out"], directory)
                for directory, state in states.items()
                if state
                and state["stage"] == self._last_stage
                and state.get("held_out") is not None
            ]
            kept |= {directory for _, directory in sorted(measured)[:1]}
        for directory in directories:
            if directory not in kept:
                shutil.rmtree(directory)


def _bare(module: nn.Module) -> EntityMaskedLM:
    """The model inside the engine's and our wrapping."""
    inner = cast(PretrainingModel, getattr(module, "module", module))
    return inner.model


def _trained(
    module: nn.Module, optimizer: torch.optim.Optimizer
) -> Iterator[tuple[str, nn.Parameter]]:
    """Names, as in a checkpoint, and parameters that the optimiser has."""
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    for name, parameter in _bare(module).named_parameters():
        if id(parameter) in held:
            yield name, parameter


def _gathered(
    module: nn.Module, optimizer: torch.optim.Optimizer, *, keep: bool
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Whole weights and moments on the CPU, where they are kept; elsewhere nothing.

    One tensor is brought together at a time, so no device holds more than that beside its part.
    """
    weights, moments = dict[str, Tensor](), dict[str, Tensor]()
    for name, tensor in _bare(module).state_dict().items():
        full = whole(tensor)
        if keep:
            weights[name] = full.cpu()
    for name, parameter in _trained(module, optimizer):
        for moment, tensor in optimizer.state[parameter].items():
            full = whole(tensor)
            if keep:
                moments[f"{name}.{moment}"] = full.cpu()
    return weights, moments


def _files(directory: Path) -> JSON:
    return {
        str(path.relative_to(directory)): {"bytes": path.stat().st_size, "sha256": sha256(path)}
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def _state(directory: Path) -> JSON | None:
    try:
        state = read_json(directory / _STATE)
    except InputError:  # missing, or cut
        return None
    return state if isinstance(state, dict) else None


def _fault(directory: Path) -> str | None:
    """What is wrong with a checkpoint; None when it is whole."""
    state = _state(directory)
    files: Mapping[str, JSON] | None = None if state is None else state.get("files")
    if not files:
        return "is not whole"
    for name, expected in files.items():
        path = directory / name
        if not path.is_file():
            return f"lacks {name}"
        if path.stat().st_size != expected["bytes"] or sha256(path) != expected["sha256"]:
            return f"{name} is damaged"
    return None
