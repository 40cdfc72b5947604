"""`PretrainingData`: the masked batches of every step, shared out among processes.

The batch of a step is global: what all processes and all their micro-batches see together. Which
sequences it has, and their masks, do not depend on how it is shared out, so neither does what a
model learns from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from exonym.corpus.draws import sequence_keys
from exonym.corpus.gathering import Extents, SequenceReader
from exonym.corpus.masking import MaskedBatch, Masking, mask_sequences
from exonym.corpus.shards import Corpus
from exonym.corpus.stream import LanguageSampling, PretrainingStream
from exonym.foundation.errors import ConfigError, InputError
from exonym.foundation.seeds import derive_seed
from exonym.tokenization import EntityTokenizer

_HELD_OUT_SEED = 0  # one for all runs: they are measured on the same masks
_FRAME = 2  # <s> and </s>

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class StepShare:
    """What one process does in a step, and the counts of the global batch.

    Args:
        step: which.
        batches: the micro-batches of this process, each with at least one sequence.
        word_targets: pieces to predict in the global batch.
        entity_targets: entities to predict in the global batch.
        pieces: of the global batch, with <s> and </s>.
        entities: of the global batch, with those that `Masking.unlinked_names` leaves out.
    """

    step: int
    batches: tuple[MaskedBatch, ...]
    word_targets: int
    entity_targets: int
    pieces: int
    entities: int


class PretrainingData:
    """The batches of a stage of pretraining.

    Safe to use from several threads.

    Args:
        corpus: where the sequences lie.
        tokenizer: the corpus's.
        masking: the rates; without entities (`Masking.with_entities`) words are masked alike.
        sampling: how languages are drawn.
        batch_sequences: sequences of a step, for all processes together.
        seed: with stage and step, decides everything.
        stage: the name of the stage; every one has an order and masks of its own.
        held_out: sequences of each language that are never trained on, at most 1 % of it.

    Raises:
        ConfigError: an impossible number.
        InputError: the corpus has no sequence.
    """

    def __init__(
        self,
        corpus: Corpus,
        tokenizer: EntityTokenizer,
        *,
        masking: Masking,
        sampling: LanguageSampling,
        batch_sequences: int,
        seed: int,
        stage: str = "",
        held_out: int = 0,
    ) -> None:
        self._stream = PretrainingStream(
            corpus,
            batch_sequences=batch_sequences,
            sampling=sampling,
            seed=derive_seed(seed, "stream", stage),
            held_out=held_out,
        )
        self._reader = SequenceReader(corpus)
        self._tokenizer, self._masking = tokenizer, masking
        self._masks_seed = derive_seed(seed, "masks", stage)

    @property
    def languages(self) -> tuple[str, ...]:
        """The codes of the corpus's languages; their indices are in `MaskedBatch.languages`."""
        return self._stream.languages

    @property
    def batch_sequences(self) -> int:
        """Sequences of a step, for all processes together."""
        return self._stream.batch_sequences

    def references(self, step: int) -> Int64:
        """(batch_sequences, 2) pairs (index of language, index of sequence) of a step."""
        return self._stream.references(step)

    def share(self, step: int, *, rank: int = 0, world: int = 1, parts: int = 1) -> StepShare:
        """What process ``rank`` of ``world`` does in a step, in ``parts`` micro-batches.

        Shares have as many sequences, and about as many pieces and entities, as each other.

        Raises:
            ConfigError: there are fewer sequences than micro-batches.
        """
        self._require_enough(rank, world, parts)
        references = self.references(step)
        extents = self._reader.extents(references, np.arange(len(references)))
        sizes = extents.word_counts + _FRAME
        if self._masking.with_entities:
            sizes = sizes + extents.entity_counts
        seed = derive_seed(self._masks_seed, step)
        hands = deal(sizes, world * parts)
        batches = (
            self._masked(extents.take(np.flatnonzero(hands == part * world + rank)), seed)
            for part in range(parts)
        )
        pieces = int(extents.word_counts.sum()) + _FRAME * len(references)
        return StepShare(
            step,
            tuple(batches),
            int(self._masking.word_targets(extents.word_counts).sum()),
            int(self._masking.entity_targets(extents.entity_counts).sum()),
            pieces,
            int(sizes.sum()) - pieces,
        )

    def held_out_sequences(self, language: str) -> Int64:
        """(held out,) the sequences of a language that are never trained on, ascending.

        Raises:
            InputError: the corpus has no such language.
        """
        return self._stream.held_out[self._index(language)].indices

    def held_out_batches(self, language: str, batch_sequences: int) -> Iterator[MaskedBatch]:
        """The held-out sequences of a language, with masks that are the same in every run.

        Args:
            language: its code.
            batch_sequences: sequences of a batch; the masks do not depend on it.

        Raises:
            InputError: the corpus has no such language.
            ConfigError: ``batch_sequences`` is not positive.
        """
        if batch_sequences < 1:
            raise ConfigError(f"batch_sequences must be at least 1, got {batch_sequences}")
        indices = self.held_out_sequences(language)
        seed = derive_seed(_HELD_OUT_SEED, "held-out masks", language)
        references = np.stack([np.full_like(indices, self._index(language)), indices], axis=1)
        return (
            self._masked(self._reader.extents(part, part[:, 1]), seed)
            for part in np.split(references, range(batch_sequences, len(indices), batch_sequences))
            if len(part)
        )

    def _index(self, language: str) -> int:
        if language not in self.languages:
            known = ", ".join(self.languages)
            raise InputError(f"the corpus has no language {language!r}, only {known}")
        return self.languages.index(language)

    def _masked(self, extents: Extents, seed: int) -> MaskedBatch:
        sequences = self._reader.read(
            extents,
            pad_id=self._tokenizer.words.pad_id,
            with_entities=self._masking.with_entities,
        )
        keys = sequence_keys(seed, extents.places)
        return mask_sequences(sequences, keys, self._tokenizer, self._masking)

    def _require_enough(self, rank: int, world: int, parts: int) -> None:
        if not (0 <= rank < world and parts >= 1):
            raise ConfigError(f"there is no process {rank} of {world} with {parts} micro-batches")
        if self.batch_sequences < world * parts:
            raise ConfigError(
                f"{self.batch_sequences} sequences a step cannot be shared out among {world} "
                f"processes with {parts} micro-batches each",
                remedy=f"Raise batch_sequences to at least {world * parts} "
                f"(--set batch_sequences={world * parts}), or take fewer of them",
            )


def deal(sizes: Int64, hands: int) -> Int64:
    """Deal items out so that hands get about as much as each other, in number and in size.

    The items go round from the largest to the smallest, forwards and backwards in turn.

    Args:
        sizes: (items,) of each.
        hands: how many.

    Returns:
        (items,) the hand that each goes to
    """
    turns, places = np.divmod(np.arange(len(sizes)), hands)
    dealt = np.empty_like(places)
    dealt[np.argsort(-sizes, kind="stable")] = np.where(turns % 2, hands - 1 - places, places)
    return dealt
