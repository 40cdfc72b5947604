"""From annotated text to training data: shards, language sampling, masking."""

from exonym.corpus.build import CorpusOptions, build_corpus
from exonym.corpus.data import PretrainingData, StepShare
from exonym.corpus.export import export_text
from exonym.corpus.masking import MaskedBatch, Masking
from exonym.corpus.shards import Corpus, Sequences
from exonym.corpus.stream import LanguageSampling, PretrainingStream

__all__ = [
    "Corpus",
    "CorpusOptions",
    "LanguageSampling",
    "MaskedBatch",
    "Masking",
    "PretrainingData",
    "PretrainingStream",
    "Sequences",
    "StepShare",
    "build_corpus",
    "export_text",
]
