"""What the tokenizer returns: `EncodedText`, one text, and `EncodedBatch`, padded arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from exonym.tokenization.offsets import Places
from exonym.tokenization.words import Pieces

if TYPE_CHECKING:
    from torch import Tensor, device

Ids = npt.NDArray[np.int32]
NO_TEXT = -1  # in `EncodedText.text_index`: a special piece
BEFORE, BEHIND = -1, -2  # in `Origin.places`: a special piece, and which side it belongs to


@dataclass(frozen=True)
class EncodedText:
    """Ids of one text, of a pair, or of one window of them, and where each came from.

    Args:
        input_ids: (words,) piece ids, ``<s>`` and ``</s>`` included.
        entity_ids: (entities,) rows of the entity vocabulary.
        spans: (entities, 2) pieces [start, end) of each mention, indices into ``input_ids``.
        mention_offsets: (entities, 2) characters [start, end) of each mention in its text.
        mention_index: (entities,) which mention of its text each is; mentions that were cut off,
            or lie in another window, are missing here.
        text_index: (words,) 0 for pieces of the first text of a pair (or the only one), 1 for
            those of the second, -1 for special pieces.
        mention_text: (entities,) 0 or 1: which text each mention is of.
        origin: where the pieces came from; `offsets` and `word_index` are read from it.
        source: which of the texts given to the tokenizer this is; windows share it.
        cut_pieces: pieces that ``overflow="cut"`` left out.
        cut_mentions: mentions that were left out with them.
    """

    input_ids: Ids
    entity_ids: Ids
    spans: Ids
    mention_offsets: Ids
    mention_index: Ids
    text_index: npt.NDArray[np.int8]
    mention_text: npt.NDArray[np.int8]
    origin: Origin
    source: int = 0
    cut_pieces: int = 0
    cut_mentions: int = 0

    @cached_property
    def offsets(self) -> Ids:
        """(words, 2) characters [start, end) of each piece in its untouched text.

        Special pieces have the empty span where they stand. Made when first asked for.
        """
        return self.origin.offsets()

    @cached_property
    def word_index(self) -> Ids | None:
        """(words,) which word of a `SplitText` each piece begins in; -1 for special pieces.

        None for texts that did not come as words.
        """
        if self.origin.word_starts is None:
            return None
        starts = np.asarray(self.origin.word_starts, dtype=np.int32)
        index = np.searchsorted(starts, self.offsets[:, 0], side="right").astype(np.int32) - 1
        return np.where(self.text_index == 0, index, np.int32(NO_TEXT)).astype(np.int32)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the pieces of an `EncodedText` came from.

    Args:
        pieces: of a whole batch of texts.
        stretch_starts: (stretches,) the character of its text at which each stretch begins.
        places: (words,) index of each piece among ``pieces``; `BEFORE` and `BEHIND` stand for
            special pieces that belong to what follows and to what precedes them.
        paired: whether the pieces are of two texts.
        word_starts: first characters of the words of a `SplitText`, or None.
    """

    pieces: Pieces
    stretch_starts: Ids
    places: Places
    paired: bool = False
    word_starts: Sequence[int] | None = None

    def offsets(self) -> Ids:
        """(words, 2) characters of each piece in its text."""
        real = self.places >= 0
        chosen = self.places[real]
        stretches = np.searchsorted(self.pieces.starts, chosen, side="right") - 1
        offsets = np.zeros((len(self.places), 2), dtype=np.int32)
        offsets[real] = self.pieces.offsets[chosen] + self.stretch_starts[stretches][:, None]
        for place in np.flatnonzero(~real).tolist():
            offsets[place] = self._beside(place, offsets)
        return offsets

    def _beside(self, place: int, offsets: Ids) -> int:
        """Where a special piece stands: before what follows it, or behind what precedes it."""
        before = self.places[place] == BEFORE
        steps = range(place + 1, len(self.places)) if before else range(place - 1, -1, -1)
        for other in steps:
            if self.places[other] >= 0:
                return int(offsets[other, 0 if before else 1])
            if self.paired and self.places[other] != self.places[place]:
                return 0  # the text is empty
        return 0


