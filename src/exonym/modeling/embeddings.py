"""The embeddings of words and of entities.

Module names follow LUKE's released checkpoints, so that a state dict is a checkpoint.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from exonym.foundation.errors import InputError
from exonym.modeling.config import EncoderConfig
from exonym.modeling.dropout import dropout_add


def look_up(table: nn.Embedding, rows: Tensor, touched_rows_only: bool) -> Tensor:
    """Rows of a table.

    Args:
        table: of pieces or entities.
        rows: (…,).
        touched_rows_only: let the gradient of the look-up be sparse. Only where something else
            gives the table a dense gradient in the same backward pass (a head that is tied to it),
            to which PyTorch then adds the touched rows in place, instead of a second gradient as
            large as the table.
    """
    return F.embedding(rows, table.weight, sparse=touched_rows_only)


class WordEmbeddings(nn.Module):
    """Piece, position and type embeddings, as in XLM-R.

    Attributes:
        touched_rows_only: see `look_up`; `EntityEmbeddings` has it as well.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        hidden = config.hidden_size
        self.pad_token_id, self.max_words = config.pad_token_id, config.max_words
        self.touched_rows_only = False
        self.word_embeddings = nn.Embedding(config.vocab_size, hidden)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, hidden)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, hidden)
        self.LayerNorm = nn.LayerNorm(hidden, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, input_ids: Tensor, places: Tensor) -> Tensor:
        """The embeddings of some of the pieces.

        Args:
            input_ids: (batch, words), padded.
            places: (rows,) in the flattened (batch, words).

        Returns:
            (rows, hidden).
        """
        if input_ids.shape[1] > self.max_words:
            raise InputError(
                f"{input_ids.shape[1]} pieces, but this encoder has positions for {self.max_words}",
                remedy="Pass a smaller max_length to the tokenizer",
            )
        # XLM-R counts positions from pad_token_id + 1 and gives padding the pad position.
        used = (input_ids != self.pad_token_id).long()
        positions = used.cumsum(dim=1) * used + self.pad_token_id
        pieces = input_ids.flatten().index_select(0, places)
        positions = positions.flatten().index_select(0, places)
        embedded = look_up(self.word_embeddings, pieces, self.touched_rows_only)
        embedded = embedded + self.position_embeddings(positions)
        embedded = embedded + self.token_type_embeddings.weight[0]
        return dropout_add(self.LayerNorm(embedded), None, self.dropout.p, self.training)


class EntityEmbeddings(nn.Module):
    """Entity embedding, projected, plus the pooled position embeddings of its mention."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        hidden = config.hidden_size
        self.pooling = config.entity_position_pooling
        self.touched_rows_only = False
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
        """The embeddings of entities.

        Args:
            entity_ids: (…,) rows of the entity table.
            position_ids: (…, positions) pieces of each mention, -1 padding.

        Returns:
            (…, hidden).
        """
        embedded = self.entity_embedding_dense(
            look_up(self.entity_embeddings, entity_ids, self.touched_rows_only)
        )
        table = self.position_embeddings.weight
        positions = position_ids.flatten(0, -2)
        used = positions >= 0
        # Entity positions index the pieces of the input, from 0 (no XLM-R offset). The bag adds
        # them up without a (rows, positions, hidden) block in between.
        pooled = F.embedding_bag(
            positions.clamp(min=0), table, per_sample_weights=used.to(table.dtype), mode="sum"
        )
        if self.pooling == "mean":
            pooled = pooled / used.sum(dim=-1, keepdim=True).clamp(min=1)
        embedded = embedded + pooled.view_as(embedded) + self.token_type_embeddings.weight[0]
        return dropout_add(self.LayerNorm(embedded), None, self.dropout.p, self.training)
