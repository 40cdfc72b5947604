"""What is known of entities: `KnowledgeBase`, its builder, `EntityVocabulary`. Knows no models."""

from exonym.knowledge.base import KnowledgeBase
from exonym.knowledge.building import build_knowledge_base
from exonym.knowledge.joined_vocabulary import JoinedVocabulary
from exonym.knowledge.records import Candidate, Entity, Name, NameKind, Triple
from exonym.knowledge.vocabulary import EntityVocabulary, VocabularyRow
from exonym.knowledge.vocabulary_extension import NewEntities

__all__ = [
    "Candidate",
    "Entity",
    "EntityVocabulary",
    "JoinedVocabulary",
    "KnowledgeBase",
    "Name",
    "NameKind",
    "NewEntities",
    "Triple",
    "VocabularyRow",
    "build_knowledge_base",
]
