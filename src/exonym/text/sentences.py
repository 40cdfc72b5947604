"""Sentence splitting in every language of Wikipedia, lossless, never inside a mention.

The rules and abbreviation lists are those of `sentencex`; it knows the languages of mLUKE and
falls back, by itself, along its own chain to English and general rules for any other code.
Thai does not mark the ends of sentences: a blank stands between clauses, and around figures. There
a text is cut at blanks so that pieces come to about `THAI_SENTENCE` characters.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_left
from dataclasses import replace

from exonym.text.annotated import AnnotatedText, Mention

THAI_SENTENCE = 120
"""The length, in characters, from which a Thai piece ends at the next blank between words."""

_UNMARKED = frozenset({"th", "lo"})
"""Languages whose writing puts blanks between clauses and seldom marks the end of a sentence."""

_SPACES = re.compile(r"\s+")
_WIDE_BLANKS = re.compile(r"[^\S \t\r\n]")
# A blank between letters (and their signs) of Thai or Lao; no abbreviation or repetition behind it.
_BETWEEN_WORDS = re.compile(
    r"(?<=[\u0e01-\u0e2e\u0e30-\u0e4e\u0e81-\u0ecd])\s+"
    r"(?=[\u0e01-\u0e2e\u0e40-\u0e44\u0e81-\u0eae\u0ec0-\u0ec4])"
)
# Enough to go on with where the library's answer cannot be used.
_MORE_ENDS = re.compile(r"[۔।॥။。！？؟]+[\"'”’»」』）)\]]*\s*")


def sentence_cuts(text: str, language: str) -> list[int]:
    """Where the sentences of a text end, as character places; the last is the text's end.

    Args:
        text: one paragraph; its characters are never changed.
        language: Wikipedia's language code; for unknown codes general rules hold.

    Returns:
        places in order; the blanks between two sentences belong to the first of them
    """
    return _clauses(text) if language in _UNMARKED else _cuts(text, language)


def sentence_spans(text: str, language: str) -> list[tuple[int, int]]:
    """The sentences of a text as half-open character spans.

    Args:
        text: one paragraph; its characters are never changed.
        language: Wikipedia's language code; for unknown codes general rules hold.

    Returns:
        spans in order, without blanks at their edges; every character outside them is a blank
    """
    return _trim(text, sentence_cuts(text, language))


def split_sentences(text: AnnotatedText) -> list[AnnotatedText]:
    """The sentences of an annotated text, each with its mentions.

    A sentence border inside a mention is no border: every mention is kept, in its order, and
    loses no more than blanks at the edge of a sentence. One of nothing but such blanks is left out.
    """
    spans = _merge(sentence_spans(text.text, text.language), text)
    if len(spans) == 1 and spans[0] == (0, len(text.text)):
        return [text]
    starts, ends = [start for start, _ in spans], [end for _, end in spans]
    mentions: list[list[Mention]] = [[] for _ in spans]
    for mention in text.mentions:
        home = bisect_left(ends, mention.start + 1)
        if home < len(spans) and starts[home] < mention.end:
            start = max(mention.start, starts[home]) - starts[home]
            end = min(mention.end, ends[home]) - starts[home]
            mentions[home].append(replace(mention, start=start, end=end))
    return [
        AnnotatedText(text.text[start:end], text.language, tuple(inside), text.source)
        for (start, end), inside in zip(spans, mentions, strict=True)
    ]


def _cuts(text: str, language: str) -> list[int]:
    """The ends that sentencex finds."""
    import sentencex

    # sentencex 1.0 panics at some blanks of more than one byte; their number stays the same.
    plain = text if text.isascii() else _WIDE_BLANKS.sub(" ", text)
    cuts = list(itertools.accumulate(map(len, sentencex.segment(language, plain))))
    if not cuts or cuts[-1] != len(text):
        # Should the library ever lose a character, its borders cannot be trusted.
        return [match.end() for match in _MORE_ENDS.finditer(text)] + [len(text)]
    return cuts


def _clauses(text: str) -> list[int]:
    """Cut at marks, and at blanks where a piece has `THAI_SENTENCE` characters.

    A blank between two words is taken at once; one beside a figure, a sign or a foreign word (as in
    "พ.ศ. 2562"), or before a mark of repetition, only where a piece is twice as long.
    """
    cuts, start = [], 0
    marks = {match.end() for match in _MORE_ENDS.finditer(text)}
    for blank in _SPACES.finditer(text):
        length = blank.start() - start
        least = THAI_SENTENCE if _BETWEEN_WORDS.match(text, blank.start()) else 2 * THAI_SENTENCE
        if blank.end() in marks or length >= least:
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
