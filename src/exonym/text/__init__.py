"""Text and spans: `AnnotatedText`, `Mention`, sentences, languages. Knows nothing else."""

from exonym.text.annotated import AnnotatedText, Mention, read_annotated, write_annotated
from exonym.text.languages import MLUKE_LANGUAGES, Language, language_of

__all__ = [
    "MLUKE_LANGUAGES",
    "AnnotatedText",
    "Language",
    "Mention",
    "language_of",
    "read_annotated",
    "write_annotated",
]
