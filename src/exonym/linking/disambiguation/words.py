"""Disambiguation by masked words, the baseline that knows no entities.

A mention is replaced by as many <mask>s as a candidate's name has pieces, and the candidate gets
the mean log-probability of its pieces there, as candidates of cloze questions do (mLUKE, section
5). Its name is its label in the text's language, else in another. Candidates of one name get the
same, so between them the prior decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from exonym.linking.disambiguation.cases import Case, Decision, combine
from exonym.linking.disambiguation.model import LinkingModel, in_batches
from exonym.linking.disambiguation.windows import Window, cut_windows, with_mentions
from exonym.tokenization import EncodedText

Ids = npt.NDArray[np.int32]
Labels = Callable[[str, str], str]

_LONGEST_NAME = 32  # pieces; a candidate with a longer name keeps its prior
_SCORES_AT_ONCE = 1 << 24  # of pieces of the vocabulary: 64 MB


@dataclass(frozen=True, slots=True)
class _Question:
    """A mention with so many <mask>s in its place, and the names that have so many pieces."""

    text: int
    mention: int
    encoded: EncodedText
    start: int
    names: dict[int, Ids]  # by the place of the candidate

    @property
    def masks(self) -> int:
        return len(next(iter(self.names.values())))


class WordScorer:
    """Decides by the word head.

    Args:
        model: reads the texts.
        label: what an entity is called in a language, or in another where it has no name there.
        prior_weight: see `LinkingOptions`.
    """

    def __init__(self, model: LinkingModel, label: Labels, *, prior_weight: float) -> None:
        self._model, self._label, self._prior_weight = model, label, prior_weight

    def __call__(self, cases: Sequence[Case]) -> list[list[Decision]]:
        """Decide all mentions of some texts, each by itself.

        Args:
            cases: texts of any length.
        """
        most = self._model.model.config.max_words
        windows = cut_windows(
            self._model.tokenizer,
            [case.text for case in cases],
            max_length=most - min(_LONGEST_NAME, most // 4),
        )
        questions = [question for window in windows for question in self._questions(window, cases)]
        logits: dict[tuple[int, int], npt.NDArray[np.float64]] = {}
        for batch in in_batches([len(question.encoded.input_ids) for question in questions]):
            self._answer([questions[place] for place in batch], cases, logits)
        return [
            [
                combine(candidates, logits[text, mention], self._prior_weight)
                if (text, mention) in logits
                else Decision(candidates, read=False)
                for mention, candidates in enumerate(case.candidates)
            ]
            for text, case in enumerate(cases)
        ]

    def _questions(self, window: Window, cases: Sequence[Case]) -> list[_Question]:
        """What is asked about the mentions that are to be decided in a window."""
        case, words = cases[window.text], self._model.tokenizer.words
        most = self._model.model.config.max_words - len(window.encoded.input_ids)
        text = with_mentions(window.encoded, [])
        asked = []
        for place, mention in enumerate(window.mentions):
            candidates = case.candidates[mention]
            if not window.decided[place] or len(candidates) < 2:
                continue
            labels = [self._label(one.entity, case.text.language) for one in candidates]
            first = case.text.mentions[mention].start
            starts_word = first == 0 or case.text.text[first - 1].isspace()
            pieces = words.encode_stretches(labels, [starts_word] * len(labels))
            if len({tuple(name.tolist()) for name in pieces}) < 2:
                continue  # all of one name
            by_length: dict[int, dict[int, Ids]] = {}
            start, end = window.encoded.spans[place].tolist()
            for number, name in enumerate(pieces):
                if 0 < len(name) <= min(_LONGEST_NAME, most + end - start):
                    by_length.setdefault(len(name), {})[number] = name
            asked += [
                _Question(window.text, mention, self._masked(text, start, end, length), start, own)
                for length, own in sorted(by_length.items())
            ]
        return asked

    def _masked(self, text: EncodedText, start: int, end: int, masks: int) -> EncodedText:
        """A text with ``masks`` <mask>s in place of its pieces from ``start`` to ``end``."""
        filling = np.full(masks, self._model.tokenizer.words.mask_id, np.int32)
        ids = np.concatenate([text.input_ids[:start], filling, text.input_ids[end:]])
        return replace(text, input_ids=ids)

    @torch.inference_mode()
    def _answer(
        self,
        questions: Sequence[_Question],
        cases: Sequence[Case],
        logits: dict[tuple[int, int], npt.NDArray[np.float64]],
    ) -> None:
        """Put the mean log-probability of each candidate's name among the logits."""
        model = self._model.model
        batch = self._model.pad([question.encoded for question in questions])
        states = model(**batch.to(self._model.device)).last_hidden_state
        masks = [question.masks for question in questions]
        rows = np.repeat(np.arange(len(questions)), masks)
        columns = np.concatenate(
            [question.start + np.arange(question.masks) for question in questions]
        )
        chosen = states[torch.from_numpy(rows), torch.from_numpy(columns)]
        ends = np.cumsum(masks).tolist()
        step = max(1, _SCORES_AT_ONCE // model.config.vocab_size)
        # Of each <mask>, only the probabilities of the pieces that are asked for are kept.
        wanted: list[tuple[int, int, int, Ids]] = [
            (number, candidate, ends[number] - question.masks, name)
            for number, question in enumerate(questions)
            for candidate, name in question.names.items()
        ]
        places = np.concatenate([first + np.arange(len(name)) for _, _, first, name in wanted])
        pieces = np.concatenate([name for *_, name in wanted]).astype(np.int64)
        found = np.empty(len(places))
        for start in range(0, len(chosen), step):
            scores = model.word_logits(chosen[start : start + step]).log_softmax(dim=-1)
            here = np.flatnonzero((places >= start) & (places < start + step))
            index = torch.from_numpy(places[here] - start), torch.from_numpy(pieces[here])
            found[here] = scores[index].double().cpu().numpy()
        means = [float(part.mean()) for part in np.split(found, _bounds(wanted))]
        for (number, candidate, _, _), mean in zip(wanted, means, strict=True):
            place = questions[number].text, questions[number].mention
            if place not in logits:
                logits[place] = np.full(len(cases[place[0]].candidates[place[1]]), -np.inf)
            logits[place][candidate] = mean


def _bounds(wanted: Sequence[tuple[int, int, int, Ids]]) -> npt.NDArray[np.int64]:
    return np.cumsum([len(name) for *_, name in wanted])[:-1]
