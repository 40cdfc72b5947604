"""Named entities in texts (mLUKE, section 4.3): every span of words gets a type, or none."""

from exonym.tasks.fine_tuned import FineTuned
from exonym.tasks.ner.data import check_examples, read_examples
from exonym.tasks.ner.evaluating import evaluate, fine_tune, show_examples
from exonym.tasks.ner.learning import Learner
from exonym.tasks.ner.metrics import Counts, Scores, score
from exonym.tasks.ner.model import NerModel
from exonym.tasks.ner.predict import EntityRecognizer, NamedEntity, load
from exonym.tasks.ner.records import Dataset, Gold, NerExample
from exonym.tasks.ner.settings import NerSettings

__all__ = [
    "Counts",
    "Dataset",
    "EntityRecognizer",
    "FineTuned",
    "Gold",
    "Learner",
    "NamedEntity",
    "NerExample",
    "NerModel",
    "NerSettings",
    "Scores",
    "check_examples",
    "evaluate",
    "fine_tune",
    "load",
    "read_examples",
    "score",
    "show_examples",
]
