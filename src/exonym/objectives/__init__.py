"""Losses. Each takes the model, its output and the targets, and returns a `Loss`."""

from exonym.objectives.loss import IGNORED, Loss
from exonym.objectives.masked_entities import masked_entity_prediction
from exonym.objectives.masked_words import masked_language_modeling
from exonym.objectives.streamed import streamed_cross_entropy

__all__ = [
    "IGNORED",
    "Loss",
    "masked_entity_prediction",
    "masked_language_modeling",
    "streamed_cross_entropy",
]
