"""From sentences to model input: all candidate spans of a sentence, and what stands around it.

The rules are those of the released code (github.com/studio-ousia/luke, examples/ner/reader.py):
every sequence of words up to a number of pieces is a span; the document's pieces on both sides fill
the input up; spans are shared out evenly where there are too many for one input.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from exonym.tasks.ner.records import NerExample, documents
from exonym.tasks.ner.settings import NerSettings
from exonym.tasks.ner.units import split_units
from exonym.text import AnnotatedText, Mention
from exonym.tokenization import EntityTokenizer

Ids = npt.NDArray[np.int32]
Rows = npt.NDArray[np.int64]

_TEXTS = 2048
"""Texts that are encoded at once."""
_OVERLAP = 128
"""Pieces that two windows over a long sentence share."""
_WORDS_ONLY = 16384
"""Spans of one input when they are no part of it; their states take memory all the same."""


@dataclass(frozen=True, slots=True, eq=False)
class NerFeature:
    """A sentence with some or all of its candidate spans, as the model takes it.

    Args:
        example: the place of its sentence.
        input_ids: (words,) piece ids, ``<s>`` and ``</s>`` included.
        spans: (spans, 2) pieces [start, end) of each candidate, indices into ``input_ids``.
        characters: (spans, 2) characters [start, end) of each candidate.
        targets: (spans,) rows of the classifier; None where labels were not asked for.
        entities: whether the model takes an entity [MASK] for each span.
    """

    example: int
    input_ids: Ids
    spans: Ids
    characters: Ids
    targets: Rows | None = None
    entities: bool = True

    @property
    def length(self) -> int:
        """Pieces and entities together."""
        return len(self.input_ids) + (len(self.spans) if self.entities else 0)


@dataclass(frozen=True, slots=True)
class _Pieces:
    """A sentence's pieces, and characters and pieces of those of its units that have some."""

    ids: Ids
    characters: Ids
    units: Ids


def encode(
    examples: Sequence[NerExample],
    tokenizer: EntityTokenizer,
    settings: NerSettings,
    *,
    labels: Sequence[str] | None = None,
    entities: bool = True,
) -> list[NerFeature]:
    """All features of some sentences, in their order.

    Sentences of one document that stand one after the other are each other's context.

    Args:
        examples: the sentences.
        tokenizer: its boundary is to be that of the settings.
        settings: which spans, how much context.
        labels: the names of the classifier's rows, for targets; a span that is no entity, or one of
            a type that has no row, has the row of ``"O"``. None makes no targets.
        entities: whether the model takes an entity [MASK] for each span.
    """
    pieces = _pieces(examples, tokenizer, settings)
    rows = None if labels is None else {label: row for row, label in enumerate(labels)}
    found: list[NerFeature] = []
    for document in documents(examples):
        whole = [pieces[place].ids for place in document]
        for number, place in enumerate(document):
            own = pieces[place]
            spans, characters = _candidates(own, settings.span_limit)
            if not len(spans):
                continue
            targets = None if rows is None else _targets(examples[place], characters, rows)
            for ids, shift, chosen in _inputs(whole, number, spans, settings):
                for part in _shares(chosen, settings.spans_at_once if entities else _WORDS_ONLY):
                    found.append(
                        NerFeature(
                            place,
                            _framed(ids, tokenizer),
                            (spans[part] + np.int32(shift + 1)).astype(np.int32),
                            characters[part],
                            None if targets is None else targets[part],
                            entities,
                        )
                    )
    return found


def units_of(
    examples: Sequence[NerExample], tokenizer: EntityTokenizer, settings: NerSettings
) -> list[Sequence[tuple[int, int]]]:
    """Characters [start, end) between which the spans of each sentence begin and end."""
    units: list[Sequence[tuple[int, int]]] = [
        example.words if example.words is not None and settings.units == "words" else ()
        for example in examples
    ]
    without = [
        place
        for place, example in enumerate(examples)
        if example.words is None or settings.units == "text"
    ]
    texts = [examples[place].text for place in without]
    split = split_units(texts, tokenizer.words, pieces=settings.unspaced == "pieces")
    for place, own in zip(without, split, strict=True):
        units[place] = own
    return units


def missed(
    examples: Sequence[NerExample], tokenizer: EntityTokenizer, settings: NerSettings
) -> Counter[str]:
    """How many entities no prediction can hit, by reason. They stay in the gold all the same."""
    reasons: Counter[str] = Counter()
    for example, own in zip(examples, _pieces(examples, tokenizer, settings), strict=True):
        starts = {int(start): place for place, start in enumerate(own.characters[:, 0])}
        ends = {int(end): place for place, end in enumerate(own.characters[:, 1])}
        seen: set[tuple[int, int]] = set()
        for start, end, _ in example.entities:
            if start not in starts or end not in ends:
                reasons["begins or ends within a word"] += 1
                continue
            if own.units[ends[end], 1] - own.units[starts[start], 0] > settings.span_limit:
                reasons[f"longer than {settings.span_limit} pieces"] += 1
            elif (start, end) in seen:
                reasons["same span as another"] += 1
            seen.add((start, end))
    return reasons


