"""Means and differences with intervals over items and over seeds of training.

Each draw takes clusters of items with replacement, and seeds with replacement: a figure counts as
certain only as far as it would come out with other examples and with other runs. Two models are
compared on the same draws, run by run of the same seed. With one seed, the interval speaks of
examples alone; with three, which is few, it is still somewhat too narrow for seeds.

Measures that are no functions of sums are compared on random halves of the items instead
(`analysis.half_samples`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from exonym.analysis import across_languages, half_sample_interval
from exonym.analysis.bootstrap import drawn_sums
from exonym.analysis.resampling import Floats, Interval, Measure
from exonym.foundation.errors import InputError
from exonym.foundation.seeds import generator
from exonym.systems.reproduction.items import Halves, Items

DRAWS = 2000
_ENDS = (0.025, 0.975)


def mean_over_seeds(runs: Sequence[Items], measure: Measure, *, draws: int = DRAWS) -> Interval:
    """The mean over languages and seeds of a measure, with its 95 % interval.

    Args:
        runs: of each seed, the same items.
        measure: from sums to the measure.
        draws: bootstrap samples.

    Raises:
        InputError: the runs are of other items.
    """
    values, drawn = _values(runs, measure, draws)
    return _interval(values, drawn, runs[0])


def difference_over_seeds(
    first: Sequence[Items], second: Sequence[Items], measure: Measure, *, draws: int = DRAWS
) -> Interval:
    """How much higher a measure is for one model than for another, with its 95 % interval.

    Args:
        first: of each seed, the same items.
        second: the same of the other model, in the same order of seeds.
        measure: from sums to the measure.
        draws: bootstrap samples.

    Raises:
        InputError: the runs are of other items, or not as many.
    """
    _require_same([*first, *second])
    ours, our_draws = _values(first, measure, draws)
    theirs, their_draws = _values(second, measure, draws)
    if ours.shape != theirs.shape:
        raise InputError(f"{len(ours)} runs of one model and {len(theirs)} of the other")
    return _interval(ours - theirs, our_draws - their_draws, first[0])


def mean_of_halves(runs: Sequence[Halves]) -> Interval:
    """The mean over seeds of a measure that was taken on halves, with its 95 % interval."""
    values = np.asarray([run.value for run in runs])
    halves = np.asarray([run.of_halves for run in runs])
    return _of_halves(values, halves, runs[0].clusters)


def difference_of_halves(first: Sequence[Halves], second: Sequence[Halves]) -> Interval:
    """How much higher such a measure is for one model than for another."""
    values = np.asarray([ours.value - theirs.value for ours, theirs in _pairs(first, second)])
    halves = np.asarray(
        [
            np.subtract(ours.of_halves, theirs.of_halves)
            for ours, theirs in zip(first, second, strict=True)
        ]
    )
    return _of_halves(values, halves, first[0].clusters)


def by_language(runs: Sequence[Items], measure: Measure) -> dict[str, float]:
    """The mean over seeds of a measure, for each language."""
    codes = sorted(set(runs[0].languages))
    return {code: float(np.mean([float(measure(run.of(code))) for run in runs])) for code in codes}


def _values(runs: Sequence[Items], measure: Measure, draws: int) -> tuple[Floats, Floats]:
    """(seeds,) the measure on all items, and (seeds, draws) on the same draws of them."""
    _require_same(runs)
    values, drawn = [], []
    for run in runs:
        table, mean = across_languages(run.table, run.languages, measure)
        sums = _by_cluster(table, run.clusters)
        rng = generator(0, "reproduction")
        values.append(float(mean(sums.sum(axis=0))))
        drawn.append(np.concatenate([mean(part) for part in drawn_sums(sums, rng, draws)]))
    return np.asarray(values), np.stack(drawn)


def _by_cluster(table: Floats, clusters: Sequence[str]) -> Floats:
    number: dict[str, int] = {}
    places = [number.setdefault(cluster, len(number)) for cluster in clusters]
    sums = np.zeros((len(number), table.shape[1]))
    np.add.at(sums, places, table)
    return sums


def _interval(values: Floats, drawn: Floats, items: Items) -> Interval:
    low, high = np.quantile(_over_seeds(drawn), _ENDS)
    return Interval(float(values.mean()), float(low), float(high), len(set(items.clusters)))


def _over_seeds(drawn: Floats) -> Floats:
    """(draws,) means over as many seeds as there are, drawn with replacement."""
    seeds, draws = drawn.shape
    chosen = generator(0, "reproduction seeds").integers(seeds, size=(draws, seeds))
    return np.asarray(drawn[chosen, np.arange(draws)[:, None]].mean(axis=1))


def _of_halves(values: Floats, halves: Floats, clusters: int) -> Interval:
    mean = float(values.mean())
    return half_sample_interval(mean, [float(one) for one in _over_seeds(halves)], clusters)


def _pairs(first: Sequence[Halves], second: Sequence[Halves]) -> list[tuple[Halves, Halves]]:
    if len(first) != len(second) or len({len(one.of_halves) for one in (*first, *second)}) != 1:
        raise InputError("two models are compared on the same seeds and halves")
    return list(zip(first, second, strict=True))


def _require_same(runs: Sequence[Items]) -> None:
    if not runs:
        raise InputError("there is no run to compare")
    for run in runs[1:]:
        if run.languages != runs[0].languages or run.clusters != runs[0].clusters:
            raise InputError("models are compared on the same items in the same order")
