"""`EntityEncoder`: words and entities in one self-attention (paper, section 2).

Module names follow LUKE's released checkpoints, so that a state dict is a checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from exonym.foundation.errors import InputError
from exonym.modeling.attention import longest_together
from exonym.modeling.config import EncoderConfig
from exonym.modeling.embeddings import EntityEmbeddings, WordEmbeddings
from exonym.modeling.layers import Layers
from exonym.modeling.loading import POOLER
from exonym.modeling.packing import Packing, pack, pad
from exonym.modeling.prepared import MOST_ROWS, alignment
from exonym.modeling.pretrained import Pretrained


@dataclass(frozen=True, slots=True)
class EncoderOutput:
    """What the encoder returns.

    Args:
        last_hidden_state: (batch, words, hidden).
        entity_last_hidden_state: (batch, entities, hidden); None when no entities were given.
        pooler_output: (batch, hidden), from the state of ``<s>``; None in an encoder without a
            pooler.
    """

    last_hidden_state: Tensor
    entity_last_hidden_state: Tensor | None = None
    pooler_output: Tensor | None = None


class Pooler(nn.Module):
    """A projection of the state of ``<s>``, and tanh, as in BERT."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, states: Tensor) -> Tensor:
        """(batch, words, hidden) to (batch, hidden)."""
        return torch.tanh(self.dense(states[:, 0]))


_MULTIPLE = 256
"""Rows that a packed batch is a multiple of in bfloat16 training on a CPU: oneDNN makes and keeps a
kernel for each number of rows, and nearly every batch has one of its own."""


class EntityEncoder(Pretrained):
    """The encoder of mLUKE.

    `from_pretrained` reads the encoder of any LUKE checkpoint; a head in it is passed over, a
    pooler is read.

    Args:
        config: its shape.
        pooler: whether it has a pooler, which sequence classification needs.
    """

    architecture = "LukeModel"
    prefix = ""

    def __init__(self, config: EncoderConfig, *, pooler: bool = False) -> None:
        super().__init__(config)
        self.embeddings = WordEmbeddings(config)
        self.entity_embeddings = EntityEmbeddings(config)
        self.encoder = Layers(config)
        self.pooler = Pooler(config) if pooler else None

    @classmethod
    def _options(cls, tensors: Mapping[str, Tensor]) -> dict[str, Any]:
        return {"pooler": any(name.endswith(POOLER[0]) for name in tensors)}

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        entity_ids: Tensor | None = None,
        entity_attention_mask: Tensor | None = None,
        entity_position_ids: Tensor | None = None,
    ) -> EncoderOutput:
        """Encode words, and entities beside them where they are given.

        Padding is left out of the computation. States of padded words and entities are zeros.

        Args:
            input_ids: (batch, words) piece ids.
            attention_mask: (batch, words), true on pieces.
            entity_ids: (batch, entities) rows of the entity vocabulary.
            entity_attention_mask: (batch, entities), true on mentions.
            entity_position_ids: (batch, entities, positions) pieces of each mention, -1 padding.

        Raises:
            InputError: more pieces than the encoder has positions, or some of the three entity
                arguments without the others.
        """
        _same("attention_mask", attention_mask.shape, "input_ids", input_ids.shape)
        mask = attention_mask.bool()
        given = (entity_ids, entity_attention_mask, entity_position_ids)
        if entity_ids is None or entity_attention_mask is None or entity_position_ids is None:
            if any(argument is not None for argument in given):
                raise InputError(
                    "entity_ids, entity_attention_mask and entity_position_ids go together"
                )
            packing = self._packing(mask, None)
            words = self.embeddings(input_ids, packing.words)
            states = self.encoder(packing.join(words, None), packing.groups)
            word_states, entity_states = packing.spread_words(states, *mask.shape), None
        else:
            for name, of in (
                ("entity_attention_mask", entity_attention_mask.shape),
                ("entity_position_ids", entity_position_ids.shape[:-1]),
            ):
                _same(name, of, "entity_ids", entity_ids.shape)
            entity_mask = entity_attention_mask.bool()
            packing = self._packing(mask, entity_mask)
            words = self.embeddings(input_ids, packing.words)
            rows = entity_ids.flatten().index_select(0, packing.entities)
            positions = entity_position_ids.flatten(0, 1).index_select(0, packing.entities)
            entities = self.entity_embeddings(rows, positions)
            states = self.encoder(packing.join(words, entities), packing.groups)
            word_states = packing.spread_words(states, *mask.shape)
            entity_states = packing.spread_entities(states, *entity_mask.shape)
        return EncoderOutput(word_states, entity_states, self._pooled(word_states))

    def _packing(self, words: Tensor, entities: Tensor | None) -> Packing:
        if torch.compiler.is_compiling():
            return pad(words, entities)  # shapes that follow from the batch's own
        if words.device.type != "cpu":
            return pack(words, entities, mixed_lengths=True)
        dtype = self.embeddings.word_embeddings.weight.dtype
        if torch.is_grad_enabled():
            half = torch.is_autocast_enabled("cpu") or dtype == torch.bfloat16
            long = longest_together(self.config.num_attention_heads) + 1
            return pack(words, entities, alone_from=long, multiple=_MULTIPLE if half else 1)
        align = alignment(dtype)
        return pack(words, entities, most_rows=MOST_ROWS, align=align)

    def _pooled(self, states: Tensor) -> Tensor | None:
        return None if self.pooler is None else self.pooler(states)


def _same(name: str, shape: torch.Size, other: str, expected: torch.Size) -> None:
    if shape != expected:
        raise InputError(f"{name} is for {tuple(shape)}, but {other} is {tuple(expected)}")
