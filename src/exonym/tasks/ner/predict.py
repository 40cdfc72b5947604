"""Finding named entities in texts: from models to records with character offsets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from exonym.foundation.errors import ConfigError
from exonym.foundation.files import JSON
from exonym.linking.linked import Linked
from exonym.tasks.given import refuse, require_several
from exonym.tasks.ner.decoding import decode
from exonym.tasks.ner.features import encode
from exonym.tasks.ner.model import NerModel
from exonym.tasks.ner.records import NerExample
from exonym.tasks.ner.settings import NerSettings
from exonym.text import AnnotatedText, Mention

Text = str | AnnotatedText | NerExample


class Linker(Protocol):
    """Says which entities the mentions of a text are: `exonym.linking`'s `Linker`, or one's own."""

    def __call__(self, text: AnnotatedText, *, detect: bool) -> Linked:
        """The text with a link for each of its mentions, and, if told to detect, others."""


_AHEAD = 16
"""Batches whose texts are read ahead, so that there are similar lengths among them."""


@dataclass(frozen=True, slots=True)
class NamedEntity:
    """An entity that a model found in a text.

    Args:
        start: first character, counted in the untouched text.
        end: one past the last character.
        label: its type.
        score: the type's probability, of all types and none.
        surface: the characters.
        entity: its key in the knowledge base; None without a linker, or if it knows none.
    """

    start: int
    end: int
    label: str
    score: float
    surface: str
    entity: str | None = None

    def to_json(self) -> JSON:
        """All fields; ``entity`` is left out where it is None."""
        value: JSON = {"start": self.start, "end": self.end, "label": self.label}
        value |= {"score": self.score, "surface": self.surface}
        if self.entity is not None:
            value["entity"] = self.entity
        return value


@dataclass(frozen=True)
class EntityRecognizer:
    """Called with a text, it finds the entities in it.

    Args:
        model: a fine-tuned model.
        linker: adds to each entity its key in a knowledge base.
    """

    model: NerModel
    linker: Linker | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """All types that can be predicted."""
        model = self.model
        return tuple(name for row, name in enumerate(model.labels) if row != model.outside)

    def __call__(self, text: Text, language: str = "und") -> list[NamedEntity]:
        """The entities of one text, in its order.

        Args:
            text: of any length; one that is longer than an input is read in windows.
            language: of a plain string; only the linker asks for it.

        Raises:
            InputError: it is no text.
        """
        return next(self.predict([text], language=language))

    def predict(
        self, texts: Iterable[Text], *, language: str = "und", batch_size: int = 32
    ) -> Iterator[list[NamedEntity]]:
        """The entities of each text, in order; texts are read as results are taken.

        Args:
            texts: strings, annotated texts (their mentions do not count), or examples; neighbours
                among the latter that are of one document are each other's context.
            language: of plain strings.
            batch_size: most texts computed together.

        Raises:
            InputError: something is no text, or one text is given for many.
            ConfigError: a batch size below 1.
        """
        require_several(texts)
        if batch_size < 1:
            raise ConfigError(f"batch_size must be at least 1, got {batch_size}")
        for group in _groups((_example(text, language) for text in texts), batch_size * _AHEAD):
            yield from self._of(group, batch_size)

    def _of(self, examples: Sequence[NerExample], batch_size: int) -> Iterator[list[NamedEntity]]:
        model = self.model
        features = encode(examples, model.tokenizer, model.settings, entities=model.entities)
        logits = model.logits(features, batch_size=batch_size)
        place = 0
        for number, example in enumerate(examples):
            first = place
            while place < len(features) and features[place].example == number:
                place += 1
            if first == place:
                yield []
                continue
            chosen = decode(
                np.concatenate([feature.characters for feature in features[first:place]]),
                np.concatenate(logits[first:place]),
                outside=model.outside,
                overlaps=model.settings.overlaps,
            )
            labels, text = model.labels, example.text
            found = [
                NamedEntity(start, end, labels[row], probability, text[start:end])
                for start, end, row, probability in chosen
            ]
            yield self._linked(example, found)

    def _linked(self, example: NerExample, found: list[NamedEntity]) -> list[NamedEntity]:
        if self.linker is None or not found:
            return found
        mentions = tuple(Mention(one.start, one.end) for one in found)
        linked = self.linker(AnnotatedText(example.text, example.language, mentions), detect=False)
        keys = {(link.start, link.end): link.entity for link in linked.links}
        return [replace(one, entity=keys.get((one.start, one.end))) for one in found]


def load(
    dir_or_id: str | Path,
    *,
    linker: Linker | None = None,
    settings: NerSettings | None = None,
    revision: str | None = None,
    local_files_only: bool = False,
    dtype: torch.dtype | str = torch.float32,
    device: torch.device | str = "cpu",
) -> EntityRecognizer:
    """Load a model that was fine-tuned for NER, by Exonym or in the layout of transformers.

    Args:
        dir_or_id: a directory with model and tokenizer, or a name on the hub.
        linker: adds to each entity its key in a knowledge base.
        settings: None takes those that the model was trained with; of a checkpoint that has none,
            `settings.OTHERS`.
        revision: branch, tag or commit on the hub.
        local_files_only: take what the hub's cache has, ask nobody.
        dtype: of the parameters; ``torch.bfloat16`` halves the memory, and the time where the
            processor multiplies it.
        device: where it computes.

    Raises:
        InputError: no checkpoint, or no tokenizer, is there.
        FormatError: the checkpoint is damaged, has no such head, or one label only.
    """
    model = NerModel.from_pretrained(
        dir_or_id,
        settings=settings,
        revision=revision,
        local_files_only=local_files_only,
        dtype=dtype,
    )
    model.model.to(device)
    return EntityRecognizer(model, linker)


def _example(text: Text, language: str) -> NerExample:
    if isinstance(text, NerExample):
        return text
    if isinstance(text, AnnotatedText):
        return NerExample(text.text, text.language, source=text.source)
    if not isinstance(text, str):
        refuse(text, "a string, an AnnotatedText or a NerExample")
    return NerExample(text, language)


def _groups(examples: Iterable[NerExample], size: int) -> Iterator[list[NerExample]]:
    """Groups of examples that cut no document in two."""
    group: list[NerExample] = []
    for example in examples:
        here = example.document
        if len(group) >= size and (here is None or here != group[-1].document):
            yield group
            group = []
        group.append(example)
    if group:
        yield group
