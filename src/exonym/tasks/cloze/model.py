"""A pretrained model with its tokenizer, ready to be asked. Cloze needs no head of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from exonym.modeling import EncoderOutput, EntityMaskedLM
from exonym.tasks.cloze.features import QueryBatch
from exonym.tokenization import EntityTokenizer

Scores = npt.NDArray[np.float32]


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
            scores = torch.zeros(len(positions), len(candidates))
            for step in range(queries.masks):  # all at once, XLM-R's 250,000 pieces take gigabytes
                log_probabilities = self.model.word_logits(states[:, step]).log_softmax(dim=-1)
                scores += log_probabilities[:, ids[:, step]]
            scores /= queries.masks
        return np.asarray(scores.numpy(), dtype=np.float32)

    def entity_scores(self, queries: QueryBatch, rows: npt.NDArray[np.int64]) -> Scores:
        """Logits of the candidates' rows at the last entity of each query, the [MASK] at [Y].

        Returns:
            (queries, candidates).
        """
        with torch.inference_mode():
            states = self._encode(queries).entity_last_hidden_state
            assert states is not None, "entity queries carry entities"
            logits = self.model.entity_logits(states[:, -1], torch.from_numpy(rows).long())
        return np.asarray(logits.numpy(), dtype=np.float32)

    def _encode(self, queries: QueryBatch) -> EncoderOutput:
        batch = queries.batch
        inputs = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}
        if batch.entity_ids.shape[1]:
            inputs |= {
                "entity_ids": batch.entity_ids,
                "entity_attention_mask": batch.entity_attention_mask,
                "entity_position_ids": batch.entity_position_ids,
            }
        output: EncoderOutput = self.model(
            **{name: torch.from_numpy(array) for name, array in inputs.items()}
        )
        return output


def load(directory: str | Path) -> ClozeModel:
    """Load a checkpoint directory that has a tokenizer beside the model.

    Raises:
        InputError: no checkpoint, or no tokenizer, is there.
        FormatError: the checkpoint is damaged.
    """
    model = EntityMaskedLM.from_pretrained(directory)
    model.eval()
    return ClozeModel(model, EntityTokenizer.from_pretrained(directory))
