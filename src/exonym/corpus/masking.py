"""Masking words and entities (paper, section 3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from exonym.foundation.errors import ConfigError
from exonym.tokenization import EntityTokenizer, WordTokenizer
from exonym.tokenization.encoded import Ids, pad_rows, position_ids
from exonym.tokenization.tokenizer import MOST_POSITIONS

Mask = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.int64]


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


@dataclass(frozen=True, slots=True)
class MaskedBatch:
    """A padded batch with its targets; see `EncodedBatch` for the inputs.

    Args:
        word_positions: (masked words,) indices into the flattened (batch · words).
        word_targets: (masked words,) piece ids.
        entity_positions: (masked entities,) indices into the flattened (batch · entities).
        entity_targets: (masked entities,) rows.
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


def mask_batch(
    sequences: Sequence[tuple[Ids, ...]],
    tokenizer: EntityTokenizer,
    masking: Masking,
    rng: np.random.Generator,
) -> MaskedBatch:
    """Pad sequences (words, entities, spans), put <s> and </s> around them, and mask.

    Args:
        sequences: as `Sequences.__getitem__` gives them.
        tokenizer: knows the special ids and rows.
        masking: the rates.
        rng: every random choice comes from here.
    """
    words = tokenizer.words
    framed = [
        np.concatenate(([words.bos_id], sequence[0], [words.eos_id])).astype(np.int32)
        for sequence in sequences
    ]
    input_ids, attention = pad_rows(framed, words.pad_id)
    ordinary = attention.copy()
    ordinary[:, 0] = False
    ordinary[np.arange(len(framed)), attention.sum(axis=1) - 1] = False

    entity_rows = [s[1] if masking.with_entities else s[1][:0] for s in sequences]
    entity_ids, present = pad_rows(entity_rows, tokenizer.entities.pad_row)
    spans = np.zeros((*present.shape, 2), dtype=np.int32)
    if present.any():
        spans[present] = np.concatenate([s[2] for s in sequences]) + 1  # behind <s>

    chosen_entities = _choose(present, masking.entity_rate, rng)
    entity_positions = np.flatnonzero(chosen_entities)
    entity_targets = entity_ids.reshape(-1)[entity_positions]
    entity_ids = np.where(chosen_entities, np.int32(tokenizer.entities.mask_row), entity_ids)
    unlinked = present & ~chosen_entities & (rng.random(present.shape) < masking.unlinked_names)
    present = present & ~unlinked
    entity_ids = np.where(present, entity_ids, np.int32(tokenizer.entities.pad_row))

    chosen = _choose(ordinary, masking.word_rate, rng)
    word_positions = np.flatnonzero(chosen)
    word_targets = input_ids.reshape(-1)[word_positions]
    masked = _replace(input_ids, word_positions, words, rng)
    chance = np.where(chosen_entities, masking.hidden_words, masking.hidden_names)
    hidden = present & (rng.random(present.shape) < chance)
    masked[_covered(spans, hidden, input_ids.shape)] = words.mask_id
    return MaskedBatch(
        masked,
        attention,
        entity_ids,
        present,
        position_ids(spans, present, MOST_POSITIONS),
        word_positions,
        word_targets,
        entity_positions,
        entity_targets,
    )


def _choose(eligible: Mask, rate: float, rng: np.random.Generator) -> Mask:
    """In every row ``round(rate · eligible)`` of the eligible places, at least one if any."""
    keys = np.where(eligible, rng.random(eligible.shape), np.inf)
    available = eligible.sum(axis=1)
    wanted = np.rint(rate * available).astype(np.int64)
    wanted = np.minimum(np.maximum(wanted, 1 if rate > 0 else 0), available)
    ranks = keys.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    chosen: Mask = ranks < wanted[:, None]
    return chosen


def _replace(
    input_ids: Ids, positions: Positions, words: WordTokenizer, rng: np.random.Generator
) -> Ids:
    """80 % <mask>, 10 % a random ordinary piece, 10 % unchanged."""
    dice = rng.random(len(positions))
    # Never a special piece: a <pad> inside a text would shift all positions.
    random_ids = rng.integers(words.unk_id + 1, words.mask_id, len(positions), dtype=np.int32)
    masked = input_ids.copy()
    flat = masked.reshape(-1)
    flat[positions] = np.where(
        dice < 0.8, np.int32(words.mask_id), np.where(dice < 0.9, random_ids, flat[positions])
    )
    return masked


def _covered(spans: Ids, which: Mask, shape: tuple[int, int]) -> Mask:
    """(batch, words) True on the pieces under the mentions that ``which`` selects."""
    steps = np.zeros((shape[0], shape[1] + 1), dtype=np.int32)
    rows, columns = np.nonzero(which)
    np.add.at(steps, (rows, spans[rows, columns, 0]), 1)
    np.add.at(steps, (rows, spans[rows, columns, 1]), -1)
    covered: Mask = steps.cumsum(axis=1)[:, :-1] > 0
    return covered
