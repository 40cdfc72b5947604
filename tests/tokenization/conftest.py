"""A small tokenizer with a fake vocabulary."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_vocabulary import FakeVocabulary

from exonym.tokenization import EntityTokenizer, WordTokenizer


@pytest.fixture(scope="session")
def words(tiny_tokenizer_directory: Path) -> WordTokenizer:
    return WordTokenizer.from_directory(tiny_tokenizer_directory)


@pytest.fixture(scope="session")
def tokenizer(words: WordTokenizer) -> EntityTokenizer:
    return EntityTokenizer(words, FakeVocabulary())  # type: ignore[arg-type]
