"""A vocabulary whose special rows lie in odd places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np


class FakeVocabulary:
    """Rows of three entities; imported vocabularies keep their special rows anywhere."""

    pad_row, unk_row, mask_row, mask2_row = 3, 5, 0, 6
    _rows: ClassVar = {"Q1490": 1, "Q64": 2, "ja:東京都": 4}

    def __len__(self) -> int:
        return 7

    def rows(self, keys: Sequence[str], *, exact: bool = False) -> np.ndarray:  # noqa: ARG002
        return np.array([self._rows.get(key, self.unk_row) for key in keys], dtype=np.int64)
