"""`EntityEncoder`: words and entities in one plain self-attention (paper, section 2).

Module names follow LUKE's released checkpoints, so that a state dict is a checkpoint.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from exonym.foundation.errors import InputError
from exonym.modeling.checkpoint import (
    PREFIX,
    load_exactly,
    read_shape,
    read_weights,
    write_checkpoint,
)
from exonym.modeling.config import EncoderConfig


@dataclass(frozen=True, slots=True)
class EncoderOutput:
    """What the encoder returns.

    Args:
        last_hidden_state: (batch, words, hidden).
        entity_last_hidden_state: (batch, entities, hidden); None when no entities were given.
    """

    last_hidden_state: Tensor
    entity_last_hidden_state: Tensor | None = None


class WordEmbeddings(nn.Module):
    """Piece, position and type embeddings, as in XLM-R."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        hidden = config.hidden_size
        self.pad_token_id, self.max_words = config.pad_token_id, config.max_words
        self.word_embeddings = nn.Embedding(config.vocab_size, hidden)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, hidden)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, hidden)
        self.LayerNorm = nn.LayerNorm(hidden, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, input_ids: Tensor) -> Tensor:
        """(batch, words) ids to (batch, words, hidden)."""
        if input_ids.shape[1] > self.max_words:
            raise InputError(
                f"{input_ids.shape[1]} pieces, but this encoder has positions for {self.max_words}",
                remedy="Pass a smaller max_length to the tokenizer",
            )
        # XLM-R counts positions from pad_token_id + 1 and gives padding the pad position.
        used = (input_ids != self.pad_token_id).long()
        positions = used.cumsum(dim=1) * used + self.pad_token_id
        embedded = self.word_embeddings(input_ids) + self.position_embeddings(positions)
        embedded = embedded + self.token_type_embeddings.weight[0]
        return self.dropout(self.LayerNorm(embedded))  # type: ignore[no-any-return]


class EntityEmbeddings(nn.Module):
    """Entity embedding, projected, plus the pooled position embeddings of its mention."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        hidden = config.hidden_size
        self.pooling = config.entity_position_pooling
        self.entity_embeddings = nn.Embedding(config.entity_vocab_size, config.entity_emb_size)
        self.entity_embedding_dense: nn.Module = (
            nn.Linear(config.entity_emb_size, hidden, bias=False)
            if config.entity_emb_size != hidden
            else nn.Identity()
        )
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, hidden)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, hidden)
        self.LayerNorm = nn.LayerNorm(hidden, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, entity_ids: Tensor, position_ids: Tensor) -> Tensor:
        """(batch, entities) rows, (batch, entities, positions) pieces to (…, hidden)."""
        embedded = self.entity_embedding_dense(self.entity_embeddings(entity_ids))
        used = (position_ids >= 0).unsqueeze(-1)
        # Entity positions index the pieces of the input, from 0 (no XLM-R offset).
        positions = self.position_embeddings(position_ids.clamp(min=0)) * used
        pooled = positions.sum(dim=-2)
        if self.pooling == "mean":
            pooled = pooled / used.sum(dim=-2).clamp(min=1)
        embedded = embedded + pooled + self.token_type_embeddings.weight[0]
        return self.dropout(self.LayerNorm(embedded))  # type: ignore[no-any-return]


class _SelfAttention(nn.Module):
    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.heads, self.dropout = config.num_attention_heads, config.attention_probs_dropout_prob
        self.query = nn.Linear(config.hidden_size, config.hidden_size)
        self.key = nn.Linear(config.hidden_size, config.hidden_size)
        self.value = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        query, key, value = (
            layer(states).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        if states.device.type == "cpu":
            # On CPUs the fused kernel is slow in bfloat16 (benchmarks/cpu_attention.py).
            query, key, value = query.float(), key.float(), value.float()
        dropout = self.dropout if self.training else 0.0
        with torch.autocast(states.device.type, enabled=False):
            mixed = F.scaled_dot_product_attention(
                query, key, value, attn_mask=mask, dropout_p=dropout
            )
        return mixed.transpose(1, 2).flatten(-2)


class _Output(nn.Module):
    """Projection, dropout, residual, layer normalisation."""

    def __init__(self, config: EncoderConfig, width: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, states: Tensor, residual: Tensor) -> Tensor:
        return self.LayerNorm(residual + self.dropout(self.dense(states)))  # type: ignore[no-any-return]


class _Layer(nn.Module):
    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        hidden, inner = config.hidden_size, config.intermediate_size
        self.attention = nn.ModuleDict(
            {"self": _SelfAttention(config), "output": _Output(config, hidden)}
        )
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(hidden, inner)})
        self.output = _Output(config, inner)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        mixed = self.attention["self"](states, mask)
        states = self.attention["output"](mixed, states)
        return self.output(F.gelu(self.intermediate["dense"](states)), states)  # type: ignore[no-any-return]


class _Layers(nn.Module):
    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.layer = nn.ModuleList(_Layer(config) for _ in range(config.num_hidden_layers))

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        for layer in self.layer:
            states = layer(states, mask)
        return states


class EntityEncoder(nn.Module):
    """The encoder of mLUKE.

    Args:
        config: its shape.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.embeddings = WordEmbeddings(config)
        self.entity_embeddings = EntityEmbeddings(config)
        self.encoder = _Layers(config)

    @classmethod
    def from_pretrained(cls, directory: str | Path) -> EntityEncoder:
        """Read the encoder of a LUKE checkpoint directory; heads in it are passed over.

        Raises:
            InputError: there is no checkpoint.
            FormatError: its tensors do not fit its configuration; the message names the first.
        """
        directory = Path(directory)
        encoder = cls(read_shape(directory))
        weights = read_weights(directory)
        if any(name.startswith(PREFIX) for name in weights):
            weights = {
                name.removeprefix(PREFIX): tensor
                for name, tensor in weights.items()
                if name.startswith(PREFIX)
            }
        load_exactly(encoder, weights, directory)
        return encoder

    def save_pretrained(self, directory: str | Path) -> None:
        """Write a checkpoint directory of the encoder alone."""
        config = {**self.config.to_json(), "architectures": ["LukeModel"]}
        write_checkpoint(Path(directory), config, self.state_dict())

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        entity_ids: Tensor | None = None,
        entity_attention_mask: Tensor | None = None,
        entity_position_ids: Tensor | None = None,
    ) -> EncoderOutput:
        """Encode words, and entities beside them where they are given.

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
        given = (entity_ids, entity_attention_mask, entity_position_ids)
        states, mask = self.embeddings(input_ids), attention_mask.bool()
        words = states.shape[1]
        if entity_ids is None or entity_attention_mask is None or entity_position_ids is None:
            if any(argument is not None for argument in given):
                raise InputError(
                    "entity_ids, entity_attention_mask and entity_position_ids go together"
                )
            return EncoderOutput(self.encoder(states, mask[:, None, None, :]))
        entities = self.entity_embeddings(entity_ids, entity_position_ids)
        mask = torch.cat([mask, entity_attention_mask.bool()], dim=1)
        states = self.encoder(torch.cat([states, entities], dim=1), mask[:, None, None, :])
        return EncoderOutput(states[:, :words], states[:, words:])
