"""A pretrained model with its tokenizer, ready to be asked. Cloze needs no head of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from exonym.knowledge import JoinedVocabulary, KnowledgeBase
from exonym.modeling import EncoderOutput, EntityMaskedLM
from exonym.tasks.cloze.features import QueryBatch
from exonym.tokenization import EntityTokenizer

Scores = npt.NDArray[np.float32]
_ROWS_AT_ONCE = 1 << 16  # of the entity table; 64 MiB of logits for 256 queries


@dataclass(frozen=True)
class ClozeModel:
    """Scores of words and entities at a query's object.

    Args:
        model: a pretrained model, in evaluation mode.
        tokenizer: its tokenizer.
    """

    model: EntityMaskedLM
    tokenizer: EntityTokenizer

    def word_scores(
        self, queries: QueryBatch, candidates: Sequence[npt.NDArray[np.int32]]
    ) -> Scores:
        """Mean log-probability of each candidate's pieces at the query's <mask>s.

        Args:
            queries: with as many <mask>s as every candidate has pieces.
            candidates: (pieces,) ids each.

        Returns:
            (queries, candidates).
        """
        with torch.inference_mode():
            states = self._encode(queries).last_hidden_state
            positions = queries.mask_start[:, None] + np.arange(queries.masks)
            rows = torch.arange(len(positions))[:, None]
            states = states[rows, torch.from_numpy(positions)]
            ids = torch.from_numpy(np.stack(candidates)).long()  # (candidates, masks)
            scores = states.new_zeros(len(positions), len(candidates), dtype=torch.float32)
            for step in range(queries.masks):  # all at once, XLM-R's 250,000 pieces take gigabytes
                logits = self.model.word_logits(states[:, step]).float()
                scores += logits[:, ids[:, step]] - logits.logsumexp(dim=-1, keepdim=True)
            scores /= queries.masks
        return np.asarray(scores.cpu().numpy(), dtype=np.float32)

    def entity_scores(
        self, queries: QueryBatch, rows: npt.NDArray[np.int64], *, normalised: bool = False
    ) -> Scores:
        """Scores of the candidates' rows at the last entity of each query, the [MASK] at [Y].

        Args:
            queries: with the object's entity.
            rows: (candidates,) of the entity vocabulary.
            normalised: log-probabilities over the whole table, which can be compared with those
                of words; else logits, which is much less work for a large table.

        Returns:
            (queries, candidates).
        """
        with torch.inference_mode():
            states = self._encode(queries).entity_last_hidden_state
            assert states is not None, "entity queries carry entities"
            at = torch.arange(len(states)), torch.from_numpy(queries.last_entity)
            features, table, bias = self.model.entity_features(states[at])
            chosen = torch.from_numpy(rows).long().to(table.device)
            logits = torch.addmm(bias[chosen], features, table[chosen].T).float()
            if normalised:
                logits -= _log_sums(features, table, bias)[:, None]
        return np.asarray(logits.cpu().numpy(), dtype=np.float32)

    def _encode(self, queries: QueryBatch) -> EncoderOutput:
        device = next(self.model.parameters()).device
        output: EncoderOutput = self.model(**queries.batch.to(device))
        return output


def _log_sums(features: torch.Tensor, table: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """(queries,) the logarithm of the sum of exponentials over all rows, never held at once."""
    total = features.new_full((len(features),), float("-inf"), dtype=torch.float32)
    for start in range(0, len(table), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        logits = torch.addmm(bias[part], features, table[part].T).float()
        total = torch.logaddexp(total, logits.logsumexp(dim=-1))
    return total


def load(
    directory: str | Path,
    *,
    device: str | torch.device = "cpu",
    kb: KnowledgeBase | None = None,
) -> ClozeModel:
    """Load a checkpoint directory that has a tokenizer beside the model.

    Args:
        directory: of the checkpoint, or a repository of the hub.
        device: where the model computes.
        kb: finds the rows of entities that the vocabulary knows by titles alone, as the released
            ones do: questions name Wikidata items.

    Raises:
        InputError: no checkpoint, or no tokenizer, is there.
        FormatError: the checkpoint is damaged.
    """
    model = EntityMaskedLM.from_pretrained(directory)
    model.eval()
    tokenizer = EntityTokenizer.from_pretrained(directory)
    if kb is not None:
        tokenizer.entities = JoinedVocabulary(tokenizer.entities, kb)
    return ClozeModel(model.to(device), tokenizer)
