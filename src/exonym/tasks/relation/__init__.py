"""Relations between two mentions of a text (LUKE, section 4.2; mLUKE, section 4)."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from exonym.tasks.relation.data import check_examples, read_examples
from exonym.tasks.relation.metrics import LanguageScores, Scores, score
from exonym.tasks.relation.records import Dataset, RelationExample, Span

if TYPE_CHECKING:
    from exonym.tasks.fine_tuned import FineTuned
    from exonym.tasks.relation.evaluating import evaluate, fine_tune, show_examples
    from exonym.tasks.relation.learning import Learner
    from exonym.tasks.relation.model import RelationModel
    from exonym.tasks.relation.predict import Place, Relation, RelationExtractor, load
    from exonym.tasks.relation.settings import RelationSettings

__all__ = [
    "Dataset",
    "FineTuned",
    "LanguageScores",
    "Learner",
    "Place",
    "Relation",
    "RelationExample",
    "RelationExtractor",
    "RelationModel",
    "RelationSettings",
    "Scores",
    "Span",
    "check_examples",
    "evaluate",
    "fine_tune",
    "load",
    "read_examples",
    "score",
    "show_examples",
]

# What needs torch is loaded when first used: files can be checked without it.
_MODULES = {
    "evaluating": ("FineTuned", "evaluate", "fine_tune", "show_examples"),
    "learning": ("Learner",),
    "model": ("RelationModel",),
    "predict": ("Place", "Relation", "RelationExtractor", "load"),
    "settings": ("RelationSettings",),
}
_LATER = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
