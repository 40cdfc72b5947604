"""A tiny pretrained checkpoint with a tokenizer, and sentences to learn from."""

from __future__ import annotations

import random
from pathlib import Path

import torch

from exonym.modeling import EntityMaskedLM
from exonym.tasks.ner.records import Dataset, Gold, NerExample
from exonym.tokenization import EntityTokenizer
from tiny_models import NO_DROPOUT, tiny_config

PLACES = ("Tokyo", "Japan", "Berlin", "Bayern", "Paris", "Nairobi", "Kenya", "München")
PEOPLE = ("Mumbai", "Hauptstadt", "capital city", "Moskva")


def write_checkpoint(directory: Path, tokenizer: EntityTokenizer) -> Path:
    """A random model, large enough to learn thirty sentences by heart."""
    torch.manual_seed(0)
    config = tiny_config(
        len(tokenizer.words),
        len(tokenizer.entities),
        hidden_size=32,
        entity_emb_size=16,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=130,
        initializer_range=0.1,
        **NO_DROPOUT,
    )
    EntityMaskedLM(config).save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


def made_up(count: int = 30, seed: int = 1) -> Dataset:
    """Sentences in which places stand behind "in" and people before "is"."""
    rng = random.Random(seed)
    examples = []
    for number in range(count):
        person, place = rng.choice(PEOPLE), rng.choice(PLACES)
        parts = [("the ", None), (person, "PER"), (" is in ", None), (place, "LOC")]
        if rng.random() < 0.5:
            parts += [(" and its ", None), (rng.choice(PLACES), "LOC")]
        text, entities = "", []
        for part, label in parts:
            if label is not None:
                entities.append(Gold(len(text), len(text) + len(part), label))
            text += part
        words, place_in = [], 0
        for word in text.split(" "):
            words.append((place_in, place_in + len(word)))
            place_in += len(word) + 1
        examples.append(
            NerExample(text, "en", tuple(entities), tuple(words), None, f"made:{number}")
        )
    return Dataset(tuple(examples), "columns", "IOB2", "utf-8")