@dataclass(frozen=True, slots=True, eq=False)
class EncodedBatch(Mapping[str, npt.NDArray[Any]]):
    """Several encoded texts, padded to common lengths; the names are the model's arguments.

    Also a mapping of the arguments that there are: without any mention only those of words.

    Args:
        input_ids: (batch, words) piece ids.
        attention_mask: (batch, words) True on pieces.
        entity_ids: (batch, entities) rows.
        entity_attention_mask: (batch, entities) True on mentions.
        entity_position_ids: (batch, entities, positions) indices of the mention's pieces in
            ``input_ids``; -1 is padding.
        entity_start_positions: (batch, entities) index of each mention's first piece, 0 for
            padding; None except for span classification.
        entity_end_positions: (batch, entities) index of its last piece.
        texts: the unpadded originals, with offsets; with windows, one for each.
    """

    input_ids: Ids
    attention_mask: npt.NDArray[np.bool_]
    entity_ids: Ids
    entity_attention_mask: npt.NDArray[np.bool_]
    entity_position_ids: Ids
    entity_start_positions: Ids | None = None
    entity_end_positions: Ids | None = None
    texts: tuple[EncodedText, ...] = ()

    def __iter__(self) -> Iterator[str]:
        yield from ("input_ids", "attention_mask")
        if self.entity_ids.shape[1]:
            yield from ("entity_ids", "entity_attention_mask", "entity_position_ids")
            if self.entity_start_positions is not None:
                yield from ("entity_start_positions", "entity_end_positions")

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        if name not in iter(self):
            raise KeyError(name)
        value: npt.NDArray[Any] = getattr(self, name)
        return value

    def to(self, device: str | device = "cpu") -> dict[str, Tensor]:
        """The arguments as torch tensors: ``model(**batch.to("cpu"))``."""
        import torch

        tensors = {name: torch.from_numpy(array) for name, array in self.items()}
        return {
            name: tensor.to(device) if tensor.dtype == torch.bool else tensor.to(device).long()
            for name, tensor in tensors.items()
        }


def pad_rows(rows: Sequence[npt.NDArray[np.int32]], fill: int) -> tuple[Ids, npt.NDArray[np.bool_]]:
    """Stack rows of unequal length; returns the array and the mask of what is not padding."""
    lengths = np.fromiter((len(row) for row in rows), dtype=np.int64, count=len(rows))
    width = int(lengths.max(initial=0))
    mask = np.arange(width) < lengths[:, None]
    padded = np.full(mask.shape, fill, dtype=np.int32)
    if width:
        padded[mask] = np.concatenate(rows)
    return padded, mask


def position_ids(
    spans: Ids, present: npt.NDArray[np.bool_], most: int, *, width: int | None = None
) -> Ids:
    """The pieces of each mention as the model wants them.

    Args:
        spans: (..., 2) pieces [start, end).
        present: (...) False where there is no mention.
        most: the largest number of positions kept per mention (the paper: 30).
        width: how many positions the result has; None for the longest mention's.

    Returns:
        (..., positions) indices, padded with -1.
    """
    lengths = np.where(present, spans[..., 1] - spans[..., 0], 0)
    if width is None:
        width = min(int(lengths.max(initial=0)), most)
    steps = np.arange(width, dtype=np.int32)
    positions = spans[..., :1] + steps
    return np.where(steps < lengths[..., None], positions, np.int32(-1)).astype(np.int32)


def pad_texts(
    texts: Sequence[EncodedText],
    *,
    pad_id: int,
    pad_row: int,
    most_positions: int,
    full_width: bool = False,
    span_positions: bool = False,
) -> EncodedBatch:
    """Pad encoded texts into one batch.

    Args:
        texts: what to pad.
        pad_id: the word id of padding.
        pad_row: the row of padding entities.
        most_positions: the largest number of positions kept per mention.
        full_width: give every mention ``most_positions`` places, as transformers does, rather
            than as many as the longest one needs.
        span_positions: also give the first and the last piece of each mention.
    """
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
        position_ids(
            spans, entity_mask, most_positions, width=most_positions if full_width else None
        ),
        spans[..., 0] if span_positions else None,
        np.where(entity_mask, spans[..., 1] - 1, 0).astype(np.int32) if span_positions else None,
        tuple(texts),
    )
