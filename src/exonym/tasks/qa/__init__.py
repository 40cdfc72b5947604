"""Answering questions from a passage (mLUKE, section 3): reading, annotation, model, measures."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from exonym.tasks.qa.data import Dataset, check_examples, read_examples, read_questions
from exonym.tasks.qa.metrics import Scores, joined, score
from exonym.tasks.qa.records import GoldAnswer, QuestionExample

if TYPE_CHECKING:
    from exonym.tasks.fine_tuned import FineTuned
    from exonym.tasks.qa.evaluating import (
        evaluate,
        fine_tune,
        rule_of_file,
        show_examples,
        write_official,
    )
    from exonym.tasks.qa.learning import Learner
    from exonym.tasks.qa.model import AnswerModel
    from exonym.tasks.qa.predict import Answer, Answerer, Prediction, load
    from exonym.tasks.qa.settings import QaSettings

__all__ = [
    "Answer",
    "AnswerModel",
    "Answerer",
    "Dataset",
    "FineTuned",
    "GoldAnswer",
    "Learner",
    "Prediction",
    "QaSettings",
    "QuestionExample",
    "Scores",
    "check_examples",
    "evaluate",
    "fine_tune",
    "joined",
    "load",
    "read_examples",
    "read_questions",
    "rule_of_file",
    "score",
    "show_examples",
    "write_official",
]

# What needs torch is loaded when first used: files can be checked without it.
_MODULES = {
    "evaluating": (
        "FineTuned",
        "evaluate",
        "fine_tune",
        "rule_of_file",
        "show_examples",
        "write_official",
    ),
    "learning": ("Learner",),
    "model": ("AnswerModel",),
    "predict": ("Answer", "Answerer", "Prediction", "load"),
    "settings": ("QaSettings",),
}
_LATER = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
