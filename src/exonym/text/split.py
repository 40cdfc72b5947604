"""`SplitText`: a text that comes as words, as treebanks and NER corpora hold it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from exonym.foundation.errors import InputError
from exonym.text.annotated import AnnotatedText, Mention
from exonym.text.languages import language_of


@dataclass(frozen=True, slots=True)
class SplitText:
    """Words of one language and the entities they mention.

    Args:
        words: the words in order; none is empty.
        language: Wikipedia's language code.
        mentions: spans of words: ``start`` and ``end`` count words, not characters.
        separator: what stands between two words; None for a blank, or nothing in languages
            whose words are not spaced (Chinese, Japanese, Thai).
        source: where the words came from.
    """

    words: tuple[str, ...]
    language: str
    mentions: tuple[Mention, ...] = ()
    separator: str | None = None
    source: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.words, str):
            raise InputError(f"a SplitText takes words, got the text {self.words[:40]!r}")
        object.__setattr__(self, "words", tuple(self.words))
        for place, word in enumerate(self.words):
            if not word:
                raise InputError(f"word {place} is empty", where=self.source)
        for mention in self.mentions:
            if mention.end > len(self.words):
                raise InputError(
                    f"mention [{mention.start}, {mention.end}) ends after the last of "
                    f"{len(self.words)} words",
                    where=self.source,
                )

    def spans(self) -> list[tuple[int, int]]:
        """The characters [start, end) of each word in the joined text."""
        gap, place, found = len(self._separator()), 0, []
        for word in self.words:
            found.append((place, place + len(word)))
            place += len(word) + gap
        return found

    def joined(self) -> AnnotatedText:
        """The words as running text, mentions counted in its characters."""
        spans = self.spans()
        mentions = tuple(
            replace(mention, start=spans[mention.start][0], end=spans[mention.end - 1][1])
            for mention in self.mentions
        )
        text = self._separator().join(self.words)
        return AnnotatedText(text, self.language, mentions, self.source)

    def _separator(self) -> str:
        if self.separator is not None:
            return self.separator
        return " " if language_of(self.language).spaced else ""