def _pieces(
    examples: Sequence[NerExample], tokenizer: EntityTokenizer, settings: NerSettings
) -> list[_Pieces]:
    found = []
    for first in range(0, len(examples), _TEXTS):
        part = examples[first : first + _TEXTS]
        units = units_of(part, tokenizer, settings)
        texts = [
            AnnotatedText(
                example.text, example.language, tuple(Mention(start, end) for start, end in own)
            )
            for example, own in zip(part, units, strict=True)
        ]
        for own, (ids, spans) in zip(units, tokenizer.pieces(texts), strict=True):
            there = spans[:, 1] > spans[:, 0]  # some words have no piece: a zero-width blank
            characters = np.array(own, dtype=np.int32).reshape(-1, 2)
            found.append(_Pieces(ids, characters[there], spans[there]))
    return found


def _candidates(own: _Pieces, limit: int) -> tuple[Ids, Ids]:
    """Pieces and characters of all spans of at most ``limit`` pieces, by start and then by end."""
    starts, ends = own.units[:, 0], own.units[:, 1]
    last = np.searchsorted(ends, starts + limit, side="right")
    first = np.arange(len(starts))
    counts = np.maximum(last - first, 0)
    begin = np.repeat(first, counts)
    end = begin + np.arange(len(begin)) - np.repeat(np.cumsum(counts) - counts, counts)
    pieces = np.stack([starts[begin], ends[end]], axis=1).astype(np.int32)
    characters = np.stack([own.characters[begin, 0], own.characters[end, 1]], axis=1)
    return pieces, characters.astype(np.int32)


def _targets(example: NerExample, characters: Ids, rows: Mapping[str, int]) -> Rows:
    targets = np.full(len(characters), rows["O"], dtype=np.int64)
    for start, end, label in example.entities:
        if label in rows:
            targets[(characters[:, 0] == start) & (characters[:, 1] == end)] = rows[label]
    return targets


def _inputs(
    document: Sequence[Ids], number: int, spans: Ids, settings: NerSettings
) -> Iterator[tuple[Ids, int, Rows]]:
    """The pieces of each input of a sentence, where the sentence begins in it, and its spans."""
    own, room = document[number], settings.max_length - 2
    everything = np.arange(len(spans))
    if len(own) > room:
        yield from _windows(own, spans, room, settings.span_limit)
    elif len(document) == 1 or not settings.context:
        yield own, 0, everything
    else:
        left = _joined(_nearest(document, range(number - 1, -1, -1), room)[::-1])
        right = _joined(_nearest(document, range(number + 1, len(document)), room))
        before, behind = _context(len(left), len(right), room - len(own))
        ids = np.concatenate([left[len(left) - before :], own, right[:behind]])
        yield ids, before, everything


def _context(left: int, right: int, room: int) -> tuple[int, int]:
    """How many pieces of context before and behind: half of the room each, if there are as many.

    What the side with fewer pieces leaves is the other's.
    """
    half = room // 2
    if left < right:
        before = min(left, half)
        return before, min(right, room - before)
    behind = min(right, half)
    return min(left, room - behind), behind


def _nearest(document: Sequence[Ids], order: range, most: int) -> list[Ids]:
    """The nearest sentences, with at least ``most`` pieces if there are so many."""
    parts: list[Ids] = []
    count = 0
    for place in order:
        if count >= most:
            break
        parts.append(document[place])
        count += len(document[place])
    return parts


def _joined(parts: Sequence[Ids]) -> Ids:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int32)


def _windows(own: Ids, spans: Ids, room: int, limit: int) -> Iterator[tuple[Ids, int, Rows]]:
    """Windows over a sentence that is too long, each with the spans that lie best in it.

    Two windows share at least as many pieces as a span has at most; the middle of what they share
    parts their spans. So each span lies in one of them, whole, and as far from its edges as can be.
    """
    overlap = min(max(min(_OVERLAP, room // 2), limit), room - 1)
    step = room - overlap
    count = -(-(len(own) - overlap) // step)
    middle = spans[:, 0].astype(np.int64) + spans[:, 1]  # doubled
    window = np.clip((middle - overlap) // (2 * step), 0, count - 1)
    for number in range(count):
        start = number * step
        yield own[start : start + room], -start, np.flatnonzero(window == number)


def _shares(chosen: Rows, most: int) -> Iterator[Rows]:
    """Even shares of the spans, in order."""
    if len(chosen):
        shares = -(-len(chosen) // most)
        size = -(-len(chosen) // shares)
        for start in range(0, len(chosen), size):
            yield chosen[start : start + size]


def _framed(ids: Ids, tokenizer: EntityTokenizer) -> Ids:
    words = tokenizer.words
    return np.concatenate([[words.bos_id], ids, [words.eos_id]]).astype(np.int32)
