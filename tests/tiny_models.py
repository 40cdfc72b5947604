"""Shapes of models as small as tests bear."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exonym.modeling import EncoderConfig
from exonym.training import ModelShape

NO_DROPOUT: Mapping[str, Any] = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}

SHAPE = ModelShape(
    hidden_size=16,
    entity_emb_size=8,
    num_hidden_layers=1,
    num_attention_heads=2,
    intermediate_size=24,
    max_position_embeddings=28,
)
"""What recipes of the tests pretrain."""


def tiny_config(words: int, entities: int, **changes: Any) -> EncoderConfig:
    """Two layers, 16 numbers wide, for 58 pieces.

    Args:
        words: word ids.
        entities: entity rows.
        changes: other fields of `EncoderConfig`, or other values of those that stand here.
    """
    shape = {
        "vocab_size": words,
        "entity_vocab_size": entities,
        "hidden_size": 16,
        "entity_emb_size": 8,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 24,
        "max_position_embeddings": 60,
    }
    return EncoderConfig(**{**shape, **changes})
