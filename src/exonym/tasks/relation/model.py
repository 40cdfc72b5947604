"""The head for relations with its tokenizer and settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from exonym.foundation.errors import InputError
from exonym.foundation.seeds import derive_seed
from exonym.modeling import ClassifierOutput, EntityPairClassifier
from exonym.tasks.batches import similar_lengths
from exonym.tasks.relation.features import TASK, Feature, batch_of
from exonym.tasks.relation.settings import RelationSettings
from exonym.tokenization import EntityTokenizer

Floats = npt.NDArray[np.float64]

_LIKE_MARKERS = ("@", "#")


@dataclass(frozen=True)
class RelationModel:
    """A model that gives two mentions of a text a label.

    Args:
        model: the encoder with its head.
        tokenizer: its tokenizer, made for the task.
        settings: how inputs are made.
    """

    model: EntityPairClassifier
    tokenizer: EntityTokenizer
    settings: RelationSettings

    @classmethod
    def from_pretrained(
        cls, dir_or_id: str | Path, *, dtype: torch.dtype | str = torch.float32
    ) -> RelationModel:
        """Open a fine-tuned model, ours or one in transformers' layout, from a directory or a hub.

        Raises:
            InputError: no checkpoint, or no tokenizer, is there.
            FormatError: the checkpoint is damaged, or has another head.
            ConfigError: its settings are impossible.
        """
        model = EntityPairClassifier.from_pretrained(dir_or_id, dtype=dtype)
        settings = RelationSettings.of(model.config)
        settings.kept_in(model.config)  # refuses more pieces than the model takes
        return cls(model, _tokenizer(dir_or_id, settings), settings)

    @classmethod
    def new(
        cls,
        dir_or_id: str | Path,
        labels: Sequence[str],
        settings: RelationSettings | None = None,
        *,
        seed: int = 0,
    ) -> RelationModel:
        """A new head on a pretrained model, to be trained.

        [MASK2] starts as [MASK], and the markers ``<ent>`` and ``<ent2>`` as "@" and "#", as in
        LUKE's code: pretraining has none of them in its input.

        Args:
            dir_or_id: a LUKE checkpoint with its tokenizer.
            labels: of the classifier's rows; "no relation" is one of them where it is wanted.
            settings: None takes the longest input that the model takes, up to 512 pieces.
            seed: of the head's first weights.

        Raises:
            InputError: no checkpoint, or no tokenizer, is there; or fewer than two labels.
            ConfigError: the settings ask for more pieces than the model takes.
        """
        if len(set(labels)) < 2:
            raise InputError(f"a classifier needs two labels at least, got {list(labels)}")
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(derive_seed(seed, "relation head"))
            model = EntityPairClassifier.from_pretrained(
                dir_or_id, new_head=True, labels=tuple(labels)
            )
        if settings is None:
            settings = RelationSettings(min(RelationSettings().max_length, model.config.max_words))
        model.config = model.luke.config = settings.kept_in(model.config)
        tokenizer = _tokenizer(dir_or_id, settings)
        _start_markers(model, tokenizer)
        return cls(model, tokenizer, settings)

    @property
    def labels(self) -> tuple[str, ...]:
        """Of the classifier's rows, in their order."""
        return self.model.config.labels

    def save_pretrained(self, directory: str | Path) -> None:
        """Write model and tokenizer, for `load` and, with entities, for transformers 4."""
        self.model.save_pretrained(directory)
        self.tokenizer.save_pretrained(directory)

    def probabilities(self, features: Sequence[Feature], *, batch_size: int = 32) -> Floats:
        """(features, labels), in the order given; batches are of similar lengths."""
        found = np.zeros((len(features), len(self.labels)))
        for places, output in self._outputs(features, batch_size):
            found[places] = output.logits.double().softmax(dim=-1).cpu().numpy()
        return found

    def states(self, features: Sequence[Feature], *, batch_size: int = 32) -> Floats:
        """What the classifier sees, for analyses such as modularity: (features, 2 x hidden).

        Both entities' states, the head's first; of a model of words alone, those at the markers.
        """
        found = np.zeros((len(features), 2 * self.model.config.hidden_size))
        for places, output in self._outputs(features, batch_size):
            if self.settings.variant == "entities":
                assert output.entity_last_hidden_state is not None, "there are two entities"
                states = output.entity_last_hidden_state[:, :2]
            else:
                at = torch.from_numpy(np.stack([features[p].text.spans[:, 0] for p in places]))
                rows = torch.arange(len(places))[:, None]
                states = output.last_hidden_state[rows, at.long()]
            found[places] = states.flatten(1).double().cpu().numpy()
        return found

    def _outputs(
        self, features: Sequence[Feature], batch_size: int
    ) -> Iterator[tuple[list[int], ClassifierOutput]]:
        """Places of features that go through the model together, and what it says of them."""
        lengths = [feature.length for feature in features]
        device = next(self.model.parameters()).device
        for places in similar_lengths(lengths, batch_size):
            batch = batch_of([features[place] for place in places], self.tokenizer)
            with torch.inference_mode():
                output: ClassifierOutput = self.model(
                    **{name: tensor.to(device) for name, tensor in batch.items()}
                )
            yield places, output


def _tokenizer(dir_or_id: str | Path, settings: RelationSettings) -> EntityTokenizer:
    return EntityTokenizer.from_pretrained(dir_or_id, boundary=settings.boundary, task=TASK)


def _start_markers(model: EntityPairClassifier, tokenizer: EntityTokenizer) -> None:
    """Give what pretraining never saw the embeddings of something it saw."""
    words, entities = tokenizer.words, tokenizer.entities
    table = model.luke.embeddings.word_embeddings.weight
    rows = model.luke.entity_embeddings.entity_embeddings.weight
    likes = words.encode_stretches(_LIKE_MARKERS, [False] * len(_LIKE_MARKERS))
    with torch.no_grad():
        for marker, like in zip(words.added.markers, likes, strict=True):
            if len(like):
                table[marker] = table[int(like[-1])]
        rows[entities.mask2_row] = rows[entities.mask_row]
