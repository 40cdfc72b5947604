"""Text and spans: `AnnotatedText`, `Mention`, sentences, languages. Knows nothing else."""

from exonym.text.annotated import AnnotatedText, Mention, read_annotated, write_annotated
from exonym.text.languages import MLUKE_LANGUAGES, Language, language_of
from exonym.text.sentences import sentence_spans, split_sentences
from exonym.text.split import SplitText

__all__ = [
    "MLUKE_LANGUAGES",
    "AnnotatedText",
    "Language",
    "Mention",
    "SplitText",
    "language_of",
    "read_annotated",
    "sentence_spans",
    "split_sentences",
    "write_annotated",
]
