"""The order in which sequences are seen: a pure function of the seed and the step.

Languages are drawn with p ∝ n^alpha (paper, section 3.1: alpha = 0.7); within a language every
sequence is seen once before any is seen again. Because any step's batch can be computed without
the steps before it, a resumed run needs no saved sampler state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from exonym.corpus.shards import Corpus, Sequences
from exonym.foundation.errors import ConfigError, InputError
from exonym.foundation.seeds import generator

_BLOCK_BATCHES = 32  # batches drawn together and sorted by length, so that little is padding


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
    """Random access to the batches of one rank.

    Args:
        corpus: where the sequences lie.
        batch_sequences: sequences per batch and rank.
        sampling: how languages are drawn.
        seed: with the step, decides everything.
        rank: this process; every rank sees different sequences.
        world: number of processes.
    """

    def __init__(
        self,
        corpus: Corpus,
        *,
        batch_sequences: int,
        sampling: LanguageSampling,
        seed: int,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self._names = list(corpus.languages)
        self._sequences: list[Sequences] = [corpus.languages[name] for name in self._names]
        self._probabilities = sampling.probabilities([len(s) for s in self._sequences])
        self._batch, self._seed, self._rank, self._world = batch_sequences, seed, rank, world
        self._lengths = [np.diff(s.word_offsets) for s in self._sequences]
        self._drawn = np.zeros((1, len(self._names)), dtype=np.int64)  # before each block
        self._permutations: dict[int, tuple[int, npt.NDArray[np.int64]]] = {}
        self._block: tuple[int, npt.NDArray[np.int64]] | None = None

    def references(self, step: int) -> npt.NDArray[np.int64]:
        """(batch_sequences, 2) pairs (index of language, index of sequence) of a step."""
        block, batch = divmod(step, _BLOCK_BATCHES)
        if self._block is None or self._block[0] != block:
            self._block = (block, self._make_block(block))
        return self._block[1][batch, self._rank :: self._world]

    def batch(self, step: int) -> list[tuple[npt.NDArray[np.int32], ...]]:
        """The sequences of a step; each as `Sequences.__getitem__` gives it."""
        return [self._sequences[language][index] for language, index in self.references(step)]

    def languages(self, step: int) -> list[str]:
        """The language of each sequence of a step."""
        return [self._names[language] for language, _ in self.references(step)]

    def _make_block(self, block: int) -> npt.NDArray[np.int64]:
        """(batches, batch_sequences · world, 2) references, batches of similar length."""
        size = _BLOCK_BATCHES * self._batch * self._world
        while len(self._drawn) <= block + 1:
            rng = generator(self._seed, "languages", len(self._drawn) - 1)
            counts = rng.multinomial(size, self._probabilities)
            self._drawn = np.concatenate([self._drawn, self._drawn[-1:] + counts])
        references, lengths = [], []
        for language in range(len(self._names)):
            first, last = self._drawn[block : block + 2, language]
            indices = self._indices(language, int(first), int(last))
            references.append(np.stack([np.full_like(indices, language), indices], axis=1))
            lengths.append(self._lengths[language][indices])
        rng = generator(self._seed, "block", block)
        order = rng.permutation(size)
        order = order[np.argsort(np.concatenate(lengths)[order], kind="stable")]
        batches = np.concatenate(references)[order].reshape(_BLOCK_BATCHES, -1, 2)
        return batches[rng.permutation(_BLOCK_BATCHES)]

    def _indices(self, language: int, first: int, last: int) -> npt.NDArray[np.int64]:
        """Which sequences the ``first``-th to ``last``-th draw of a language are."""
        total = len(self._sequences[language])
        parts = [np.empty(0, dtype=np.int64)]
        while first < last:
            epoch, start = divmod(first, total)
            end = min(total, start + last - first)
            parts.append(self._permutation(language, epoch)[start:end])
            first += end - start
        return np.concatenate(parts)

    def _permutation(self, language: int, epoch: int) -> npt.NDArray[np.int64]:
        cached = self._permutations.get(language)
        if cached is None or cached[0] != epoch:
            rng = generator(self._seed, "epoch", self._names[language], epoch)
            cached = (epoch, rng.permutation(len(self._sequences[language])))
            self._permutations[language] = cached
        return cached[1]
