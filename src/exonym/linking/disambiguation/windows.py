"""Texts cut to what a model can read, so that every mention is read where it has most context."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from exonym.text import AnnotatedText, Mention
from exonym.tokenization import EncodedText, EntityTokenizer

_HALVES = re.compile("[\ud800-\udfff]")  # of surrogate pairs
_LONGEST_CHARACTER = 18  # characters that one becomes by compatibility decomposition, at most
_MOST_MENTIONS = 128  # of a window; more are read in turns, for attention grows with their square


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a text as a model reads it.

    Args:
        text: which of the texts it is of.
        encoded: its pieces, and the mentions that lie in it, all of them [MASK].
        mentions: which of the text's mentions those are, one for each in ``encoded``.
        decided: for each of them whether it is to be decided here: in this window it stands
            farthest from the edges.
    """

    text: int
    encoded: EncodedText
    mentions: tuple[int, ...]
    decided: tuple[bool, ...]

    def __len__(self) -> int:
        return len(self.encoded.input_ids) + len(self.mentions)


def cut_windows(
    tokenizer: EntityTokenizer, texts: Sequence[AnnotatedText], *, max_length: int
) -> list[Window]:
    """Encode texts, the long ones in overlapping windows.

    Mentions that have no piece (of nothing but blanks) or do not fit into a window are in none.
    Half a surrogate pair is read as the replacement character.

    Args:
        tokenizer: the model's.
        texts: with mentions; their entities are not looked at.
        max_length: pieces of a window, special ones included.
    """
    readable = [_readable(text) for text in texts]
    chosen = _fitting(tokenizer, readable, max_length - 2)
    masked = [
        replace(text, mentions=tuple(text.mentions[place] for place in places))
        for text, places in zip(readable, chosen, strict=True)
    ]
    encoded = list(
        tokenizer.encode(
            masked, max_length=max_length, overflow="window", overlap=(max_length - 2) // 4
        )
    )
    windows: list[Window] = []
    start = 0
    while start < len(encoded):
        source = encoded[start].source
        stop = start
        while stop < len(encoded) and encoded[stop].source == source:
            stop += 1
        windows += _of_text(source, encoded[start:stop], chosen[source])
        start = stop
    return windows


def _of_text(source: int, parts: Sequence[EncodedText], places: Sequence[int]) -> list[Window]:
    """The windows of one text, each mention decided in one of them."""
    home: dict[int, tuple[int, int]] = {}  # mention: (distance from the edge, window)
    for number, part in enumerate(parts):
        distances = np.minimum(part.spans[:, 0], len(part.input_ids) - part.spans[:, 1])
        for mention, distance in zip(part.mention_index.tolist(), distances.tolist(), strict=True):
            if mention not in home or distance > home[mention][0]:
                home[mention] = (distance, number)
    windows = []
    for number, part in enumerate(parts):
        mentions = part.mention_index.tolist()
        for first in range(0, len(mentions), _MOST_MENTIONS):
            group = slice(first, first + _MOST_MENTIONS)
            decided = tuple(home[mention][1] == number for mention in mentions[group])
            if any(decided):
                own = tuple(places[mention] for mention in mentions[group])
                windows.append(Window(source, with_mentions(part, group), own, decided))
    return windows


def with_mentions(text: EncodedText, chosen: slice | list[int]) -> EncodedText:
    """An encoded text with some of its mentions only."""
    return replace(
        text,
        entity_ids=text.entity_ids[chosen],
        spans=text.spans[chosen],
        mention_offsets=text.mention_offsets[chosen],
        mention_index=text.mention_index[chosen],
        mention_text=text.mention_text[chosen],
    )


def _readable(text: AnnotatedText) -> AnnotatedText:
    """The text as Unicode, its mentions without entities."""
    masked = tuple(Mention(mention.start, mention.end) for mention in text.mentions)
    characters = _HALVES.sub("\N{REPLACEMENT CHARACTER}", text.text)
    return AnnotatedText(characters, text.language, masked, text.source)


def _fitting(
    tokenizer: EntityTokenizer, texts: Sequence[AnnotatedText], most: int
) -> list[list[int]]:
    """Which mentions of each text have a piece, and no more of them than a window."""
    chosen = [list(range(len(text.mentions))) for text in texts]
    safe = (most - 1) // _LONGEST_CHARACTER  # characters that surely fit
    blanks = tokenizer.words.blanks
    doubtful = [
        number
        for number, text in enumerate(texts)
        if any(
            mention.end - mention.start > safe or blanks.issuperset(text.surface(mention))
            for mention in text.mentions
        )
    ]
    pieces = tokenizer.pieces([texts[number] for number in doubtful])
    for number, (_, spans) in zip(doubtful, pieces, strict=True):
        sizes = spans[:, 1] - spans[:, 0]
        chosen[number] = np.flatnonzero((sizes > 0) & (sizes <= most)).tolist()
    return chosen
