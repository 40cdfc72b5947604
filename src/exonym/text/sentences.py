"""Sentence splitting in every language of Wikipedia, lossless, never inside a mention.

The rules and abbreviation lists are those of `sentencex`; it knows the languages of mLUKE and
falls back, by itself, along its own chain to English and general rules for any other code.
Thai does not mark the ends of sentences: a blank stands between clauses. There a text is cut at
blanks so that pieces come to about `THAI_SENTENCE` characters.
"""

from __future__ import annotations

import re
from bisect import bisect_left

from exonym.text.annotated import AnnotatedText

THAI_SENTENCE = 120
"""The length, in characters, from which a Thai piece ends at the next blank."""

_UNMARKED = frozenset({"th", "lo"})
"""Languages whose writing puts blanks between clauses and seldom marks the end of a sentence."""

_SPACES = re.compile(r"\s+")
_WIDE_BLANKS = re.compile(r"[^\S \t\r\n]")
# Enough to go on with where the library's answer cannot be used.
_MORE_ENDS = re.compile(r"[۔।॥။。！？؟]+[\"'”’»」』）)\]]*\s*")


def sentence_spans(text: str, language: str) -> list[tuple[int, int]]:
    """The sentences of a text as half-open character spans.

    Args:
        text: one paragraph; its characters are never changed.
        language: Wikipedia's language code; for unknown codes general rules hold.

    Returns:
        spans in order, without blanks at their edges; every character outside them is a blank
    """
    cuts = _clauses(text) if language in _UNMARKED else _cuts(text, language)
    return _trim(text, cuts)


def split_sentences(text: AnnotatedText) -> list[AnnotatedText]:
    """The sentences of an annotated text, each with its mentions.

    A sentence border inside a mention is no border: every mention is kept, in its order.
    """
    spans = _merge(sentence_spans(text.text, text.language), text)
    if len(spans) == 1 and spans[0] == (0, len(text.text)):
        return [text]
    return [text.slice(start, end) for start, end in spans]


def _cuts(text: str, language: str) -> list[int]:
    """Where sentences end, the last one included."""
    import sentencex

    # sentencex 1.0 panics at some blanks of more than one byte; their number stays the same.
    plain = text if text.isascii() else _WIDE_BLANKS.sub(" ", text)
    cuts, position = [], 0
    for sentence in sentencex.segment(language, plain):
        position += len(sentence)
        cuts.append(position)
    if position != len(text):
        # Should the library ever lose a character, its borders cannot be trusted.
        return [match.end() for match in _MORE_ENDS.finditer(text)] + [len(text)]
    return cuts


def _clauses(text: str) -> list[int]:
    """Cut at marks, and at the first blank after `THAI_SENTENCE` characters."""
    cuts, start = [], 0
    marks = {match.end() for match in _MORE_ENDS.finditer(text)}
    for blank in _SPACES.finditer(text):
        if blank.end() in marks or blank.start() - start >= THAI_SENTENCE:
            cuts.append(blank.end())
            start = blank.end()
    return [*cuts, len(text)]


def _trim(text: str, cuts: list[int]) -> list[tuple[int, int]]:
    """The spans between the cuts, without blanks at their edges and without empty ones."""
    spans, start = [], 0
    for cut in cuts:
        piece = text[start:cut]
        stripped = piece.strip()
        if stripped:
            left = start + len(piece) - len(piece.lstrip())
            spans.append((left, left + len(stripped)))
        start = cut
    return spans


def _merge(spans: list[tuple[int, int]], text: AnnotatedText) -> list[tuple[int, int]]:
    """Join the sentences that a mention straddles; a mention of blanks only joins nothing."""
    if not text.mentions or len(spans) < 2:
        return spans
    starts = [start for start, _ in spans]
    ends = [end for _, end in spans]
    # joined[i]: sentence i belongs to the one before it.
    joined = [False] * len(spans)
    for mention in text.mentions:
        first = bisect_left(ends, mention.start + 1)
        last = bisect_left(starts, mention.end) - 1
        for index in range(first + 1, last + 1):
            joined[index] = True
    merged: list[tuple[int, int]] = []
    for (start, end), is_joined in zip(spans, joined, strict=True):
        if is_joined:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged
