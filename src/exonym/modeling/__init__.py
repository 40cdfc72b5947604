"""The encoder over words and entities, its heads, and LUKE checkpoint directories."""

from exonym.modeling.config import EncoderConfig
from exonym.modeling.encoder import EncoderOutput, EntityEncoder
from exonym.modeling.heads import EntityMaskedLM

__all__ = [
    "EncoderConfig",
    "EncoderOutput",
    "EntityEncoder",
    "EntityMaskedLM",
]
