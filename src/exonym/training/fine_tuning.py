"""Fine-tuning: a few epochs of AdamW over a task's labelled examples; the best epoch is kept."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from exonym.foundation.errors import ConfigError, InputError
from exonym.foundation.machine import multiplies_bfloat16
from exonym.foundation.progress import Progress, stage
from exonym.foundation.seeds import derive_seed
from exonym.training.fine_tuning_batches import Numbers, epoch_batches, parts_of
from exonym.training.fine_tuning_learner import (
    Feature,
    FeatureT,
    History,
    Learner,
    LearnerLoss,
    Validation,
)
from exonym.training.fine_tuning_recipe import FineTuning
from exonym.training.fine_tuning_weights import AdamW, Weights
from exonym.training.recipe import Stage
from exonym.training.trouble import NotANumberError, clear_memory_errors

__all__ = [
    "Feature",
    "FeatureT",
    "FineTuning",
    "History",
    "Learner",
    "LearnerLoss",
    "Validation",
    "fine_tune",
]


def fine_tune(
    learner: Learner[FeatureT], recipe: FineTuning | None = None, *, progress: bool = True
) -> History:
    """Train a learner's model; it is left with the weights of its best validation.

    Where an accelerator is there, the model is on it meanwhile. On a CPU the same learner, recipe
    and number of threads give the same bits.

    Args:
        learner: of a task.
        recipe: how; None takes the defaults.
        progress: show how far it is, on standard error.

    Raises:
        InputError: there is no example.
        ConfigError: the recipe freezes everything.
        NotANumberError: a loss or a gradient was infinite or not a number; it names the examples.
        ResourceError: the machine ran out of memory.
    """
    recipe = recipe or FineTuning()
    if not len(learner.features):
        raise InputError("there is no example to train on")
    cuda = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
    with (
        clear_memory_errors(
            f"Lower pieces_at_once (it is {recipe.pieces_at_once:,}): it changes nothing but the "
            "memory a step needs"
        ),
        torch.random.fork_rng(devices=cuda),
        _on_device(learner.model) as device,
    ):
        run = _Run(learner, recipe, device)
        with run.weights, _shown(run, progress) as bar:
            return run.go(bar)


class _Run:
    """A fine-tuning at work."""

    def __init__(
        self, learner: Learner[FeatureT], recipe: FineTuning, device: torch.device
    ) -> None:
        self.learner: Learner[Any] = learner
        self.recipe, self.device = recipe, device
        self.lengths = np.asarray([one.length for one in learner.features], dtype=np.int64)
        self.per_epoch = -(-len(self.lengths) // recipe.batch_size)
        steps = self.per_epoch * recipe.epochs if recipe.steps is None else recipe.steps
        self.schedule = Stage(
            "fine-tuning", steps, recipe.learning_rate, int(steps * recipe.warmup_share)
        )
        self.bfloat16 = _is_bfloat16(recipe, device)
        self.weights = Weights(
            learner.model,
            AdamW((recipe.adam_beta1, recipe.adam_beta2), recipe.adam_epsilon, recipe.weight_decay),
            words=recipe.word_table,
            entities=recipe.entity_table,
        )
        self.validations: list[Validation] = []
        self.best = 0
        self.seconds = self.validation_seconds = 0.0

    def go(self, bar: Progress | None) -> History:
        """All steps; the model ends with the weights of the best validation."""
        total, every = self.schedule.steps, self.recipe.validate_steps or self.per_epoch
        since = tokens = examples = done = 0
        loss = 0.0
        self.learner.model.train()
        for done, batch in enumerate(self._batches(total), start=1):
            started = time.perf_counter()
            loss += self._step(done - 1, batch)
            self.seconds += time.perf_counter() - started
            since += 1
            examples += len(batch)
            tokens += int(self.lengths[batch].sum())
            if bar is not None:
                bar.note(self._note(loss / since, tokens))
                bar.advance()
            if done % every == 0 or done == total:
                self._validate(done, loss / since)
                since, loss = 0, 0.0
                if self._has_enough():
                    break
        if self.best < len(self.validations) - 1:
            self.weights.restore()
        self.learner.model.eval()
        return History(
            steps=done,
            examples=examples,
            validations=tuple(self.validations),
            best=self.best,
            seconds=self.seconds,
            validation_seconds=self.validation_seconds,
            tokens_per_second=tokens / max(self.seconds, 1e-9),
            precision="bfloat16" if self.bfloat16 else "float32",
            device=self.device.type,
        )

    def _batches(self, steps: int) -> Iterator[Numbers]:
        recipe = self.recipe
        for step in range(steps):
            epoch, place = divmod(step, self.per_epoch)
            if place == 0:
                batches = epoch_batches(
                    self.lengths,
                    recipe.batch_size,
                    seed=recipe.seed,
                    epoch=epoch,
                    bucket_batches=recipe.bucket_batches,
                )
            yield batches[place]

    def _step(self, step: int, batch: Numbers) -> float:
        """Do one step; returns its loss, nats per target."""
        recipe, features = self.recipe, self.learner.features
        parts = list(parts_of(batch, self.lengths, recipe.pieces_at_once))
        total, count = 0.0, 0
        for number, part in enumerate(parts):
            # Dropout of a step depends on nothing before it.
            torch.manual_seed(derive_seed(recipe.seed, "fine-tuning dropout", step, number))
            with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.bfloat16):
                loss = self.learner.loss([features[example] for example in part.tolist()])
            total += float(loss.total.detach())
            count += loss.count
            loss.total.backward()  # type: ignore[no-untyped-call]
        targets = max(count, 1)
        if not math.isfinite(total):
            self._stop(step, batch, f"the loss was {total / targets}")
        norm = self.weights.step(
            self.schedule.rate(step), scale=1 / targets, max_norm=recipe.max_gradient_norm
        )
        if not math.isfinite(norm):
            self._stop(step, batch, f"the norm of the gradients was {norm}")
        return total / targets

    def _stop(self, step: int, batch: Numbers, what: str) -> None:
        examples = ", ".join(str(example) for example in sorted(batch.tolist()))
        raise NotANumberError(
            f"step {step + 1} of {self.schedule.steps}: {what}; its training examples, counted "
            f"from 0: {examples}",
            remedy="Look at these examples, lower the learning rate, or set precision to float32",
        )

    def _validate(self, step: int, loss: float) -> None:
        learner, started = self.learner, time.perf_counter()
        learner.model.eval()
        with torch.no_grad():
            scores = dict(learner.validate())
        learner.model.train()
        self.validation_seconds += time.perf_counter() - started
        if scores and learner.main not in scores:
            raise ConfigError(f"the validation gives {', '.join(scores)}, and no {learner.main!r}")
        self.validations.append(Validation(step, step / self.per_epoch, loss, scores))
        latest = len(self.validations) - 1
        # Of equal ones the last counts: a model that has found nothing yet may still. Without a
        # validation set all are equal.
        if self._value(latest) >= self._value(self.best):
            self.best = latest
        if scores and self.best == latest and step < self.schedule.steps:
            self.weights.keep()

    def _value(self, index: int) -> float:
        value = self.validations[index].scores.get(self.learner.main, -math.inf)
        return -math.inf if math.isnan(value) else value

    def _has_enough(self) -> bool:
        patience = self.recipe.patience
        return patience is not None and len(self.validations) - 1 - self.best >= patience

    def _note(self, loss: float, tokens: int) -> str:
        note = f"loss {loss:.3f}, {tokens / max(self.seconds, 1e-9):,.0f} tokens/s"
        scores = self.validations[self.best].scores if self.validations else {}
        return note + "".join(
            f", {name} {scores[name]:.3f}" for name in scores if name == self.learner.main
        )


def _is_bfloat16(recipe: FineTuning, device: torch.device) -> bool:
    if recipe.precision != "auto":
        return recipe.precision == "bfloat16"
    return device.type == "cuda" or (device.type == "cpu" and multiplies_bfloat16())


@contextlib.contextmanager
def _on_device(model: nn.Module) -> Iterator[torch.device]:
    """The model on an accelerator, where there is one; then back where it was."""
    home = next(model.parameters()).device
    device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    device = device if device is not None and home.type == "cpu" else home
    model.to(device)
    try:
        yield device
    finally:
        model.to(home)


@contextlib.contextmanager
def _shown(run: _Run, wanted: bool) -> Iterator[Progress | None]:
    if not wanted:
        yield None
        return
    with stage("fine-tuning", total=run.schedule.steps, unit="steps") as bar:
        yield bar
