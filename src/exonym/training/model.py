"""`PretrainingModel`: all that a step computes, in one module, for DDP and FSDP to wrap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from exonym.corpus import MaskedBatch
from exonym.modeling import EntityMaskedLM
from exonym.modeling.embeddings import TiedGradient
from exonym.objectives import IGNORED, masked_entity_prediction, masked_language_modeling
from exonym.training.recipe import Objective

PREFIX = "model."
"""What the names of `EntityMaskedLM` begin with in `PretrainingModel`."""

_BFLOAT16_TARGETS = 64
"""In bfloat16 on a CPU, a product of every new size leaves a compiled kernel behind in memory
(oneDNN), so numbers of targets are rounded up to a multiple of this."""


class Predicted(NamedTuple):
    """What became of the targets of one objective; detached.

    Args:
        nats: (targets,) the loss of each.
        correct: (targets,) whether it had the highest logit.
    """

    nats: Tensor
    correct: Tensor


class PretrainingModel(nn.Module):
    """The model with its objectives.

    Args:
        model: what is trained.
        bfloat16: whether products are taken in bfloat16.
    """

    def __init__(self, model: EntityMaskedLM, *, bfloat16: bool) -> None:
        super().__init__()
        self.model, self.in_bfloat16 = model, bfloat16

    def forward(
        self, batch: Mapping[str, Tensor], weights: Mapping[Objective, float]
    ) -> tuple[Tensor, dict[Objective, Predicted]]:
        """Encode a batch and predict what is masked in it.

        Args:
            batch: as `tensors` gives it.
            weights: the objectives to take, each with the weight of one target in the loss.

        Returns:
            The loss: over the objectives, the sum of weight times nats. And what became of the
            targets, by objective.
        """
        inputs = {name: batch[name] for name in _INPUTS if name in batch}
        loss: Tensor | None = None
        predicted: dict[Objective, Predicted] = {}
        with torch.autocast(
            batch["input_ids"].device.type, dtype=torch.bfloat16, enabled=self.in_bfloat16
        ):
            # The losses give the tables dense gradients, which the look-ups only add to. On GPUs
            # such additions would come in any order.
            on_cpu = batch["input_ids"].device.type == "cpu"
            luke = self.model.luke
            luke.embeddings.tied = TiedGradient() if on_cpu and "words" in weights else None
            luke.entity_embeddings.tied = (
                TiedGradient() if on_cpu and "entities" in weights else None
            )
            output = self.model(**inputs)
            for name, weight in weights.items():
                of = _OBJECTIVES[name](
                    self.model, output, batch[f"{name}_positions"], batch[f"{name}_targets"]
                )
                loss = of.total * weight if loss is None else loss + of.total * weight
                predicted[name] = Predicted(of.nats, of.correct)
        assert loss is not None, "no objective"
        return loss, predicted


_INPUTS = (
    "input_ids",
    "attention_mask",
    "entity_ids",
    "entity_attention_mask",
    "entity_position_ids",
)
_OBJECTIVES: dict[Objective, Any] = {
    "words": masked_language_modeling,
    "entities": masked_entity_prediction,
}


def tensors(
    batch: MaskedBatch,
    objectives: Sequence[Objective],
    device: torch.device,
    *,
    bfloat16: bool = False,
) -> dict[str, Tensor]:
    """A masked batch as the arguments of `PretrainingModel`.

    Entities are left out where a batch has no column for them.

    Args:
        batch: of this process.
        objectives: whose targets are given.
        device: where to.
        bfloat16: whether products are taken in bfloat16.
    """
    multiple = _BFLOAT16_TARGETS if bfloat16 and device.type == "cpu" else 1
    arrays: dict[str, Any] = {
        "input_ids": batch.input_ids,
        "attention_mask": batch.attention_mask,
    }
    if batch.entity_ids.shape[1]:
        arrays |= {
            "entity_ids": batch.entity_ids,
            "entity_attention_mask": batch.entity_attention_mask,
            "entity_position_ids": batch.entity_position_ids,
        }
    for name in objectives:
        positions, targets = targets_of(batch, name)
        missing = -len(positions) % multiple
        arrays[f"{name}_positions"] = np.pad(positions, (0, missing))
        arrays[f"{name}_targets"] = np.pad(
            targets.astype(np.int64), (0, missing), constant_values=IGNORED
        )
    return {
        name: torch.from_numpy(array).to(device, non_blocking=True)
        for name, array in arrays.items()
    }


def targets_of(batch: MaskedBatch, objective: Objective) -> tuple[Any, Any]:
    """(targets,) flat places and (targets,) ids of an objective."""
    if objective == "words":
        return batch.word_positions, batch.word_targets
    return batch.entity_positions, batch.entity_targets


def languages_of(batch: MaskedBatch, objective: Objective) -> Any:
    """(targets,) the language of each target's sequence, as an index."""
    positions, _ = targets_of(batch, objective)
    grid = batch.input_ids if objective == "words" else batch.entity_ids
    return batch.languages[positions // max(grid.shape[1], 1)]
