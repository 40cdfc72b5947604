"""The head for answers with its tokenizer and settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from exonym.foundation.seeds import derive_seed
from exonym.modeling import QuestionAnswering
from exonym.modeling.config import TWO_LABELS
from exonym.tasks.batches import similar_lengths
from exonym.tasks.qa.decoding import WindowLogits
from exonym.tasks.qa.features import Feature, batch_of
from exonym.tasks.qa.settings import QaSettings
from exonym.tokenization import EntityTokenizer


@dataclass(frozen=True)
class AnswerModel:
    """A model that says of every piece whether an answer starts or ends there.

    Args:
        model: the encoder with its head.
        tokenizer: its tokenizer.
        settings: how inputs are made, and answers read.
    """

    model: QuestionAnswering
    tokenizer: EntityTokenizer
    settings: QaSettings

    @classmethod
    def from_pretrained(
        cls, dir_or_id: str | Path, *, dtype: torch.dtype | str = torch.float32
    ) -> AnswerModel:
        """Open a fine-tuned model, ours or one in transformers' layout, from a directory or a hub.

        Raises:
            InputError: no checkpoint, or no tokenizer, is there.
            FormatError: the checkpoint is damaged, or has another head.
            ConfigError: its settings are impossible.
        """
        model = QuestionAnswering.from_pretrained(dir_or_id, dtype=dtype)
        settings = QaSettings.of(model.config)
        settings.kept_in(model.config)  # refuses more pieces than the model takes
        return cls(model, _tokenizer(dir_or_id, settings), settings)

    @classmethod
    def new(
        cls, dir_or_id: str | Path, settings: QaSettings | None = None, *, seed: int = 0
    ) -> AnswerModel:
        """A new head on a pretrained model, to be trained.

        Args:
            dir_or_id: a LUKE checkpoint with its tokenizer.
            settings: None takes the paper's, as far as the model goes.
            seed: of the head's first weights.

        Raises:
            InputError: no checkpoint, or no tokenizer, is there.
            ConfigError: the settings ask for more pieces than the model takes.
        """
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(derive_seed(seed, "question answering head"))
            model = QuestionAnswering.from_pretrained(dir_or_id, new_head=True, labels=TWO_LABELS)
        settings = settings or QaSettings.within(model.config.max_words)
        model.config = settings.kept_in(model.config)
        return cls(model, _tokenizer(dir_or_id, settings), settings)

    def save_pretrained(self, directory: str | Path) -> None:
        """Write model and tokenizer, for `load` and for transformers 4."""
        self.model.save_pretrained(directory)
        self.tokenizer.save_pretrained(directory)

    def logits(self, features: Sequence[Feature], *, batch_size: int = 32) -> list[WindowLogits]:
        """What the model says about each window, in the order given.

        Args:
            features: windows, of any lengths: they are computed sorted by length.
            batch_size: most windows at once.
        """
        said: list[WindowLogits | None] = [None] * len(features)
        device = next(self.model.parameters()).device
        with torch.inference_mode():
            for places in similar_lengths([feature.length for feature in features], batch_size):
                chosen = [features[place] for place in places]
                output = self.model(**batch_of(chosen, self.tokenizer).to(device))
                starts = output.start_logits.double().cpu().numpy()
                ends = output.end_logits.double().cpu().numpy()
                for row, (place, feature) in enumerate(zip(places, chosen, strict=True)):
                    passage = slice(feature.context, feature.context + len(feature.offsets))
                    said[place] = WindowLogits(
                        starts[row, passage], ends[row, passage], feature.offsets
                    )
        return [one for one in said if one is not None]


def _tokenizer(dir_or_id: str | Path, settings: QaSettings) -> EntityTokenizer:
    """The tokenizer of a checkpoint; a task that it was saved for is passed over."""
    found = EntityTokenizer.from_pretrained(dir_or_id, boundary=settings.boundary)
    if found.task is None:
        return found
    return EntityTokenizer(found.words, found.entities, boundary=settings.boundary)
