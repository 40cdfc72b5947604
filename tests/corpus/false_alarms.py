"""Bounds for what is random: a right program crosses one with a chance of one in a million.

The tests' seeds are fixed, so a test that passes goes on passing; the level says how much a failure
means when the numbers are drawn anew, by another seed or another hash.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

ONE_SIDED, TWO_SIDED = 4.7534, 4.8916  # standard deviations at one in a million


def as_often(successes: int, trials: int, chance: float) -> bool:
    """Whether so many successes are to be expected of so many independent trials."""
    deviation = (trials * chance * (1 - chance)) ** 0.5
    return bool(abs(successes - trials * chance) <= TWO_SIDED * deviation)


def fits(observed: Sequence[float] | np.ndarray, expected: Sequence[float] | np.ndarray) -> bool:
    """Pearson's chi-square: whether counts are to be expected that should have these means.

    The bound is Wilson and Hilferty's, good to a percent where the means are not small.
    """
    seen, means = np.asarray(observed, float), np.asarray(expected, float)
    assert means.min() >= 5, "too few for a chi-square"
    assert np.isclose(seen.sum(), means.sum())
    freedom = seen.size - 1
    ninth = 2 / (9 * freedom)
    bound = freedom * (1 - ninth + ONE_SIDED * ninth**0.5) ** 3
    return bool(((seen - means) ** 2 / means).sum() <= bound)


def independent(table: np.ndarray) -> bool:
    """Pearson's chi-square of a contingency table whose margins are free."""
    seen = np.asarray(table, float)
    means = seen.sum(axis=1)[:, None] * seen.sum(axis=0)[None, :] / seen.sum()
    assert means.min() >= 5, "too few for a chi-square"
    freedom = (seen.shape[0] - 1) * (seen.shape[1] - 1)
    ninth = 2 / (9 * freedom)
    bound = freedom * (1 - ninth + ONE_SIDED * ninth**0.5) ** 3
    return bool(((seen - means) ** 2 / means).sum() <= bound)
