"""Heads for masked words and masked entities, tied to their embedding tables."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from exonym.modeling.config import EncoderConfig
from exonym.modeling.encoder import EncoderOutput, EntityEncoder


class WordHead(nn.Module):
    """XLM-R's head: projection, GELU, layer normalisation, tied decoder with a bias."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(self, states: Tensor, table: Tensor) -> Tensor:
        """(masked, hidden) states and the (pieces, hidden) table to (masked, pieces) logits."""
        return F.linear(self.layer_norm(F.gelu(self.dense(states))), table, self.bias)


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


class EntityMaskedLM(nn.Module):
    """The pretraining model: encoder, word head, entity head.

    Args:
        config: the shape of the encoder.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.luke = EntityEncoder(config)
        self.lm_head = WordHead(config)
        self.entity_predictions = EntityHead(config)
        self.apply(self._initialise)

    def _initialise(self, module: nn.Module) -> None:
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=self.config.initializer_range)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)

    def forward(self, **batch: Tensor) -> EncoderOutput:
        """Encode; the arguments are `EntityEncoder.forward`'s."""
        output: EncoderOutput = self.luke(**batch)
        return output

    def word_logits(self, states: Tensor) -> Tensor:
        """(masked, hidden) word states to (masked, pieces) logits."""
        logits: Tensor = self.lm_head(states, self.luke.embeddings.word_embeddings.weight)
        return logits

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

    @staticmethod
    def is_new(name: str) -> bool:
        """Whether a parameter is not XLM-R's: the entity embeddings and the entity head.

        These are what the first stage of mLUKE's pretraining trains (paper, appendix A).
        """
        return name.startswith(("luke.entity_embeddings.", "entity_predictions."))
