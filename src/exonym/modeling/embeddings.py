"""The embeddings of words and of entities.

Module names follow LUKE's released checkpoints, so that a state dict is a checkpoint.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from exonym.foundation.errors import InputError
from exonym.modeling.config import EncoderConfig
from exonym.modeling.dropout import dropout_add


class TiedGradient:
    """The gradient of a table on its way from the head that is tied to it.

    A head gives its table a dense gradient, and the look-up of the table's rows another one, as
    large. In a backward pass the head comes first: it leaves its gradient here, and the look-up
    adds its rows to that in place, before autograd gives it to the table.
    """

    def __init__(self) -> None:
        self._gradient: Tensor | None = None

    def give(self, gradient: Tensor) -> None:
        """Leave the head's gradient, which autograd then must not copy."""
        self._gradient = gradient

    def take(self) -> Tensor | None:
        """The gradient that was left last, once."""
        gradient, self._gradient = self._gradient, None
        return gradient


class _TiedLookUp(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, table: Tensor, rows: Tensor, tied: TiedGradient) -> Tensor:
        ctx.save_for_backward(rows)
        ctx.tied, ctx.rows = tied, len(table)
        return F.embedding(rows, table)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, None, None]:
        if not ctx.needs_input_grad[0]:
            return None, None, None
        (rows,) = ctx.saved_tensors
        gradient, dense = gradient.reshape(rows.numel(), -1), ctx.tied.take()
        if dense is None:  # the head had nothing to learn
            alone = gradient.new_zeros(ctx.rows, gradient.shape[1])
            return alone.index_add_(0, rows.flatten(), gradient), None, None
        dense.index_add_(0, rows.flatten(), gradient.to(dense.dtype))
        return None, None, None


def look_up(
    table: nn.Embedding, rows: Tensor, *, touched_rows_only: bool, tied: TiedGradient | None
) -> Tensor:
    """Rows of a table.

    Args:
        table: of pieces or entities.
        rows: (…,).
        touched_rows_only: let the gradient be sparse.
        tied: where a head that is tied to the table leaves its gradient in the same backward pass.
            Not on GPUs, where rows would be added in any order.
    """
    if tied is not None:
        looked_up: Tensor = _TiedLookUp.apply(table.weight, rows, tied)  # type: ignore[no-untyped-call]
        return looked_up
    return F.embedding(rows, table.weight, sparse=touched_rows_only)


class WordEmbeddings(nn.Module):
    """Piece, position and type embeddings, as in XLM-R.

    Attributes:
        touched_rows_only, tied: see `look_up`; `EntityEmbeddings` has them as well.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        hidden = config.hidden_size
        self.pad_token_id, self.max_words = config.pad_token_id, config.max_words
        self.touched_rows_only = False
        self.tied: TiedGradient | None = None
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
        embedded = look_up(
            self.word_embeddings,
            pieces,
            touched_rows_only=self.touched_rows_only,
            tied=self.tied,
        )
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
        self.tied: TiedGradient | None = None
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
            look_up(
                self.entity_embeddings,
                entity_ids,
                touched_rows_only=self.touched_rows_only,
                tied=self.tied,
            )
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
