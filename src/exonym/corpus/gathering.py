"""Fetching the sequences of a batch from a corpus, as padded arrays."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from exonym.corpus.shards import Corpus

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Extents:
    """Where the sequences of a batch lie in their languages' arrays.

    Args:
        references: (batch, 2) pairs (index of language, index of sequence).
        places: (batch,) which sequence of the whole batch each is; names its random numbers.
        word_starts: (batch,) the first piece of each.
        word_counts: (batch,) its pieces.
        entity_starts: (batch,) its first entity.
        entity_counts: (batch,) its entities.
    """

    references: Int64
    places: Int64
    word_starts: Int64
    word_counts: Int64
    entity_starts: Int64
    entity_counts: Int64

    def take(self, which: Int64) -> Extents:
        """Those of some of the sequences."""
        return Extents(*(getattr(self, name)[which] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class PaddedSequences:
    """Sequences as they lie in the corpus, padded.

    Args:
        extents: where they were.
        words: (batch, words + 2) piece ids from column 1 on, so that there is room for <s> and
            </s>; ``pad_id`` elsewhere.
        entities: (batch, entities) rows, 0 where there is none.
        entity_counts: (batch,) entities of each.
        spans: (batch, entities, 2) pieces [start, end) as columns of ``words``; 0 where there is
            no entity.
    """

    extents: Extents
    words: Int32
    entities: Int32
    entity_counts: Int64
    spans: Int32


class SequenceReader:
    """Reads sequences of all languages of a corpus."""

    def __init__(self, corpus: Corpus) -> None:
        # Plain arrays over the maps: a slice of a `memmap` costs several times as much.
        languages = corpus.languages.values()
        self._words = [np.asarray(language.words) for language in languages]
        self._entities = [np.asarray(language.entities) for language in languages]
        self._spans = [np.asarray(language.spans) for language in languages]
        self._word_offsets = [np.asarray(language.word_offsets) for language in languages]
        self._entity_offsets = [np.asarray(language.entity_offsets) for language in languages]

    def extents(self, references: Int64, places: Int64) -> Extents:
        """Where sequences lie; see `Extents`."""
        order = np.argsort(references[:, 0], kind="stable")
        languages, indices = references[order].T
        firsts = np.flatnonzero(np.diff(languages, prepend=-1)).tolist()
        ends = (indices[:, None] + np.arange(2)).reshape(-1)
        found = np.empty((2, 2 * len(order)), dtype=np.int64)
        for first, last in itertools.pairwise([*firsts, len(order)]):
            language, part = languages[first], slice(2 * first, 2 * last)
            found[0, part] = self._word_offsets[language][ends[part]]
            found[1, part] = self._entity_offsets[language][ends[part]]
        starts = np.empty((2, len(order), 2), dtype=np.int64)
        starts[:, order] = found.reshape(2, -1, 2)
        (words, entities), (word_counts, entity_counts) = starts[..., 0], np.diff(starts)[..., 0]
        return Extents(references, places, words, word_counts, entities, entity_counts)

    def read(self, extents: Extents, *, pad_id: int, with_entities: bool) -> PaddedSequences:
        """Fetch sequences.

        Args:
            extents: of the sequences.
            pad_id: the piece id where there is none.
            with_entities: False reads no entities: there are 0 of each.
        """
        counts = extents.entity_counts if with_entities else np.zeros_like(extents.entity_counts)
        batch, longest, most = (
            len(counts),
            extents.word_counts.max(initial=0),
            counts.max(initial=0),
        )
        words = np.full((batch, longest + 2), pad_id, dtype=np.int32)
        entities = np.zeros((batch, most), dtype=np.int32)
        spans = np.zeros((batch, most, 2), dtype=np.int32)
        # Slices, put together, are faster than arrays of indices, which are twice as large as
        # what they fetch.
        languages = extents.references[:, 0].tolist()
        real = np.arange(longest) < extents.word_counts[:, None]
        ends = extents.word_starts + extents.word_counts
        words[:, 1:-1][real] = _slices(self._words, languages, extents.word_starts, ends)
        if most:
            real = np.arange(most) < counts[:, None]
            ends = extents.entity_starts + counts
            entities[real] = _slices(self._entities, languages, extents.entity_starts, ends)
            spans[real] = _slices(self._spans, languages, extents.entity_starts, ends) + 1  # <s>
        return PaddedSequences(extents, words, entities, counts, spans)


def _slices(arrays: Sequence[Int32], which: Sequence[int], starts: Int64, ends: Int64) -> Int32:
    """Slices [start, end) of some of the arrays, one behind the other."""
    places = zip(which, starts.tolist(), ends.tolist(), strict=True)
    return np.concatenate([arrays[number][start:end] for number, start, end in places])
