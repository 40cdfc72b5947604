"""The encoder over words and entities, its heads, and LUKE checkpoint directories."""

from exonym.modeling.classifiers import (
    AnswerOutput,
    ClassifierOutput,
    EntityClassifier,
    EntityPairClassifier,
    EntitySpanClassifier,
    QuestionAnswering,
    SequenceClassifier,
    TokenClassifier,
    load_model,
)
from exonym.modeling.config import EncoderConfig
from exonym.modeling.encoder import EncoderOutput, EntityEncoder
from exonym.modeling.heads import EntityMaskedLM
from exonym.modeling.loading import LoadReport
from exonym.modeling.pretrained import Pretrained

__all__ = [
    "AnswerOutput",
    "ClassifierOutput",
    "EncoderConfig",
    "EncoderOutput",
    "EntityClassifier",
    "EntityEncoder",
    "EntityMaskedLM",
    "EntityPairClassifier",
    "EntitySpanClassifier",
    "LoadReport",
    "Pretrained",
    "QuestionAnswering",
    "SequenceClassifier",
    "TokenClassifier",
    "load_model",
]
