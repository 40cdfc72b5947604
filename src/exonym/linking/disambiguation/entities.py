"""Disambiguation by masked entities: each mention as [MASK], its candidates scored by the head.

The words of the mention stay as they are, as in mLUKE's pretraining. ``"together"`` reads a text
once. ``"confident-first"`` is the global model of Yamada et al. (2022, "Global Entity
Disambiguation with BERT"): the most certain mention is given its entity, the text is read again
with it, and so on until all are decided; of a text in several windows, one mention of each window
in every turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from exonym.linking.disambiguation.cases import Candidates, Case, Decision, combine
from exonym.linking.disambiguation.model import EntityRows, LinkingModel, in_batches
from exonym.linking.disambiguation.windows import Window, cut_windows
from exonym.linking.options import Order
from exonym.modeling.scoring import score_candidates


class EntityScorer:
    """Decides by the entity head.

    Args:
        model: reads the texts.
        rows: of the candidates in its table.
        order: see `LinkingOptions`.
        prior_weight: see `LinkingOptions`.
    """

    def __init__(
        self, model: LinkingModel, rows: EntityRows, *, order: Order, prior_weight: float
    ) -> None:
        self._model, self._rows = model, rows
        self._order, self._prior_weight = order, prior_weight

    def __call__(self, cases: Sequence[Case]) -> list[list[Decision]]:
        """Decide all mentions of some texts; those that are decided already come without a read.

        Args:
            cases: texts of any length.
        """
        windows = cut_windows(
            self._model.tokenizer,
            [case.text for case in cases],
            max_length=self._model.model.config.max_words,
        )
        reading = _Reading(self, cases, windows)
        if self._order == "together":
            reading.read(range(len(windows)))
        else:
            _most_confident_first(reading)
        return reading.decisions

    def logits(
        self, windows: Sequence[Window], wanted: Sequence[NDArray[np.int64]]
    ) -> list[NDArray[np.float64]]:
        """What the model makes of candidates.

        Args:
            windows: with the entities that are known in their ``entity_ids``.
            wanted: of each window, (mentions, candidates) rows, padded with -1.

        Returns:
            Of each window, (mentions, candidates) logits; -inf at the padding.
        """
        found: list[NDArray[np.float64]] = [np.empty((0, 0))] * len(windows)
        for batch in in_batches([len(window) for window in windows]):
            states = self._states([windows[place] for place in batch])
            for place, own in zip(batch, states, strict=True):
                rows = torch.from_numpy(wanted[place]).to(own.device)
                scores = score_candidates(self._model.model, own, rows).scores
                found[place] = scores.double().cpu().numpy()
        return found

    @torch.inference_mode()
    def _states(self, windows: Sequence[Window]) -> list[torch.Tensor]:
        """(mentions, hidden) states of each window."""
        batch = self._model.pad([window.encoded for window in windows]).to(self._model.device)
        states = self._model.model(**batch).entity_last_hidden_state
        assert states is not None, "windows have mentions"
        return [own[: len(window.mentions)] for own, window in zip(states, windows, strict=True)]

    def candidate_rows(self, keys: Sequence[str]) -> NDArray[np.int64]:
        """(keys,) rows of the model's table, -1 for what it does not have."""
        return self._rows(keys)

    def decide(self, candidates: Candidates, logits: NDArray[np.float64]) -> Decision:
        """Put logits and priors of a mention together."""
        return combine(candidates, logits[: len(candidates)], self._prior_weight)


class _Reading:
    """Texts in windows that are being decided.

    Attributes:
        decisions: so far, of each text's mentions.
        open: of each window, the mentions of its text that are still to be decided in it.
    """

    def __init__(
        self, scorer: EntityScorer, cases: Sequence[Case], windows: Sequence[Window]
    ) -> None:
        self.cases, self._windows, self._scorer = cases, list(windows), scorer
        self.decisions = [
            [Decision(candidates, read=False) for candidates in case.candidates] for case in cases
        ]
        self.open = [
            {
                mention
                for mention, here in zip(window.mentions, window.decided, strict=True)
                if here and cases[window.text].candidates[mention]
            }
            for window in windows
        ]
        self._windows_of: dict[tuple[int, int], list[int]] = {}
        for number, window in enumerate(windows):
            for mention in window.mentions:
                self._windows_of.setdefault((window.text, mention), []).append(number)
        self._wanted = [self._candidates(number) for number in range(len(windows))]
        for text, case in enumerate(cases):
            for mention, own in enumerate(case.text.mentions):
                if own.entity is not None:
                    self._put(text, mention, own.entity)

    def read(self, numbers: Iterable[int]) -> None:
        """Read some windows, and decide anew what is open in them."""
        chosen = [number for number in numbers if (self._wanted[number] >= 0).any()]
        found = self._scorer.logits(
            [self._windows[number] for number in chosen],
            [self._wanted[number] for number in chosen],
        )
        for number, logits in zip(chosen, found, strict=True):
            window = self._windows[number]
            for place, mention in enumerate(window.mentions):
                if mention in self.open[number]:
                    self.decisions[window.text][mention] = self._scorer.decide(
                        self.cases[window.text].candidates[mention], logits[place]
                    )

    def close(self, number: int, mention: int) -> list[int]:
        """Settle an open mention; returns the windows whose reading that may change."""
        self.open[number].discard(mention)
        text = self._windows[number].text
        return self._put(text, mention, self.decisions[text][mention].candidates[0].entity)

    def close_single(self, number: int) -> None:
        """Settle the mentions with one candidate: they are certain, whatever is read."""
        candidates = self.cases[self._windows[number].text].candidates
        for mention in sorted(self.open[number]):
            if len(candidates[mention]) == 1:
                self.close(number, mention)

    def most_confident(self, number: int) -> int:
        """The open mention of a window whose best candidate is likeliest; the first of equals."""
        decisions = self.decisions[self._windows[number].text]
        return max(
            self.open[number], key=lambda place: (decisions[place].candidates[0].score, -place)
        )

    def _put(self, text: int, mention: int, entity: str) -> list[int]:
        """Give a mention its entity wherever it is read; one the model lacks stays [MASK]."""
        row = int(self._scorer.candidate_rows([entity])[0])
        changed = self._windows_of.get((text, mention), []) if row >= 0 else []
        for number in changed:
            window = self._windows[number]
            ids = window.encoded.entity_ids.copy()
            ids[window.mentions.index(mention)] = row
            self._windows[number] = replace(window, encoded=replace(window.encoded, entity_ids=ids))
        return changed

    def _candidates(self, number: int) -> NDArray[np.int64]:
        """(mentions, candidates) rows of what is open in a window, padded with -1."""
        window = self._windows[number]
        candidates = self.cases[window.text].candidates
        own = [
            [candidate.entity for candidate in candidates[mention]]
            if mention in self.open[number]
            else []
            for mention in window.mentions
        ]
        rows = np.full((len(own), max(map(len, own))), -1, np.int64)
        for place, keys in enumerate(own):
            rows[place, : len(keys)] = self._scorer.candidate_rows(keys)
        return rows


def _most_confident_first(reading: _Reading) -> None:
    """Settle mention after mention, each read with all that were settled before as entities."""
    numbers = range(len(reading.open))
    for number in numbers:
        reading.close_single(number)
    changed = set(numbers)
    while any(reading.open):
        reading.read(number for number in sorted(changed) if reading.open[number])
        changed = set()
        for number in numbers:
            if reading.open[number]:
                changed.update(reading.close(number, reading.most_confident(number)))
