"""Masking words and entities (paper, section 3.1).

Every choice comes from a random number that is named by the sequence's key, the purpose and the
place in the sequence, so a sequence is masked alike whatever it is batched with.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from exonym.corpus.draws import Numbers, chances, numbers
from exonym.corpus.gathering import PaddedSequences
from exonym.foundation.errors import ConfigError
from exonym.tokenization import EntityTokenizer, WordTokenizer
from exonym.tokenization.encoded import Ids, position_ids
from exonym.tokenization.tokenizer import MOST_POSITIONS

Mask = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.int64]

# The purposes of random numbers.
_CHOICE, _REPLACEMENT, _RANDOM_PIECE, _ENTITY_CHOICE, _UNLINKED, _HIDDEN = range(6)
_COLUMN = np.uint64((1 << 20) - 1)  # the bits of a lot that hold its column


@dataclass(frozen=True, slots=True)
class Masking:
    """What is masked; the defaults are the paper's.

    Args:
        word_rate: share of a sequence's pieces to predict, at least one; of these
            80 % become <mask>, 10 % a random piece, 10 % stay.
        entity_rate: share of its entities to predict, at least one; always [MASK].
        hidden_words: chance that the pieces under a masked entity become <mask> as well (they are
            no targets by that). The paper leaves them visible: 0.
        hidden_names: the same for the pieces under an entity that is not masked, so that it must
            be known by its embedding alone. The paper leaves them visible: 0.
        unlinked_names: chance that an entity which is not masked is left out of the input while
            its pieces stay, as if the page had not linked it. The paper leaves none out: 0.
        with_entities: False leaves entities out of the input (the words-only control).
    """

    word_rate: float = 0.15
    entity_rate: float = 0.15
    hidden_words: float = 0.0
    hidden_names: float = 0.0
    unlinked_names: float = 0.0
    with_entities: bool = True

    def __post_init__(self) -> None:
        for name in ("word_rate", "entity_rate", "hidden_words", "hidden_names", "unlinked_names"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} must lie in [0, 1], got {getattr(self, name)}")

    def word_targets(self, words: Positions) -> Positions:
        """(batch,) how many pieces are predicted in sequences of so many pieces."""
        return _share(words, self.word_rate)

    def entity_targets(self, entities: Positions) -> Positions:
        """(batch,) how many entities are predicted in sequences of so many entities."""
        return _share(entities, self.entity_rate if self.with_entities else 0.0)


@dataclass(frozen=True, slots=True)
class MaskedBatch:
    """A padded batch with its targets; see `EncodedBatch` for the inputs.

    Args:
        word_positions: (masked words,) indices into the flattened (batch · words).
        word_targets: (masked words,) piece ids.
        entity_positions: (masked entities,) indices into the flattened (batch · entities).
        entity_targets: (masked entities,) rows.
        languages: (batch,) index of each sequence's language.
        references: (batch, 2) that index, and the index of the sequence in its language.
        places: (batch,) which sequence of the global batch each is.
    """

    input_ids: Ids
    attention_mask: Mask
    entity_ids: Ids
    entity_attention_mask: Mask
    entity_position_ids: Ids
    word_positions: Positions
    word_targets: Ids
    entity_positions: Positions
    entity_targets: Ids
    languages: Ids
    references: Positions
    places: Positions


def mask_sequences(
    sequences: PaddedSequences, keys: Numbers, tokenizer: EntityTokenizer, masking: Masking
) -> MaskedBatch:
    """Put <s> and </s> around sequences, and mask.

    Args:
        sequences: as `SequenceReader.read` gives them; the words are masked in place.
        keys: (batch,) of the sequences; every random choice follows from them.
        tokenizer: knows the special ids and rows.
        masking: the rates.
    """
    words, extents = tokenizer.words, sequences.extents
    input_ids, lengths = sequences.words, extents.word_counts
    input_ids[:, 0] = words.bos_id
    input_ids[np.arange(len(lengths)), lengths + 1] = words.eos_id
    attention = np.arange(input_ids.shape[1]) < lengths[:, None] + 2

    present = np.arange(sequences.entities.shape[1]) < sequences.entity_counts[:, None]
    wanted = masking.entity_targets(sequences.entity_counts)
    rows, columns = _choose(keys, _ENTITY_CHOICE, sequences.entity_counts, wanted)
    chosen = np.zeros_like(present)
    chosen[rows, columns] = True
    entity_positions = rows * present.shape[1] + columns
    entity_targets = sequences.entities.reshape(-1)[entity_positions]
    numbered = np.arange(present.shape[1])
    if masking.unlinked_names:
        unlinked = chances(keys[:, None], _UNLINKED, numbered) < masking.unlinked_names
        present &= chosen | ~unlinked
    entity_ids = np.where(present, sequences.entities, np.int32(tokenizer.entities.pad_row))
    entity_ids.reshape(-1)[entity_positions] = tokenizer.entities.mask_row

    rows, columns = _choose(keys, _CHOICE, lengths, masking.word_targets(lengths))
    word_positions = rows * input_ids.shape[1] + columns + 1
    word_targets = input_ids.reshape(-1)[word_positions]
    input_ids.reshape(-1)[word_positions] = _replaced(word_targets, keys[rows], columns, words)
    if masking.hidden_words or masking.hidden_names:
        limits = np.where(chosen, masking.hidden_words, masking.hidden_names)
        hidden = present & (chances(keys[:, None], _HIDDEN, numbered) < limits)
        input_ids.reshape(-1)[_covered(sequences.spans, hidden, input_ids.shape[1])] = words.mask_id
    return MaskedBatch(
        input_ids,
        attention,
        entity_ids,
        present,
        position_ids(sequences.spans, present, MOST_POSITIONS),
        word_positions,
        word_targets,
        entity_positions,
        entity_targets,
        extents.references[:, 0].astype(np.int32),
        extents.references,
        extents.places,
    )


def _share(available: Positions, rate: float) -> Positions:
    """``round(rate · available)``, at least one if there is any."""
    wanted = np.rint(rate * available).astype(np.int64)
    result: Positions = np.minimum(np.maximum(wanted, 1 if rate > 0 else 0), available)
    return result


def _choose(
    keys: Numbers, purpose: int, available: Positions, wanted: Positions
) -> tuple[Positions, Positions]:
    """Of every row ``wanted`` of the first ``available`` places, each as likely as the others.

    Returns:
        rows and columns of the chosen places, in their order
    """
    width, most = int(available.max(initial=0)), int(wanted.max(initial=0))
    if not most:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    columns = np.arange(width)
    # Lots with the column in the lowest bits, so that no two of a row are equal, and that the
    # smallest say where they are.
    lots = numbers(keys[:, None], purpose, columns)
    lots &= ~_COLUMN
    lots |= columns.astype(np.uint64)
    if width > available.min():
        lots[columns >= available[:, None]] = np.iinfo(np.uint64).max
    smallest = np.partition(lots, most - 1, axis=1)[:, :most]
    smallest.sort(axis=1)
    taken = np.arange(most) < wanted[:, None]
    drawn = np.where(taken, (smallest & _COLUMN).astype(np.int64), width)
    drawn.sort(axis=1)
    return np.repeat(np.arange(len(keys)), wanted), drawn[taken]


def _replaced(targets: Ids, keys: Numbers, columns: Positions, words: WordTokenizer) -> Ids:
    """80 % <mask>, 10 % a random ordinary piece, 10 % unchanged."""
    dice = chances(keys, _REPLACEMENT, columns)
    # Never a special piece: a <pad> inside a text would shift all positions.
    least, ordinary = words.unk_id + 1, words.mask_id - words.unk_id - 1
    random_ids = least + (chances(keys, _RANDOM_PIECE, columns) * ordinary).astype(np.int32)
    replaced: Ids = np.where(
        dice < 0.8, np.int32(words.mask_id), np.where(dice < 0.9, random_ids, targets)
    )
    return replaced


def _covered(spans: Ids, which: Mask, width: int) -> Positions:
    """The flat places of the pieces under the mentions that ``which`` selects."""
    rows = np.nonzero(which)[0]
    starts, ends = spans[which].astype(np.int64).T
    lengths = ends - starts
    before = np.cumsum(lengths) - lengths
    covered: Positions = np.arange(lengths.sum()) + np.repeat(
        rows * width + starts - before, lengths
    )
    return covered
