"""What a model for named entities learns from, and how it is measured while it does.

The loss is the cross-entropy of the labels of all candidate spans, those that are no entity
included, as in the released code (github.com/studio-ousia/luke, examples/ner/model.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from exonym.foundation.errors import InputError
from exonym.modeling import EntitySpanClassifier
from exonym.objectives.loss import IGNORED
from exonym.tasks.ner.features import NerFeature, encode, missed
from exonym.tasks.ner.metrics import score
from exonym.tasks.ner.model import NerModel, batch_of
from exonym.tasks.ner.predict import EntityRecognizer
from exonym.tasks.ner.records import Dataset
from exonym.training.fine_tuning import LearnerLoss


@dataclass
class Learner:
    """What a model learns from, and how it is measured (`training.fine_tuning.Learner`).

    Args:
        ner: the model, trained in place.
        training: to train on. Entities that no span can be, or of a type that the model has not,
            cannot be learned; they are counted.
        validation: to choose the best epoch on; None: the last one is kept. Its gold counts as it
            is.
        main: the score that decides: ``"f1"``, ``"precision"`` or ``"recall"``.
        batch_size: for validation.

    Raises:
        InputError: there is no entity that the model can learn.
    """

    ner: NerModel
    training: Dataset
    validation: Dataset | None = None
    main: str = "f1"
    batch_size: int = 32

    def __post_init__(self) -> None:
        ner, examples = self.ner, self.training.examples
        self.features = encode(
            examples, ner.tokenizer, ner.settings, labels=ner.labels, entities=ner.entities
        )
        self.counts: Counter[str] = missed(examples, ner.tokenizer, ner.settings)
        unknown = sum(
            count for label, count in self.training.counts.items() if label not in ner.labels
        )
        if unknown:
            self.counts["of a type that the model has not"] = unknown
        if not any(
            feature.targets is not None and (feature.targets != ner.outside).any()
            for feature in self.features
        ):
            raise InputError(
                "there is no entity to learn from",
                where=examples[0].source if examples else None,
                remedy="Give a file with entities; exonym data check ner FILE shows what is read",
            )

    @property
    def model(self) -> EntitySpanClassifier:
        """The module that is trained."""
        return self.ner.model

    def loss(self, features: Sequence[NerFeature]) -> LearnerLoss:
        """Nats over all spans of some features, and how many spans there are."""
        device = next(self.model.parameters()).device
        most = max(len(feature.spans) for feature in features)
        targets = np.full((len(features), most), IGNORED, dtype=np.int64)
        for row, feature in zip(targets, features, strict=True):
            assert feature.targets is not None, "features of a learner have targets"
            row[: len(feature.targets)] = feature.targets
        logits = self.model(**batch_of(features, self.ner.tokenizer, device)).logits
        total = cross_entropy(
            logits.float().flatten(0, 1),
            torch.from_numpy(targets).to(device).flatten(),
            ignore_index=IGNORED,
            reduction="sum",
        )
        return LearnerLoss(total, int((targets != IGNORED).sum()))

    def validate(self) -> Mapping[str, float]:
        """F1, precision and recall on the validation sentences; nothing without such."""
        if self.validation is None or not self.validation.examples:
            return {}
        examples = self.validation.examples
        predicted = EntityRecognizer(self.ner).predict(examples, batch_size=self.batch_size)
        gold = [example.entities for example in examples]
        counts = score(gold, list(predicted), [example.language for example in examples]).of()
        return {"f1": counts.f1, "precision": counts.precision, "recall": counts.recall}

    def save(self, directory: Path) -> None:
        """Write model and tokenizer into a directory, for `load`."""
        self.ner.save_pretrained(directory)
