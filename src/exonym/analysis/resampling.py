"""Intervals and tests for measures that are functions of sums: F1, macro F1, means, their gaps.

Every measure of a data set that can be had from sums over its items (right, predicted and gold of
each relation, say) is given as a table, a row for each item, and a function from sums of rows to
the measure. Items that depend on each other are one cluster, such as a sentence in all its
languages.

Intervals are percentile bootstrap intervals over clusters (see `exonym.analysis.bootstrap`). Two
systems on the same items are compared on the same draws, and by a permutation test: if they were
alike, then which of them gave which of two outputs would be a coin toss, cluster by cluster
(approximate randomisation: Noreen 1989; Yeh 2000).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from exonym.analysis.bootstrap import drawn_sums
from exonym.foundation.errors import InputError
from exonym.foundation.seeds import generator

Floats = npt.NDArray[np.float64]
Measure = Callable[[Floats], Floats]
"""(…, columns) sums of rows to (…) values."""

_TIED = 1e-12
_DRAWN_AT_A_TIME = 1_000_000  # coin tosses; keeps the working memory at some tens of MiB


@dataclass(frozen=True, slots=True)
class Interval:
    """A value and where it may lie.

    Args:
        value: of all items.
        low: lower end of the interval.
        high: upper end.
        clusters: how many independent parts the items have.
    """

    value: float
    low: float
    high: float
    clusters: int


@dataclass(frozen=True, slots=True)
class Difference:
    """How much better one system is than another.

    Args:
        value: the first one's measure less the second one's.
        low: lower end of the interval.
        high: upper end.
        p: two-sided, of the permutation test: how often such a difference comes about where the
            systems are alike.
        clusters: how many independent parts the items have.
    """

    value: float
    low: float
    high: float
    p: float
    clusters: int


def interval(
    table: Floats,
    measure: Measure,
    clusters: Sequence[Hashable] | None = None,
    *,
    seed: int = 0,
    draws: int = 2000,
    confidence: float = 0.95,
) -> Interval:
    """A measure with its interval.

    Args:
        table: (items, columns) what each item adds to the sums.
        measure: from sums to the measure.
        clusters: of each item; None: each is one by itself.
        seed: of the draws; the same clusters in the same order get the same draws.
        draws: bootstrap samples.
        confidence: of the interval, between 0 and 1.

    Raises:
        InputError: there is no item, no draw, or a confidence that is no probability.
    """
    return intervals(table, {"": measure}, clusters, seed=seed, draws=draws, confidence=confidence)[
        ""
    ]


def intervals(
    table: Floats,
    measures: Mapping[str, Measure],
    clusters: Sequence[Hashable] | None = None,
    *,
    seed: int = 0,
    draws: int = 2000,
    confidence: float = 0.95,
) -> dict[str, Interval]:
    """Several measures of the same items, each as `interval` gives it, with one drawing for all.

    The arguments are those of `interval`, measures by name.

    Raises:
        InputError: as `interval`.
    """
    sums = _by_cluster(table, clusters, draws, confidence)
    drawn = np.concatenate([*drawn_sums(sums, generator(seed, "resampling"), draws)])
    found = {}
    for name, measure in measures.items():
        low, high = np.quantile(measure(drawn), _tails(confidence))
        found[name] = Interval(_value(measure, sums), float(low), float(high), len(sums))
    return found


def difference(
    first: Floats,
    second: Floats,
    measure: Measure,
    clusters: Sequence[Hashable] | None = None,
    *,
    seed: int = 0,
    draws: int = 2000,
    confidence: float = 0.95,
) -> Difference:
    """Compare two systems on the same items.

    Args:
        first: (items, columns) of one system.
        second: (items, columns) of the other.
        measure: see `interval`.
        clusters: see `interval`.
        seed: see `interval`.
        draws: bootstrap samples, and permutations.
        confidence: see `interval`.

    Raises:
        InputError: as `interval`; or the tables are not of one shape.
    """
    return differences(
        first, second, {"": measure}, clusters, seed=seed, draws=draws, confidence=confidence
    )[""]


def differences(
    first: Floats,
    second: Floats,
    measures: Mapping[str, Measure],
    clusters: Sequence[Hashable] | None = None,
    *,
    seed: int = 0,
    draws: int = 2000,
    confidence: float = 0.95,
) -> dict[str, Difference]:
    """Several measures of two systems, each as `difference` gives it, with one drawing for all.

    The arguments are those of `difference`, measures by name.

    Raises:
        InputError: as `difference`.
    """
    if first.shape != second.shape:
        raise InputError(
            f"two systems on the same items have tables of one shape, got {first.shape} and "
            f"{second.shape}"
        )
    ours = _by_cluster(first, clusters, draws, confidence)
    theirs = _by_cluster(second, clusters, draws, confidence)
    both = np.concatenate([ours, theirs], axis=1)
    drawn = np.concatenate([*drawn_sums(both, generator(seed, "resampling"), draws)])
    moved = _moved(ours, theirs, generator(seed, "permutation"), draws)
    one, two = ours.sum(axis=0), theirs.sum(axis=0)
    found = {}
    for name, measure in measures.items():
        value = _value(measure, ours) - _value(measure, theirs)
        gaps = np.subtract(*(measure(half) for half in np.split(drawn, 2, axis=1)))
        low, high = np.quantile(gaps, _tails(confidence))
        tossed = measure(one + moved) - measure(two - moved)
        as_large = int((np.abs(tossed) >= abs(value) - _TIED).sum())
        p = (1 + as_large) / (1 + draws)
        found[name] = Difference(value, float(low), float(high), p, len(ours))
    return found


def across_languages(
    table: Floats, languages: Sequence[str], measure: Measure
) -> tuple[Floats, Measure]:
    """A table and a measure that is the mean over languages, for `interval` and `difference`.

    Args:
        table: (items, columns).
        languages: of each item.
        measure: of one language.

    Returns:
        A table with columns for each language, and the mean of their measures. A draw that takes
        no item of a language has the measure of zeros for it.

    Raises:
        InputError: not as many languages as items.
    """
    if len(languages) != len(table):
        raise InputError(f"{len(languages)} languages for {len(table)} items")
    codes = sorted(set(languages))
    place = {code: number for number, code in enumerate(codes)}
    wide = np.zeros((len(table), len(codes), table.shape[1]))
    wide[np.arange(len(table)), [place[code] for code in languages]] = table

    def mean(sums: Floats) -> Floats:
        each = measure(sums.reshape(*sums.shape[:-1], len(codes), -1))
        return np.asarray(each.mean(axis=-1))

    return wide.reshape(len(table), -1), mean


def _moved(ours: Floats, theirs: Floats, rng: np.random.Generator, draws: int) -> Floats:
    """(draws, columns): what changes hands where a coin is tossed for each cluster."""
    gap = theirs - ours
    step = max(_DRAWN_AT_A_TIME // len(ours), 1)
    found = []
    for start in range(0, draws, step):
        size = (min(step, draws - start), len(ours))
        found.append(rng.integers(2, size=size).astype(np.float64) @ gap)
    return np.concatenate(found)


def _by_cluster(
    table: Floats, clusters: Sequence[Hashable] | None, draws: int, confidence: float
) -> Floats:
    """(clusters, columns) sums, clusters in order of their first item."""
    if draws < 1 or not 0 < confidence < 1:
        raise InputError(
            f"draws must be at least 1 and confidence between 0 and 1, got {draws}, {confidence}"
        )
    if not len(table):
        raise InputError("there is no item to measure")
    if clusters is None:
        return np.asarray(table, dtype=np.float64)
    if len(clusters) != len(table):
        raise InputError(f"{len(clusters)} clusters for {len(table)} items")
    number: dict[Hashable, int] = {}
    places = [number.setdefault(cluster, len(number)) for cluster in clusters]
    sums = np.zeros((len(number), table.shape[1]))
    np.add.at(sums, places, table)
    return sums


def _value(measure: Measure, sums: Floats) -> float:
    return float(measure(sums.sum(axis=0)))


def _tails(confidence: float) -> tuple[float, float]:
    tail = (1 - confidence) / 2
    return tail, 1 - tail
