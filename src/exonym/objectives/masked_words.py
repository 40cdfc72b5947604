"""Masked language modelling (Devlin et al. 2019; mLUKE, section 3.1).

Input: `EntityMaskedLM`, its output, flat positions (masked words,) and piece ids (masked words,).
"""

from __future__ import annotations

from torch import Tensor

from exonym.modeling import EncoderOutput, EntityMaskedLM
from exonym.objectives.loss import Loss, cross_entropy


def masked_language_modeling(
    model: EntityMaskedLM, output: EncoderOutput, positions: Tensor, targets: Tensor
) -> Loss:
    """Predict the original pieces at the masked positions of the flattened (batch · words)."""
    states = output.last_hidden_state.flatten(0, 1)[positions]
    return cross_entropy(model.word_logits(states), targets)
