"""A tiny model for relations, and examples."""

from __future__ import annotations

from dataclasses import replace

import torch

from exonym.modeling import EncoderConfig, EntityPairClassifier
from exonym.tasks.relation import RelationExample, RelationModel, RelationSettings, Span
from exonym.tasks.relation.features import TASK
from exonym.text import AnnotatedText
from exonym.tokenization import EntityTokenizer
from tiny_models import NO_DROPOUT, tiny_config

LABELS = ("no_relation", "capital(e1,e2)", "capital(e2,e1)", "lies_in(e1,e2)")


def config_of(tokenizer: EntityTokenizer) -> EncoderConfig:
    return tiny_config(
        len(tokenizer.words),
        len(tokenizer.entities),
        initializer_range=0.5,
        labels=LABELS,
        **NO_DROPOUT,
    )


def for_relations(tokenizer: EntityTokenizer) -> EntityTokenizer:
    return EntityTokenizer(tokenizer.words, tokenizer.entities, task=TASK)


def relation_model(
    tokenizer: EntityTokenizer, settings: RelationSettings | None = None
) -> RelationModel:
    """An untrained model with large weights, so that answers differ from pair to pair."""
    torch.manual_seed(0)
    config = config_of(tokenizer)
    settings = settings or RelationSettings(config.max_words)
    model = EntityPairClassifier(settings.kept_in(config)).eval()
    return RelationModel(model, for_relations(tokenizer), settings)


def example(
    text: str,
    head: str,
    tail: str,
    label: str | None = None,
    *,
    language: str = "en",
    number: str = "1",
) -> RelationExample:
    """Head and tail are found in the text; an empty one stands at its end."""
    spans = [
        Span(start := text.index(name) if name else len(text), start + len(name))
        for name in (head, tail)
    ]
    return RelationExample(number, AnnotatedText(text, language), spans[0], spans[1], label)


def relabelled(given: RelationExample, label: str | None) -> RelationExample:
    return replace(given, label=label)
