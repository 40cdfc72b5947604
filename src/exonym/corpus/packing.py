"""Packing whole sentences of one page into sequences (paper, section 3.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int32 = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class EncodedSentence:
    """One sentence: (words,) piece ids, (entities,) rows, (entities, 2) spans in the pieces."""

    words: Int32
    entities: Int32
    spans: Int32


def pack_page(
    sentences: Iterable[EncodedSentence],
    *,
    max_words: int,
    max_entities: int,
    max_sentences: int | None = None,
    counts: Counter[str],
) -> Iterator[EncodedSentence]:
    """Join consecutive sentences of a page into sequences of at most ``max_words`` pieces.

    ``max_sentences`` bounds the sentences of a sequence as well; None does not.

    A sentence is never split between sequences; one that is longer than a whole sequence is cut,
    and sequences in which no entity is left are dropped. Both are counted in ``counts`` as
    ``pieces cut``, ``mentions cut``, ``sequences without an entity``.
    """
    waiting: list[EncodedSentence] = []
    words = 0
    for sentence in sentences:
        sentence = _fit(sentence, max_words, counts)
        full = words + len(sentence.words) > max_words or len(waiting) == max_sentences
        if waiting and full:
            yield from _joined(waiting, max_entities, counts)
            waiting, words = [], 0
        waiting.append(sentence)
        words += len(sentence.words)
    if waiting:
        yield from _joined(waiting, max_entities, counts)


def _fit(sentence: EncodedSentence, max_words: int, counts: Counter[str]) -> EncodedSentence:
    over = len(sentence.words) - max_words
    if over <= 0:
        return sentence
    inside = sentence.spans[:, 1] <= max_words
    counts["pieces cut"] += over
    counts["mentions cut"] += int((~inside).sum())
    return EncodedSentence(
        sentence.words[:max_words], sentence.entities[inside], sentence.spans[inside]
    )


def _joined(
    sentences: list[EncodedSentence], max_entities: int, counts: Counter[str]
) -> Iterator[EncodedSentence]:
    starts = np.cumsum([0] + [len(sentence.words) for sentence in sentences[:-1]])
    entities = np.concatenate([sentence.entities for sentence in sentences])
    if len(entities) == 0:
        counts["sequences without an entity"] += 1
        return
    spans = np.concatenate(
        [sentence.spans + start for sentence, start in zip(sentences, starts, strict=True)]
    )
    counts["mentions cut"] += max(len(entities) - max_entities, 0)
    yield EncodedSentence(
        np.concatenate([sentence.words for sentence in sentences]),
        entities[:max_entities],
        spans[:max_entities].astype(np.int32),
    )
