"""`Found`: the names that stand in texts, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Found:
    """Occurrences of names in a list of texts, by text, start and end.

    Args:
        text: (found,) the number of the text.
        start: (found,) the first character, counted in the untouched text.
        end: (found,) one past the last character.
        name: (found,) the number of the name in its `NameIndex`.
    """

    text: Places
    start: Places
    end: Places
    name: Places

    def __len__(self) -> int:
        return len(self.text)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Found:
        """Some of the occurrences, by number or by mask."""
        return Found(self.text[rows], self.start[rows], self.end[rows], self.name[rows])
