"""From words to running text."""

from __future__ import annotations

from collections.abc import Sequence

from exonym.tasks.ner.units import is_spaced_letter
from exonym.text.languages import language_of


def running_text(
    words: Sequence[str], language: str, text: str | None = None
) -> tuple[str, list[tuple[int, int]]]:
    """The text of a sentence's words, and the characters of each of them.

    Args:
        words: none is empty.
        language: says whether blanks stand between words.
        text: of the sentence, where it is known. It is taken where all words stand in it one
            after the other with nothing but blanks between; else words are joined.
    """
    if text is not None and (found := _found(words, text)):
        return text, found
    spaced = language_of(language).spaced
    parts: list[str] = []
    spans, place = [], 0
    for word in words:
        letters = parts and is_spaced_letter(parts[-1][-1]) and is_spaced_letter(word[0])
        if parts and (spaced or letters):
            parts.append(" ")
            place += 1
        parts.append(word)
        spans.append((place, place + len(word)))
        place += len(word)
    return "".join(parts), spans


def _found(words: Sequence[str], text: str) -> list[tuple[int, int]] | None:
    place, spans = 0, []
    for word in words:
        while place < len(text) and text[place].isspace() and not text.startswith(word, place):
            place += 1
        if not text.startswith(word, place):
            return None
        spans.append((place, place + len(word)))
        place += len(word)
    return None if text[place:].strip() else spans
