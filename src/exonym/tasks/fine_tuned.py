"""`FineTuned`: what fine-tuning a task gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from exonym.training.fine_tuning import History

ModelT = TypeVar("ModelT")


@dataclass(frozen=True)
class FineTuned(Generic[ModelT]):
    """A model after training.

    Args:
        model: of the task, with the weights of its best validation.
        history: what happened.
        counts: of the training data: what was cut, left out or could not be learned, by reason.
    """

    model: ModelT
    history: History
    counts: Mapping[str, int]
