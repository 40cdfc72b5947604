"""Heads for masked words and masked entities, tied to their embedding tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from exonym.foundation.errors import FormatError
from exonym.modeling.checkpoint import (
    CONFIG_FILE,
    PREFIX,
    read_config,
    read_shape,
    read_weights,
)
from exonym.modeling.config import TWO_LABELS, EncoderConfig
from exonym.modeling.encoder import EncoderOutput, EntityEncoder
from exonym.modeling.pretrained import ENTITY_TABLE, Pretrained

NEW = (f"{PREFIX}entity_embeddings.", "entity_predictions.")
"""What the names of the parameters begin with that mLUKE adds to XLM-R."""

BACKBONES = ("xlm-roberta", "roberta", "luke")
"""Model types whose words a new model can start from."""

_BY_WORD = (
    f"{PREFIX}embeddings.word_embeddings.weight",
    "lm_head.bias",
    "lm_head.decoder.weight",
    "lm_head.decoder.bias",
)


class WordHead(nn.Module):
    """XLM-R's head: projection, GELU, layer normalisation, tied decoder with a bias."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def features(self, states: Tensor) -> Tensor:
        """(masked, hidden) states to what the table is multiplied by, (masked, hidden)."""
        return self.layer_norm(F.gelu(self.dense(states)))  # type: ignore[no-any-return]

    def forward(self, states: Tensor, table: Tensor) -> Tensor:
        """(masked, hidden) states and the (pieces, hidden) table to (masked, pieces) logits."""
        return F.linear(self.features(states), table, self.bias)


class _EntityTransform(nn.Module):
    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.entity_emb_size)
        self.LayerNorm = nn.LayerNorm(config.entity_emb_size, eps=config.layer_norm_eps)

    def forward(self, states: Tensor) -> Tensor:
        return self.LayerNorm(F.gelu(self.dense(states)))  # type: ignore[no-any-return]


class EntityHead(nn.Module):
    """Projection into the entity table's width, and the tied table with a bias (LUKE, eq. 2)."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.transform = _EntityTransform(config)
        self.bias = nn.Parameter(torch.zeros(config.entity_vocab_size))

    def forward(self, states: Tensor, table: Tensor, rows: Tensor | None = None) -> Tensor:
        """(masked, hidden) states and the (rows, width) table to (masked, rows) logits."""
        if rows is None:
            return F.linear(self.transform(states), table, self.bias)
        return F.linear(self.transform(states), table[rows], self.bias[rows])


class EntityMaskedLM(Pretrained):
    """The pretraining model: encoder, word head, entity head.

    Args:
        config: the shape of the encoder.
    """

    architecture = "LukeForMaskedLM"
    tied: ClassVar[Mapping[str, str]] = {
        "lm_head.decoder.weight": f"{PREFIX}embeddings.word_embeddings.weight",
        "lm_head.decoder.bias": "lm_head.bias",
        "entity_predictions.decoder.weight": f"{PREFIX}{ENTITY_TABLE}",
    }

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__(config)
        self.luke = EntityEncoder(config)
        self.lm_head = WordHead(config)
        self.entity_predictions = EntityHead(config)
        self.apply(self.initialise)

    def forward(self, **batch: Tensor) -> EncoderOutput:
        """Encode; the arguments are `EntityEncoder.forward`'s."""
        output: EncoderOutput = self.luke(**batch)
        return output

    def word_logits(self, states: Tensor) -> Tensor:
        """(masked, hidden) word states to (masked, pieces) logits."""
        logits: Tensor = self.lm_head(states, self.luke.embeddings.word_embeddings.weight)
        return logits

    def word_features(self, states: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What `word_logits` are made of, for a loss that never holds them all.

        Args:
            states: (masked, hidden) of words.

        Returns:
            Features (masked, hidden), the table (pieces, hidden) and its bias (pieces,): the logits
            are features times table, plus bias.
        """
        table = self.luke.embeddings.word_embeddings.weight
        return self.lm_head.features(states), table, self.lm_head.bias

    def entity_features(self, states: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What `entity_logits` over the whole table are made of.

        Args:
            states: (masked, hidden) of entities.

        Returns:
            Features (masked, width), the table (rows, width) and its bias (rows,).
        """
        head, table = self.entity_predictions, self.luke.entity_embeddings.entity_embeddings.weight
        return head.transform(states), table, head.bias

    def entity_logits(self, states: Tensor, rows: Tensor | None = None) -> Tensor:
        """(masked, hidden) entity states to logits.

        Args:
            states: of the entity [MASK]s.
            rows: (candidates,) the rows to score; None scores the whole table.

        Returns:
            (masked, candidates) or (masked, rows of the table).
        """
        table = self.luke.entity_embeddings.entity_embeddings.weight
        logits: Tensor = self.entity_predictions(states, table, rows)
        return logits

    @classmethod
    def from_backbone(
        cls,
        directory: str | Path,
        *,
        entity_vocab_size: int,
        entity_emb_size: int = 256,
        entity_position_pooling: str = "mean",
        added_words_like: Sequence[int] = (),
    ) -> EntityMaskedLM:
        """A new model whose words come from an XLM-R (or LUKE) checkpoint, its entities new.

        Args:
            directory: with ``config.json`` and ``model.safetensors`` or ``pytorch_model.bin``, its
                word head included.
            entity_vocab_size: rows of the new entity table.
            entity_emb_size: its width.
            entity_position_pooling: ``"mean"`` or ``"sum"``.
            added_words_like: for each word id to add behind the checkpoint's, the id whose
                embedding and bias it starts with.

        Raises:
            InputError: there is no checkpoint.
            FormatError: it is no XLM-R or LUKE, or a word tensor is missing.
        """
        directory = Path(directory)
        kind = read_config(directory).get("model_type")
        if kind not in BACKBONES:
            raise FormatError(
                f"expected an XLM-R checkpoint, found model_type {kind!r}",
                where=directory / CONFIG_FILE,
            )
        shape = read_shape(
            directory,
            model_type="luke",
            entity_vocab_size=entity_vocab_size,
            entity_emb_size=entity_emb_size,
            entity_position_pooling=entity_position_pooling,
            use_entity_aware_attention=False,
        )
        vocab_size = shape.vocab_size + len(added_words_like)
        model = cls(replace(shape, vocab_size=vocab_size, labels=TWO_LABELS, other={}))
        words = {
            PREFIX + name.removeprefix("roberta.") if name.startswith("roberta.") else name: tensor
            for name, tensor in read_weights(directory).items()
        }
        for name in words.keys() & _BY_WORD if added_words_like else ():
            added = words[name][torch.as_tensor(added_words_like)]
            words[name] = torch.cat([words[name], added])
        model._copy_from(words, directory, new=NEW)
        return model

    def copy_word_positions(self) -> None:
        """Start the entity position table from the word positions.

        Entities count the input's pieces from 0, words from ``pad_token_id + 1``.
        """
        shift = self.config.pad_token_id + 1
        source = self.luke.embeddings.position_embeddings.weight
        target = self.luke.entity_embeddings.position_embeddings.weight
        with torch.no_grad():
            target[: len(target) - shift] = source[shift:]

    @staticmethod
    def is_new(name: str) -> bool:
        """Whether a parameter is not XLM-R's: the entity embeddings and the entity head.

        These are what the first stage of mLUKE's pretraining trains (paper, appendix A).
        """
        return name.startswith(NEW)
