"""Intervals where drawing with replacement would mislead: random halves.

A graph of nearest neighbours, or the most frequent among answers, changes its nature when items are
drawn twice: a copy is its own nearest neighbour, and makes any answer frequent. So a random half of
the clusters is looked at instead, again and again. A mean over a half that is drawn without
replacement scatters around the mean over all as much as the latter does around the truth, and so do
measures that are not as smooth (the delete-half jackknife: Shao and Wu 1989; subsampling: Politis
and Romano 1994). The interval is the estimate and, on both sides, the normal quantile times the
standard deviation over halves.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from exonym.analysis.resampling import Interval
from exonym.foundation.errors import InputError
from exonym.foundation.seeds import generator

HALVES = 200


def halves(
    clusters: Sequence[Hashable], count: int = HALVES, *, seed: int = 0
) -> Iterator[npt.NDArray[np.bool_]]:
    """Random halves of some items, clusters undivided.

    Args:
        clusters: of each item.
        count: how many halves.
        seed: of the draws.

    Yields:
        (items,) whether the item is in the half.

    Raises:
        InputError: there are fewer than two clusters, or halves.
    """
    number: dict[Hashable, int] = {}
    places = np.asarray([number.setdefault(cluster, len(number)) for cluster in clusters])
    if min(len(number), count) < 2:
        raise InputError(
            f"an interval needs two clusters and two halves at least, got {len(number)}, {count}"
        )
    rng = generator(seed, "halves")
    for _ in range(count):
        chosen = np.zeros(len(number), dtype=np.bool_)
        chosen[rng.permutation(len(number))[: len(number) // 2]] = True
        yield chosen[places]


def half_sample_interval(
    value: float, of_halves: Sequence[float], clusters: int, confidence: float = 0.95
) -> Interval:
    """The interval of an estimate from its values on halves.

    Args:
        value: of all items.
        of_halves: the estimate on each half.
        clusters: how many there are in all.
        confidence: of the interval, between 0 and 1.

    Raises:
        InputError: fewer than two clusters or halves, or a confidence that is no probability.
    """
    if len(of_halves) < 2 or clusters < 2 or not 0 < confidence < 1:
        raise InputError(
            f"needed are two halves and clusters at least and a confidence between 0 and 1, "
            f"got {len(of_halves)}, {clusters}, {confidence}"
        )
    taken = clusters // 2
    scale = math.sqrt(taken / (clusters - taken))  # 1, or a little less for an odd number
    error = scale * float(np.std(np.asarray(of_halves, dtype=np.float64), ddof=1))
    reach = NormalDist().inv_cdf(0.5 + confidence / 2) * error
    return Interval(value, value - reach, value + reach, clusters)
