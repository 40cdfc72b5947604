"""Packing whole sentences of one page into sequences (paper, section 3.1)."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from exonym.corpus.encoding import EncodedPages, Int32, Int64


@dataclass(frozen=True, slots=True)
class PackedSequences:
    """Sequences, one after the other.

    Args:
        words: (pieces,) word ids.
        word_counts: (sequences,) how many pieces each has.
        entities: (entities,) rows of the entity vocabulary.
        spans: (entities, 2) pieces [start, end) within the sequence.
        entity_counts: (sequences,) how many entities each has.
    """

    words: Int32
    word_counts: Int64
    entities: Int32
    spans: Int32
    entity_counts: Int64


def pack_pages(
    pages: EncodedPages,
    *,
    max_words: int,
    max_entities: int,
    max_sentences: int | None = None,
    counts: Counter[str],
) -> PackedSequences:
    """Join consecutive sentences of each page into sequences of at most ``max_words`` pieces.

    ``max_sentences`` bounds the sentences of a sequence as well; None does not.

    A sentence is never split between sequences; one that is longer than a whole sequence is cut,
    and sequences in which no entity is left are dropped. Both are counted in ``counts`` as
    ``pieces cut``, ``mentions cut``, ``sequences without an entity`` (and the pieces of those as
    ``pieces in sequences without an entity``).
    """
    lengths = np.diff(pages.word_starts)
    fitted = np.minimum(lengths, max_words)
    inside = pages.spans[:, 1] <= max_words
    counts["pieces cut"] += int((lengths - fitted).sum())
    counts["mentions cut"] += int((~inside).sum())

    numbers = _number(fitted.tolist(), pages.page_starts.tolist(), max_words, max_sentences)
    sequences = np.arange(int(numbers[-1]) + 1 if len(numbers) else 0)
    firsts = np.searchsorted(numbers, sequences)  # the first sentence of each
    before = np.cumsum(fitted) - fitted
    places = before - before[firsts][numbers]  # of each sentence within its sequence

    sentence = np.repeat(np.arange(len(lengths)), np.diff(pages.entity_starts))[inside]
    home = numbers[sentence]
    totals = np.bincount(home, minlength=len(sequences))
    rank = np.arange(len(home)) - np.searchsorted(home, sequences)[home]
    few = rank < max_entities
    counts["mentions cut"] += int((~few).sum())
    spans = pages.spans[inside][few] + places[sentence[few]][:, None]

    kept = totals > 0
    word_counts = np.bincount(numbers, weights=fitted, minlength=len(sequences)).astype(np.int64)
    counts["sequences without an entity"] += int((~kept).sum())
    counts["pieces in sequences without an entity"] += int(word_counts[~kept].sum())
    # Of each sentence, the pieces that fit, if its sequence is kept.
    taken = np.where(kept[numbers], fitted, 0)
    rank = np.arange(len(pages.words)) - np.repeat(pages.word_starts[:-1], lengths)
    return PackedSequences(
        pages.words[rank < np.repeat(taken, lengths)],
        word_counts[kept],
        pages.entities[inside][few],
        spans.astype(np.int32),
        np.minimum(totals, max_entities)[kept],
    )


def _number(
    lengths: Sequence[int], page_starts: Sequence[int], max_words: int, max_sentences: int | None
) -> Int64:
    """(sentences,) the number of the sequence that each sentence goes to."""
    numbers: list[int] = []
    number = -1
    for first, last in itertools.pairwise(page_starts):
        words, sentences = max_words + 1, 0  # a page begins a sequence
        for length in lengths[first:last]:
            if words + length > max_words or sentences == max_sentences:
                number, words, sentences = number + 1, 0, 0
            words += length
            sentences += 1
            numbers.append(number)
    return np.array(numbers, np.int64)
