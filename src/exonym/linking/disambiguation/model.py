"""The model that reads a text, and where a knowledge base's entities stand in its table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exonym.knowledge import EntityVocabulary, JoinedVocabulary, KnowledgeBase
from exonym.modeling import EntityMaskedLM
from exonym.tokenization import EncodedText, EntityTokenizer
from exonym.tokenization.encoded import EncodedBatch, pad_texts
from exonym.tokenization.tokenizer import MOST_POSITIONS

_ROWS_AT_ONCE = 8192  # pieces and mentions of a batch


@dataclass(frozen=True)
class LinkingModel:
    """A pretrained model with its tokenizer.

    Args:
        model: with the heads of pretraining, in evaluation mode.
        tokenizer: its own.
        path: the directory or name it was loaded from; None for one made otherwise.
    """

    model: EntityMaskedLM
    tokenizer: EntityTokenizer
    path: str | None = None

    @classmethod
    def load(cls, dir_or_id: str | Path, *, device: str = "cpu") -> LinkingModel:
        """Load a checkpoint that has a tokenizer and an entity vocabulary beside it.

        Args:
            dir_or_id: a directory, or a name on the hub.
            device: where the model computes, as torch names it.

        Raises:
            InputError: there is no checkpoint or no tokenizer.
            FormatError: a file is damaged.
        """
        model = EntityMaskedLM.from_pretrained(dir_or_id).eval().to(device)
        return cls(model, EntityTokenizer.from_pretrained(dir_or_id), str(dir_or_id))

    @property
    def device(self) -> str:
        """Where the model computes."""
        return str(next(self.model.parameters()).device)

    def pad(self, texts: Sequence[EncodedText]) -> EncodedBatch:
        """The model's input for some encoded texts."""
        return pad_texts(
            texts,
            pad_id=self.tokenizer.words.pad_id,
            pad_row=self.tokenizer.entities.pad_row,
            most_positions=MOST_POSITIONS,
        )


class EntityRows:
    """Which row of a model's entity table each entity of a knowledge base has.

    Args:
        kb: whose keys are asked for.
        entities: the model's vocabulary; see `JoinedVocabulary`.
    """

    def __init__(self, kb: KnowledgeBase, entities: EntityVocabulary) -> None:
        self._entities = JoinedVocabulary(entities, kb)
        self._rows: dict[str, int] = {}

    def __call__(self, keys: Sequence[str]) -> NDArray[np.int64]:
        """(keys,) rows; -1 for an entity that the model does not have."""
        for key in keys:
            if key not in self._rows:
                row = self._entities.row(key)
                if row is None or row in self._entities.special_rows:
                    row = -1
                self._rows[key] = row
        return np.array([self._rows[key] for key in keys], np.int64)


def in_batches(sizes: Sequence[int]) -> list[list[int]]:
    """Put items of about the same size together, not too many at once.

    Args:
        sizes: of each item: pieces and mentions.

    Returns:
        The places of the items of each batch.
    """
    batches: list[list[int]] = []
    for place in sorted(range(len(sizes)), key=lambda place: (-sizes[place], place)):
        if not batches or (len(batches[-1]) + 1) * sizes[batches[-1][0]] > _ROWS_AT_ONCE:
            batches.append([])
        batches[-1].append(place)
    return batches
