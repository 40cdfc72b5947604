"""What a model for answers learns from, and how it is measured while it does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from exonym.foundation.errors import InputError
from exonym.modeling import QuestionAnswering
from exonym.tasks.qa.features import Feature, batch_of, encode
from exonym.tasks.qa.metrics import Rule, score
from exonym.tasks.qa.model import AnswerModel
from exonym.tasks.qa.predict import Answerer
from exonym.tasks.qa.records import QuestionExample
from exonym.training.fine_tuning import LearnerLoss


@dataclass
class Learner:
    """What a model learns from, and how it is measured (`training.fine_tuning.Learner`).

    Args:
        answers: the model, trained in place.
        examples: to train on; those without a right answer are left out and counted.
        validation: to choose the best epoch on, as far as they have a right answer; where there are
            none, the last epoch is kept.
        rule: whose scores the validation goes by.
    """

    answers: AnswerModel
    examples: Sequence[QuestionExample]
    validation: Sequence[QuestionExample] = ()
    rule: Rule = "squad"
    main: str = "f1"

    def __post_init__(self) -> None:
        answered = [example for example in self.examples if example.answers]
        self._validated = [example for example in self.validation if example.answers]
        if not answered:
            raise InputError("no question to train on has a right answer")
        self.counts: Counter[str] = Counter()
        self.counts["questions without an answer"] = len(self.examples) - len(answered)
        self.features = encode(answered, self.answers.tokenizer, self.answers.settings, self.counts)

    @property
    def model(self) -> QuestionAnswering:
        """The module that is trained."""
        return self.answers.model

    def loss(self, features: Sequence[Feature]) -> LearnerLoss:
        """Cross-entropy of the answer's first and last piece, the mean of both, by window.

        They are chosen among the pieces of the passage and ``<s>``, which is right where the window
        has not the whole answer (BERT, Devlin et al. 2019, and AllenNLP's reader do so).
        """
        batch = batch_of(features, self.answers.tokenizer)
        device = next(self.model.parameters()).device
        output = self.model(**batch.to(device))
        possible = np.zeros(batch.input_ids.shape, dtype=np.bool_)
        possible[:, 0] = True
        targets = np.zeros((2, len(features)), dtype=np.int64)
        for row, feature in enumerate(features):
            possible[row, feature.context : feature.context + len(feature.offsets)] = True
            targets[:, row] = feature.answer or (0, 0)
        closed = ~torch.from_numpy(possible).to(device)
        right = torch.from_numpy(targets).to(device)
        total = torch.zeros((), device=device)
        for logits, target in zip((output.start_logits, output.end_logits), right, strict=True):
            allowed = logits.float().masked_fill(closed, float("-inf"))
            total = total + F.cross_entropy(allowed, target, reduction="sum") / 2
        return LearnerLoss(total, len(features))

    def validate(self) -> Mapping[str, float]:
        """Exact match and F1 on the validation set."""
        if not self._validated:
            return {}
        predicted = {
            one.id: one.answers[0].text
            for one in Answerer(self.answers).predict(self._validated)
            if one.answers
        }
        scores = score(self._validated, predicted, self.rule)
        return {"exact_match": scores.exact_match, "f1": scores.f1}

    def save(self, directory: Path) -> None:
        """Write model and tokenizer into a directory, for `load`."""
        self.answers.save_pretrained(directory)
