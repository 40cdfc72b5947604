"""Which sequences of a language are held out: never trained on, only measured on.

The choice follows from the number of sequences alone, so every run over a corpus has the same ones,
whatever its seed. Sequences lie on disk in the order of their pages, so whole runs of neighbours
are taken, at even distances: of a run only the first and the last page can be on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from exonym.foundation.errors import ConfigError

Int64 = npt.NDArray[np.int64]

RUN = 20  # neighbours taken together: few borders, yet several places of a language
LARGEST_SHARE = 100  # at most one of so many sequences of a language


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The held-out sequences of one language, and the numbering of those that are left.

    Args:
        starts: (runs,) the first sequence of each run, ascending.
        lengths: (runs,) sequences of each run.
        total: sequences of the language.
    """

    starts: Int64
    lengths: Int64
    total: int

    @classmethod
    def choose(cls, total: int, wanted: int) -> HeldOut:
        """Choose ``wanted`` of ``total`` sequences, but at most one in a hundred.

        Raises:
            ConfigError: ``wanted`` is negative.
        """
        if wanted < 0:
            raise ConfigError(f"held_out_sequences must be at least 0, got {wanted}")
        count = min(wanted, total // LARGEST_SHARE)
        runs = -(-count // RUN)
        number = np.arange(runs, dtype=np.int64)
        lengths = (number + 1) * count // max(runs, 1) - number * count // max(runs, 1)
        # Each in the middle of its part of the language; parts are a hundred times as long.
        starts = (2 * number + 1) * total // max(2 * runs, 1) - lengths // 2
        return cls(starts, lengths, total)

    def __len__(self) -> int:
        return int(self.lengths.sum())

    @property
    def left(self) -> int:
        """Sequences to train on."""
        return self.total - len(self)

    @property
    def indices(self) -> Int64:
        """(held out,) sequences, ascending."""
        runs = zip(self.starts.tolist(), self.lengths.tolist(), strict=True)
        parts = [np.arange(start, start + length) for start, length in runs]
        return np.concatenate([np.empty(0, np.int64), *parts])

    def trained(self, numbers: Int64) -> Int64:
        """(n,) the sequences that are number 0 to `left` - 1 of those left."""
        skipped = np.concatenate([np.zeros(1, np.int64), np.cumsum(self.lengths)])
        before = self.starts - skipped[:-1]  # of those left, how many lie before each run
        sequences: Int64 = numbers + skipped[np.searchsorted(before, numbers, side="right")]
        return sequences
