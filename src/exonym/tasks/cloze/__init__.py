"""Fact cloze as in mLAMA (Kassner et al. 2021; mLUKE, section 5): "[X] is the capital of [Y]."."""

from exonym.tasks.cloze.data import Candidate, ClozeSet, Question, load_questions
from exonym.tasks.cloze.metrics import Scores, most_frequent_objects, score
from exonym.tasks.cloze.model import ClozeModel, load
from exonym.tasks.cloze.predict import Answer, Asking, answer

__all__ = [
    "Answer",
    "Asking",
    "Candidate",
    "ClozeModel",
    "ClozeSet",
    "Question",
    "Scores",
    "answer",
    "load",
    "load_questions",
    "most_frequent_objects",
    "score",
]
