"""A tiny model with a tokenizer, and questions in mLAMA's layout."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from cloze_questions import WriteQuestions, write

from exonym.knowledge import EntityVocabulary
from exonym.knowledge.vocabulary import SPECIAL_ENTITIES, VocabularyRow
from exonym.modeling import EntityMaskedLM
from exonym.tasks.cloze import ClozeModel
from exonym.tokenization import EntityTokenizer, WordTokenizer
from tiny_models import tiny_config

ENTITIES = ("Q1", "Q2", "Q3", "Q10", "Q11", "Q12", "Q13")


@pytest.fixture(scope="session")
def tokenizer(
    tiny_tokenizer_directory: Path, tmp_path_factory: pytest.TempPathFactory
) -> EntityTokenizer:
    """The tokenizer of a few hundred pieces, with rows for `ENTITIES`."""
    path = tmp_path_factory.mktemp("cloze") / "entities"
    rows = [VocabularyRow(name, {}, 0) for name in (*SPECIAL_ENTITIES, *ENTITIES)]
    EntityVocabulary.write(path, rows)
    words = WordTokenizer.from_directory(tiny_tokenizer_directory)
    return EntityTokenizer(words, EntityVocabulary.open(path))


@pytest.fixture(scope="session")
def model(tokenizer: EntityTokenizer) -> ClozeModel:
    """An untrained model with large weights, so that answers differ from question to question."""
    torch.manual_seed(0)
    config = tiny_config(len(tokenizer.words), len(tokenizer.entities), initializer_range=0.5)
    encoder = EntityMaskedLM(config)
    encoder.eval()
    return ClozeModel(encoder, tokenizer)


@pytest.fixture
def write_questions(tmp_path: Path) -> WriteQuestions:
    """Writes ``{language: {relation: (template, lines)}}`` and returns the directory."""
    return lambda questions: write(tmp_path / "questions", questions)
