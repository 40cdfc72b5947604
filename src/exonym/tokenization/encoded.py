"""What the tokenizer returns: `EncodedText`, one text, and `EncodedBatch`, padded arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class EncodedText:
    """Ids of one text and where each came from.

    Args:
        input_ids: (words,) piece ids, ``<s>`` and ``</s>`` included.
        offsets: (words, 2) characters [start, end) of each piece in the untouched text;
            special pieces have the empty span at the text's start or end.
        entity_ids: (entities,) rows of the entity vocabulary.
        spans: (entities, 2) pieces [start, end) of each mention, indices into ``input_ids``.
        mention_offsets: (entities, 2) characters [start, end) of each mention.
        mention_index: (entities,) which of the text's mentions each is; mentions that were cut
            off are missing here.
        cut_pieces: pieces that ``overflow="cut"`` left out.
        cut_mentions: mentions that were left out with them.
    """

    input_ids: Ids
    offsets: Ids
    entity_ids: Ids
    spans: Ids
    mention_offsets: Ids
    mention_index: Ids
    cut_pieces: int = 0
    cut_mentions: int = 0


@dataclass(frozen=True, slots=True)
class EncodedBatch:
    """Several encoded texts, padded to common lengths; the names are the model's arguments.

    Args:
        input_ids: (batch, words) piece ids.
        attention_mask: (batch, words) True on pieces.
        entity_ids: (batch, entities) rows.
        entity_attention_mask: (batch, entities) True on mentions.
        entity_position_ids: (batch, entities, positions) indices of the mention's pieces in
            ``input_ids``; -1 is padding.
        texts: the unpadded originals, with offsets.
    """

    input_ids: Ids
    attention_mask: npt.NDArray[np.bool_]
    entity_ids: Ids
    entity_attention_mask: npt.NDArray[np.bool_]
    entity_position_ids: Ids
    texts: tuple[EncodedText, ...] = ()


def pad_rows(rows: Sequence[npt.NDArray[np.int32]], fill: int) -> tuple[Ids, npt.NDArray[np.bool_]]:
    """Stack rows of unequal length; returns the array and the mask of what is not padding."""
    lengths = np.fromiter((len(row) for row in rows), dtype=np.int64, count=len(rows))
    width = int(lengths.max(initial=0))
    mask = np.arange(width) < lengths[:, None]
    padded = np.full(mask.shape, fill, dtype=np.int32)
    if width:
        padded[mask] = np.concatenate(rows)
    return padded, mask


def position_ids(spans: Ids, present: npt.NDArray[np.bool_], most: int) -> Ids:
    """The pieces of each mention as the model wants them.

    Args:
        spans: (..., 2) pieces [start, end).
        present: (...) False where there is no mention.
        most: the largest number of positions kept per mention (the paper: 30).

    Returns:
        (..., positions) indices, padded with -1; positions is the longest mention's length.
    """
    lengths = np.where(present, spans[..., 1] - spans[..., 0], 0)
    width = min(int(lengths.max(initial=0)), most)
    steps = np.arange(width, dtype=np.int32)
    positions = spans[..., :1] + steps
    return np.where(steps < lengths[..., None], positions, np.int32(-1)).astype(np.int32)


def pad_texts(
    texts: Sequence[EncodedText], *, pad_id: int, pad_row: int, most_positions: int
) -> EncodedBatch:
    """Pad encoded texts into one batch."""
    input_ids, attention_mask = pad_rows([text.input_ids for text in texts], pad_id)
    entity_ids, entity_mask = pad_rows([text.entity_ids for text in texts], pad_row)
    spans = np.zeros((*entity_mask.shape, 2), dtype=np.int32)
    if entity_mask.any():
        spans[entity_mask] = np.concatenate([text.spans for text in texts])
    return EncodedBatch(
        input_ids,
        attention_mask,
        entity_ids,
        entity_mask,
        position_ids(spans, entity_mask, most_positions),
        tuple(texts),
    )
