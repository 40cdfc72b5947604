"""What fine-tuning asks of a task, `Learner`, and what it tells of itself, `History`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from torch import Tensor, nn

from exonym.foundation.files import JSON


class Feature(Protocol):
    """One example as a model takes it."""

    @property
    def length(self) -> int:
        """Pieces and entities together."""


FeatureT = TypeVar("FeatureT", bound=Feature)


@dataclass(frozen=True, slots=True)
class LearnerLoss:
    """The loss of some examples.

    Args:
        total: scalar, with gradient: nats summed over the targets.
        count: how many targets there were. The loss of a step is the sum of its totals divided by
            the sum of its counts.
    """

    total: Tensor
    count: int


class Learner(Protocol[FeatureT]):
    """A task's model with what it learns from, and how it is measured."""

    @property
    def model(self) -> nn.Module:
        """It is trained in place. Batches belong on the device that its parameters are on."""

    @property
    def features(self) -> Sequence[FeatureT]:
        """Of the training examples."""

    @property
    def main(self) -> str:
        """The name of the score that decides; larger is better."""

    def loss(self, features: Sequence[FeatureT]) -> LearnerLoss:
        """The loss of some of the features.

        The model is in training mode, products perhaps under autocast; take the logits to float32
        before the cross-entropy.
        """

    def validate(self) -> Mapping[str, float]:
        """Scores on the validation set, `main` among them; empty where there is no such set.

        The model is in evaluation mode, without gradients and without autocast.
        """

    def save(self, directory: Path) -> None:
        """Write model and tokenizer into a directory, for the task's ``load``."""


@dataclass(frozen=True, slots=True)
class Validation:
    """A look at the validation set.

    Args:
        step: how many steps were done.
        epoch: how many epochs that is.
        loss: nats per target, the mean over the steps since the last look, with dropout.
        scores: of the validation set, by name; empty where there is none.
    """

    step: int
    epoch: float
    loss: float
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class History:
    """What happened in fine-tuning.

    Args:
        steps: optimiser steps done.
        examples: trained on.
        validations: in order.
        best: index of the one whose weights the model has.
        seconds: of training, validations left out.
        validation_seconds: of validations.
        tokens_per_second: pieces and entities trained on in a second of training.
        precision: of products.
        device: where.
    """

    steps: int
    examples: int
    validations: tuple[Validation, ...]
    best: int
    seconds: float
    validation_seconds: float
    tokens_per_second: float
    precision: str
    device: str

    @property
    def losses(self) -> tuple[float, ...]:
        """Training loss before each validation."""
        return tuple(one.loss for one in self.validations)

    @property
    def best_epoch(self) -> float:
        """The epoch of the weights that were kept."""
        return self.validations[self.best].epoch

    @property
    def scores(self) -> Mapping[str, float]:
        """Validation scores of the weights that were kept."""
        return self.validations[self.best].scores

    def to_json(self) -> JSON:
        """All fields as plain values, and ``best_epoch``."""
        return {**asdict(self), "best_epoch": self.best_epoch}
