"""Random draws that give the same bits with every Python version."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

from exonym.foundation.seeds import derive_seed

T = TypeVar("T")


class Draw:
    """One named stream of draws.

    Only `random.Random.random` is used, the one method whose sequence Python promises to keep.

    Args:
        seed: the user's seed.
        purpose: what the stream is for; another purpose gives an independent stream.
    """

    __slots__ = ("_random",)

    def __init__(self, seed: int, *purpose: str | int) -> None:
        self._random = random.Random(derive_seed(seed, *purpose)).random

    def unit(self) -> float:
        """A number in [0, 1)."""
        return self._random()

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self._random() < probability

    def integer(self, low: int, high: int) -> int:
        """An integer from ``low`` to ``high``, both included."""
        return low + int(self._random() * (high - low + 1))

    def pick(self, choices: Sequence[T]) -> T:
        """One of ``choices``, which must not be empty."""
        return choices[int(self._random() * len(choices))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """The items in a new order (Fisher and Yates)."""
        result = list(items)
        for last in range(len(result) - 1, 0, -1):
            other = int(self._random() * (last + 1))
            result[last], result[other] = result[other], result[last]
        return result

    def weighted(self, choices: Sequence[T], weights: Sequence[float]) -> T:
        """One of ``choices``, in proportion to positive ``weights``."""
        mark = self._random() * sum(weights)
        for choice, weight in zip(choices, weights, strict=True):
            mark -= weight
            if mark < 0:
                return choice
        return choices[-1]
