"""What a model for relations learns from, and how it is measured while it does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F

from exonym.foundation.errors import InputError
from exonym.modeling import EntityPairClassifier
from exonym.objectives.loss import IGNORED
from exonym.tasks.relation.features import Feature, batch_of, encode
from exonym.tasks.relation.metrics import relations_of, score
from exonym.tasks.relation.model import RelationModel
from exonym.tasks.relation.records import Dataset
from exonym.training.fine_tuning import LearnerLoss


@dataclass
class Learner:
    """What a model learns from, and how it is measured (`training.fine_tuning.Learner`).

    Args:
        relations: the model, trained in place.
        training: to train on; examples without a label are left out and counted.
        validation: to choose the best epoch on; None: the last one is kept.
        main: the score that decides, ``"macro_f1"``, ``"micro_f1"`` or ``"accuracy"``.

    Raises:
        InputError: no example has a label that the model knows.
    """

    relations: RelationModel
    training: Dataset
    validation: Dataset | None = None
    main: str = "macro_f1"

    def __post_init__(self) -> None:
        self.counts: Counter[str] = Counter()
        model = self.relations
        rows = model.model.config.label2id
        labelled = [example for example in self.training.examples if example.label in rows]
        if not labelled:
            raise InputError("no example to train on has a label that the model knows")
        self.counts["examples without a label that the model knows"] = len(
            self.training.examples
        ) - len(labelled)
        self.features = encode(labelled, model.tokenizer, model.settings, rows, self.counts)
        self._validated = [
            example
            for example in (self.validation.examples if self.validation else ())
            if example.label is not None
        ]
        self._validation_features = encode(self._validated, model.tokenizer, model.settings)

    @property
    def model(self) -> EntityPairClassifier:
        """The module that is trained."""
        return self.relations.model

    def loss(self, features: Sequence[Feature]) -> LearnerLoss:
        """Cross-entropy of the labels."""
        device = next(self.model.parameters()).device
        batch = batch_of(features, self.relations.tokenizer)
        output = self.model(**{name: tensor.to(device) for name, tensor in batch.items()})
        targets = torch.tensor([feature.target for feature in features], device=device)
        total = F.cross_entropy(
            output.logits.float(), targets, reduction="sum", ignore_index=IGNORED
        )
        return LearnerLoss(total, len(features))

    def validate(self) -> Mapping[str, float]:
        """Macro F1, micro F1 and accuracy on the validation set."""
        if not self._validated:
            return {}
        labels = self.relations.labels
        best = self.relations.probabilities(self._validation_features).argmax(axis=1)
        gold = [example.label for example in self._validated if example.label is not None]
        scores = score(gold, [labels[row] for row in best], relations_of(labels))
        return {
            "macro_f1": scores.macro_f1,
            "micro_f1": scores.micro.f1,
            "accuracy": scores.accuracy,
        }

    def save(self, directory: Path) -> None:
        """Write model and tokenizer into a directory, for `load`."""
        self.relations.save_pretrained(directory)
