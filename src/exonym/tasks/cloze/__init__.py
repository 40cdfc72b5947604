"""Fact cloze as in mLAMA (Kassner et al. 2021; mLUKE, section 5): "[X] is the capital of [Y]."."""

from exonym.tasks.cloze.coverage import Coverage, coverage, in_vocabulary
from exonym.tasks.cloze.data import check_questions, load_questions
from exonym.tasks.cloze.metrics import Scores, most_frequent_objects, score
from exonym.tasks.cloze.model import ClozeModel, load
from exonym.tasks.cloze.predict import Answer, Asking, answer
from exonym.tasks.cloze.records import Candidate, ClozeSet, Question
from exonym.tasks.cloze.showing import show_questions

__all__ = [
    "Answer",
    "Asking",
    "Candidate",
    "ClozeModel",
    "ClozeSet",
    "Coverage",
    "Question",
    "Scores",
    "answer",
    "check_questions",
    "coverage",
    "in_vocabulary",
    "load",
    "load_questions",
    "most_frequent_objects",
    "score",
    "show_questions",
]
