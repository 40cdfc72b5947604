"""`FineTuning`: everything that decides how a model is fine-tuned.

The defaults are those of the released configuration for mLUKE's named entity recognition
(github.com/studio-ousia/luke, examples/ner/configs/lib/base.libsonnet), but for ``entity_table``.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Literal, get_args

from exonym.foundation.errors import ConfigError
from exonym.foundation.files import JSON
from exonym.training.fine_tuning_weights import Tables

Precision = Literal["auto", "float32", "bfloat16"]


@dataclass(frozen=True, slots=True)
class FineTuning:
    """How a model is fine-tuned.

    Args:
        learning_rate: the peak; it is reached after the warm-up, and falls to zero in a line.
        batch_size: examples per optimiser step.
        epochs: passes over the examples.
        steps: optimiser steps; where given, ``epochs`` does not count.
        warmup_share: of the steps, in which the learning rate rises.
        weight_decay: of AdamW, not on biases and layer normalisation.
        adam_beta1: of AdamW.
        adam_beta2: of AdamW. mLUKE's configurations leave AdamW's constants as PyTorch has them;
            LUKE's older code has 0.98 here and 1e-6 for ``adam_epsilon``.
        adam_epsilon: of AdamW.
        max_gradient_norm: gradients with a larger norm are scaled down to it; None leaves them.
        patience: stop when so many validations in a row were worse than the best; None never.
        validate_steps: steps between two validations; None validates after every epoch.
        word_table: which rows of the table of word pieces train: ``"all"``, ``"seen"`` (those in a
            batch, when they are in it; cheap for large tables), or none: ``"frozen"``.
        entity_table: the same of the table of entities. ``"seen"`` trains [MASK] alone where a
            task's input has no other entity, as LUKE's code for NER and relations does.
        pieces_at_once: most pieces and entities in one forward pass, padding included; a larger
            batch is computed in parts. Without dropout that changes no more than the last bits.
        bucket_batches: so many batches are drawn together and sorted by length, so that examples
            of a batch have similar lengths; 1 takes examples as they are drawn.
        seed: decides order and dropout. New heads are drawn by who makes the model.
        precision: ``"float32"``; ``"bfloat16"`` for products under autocast; or ``"auto"``:
            bfloat16 on a GPU and on a processor that multiplies it.
    """

    learning_rate: float = 1e-5
    batch_size: int = 8
    epochs: int = 5
    steps: int | None = None
    warmup_share: float = 0.06
    weight_decay: float = 0.01
    adam_beta1: float = 0.9
    adam_beta2: float = 0.999
    adam_epsilon: float = 1e-8
    max_gradient_norm: float | None = 5.0
    patience: int | None = 3
    validate_steps: int | None = None
    word_table: Tables = "all"
    entity_table: Tables = "seen"
    pieces_at_once: int = 8192
    bucket_batches: int = 16
    seed: int = 0
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        for name in _AT_LEAST_ONE:
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name} must be at least 1, got {value}")
        for name in ("learning_rate", "adam_epsilon", "max_gradient_norm"):
            value = getattr(self, name)
            if value is not None and not (value > 0 and math.isfinite(value)):
                raise ConfigError(f"{name} must be above 0, got {value}")
        for name in ("warmup_share", "adam_beta1", "adam_beta2"):
            value = getattr(self, name)
            if not 0 <= value < 1:
                raise ConfigError(f"{name} must be at least 0 and below 1, got {value}")
        if not self.weight_decay >= 0:
            raise ConfigError(f"weight_decay must be at least 0, got {self.weight_decay}")
        for name, known in _ONE_OF.items():
            value = getattr(self, name)
            if value not in known:
                raise ConfigError(f"{name} must be one of {', '.join(known)}, got {value!r}")

    def to_json(self) -> JSON:
        """All fields as plain values."""
        return asdict(self)


_AT_LEAST_ONE = (
    "batch_size", "epochs", "steps", "patience", "validate_steps", "pieces_at_once",
    "bucket_batches",
)  # fmt: skip
_ONE_OF = {
    "word_table": get_args(Tables),
    "entity_table": get_args(Tables),
    "precision": get_args(Precision),
}
