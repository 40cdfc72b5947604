"""Corpora without a directory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from exonym.corpus import Corpus, Sequences

Given = tuple[np.ndarray, np.ndarray, np.ndarray]  # pieces, rows, spans


def corpus_of(languages: Mapping[str, Sequence[Given]]) -> Corpus:
    """A corpus of these sequences."""
    return Corpus(Path(), {}, {code: _sequences(given) for code, given in languages.items()})


def _sequences(given: Sequence[Given]) -> Sequences:
    nothing = np.empty(0, np.int32)
    return Sequences(
        np.concatenate([nothing, *(words for words, _, _ in given)]),
        np.concatenate([nothing, *(rows for _, rows, _ in given)]),
        np.concatenate([nothing.reshape(0, 2), *(spans.reshape(-1, 2) for *_, spans in given)]),
        np.cumsum([0, *(len(words) for words, _, _ in given)]),
        np.cumsum([0, *(len(rows) for _, rows, _ in given)]),
    )


def alike(count: int, words: int = 20, entities: int = 2) -> list[Given]:
    """Equal sequences: piece 50 everywhere, entities of row 9 on the pieces 8i, 8i+1, 8i+2."""
    spans = np.array([[8 * i, 8 * i + 3] for i in range(entities)], np.int32).reshape(-1, 2)
    one = np.full(words, 50, np.int32), np.full(entities, 9, np.int32), spans
    return [one] * count
