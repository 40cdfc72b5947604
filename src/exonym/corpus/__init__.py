"""From annotated text to training data: shards, language sampling, masking."""

from exonym.corpus.build import CorpusOptions, build_corpus
from exonym.corpus.export import export_text
from exonym.corpus.masking import MaskedBatch, Masking, mask_batch
from exonym.corpus.shards import Corpus, Sequences
from exonym.corpus.stream import LanguageSampling, PretrainingStream

__all__ = [
    "Corpus",
    "CorpusOptions",
    "LanguageSampling",
    "MaskedBatch",
    "Masking",
    "PretrainingStream",
    "Sequences",
    "build_corpus",
    "export_text",
    "mask_batch",
]
