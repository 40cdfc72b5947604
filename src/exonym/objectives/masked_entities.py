"""Masked entity prediction (LUKE, section 3.2; mLUKE, section 3.1).

Input: `EntityMaskedLM`, its output, flat positions (masked entities,) and rows (masked entities,).
The softmax runs over the whole entity vocabulary, exactly, and streams it.
"""

from __future__ import annotations

from torch import Tensor

from exonym.modeling import EncoderOutput, EntityMaskedLM
from exonym.objectives.loss import Loss
from exonym.objectives.streamed import streamed_cross_entropy


def masked_entity_prediction(
    model: EntityMaskedLM, output: EncoderOutput, positions: Tensor, targets: Tensor
) -> Loss:
    """Predict the original rows at the masked places of the flattened (batch · entities).

    Raises:
        ValueError: the output is of a batch without entities.
    """
    if output.entity_last_hidden_state is None:
        raise ValueError("masked entity prediction needs a batch with entities")
    states = output.entity_last_hidden_state.flatten(0, 1)[positions]
    tied = model.luke.entity_embeddings.tied
    return streamed_cross_entropy(*model.entity_features(states), targets, tied=tied)
