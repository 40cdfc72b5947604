"""Exonym: language models that know the same entity by every name."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Public names are loaded when first used, so that `import exonym` stays fast.
_PUBLIC = {
    "AnnotatedText": "exonym.text",
    "Mention": "exonym.text",
    "SplitText": "exonym.text",
    "KnowledgeBase": "exonym.knowledge",
    "EntityVocabulary": "exonym.knowledge",
    "EntityTokenizer": "exonym.tokenization",
    "EntityEncoder": "exonym.modeling",
    "EntityMaskedLM": "exonym.modeling",
    "EntityClassifier": "exonym.modeling",
    "EntityPairClassifier": "exonym.modeling",
    "EntitySpanClassifier": "exonym.modeling",
    "SequenceClassifier": "exonym.modeling",
    "TokenClassifier": "exonym.modeling",
    "QuestionAnswering": "exonym.modeling",
    "load_model": "exonym.modeling",
    "Linker": "exonym.linking",
    "ExonymError": "exonym.foundation.errors",
}

if TYPE_CHECKING:
    from exonym.foundation.errors import ExonymError
    from exonym.knowledge import EntityVocabulary, KnowledgeBase
    from exonym.linking import Linker
    from exonym.modeling import (
        EntityClassifier,
        EntityEncoder,
        EntityMaskedLM,
        EntityPairClassifier,
        EntitySpanClassifier,
        QuestionAnswering,
        SequenceClassifier,
        TokenClassifier,
        load_model,
    )
    from exonym.text import AnnotatedText, Mention, SplitText
    from exonym.tokenization import EntityTokenizer

__all__ = [
    "AnnotatedText",
    "EntityClassifier",
    "EntityEncoder",
    "EntityMaskedLM",
    "EntityPairClassifier",
    "EntitySpanClassifier",
    "EntityTokenizer",
    "EntityVocabulary",
    "ExonymError",
    "KnowledgeBase",
    "Linker",
    "Mention",
    "QuestionAnswering",
    "SequenceClassifier",
    "SplitText",
    "TokenClassifier",
    "__version__",
    "load_model",
]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'exonym' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
