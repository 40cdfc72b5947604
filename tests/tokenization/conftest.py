"""A small tokenizer and a vocabulary whose special rows lie in odd places."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from exonym.tokenization import EntityTokenizer, WordTokenizer


class FakeVocabulary:
    """Rows of three entities; imported vocabularies keep their special rows anywhere."""

    pad_row, unk_row, mask_row, mask2_row = 3, 5, 0, 6
    _rows: ClassVar = {"Q1490": 1, "Q64": 2, "ja:東京都": 4}

    def __len__(self) -> int:
        return 7

    def rows(self, keys: Sequence[str]) -> np.ndarray:
        return np.array([self._rows.get(key, self.unk_row) for key in keys], dtype=np.int64)


@pytest.fixture(scope="session")
def words(tiny_tokenizer_directory: Path) -> WordTokenizer:
    return WordTokenizer.from_directory(tiny_tokenizer_directory)


@pytest.fixture(scope="session")
def tokenizer(words: WordTokenizer) -> EntityTokenizer:
    return EntityTokenizer(words, FakeVocabulary())  # type: ignore[arg-type]
