"""Masked language modelling (Devlin et al. 2019; mLUKE, section 3.1).

Input: `EntityMaskedLM`, its output, flat positions (masked words,) and piece ids (masked words,).
The softmax runs over all pieces, exactly, and streams them.
"""

from __future__ import annotations

from torch import Tensor

from exonym.modeling import EncoderOutput, EntityMaskedLM
from exonym.objectives.loss import Loss
from exonym.objectives.streamed import streamed_cross_entropy


def masked_language_modeling(
    model: EntityMaskedLM, output: EncoderOutput, positions: Tensor, targets: Tensor
) -> Loss:
    """Predict the original pieces at the masked positions of the flattened (batch · words)."""
    states = output.last_hidden_state.flatten(0, 1)[positions]
    tied = model.luke.embeddings.tied
    return streamed_cross_entropy(*model.word_features(states), targets, tied=tied)
