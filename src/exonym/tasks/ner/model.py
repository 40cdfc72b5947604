"""`NerModel`: a span classifier with its tokenizer, and what it takes: batches of features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from exonym.foundation.errors import ConfigError, FormatError, InputError
from exonym.foundation.seeds import derive_seed
from exonym.modeling import EntitySpanClassifier
from exonym.modeling.classifiers import SPAN_FEATURE_FIELD
from exonym.modeling.config import VARIANT_FIELD
from exonym.tasks.batches import similar_lengths
from exonym.tasks.ner.decoding import outside_row
from exonym.tasks.ner.features import NerFeature
from exonym.tasks.ner.settings import NerSettings
from exonym.tasks.ner.tagging import OUTSIDE
from exonym.tokenization import EntityTokenizer
from exonym.tokenization.encoded import pad_rows, position_ids
from exonym.tokenization.tokenizer import MOST_POSITIONS


@dataclass(frozen=True)
class NerModel:
    """A fine-tuned model, ready to predict.

    Args:
        model: in evaluation mode.
        tokenizer: its tokenizer.
        settings: which spans it looks at, and what it sees of them.
    """

    model: EntitySpanClassifier
    tokenizer: EntityTokenizer
    settings: NerSettings

    @classmethod
    def from_pretrained(
        cls,
        dir_or_id: str | Path,
        *,
        settings: NerSettings | None = None,
        revision: str | None = None,
        local_files_only: bool = False,
        dtype: torch.dtype | str = torch.float32,
    ) -> NerModel:
        """Open a fine-tuned model, ours or one in transformers' layout, from a directory or a hub.

        Args:
            dir_or_id: a directory with model and tokenizer, or a name on the hub.
            settings: None takes those that the model was trained with. Variant and feature are
                the model's own in any case.
            revision: branch, tag or commit on the hub.
            local_files_only: take what the hub's cache has, ask nobody.
            dtype: of the parameters.

        Raises:
            InputError: no checkpoint, or no tokenizer, is there.
            FormatError: the checkpoint is damaged, has no such head, or one label only.
            ConfigError: its settings are impossible.
        """
        model = EntitySpanClassifier.from_pretrained(
            dir_or_id, revision=revision, local_files_only=local_files_only, dtype=dtype
        )
        if model.config.num_labels < 2:
            raise FormatError("a model for NER has a label for none, and others", where=dir_or_id)
        own = NerSettings.of(model.config)
        if settings is not None:
            kind = replace(settings, variant=own.variant, span_feature=own.span_feature)
            own = kind.fitted(model.config)
        tokenizer = EntityTokenizer.from_pretrained(
            dir_or_id,
            boundary=own.boundary,
            revision=revision,
            local_files_only=local_files_only,
        )
        return cls(model, tokenizer, own)

    @classmethod
    def new(
        cls,
        dir_or_id: str | Path,
        labels: Sequence[str],
        settings: NerSettings | None = None,
        *,
        seed: int = 0,
    ) -> NerModel:
        """A new head on a pretrained model, to be trained.

        Args:
            dir_or_id: any LUKE checkpoint with its tokenizer.
            labels: types of entities; "no entity" gets a row of its own before them.
            settings: which spans, what the classifier sees of them.
            seed: of the head's first weights.

        Raises:
            InputError: no checkpoint, or no tokenizer, is there; or there is no label.
            ConfigError: a label is called "O".
        """
        if not labels:
            raise InputError("a classifier needs a type of entities at least")
        if OUTSIDE in labels:
            raise ConfigError(f"{OUTSIDE!r} cannot be a type of entities: it means none")
        settings = settings or NerSettings()
        fields = {VARIANT_FIELD: settings.variant, SPAN_FEATURE_FIELD: settings.span_feature}
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(derive_seed(seed, "ner head"))
            model = EntitySpanClassifier.from_pretrained(
                dir_or_id, new_head=True, labels=(OUTSIDE, *labels), fields=fields
            )
        settings = settings.fitted(model.config)
        model.config = model.luke.config = settings.kept_in(model.config)
        tokenizer = EntityTokenizer.from_pretrained(dir_or_id, boundary=settings.boundary)
        return cls(model, tokenizer, settings)

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the classifier's rows; one of them means "no entity"."""
        return self.model.config.labels

    @property
    def outside(self) -> int:
        """The row that means "no entity"."""
        return outside_row(self.labels)

    @property
    def entities(self) -> bool:
        """Whether the model takes an entity [MASK] for each span."""
        return self.settings.variant == "entities"

    def logits(
        self, features: Sequence[NerFeature], *, batch_size: int
    ) -> list[npt.NDArray[np.float32]]:
        """(spans, labels) of each feature. Features of similar lengths are computed together.

        Args:
            features: of any sentences.
            batch_size: most features of a batch; it has fewer where they are long.
        """
        found: list[npt.NDArray[np.float32]] = [np.zeros((0, 0), np.float32)] * len(features)
        device = next(self.model.parameters()).device
        for places in similar_lengths([feature.length for feature in features], batch_size):
            batch = batch_of([features[place] for place in places], self.tokenizer, device)
            with torch.no_grad():
                logits = self.model(**batch).logits.float().cpu().numpy()
            for place, own in zip(places, logits, strict=True):
                found[place] = own[: len(features[place].spans)]
        return found

    def save_pretrained(self, directory: str | Path) -> None:
        """Write model and tokenizer; transformers 4 reads it where the head is the released one."""
        self.model.save_pretrained(directory)
        self.tokenizer.save_pretrained(directory)


def batch_of(
    features: Sequence[NerFeature], tokenizer: EntityTokenizer, device: torch.device | str = "cpu"
) -> dict[str, Tensor]:
    """The arguments of `EntitySpanClassifier` for some features; all have entities, or none has."""
    input_ids, mask = pad_rows([feature.input_ids for feature in features], tokenizer.words.pad_id)
    counts = np.array([len(feature.spans) for feature in features])
    present = np.arange(counts.max()) < counts[:, None]
    spans = np.zeros((*present.shape, 2), dtype=np.int32)
    spans[present] = np.concatenate([feature.spans for feature in features])
    arrays: dict[str, npt.NDArray[np.generic]] = {
        "input_ids": input_ids.astype(np.int64),
        "attention_mask": mask,
        "entity_start_positions": spans[..., 0].astype(np.int64),
        "entity_end_positions": np.where(present, spans[..., 1] - 1, 0).astype(np.int64),
    }
    if features[0].entities:
        rows = np.where(present, tokenizer.entities.mask_row, tokenizer.entities.pad_row)
        positions = position_ids(spans, present, MOST_POSITIONS)
        arrays["entity_ids"] = rows.astype(np.int64)
        arrays["entity_attention_mask"] = present
        arrays["entity_position_ids"] = positions.astype(np.int64)
    return {name: torch.from_numpy(array).to(device) for name, array in arrays.items()}
