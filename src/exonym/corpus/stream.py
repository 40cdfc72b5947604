"""The order in which sequences are seen: a pure function of the seed and the step.

Languages are drawn with p ∝ n^alpha (paper, section 3.1: alpha = 0.7); within a language every
sequence is seen once before any is seen again. The draws are one endless row, which batches cut
into pieces, and any stretch of it can be computed without what is before: a resumed run needs no
saved sampler state.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from exonym.corpus.held_out import HeldOut
from exonym.corpus.shards import Corpus
from exonym.foundation.errors import ConfigError, InputError
from exonym.foundation.seeds import generator

BLOCK = 1 << 16  # draws whose languages are drawn together
_KEPT_BLOCKS = 2  # a batch may straddle two
_GROUP = 1 << 14  # epochs of a small language are shuffled together, up to so many draws

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LanguageSampling:
    """p ∝ n^alpha over languages with n sequences; 1 keeps their sizes, 0 makes them equal."""

    alpha: float = 0.7

    def __post_init__(self) -> None:
        if not 0 <= self.alpha <= 1:
            raise ConfigError(f"alpha must lie in [0, 1], got {self.alpha}")

    def probabilities(self, sizes: Sequence[int]) -> npt.NDArray[np.float64]:
        """(languages,) probabilities, summing to 1; a language without sequences has 0."""
        counts = np.asarray(sizes, dtype=np.float64)
        weights = np.where(counts > 0, counts**self.alpha, 0.0)
        if not weights.sum():
            raise InputError("the corpus has no sequence in any language")
        probabilities: npt.NDArray[np.float64] = weights / weights.sum()
        return probabilities


class PretrainingStream:
    """Random access to the global batches, those of all processes together.

    Safe to use from several threads.

    Args:
        corpus: where the sequences lie.
        batch_sequences: sequences per step.
        sampling: how languages are drawn; their sizes are what `held_out` leaves.
        seed: with the step, decides everything.
        held_out: sequences of each language that are never drawn, at most 1 % of it.
    """

    def __init__(
        self,
        corpus: Corpus,
        *,
        batch_sequences: int,
        sampling: LanguageSampling,
        seed: int,
        held_out: int = 0,
    ) -> None:
        if batch_sequences < 1:
            raise ConfigError(f"batch_sequences must be at least 1, got {batch_sequences}")
        self.languages: tuple[str, ...] = tuple(corpus.languages)
        self.held_out: tuple[HeldOut, ...] = tuple(
            HeldOut.choose(len(sequences), held_out) for sequences in corpus.languages.values()
        )
        self.probabilities = sampling.probabilities([part.left for part in self.held_out])
        self.batch_sequences, self._seed = batch_sequences, seed
        # Only languages with sequences: a rounding error must not draw from an empty one.
        self._drawable = np.flatnonzero(self.probabilities)
        self._drawn = [np.zeros(len(self.languages), dtype=np.int64)]  # before each block
        self._epochs: dict[int, tuple[int, npt.NDArray[np.uint32]]] = {}
        self._blocks: dict[int, Int64] = {}
        self._lock = threading.Lock()

    def references(self, step: int) -> Int64:
        """(batch_sequences, 2) pairs (index of language, index of sequence) of a step."""
        first = step * self.batch_sequences
        last = first + self.batch_sequences
        parts = []
        with self._lock:
            for block in range(first // BLOCK, -(-last // BLOCK)):
                base = block * BLOCK
                parts.append(self._block(block)[max(first - base, 0) : last - base])
        return np.concatenate(parts)

    def _block(self, block: int) -> Int64:
        """(draws, 2) references of a block."""
        if block not in self._blocks:
            while len(self._blocks) >= _KEPT_BLOCKS:
                self._blocks.pop(min(self._blocks))
            self._blocks[block] = self._make_block(block)
        return self._blocks[block]

    def _make_block(self, block: int) -> Int64:
        while len(self._drawn) <= block + 1:
            self._drawn.append(self._drawn[-1] + self._counts(len(self._drawn) - 1))
        before, after = self._drawn[block : block + 2]
        # How many of each, and any order of them: together, independent draws.
        rng = generator(self._seed, "order", block)
        languages = np.repeat(np.arange(len(before), dtype=np.int16), after - before)
        languages = rng.permutation(languages)
        places = np.argsort(languages, kind="stable")  # those of the first language, and so on
        drawn = zip(before.tolist(), after.tolist(), strict=True)
        indices = [self._indices(language, *ends) for language, ends in enumerate(drawn)]
        references = np.empty((BLOCK, 2), dtype=np.int64)
        references[:, 0] = languages
        references[places, 1] = np.concatenate(indices)
        return references

    def _counts(self, block: int) -> Int64:
        """(languages,) how many sequences of each a block has."""
        rng = generator(self._seed, "languages", block)
        counts = np.zeros(len(self.languages), dtype=np.int64)
        counts[self._drawable] = rng.multinomial(BLOCK, self.probabilities[self._drawable])
        return counts

    def _indices(self, language: int, first: int, last: int) -> Int64:
        """Which sequences the ``first``-th to ``last``-th draw of a language are."""
        held_out = self.held_out[language]
        epochs = max(_GROUP // max(held_out.left, 1), 1)
        size = epochs * held_out.left
        parts = [np.empty(0, dtype=np.uint32)]
        while first < last:
            group, start = divmod(first, size)
            end = min(size, start + last - first)
            parts.append(self._shuffled(language, group, epochs)[start:end])
            first += end - start
        return held_out.trained(np.concatenate(parts))

    def _shuffled(self, language: int, group: int, epochs: int) -> npt.NDArray[np.uint32]:
        """(epochs · sequences,) numbers of sequences, each epoch in an order of its own."""
        cached = self._epochs.get(language)
        if cached is None or cached[0] != group:
            rng = generator(self._seed, "epochs", self.languages[language], group)
            # Of four bytes: a large language has tens of millions of sequences.
            one = np.arange(self.held_out[language].left, dtype=np.uint32)
            order = np.tile(one, (epochs, 1))
            rng.permuted(order, axis=1, out=order)
            cached = group, order.reshape(-1)
            self._epochs[language] = cached
        return cached[1]
