"""One stage at work: the model and its optimiser in this process, one step at a time."""

from __future__ import annotations

import math
import resource
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from exonym.corpus import Corpus, MaskedBatch, PretrainingData, StepShare
from exonym.foundation.seeds import derive_seed
from exonym.modeling import EntityMaskedLM
from exonym.tokenization import EntityTokenizer
from exonym.training.engine import Engine, gradient_norm
from exonym.training.model import (
    PREFIX,
    Predicted,
    PretrainingModel,
    languages_of,
    tensors,
)
from exonym.training.optimizer import make_optimizer, set_rate
from exonym.training.recipe import OBJECTIVES, Objective, Recipe, Stage
from exonym.training.trouble import NotANumberError
from exonym.training.watching import Meter


@dataclass(frozen=True, slots=True)
class Setting:
    """What all stages of a run share.

    Args:
        corpus: what is learnt from.
        tokenizer: the corpus's.
        recipe: what is done.
        engine: this process's part in the run.
        bfloat16: whether products are taken in bfloat16.
    """

    corpus: Corpus
    tokenizer: EntityTokenizer
    recipe: Recipe
    engine: Engine
    bfloat16: bool

    @property
    def micro_batches(self) -> int:
        """Forward passes of a process in one step."""
        share = -(-self.recipe.batch_sequences // self.engine.world)
        return -(-share // min(self.recipe.sequences_at_once or share, share))


class StageRun:
    """One stage of a run in this process.

    Args:
        setting: of the run.
        index: number of the stage.
        model: the weights to begin with, the same in every process; trained in place unless
            it is sharded.
    """

    def __init__(self, setting: Setting, index: int, model: EntityMaskedLM) -> None:
        recipe, engine = setting.recipe, setting.engine
        self.setting, self.index = setting, index
        self.stage: Stage = recipe.stages[index]
        self.objectives = tuple(name for name in OBJECTIVES if name in self.stage.objectives)
        masking = recipe.masking
        self.data = PretrainingData(
            setting.corpus,
            setting.tokenizer,
            masking=replace(
                masking, with_entities=masking.with_entities and "entities" in self.objectives
            ),
            sampling=recipe.sampling,
            batch_sequences=recipe.batch_sequences,
            seed=recipe.seed,
            stage=self.stage.name,
            held_out=recipe.held_out_sequences,
        )
        module = PretrainingModel(model, bfloat16=setting.bfloat16)
        optimizer = make_optimizer(module, recipe, self.stage, prefix=PREFIX)
        self.module: nn.Module
        self.module, self.optimizer = engine.prepare(
            module, optimizer, uses_all=self.objectives == OBJECTIVES
        )
        self.meter = Meter(self.objectives, self.data.languages)

    @property
    def trained(self) -> list[nn.Parameter]:
        """The parameters that the stage moves, or this process's parts of them."""
        return [p for group in self.optimizer.param_groups for p in group["params"]]

    def share(self, step: int) -> StepShare:
        """This process's part of the batch of a step."""
        engine = self.setting.engine
        return self.data.share(
            step, rank=engine.rank, world=engine.world, parts=self.setting.micro_batches
        )

    def step(
        self, step: int, share: StepShare, stopped: Path | None, *, norm: bool
    ) -> float | None:
        """Do one optimiser step.

        Args:
            step: its number in the stage, from 0.
            share: this process's part of its batch.
            stopped: where a batch whose loss is not a number is saved; None saves none.
            norm: whether the norm of the gradients is wanted.

        Returns:
            The norm of the gradients before any clipping; None where it is not wanted.

        Raises:
            NotANumberError: the loss or the norm was infinite or not a number; nothing was learnt
                from this batch.
        """
        setting = self.setting
        self.module.train()
        set_rate(self.optimizer, self.stage.rate(step), setting.recipe, step)
        self.optimizer.zero_grad(set_to_none=True)
        targets = {"words": share.word_targets, "entities": share.entity_targets}
        # Of one target in the mean over the whole batch, wherever its other parts are.
        weights = {name: 1.0 / max(targets[name], 1) for name in self.objectives}
        total = torch.zeros((), device=setting.engine.device)
        for number, batch in enumerate(share.batches):
            # Dropout of a step depends on nothing before it, so a resumed run sees the same.
            torch.manual_seed(
                derive_seed(
                    setting.recipe.seed, "dropout", self.stage.name, step,
                    setting.engine.rank, number,
                )
            )  # fmt: skip
            last = number + 1 == len(share.batches)
            with setting.engine.adding_up(self.module, last=last):
                loss, predicted = self._predict(batch, weights)
                setting.engine.backward(loss)
            self._count(batch, predicted, self.meter)
            total += loss.detach()
        loss_of_batch = float(setting.engine.sum(total))
        if not math.isfinite(loss_of_batch):
            self._stop(step, share, float(total), f"the loss was {loss_of_batch}", stopped)
        size = self._clip(norm)
        if size is not None and not math.isfinite(size):
            self._stop(step, share, size, f"the norm of the gradients was {size}", stopped)
        self.optimizer.step()
        return size if norm else None

    def _clip(self, norm: bool) -> float | None:
        most = self.setting.recipe.max_gradient_norm
        if most is None and not norm:
            return None
        size = float(gradient_norm(self.trained))
        if most is not None and size > most and math.isfinite(size):
            gradients = [p.grad for p in self.trained if p.grad is not None]
            torch._foreach_mul_(gradients, most / size)
        return size

    def _predict(
        self, batch: MaskedBatch, weights: dict[Objective, float]
    ) -> tuple[Tensor, dict[Objective, Predicted]]:
        given = tensors(
            batch,
            self.objectives,
            self.setting.engine.device,
            bfloat16=self.setting.bfloat16,
        )
        outcome: tuple[Tensor, dict[Objective, Predicted]] = self.module(given, weights)
        return outcome

    def _count(
        self, batch: MaskedBatch, predicted: dict[Objective, Predicted], meter: Meter
    ) -> None:
        for name, of in predicted.items():
            languages = languages_of(batch, name)
            count = len(languages)  # behind them, padding
            meter.add(
                name, languages, of.nats[:count].cpu().numpy(), of.correct[:count].cpu().numpy()
            )

    def measure(self) -> dict[str, Any]:
        """Losses on the held-out sequences of every language, as `Meter.take` gives them.

        All processes must call it; each measures a part, and all get the whole.
        """
        engine, recipe = self.setting.engine, self.setting.recipe
        meter = Meter(self.objectives, self.data.languages)
        at_once = min(recipe.sequences_at_once or recipe.batch_sequences, recipe.batch_sequences)
        self.module.eval()
        weights = dict.fromkeys(self.objectives, 1.0)
        with torch.no_grad():
            for batch, counts in _dealt(self._held_out(at_once), engine.rank, engine.world):
                _, predicted = self._predict(batch, weights)
                if counts:
                    self._count(batch, predicted, meter)
        self.module.train()
        return meter.take(self.summed(meter))

    def _held_out(self, at_once: int) -> Iterable[MaskedBatch]:
        for language in self.data.languages:
            yield from self.data.held_out_batches(language, at_once)

    def summed(self, meter: Meter) -> np.ndarray[Any, np.dtype[np.float64]]:
        """A meter's sums over all processes."""
        state = torch.from_numpy(meter.state())
        return self.setting.engine.sum(state).cpu().numpy()

    def _stop(
        self, step: int, share: StepShare, own: float, what: str, stopped: Path | None
    ) -> None:
        where = None
        if stopped is not None and not math.isfinite(own):
            stopped.mkdir(parents=True, exist_ok=True)
            rank = self.setting.engine.rank
            where = stopped / f"{self.index:02d}-{step + 1:08d}-{rank}.npz"
            arrays = {
                f"{number}.{name}": getattr(batch, name)
                for number, batch in enumerate(share.batches)
                for name in type(batch).__slots__
            }
            np.savez_compressed(where, **arrays)
        kept = f"; the batch is kept in {where}" if where else ""
        raise NotANumberError(
            f"stage {self.stage.name!r}, step {step + 1}: {what}{kept}",
            remedy="The run stands where its last checkpoint is. Lower the learning rate, lengthen "
            "the warm-up or set max_gradient_norm, and begin anew or from that checkpoint's model "
            "(model.checkpoint)",
        )


def peak_memory_mib(device: torch.device) -> float:
    """Most memory that this process has had: of the GPU it computes on, or else resident."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def _dealt(
    batches: Iterable[MaskedBatch], rank: int, world: int
) -> Iterable[tuple[MaskedBatch, bool]]:
    """This process's batches, and whether each counts.

    Sharded processes must do equally many forward passes, so some do one over again.
    """
    mine: MaskedBatch | None = None
    number = -1
    for number, batch in enumerate(batches):
        if number % world == rank or mine is None:
            mine = batch
        if number % world == rank:
            yield batch, True
    if mine is not None and rank > number % world:
        yield mine, False
