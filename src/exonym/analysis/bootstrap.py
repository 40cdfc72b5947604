"""Percentile bootstrap intervals (Efron 1979) of averages over languages.

One fact is asked in many languages, and a model that knows it in one is likelier to know it in
the next: the questions are not independent, and redrawing them one by one would give intervals
that are too narrow. So whole clusters are redrawn, all questions of a fact together (cluster
bootstrap: Davison and Hinkley 1997, section 3.8; Field and Welsh 2007).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from exonym.foundation.errors import InputError
from exonym.foundation.seeds import generator

Floats = npt.NDArray[np.float64]

_DRAWN_AT_A_TIME = 1_000_000  # clusters; keeps the working memory at some tens of MiB


@dataclass(frozen=True, slots=True)
class Estimate:
    """A macro-average over languages.

    Args:
        accuracy: mean of the languages' means.
        low: lower end of the interval.
        high: upper end.
        questions: in all languages.
        by_language: each language's mean.
    """

    accuracy: float
    low: float
    high: float
    questions: int
    by_language: dict[str, float]


def macro_average(
    scores: Iterable[tuple[str, Hashable, float]],
    *,
    seed: int = 0,
    draws: int = 2000,
    confidence: float = 0.95,
) -> Estimate:
    """The mean over languages of the mean score, with its cluster bootstrap interval.

    Each draw takes as many clusters as there are, with replacement, and every question of a
    cluster as often as the cluster was taken. A language none of whose questions was taken is
    left out of that draw's mean. The same questions in the same order get the same draws, so
    two ways of answering are compared on the same samples.

    Args:
        scores: (language, cluster, score) of each question. A cluster is whatever makes
            questions depend on each other; for facts asked in many languages, the fact.
        seed: of the draws.
        draws: bootstrap samples.
        confidence: of the interval, between 0 and 1.

    Raises:
        InputError: there is no question, no draw, or a confidence that is no probability.
    """
    if draws < 1 or not 0 < confidence < 1:
        raise InputError(
            f"draws must be at least 1 and confidence between 0 and 1, got {draws}, {confidence}"
        )
    languages, sums, counts = _tabulate(scores)
    means = _drawn_means(sums, counts, generator(seed, "bootstrap"), draws)
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, (tail, 1 - tail))
    by_language = sums.sum(axis=0) / counts.sum(axis=0)
    return Estimate(
        float(by_language.mean()),
        float(low),
        float(high),
        int(counts.sum()),
        {language: float(mean) for language, mean in zip(languages, by_language, strict=True)},
    )


def _tabulate(
    scores: Iterable[tuple[str, Hashable, float]],
) -> tuple[list[str], Floats, Floats]:
    """Languages in order, and (clusters, languages) sums of scores and numbers of questions."""
    rows = list(scores)
    if not rows:
        raise InputError("there is no question to average over")
    languages = sorted({language for language, _, _ in rows})
    column = {language: index for index, language in enumerate(languages)}
    row: dict[Hashable, int] = {}  # clusters in order of their first question
    places = [row.setdefault(cluster, len(row)) for _, cluster, _ in rows]
    cells = np.asarray(places) * len(languages) + [column[language] for language, _, _ in rows]
    size = len(row) * len(languages)
    values = np.asarray([score for _, _, score in rows], dtype=np.float64)
    sums = np.bincount(cells, values, size).astype(np.float64, copy=False)
    counts = np.bincount(cells, minlength=size).astype(np.float64)
    return languages, sums.reshape(len(row), -1), counts.reshape(len(row), -1)


def _drawn_means(sums: Floats, counts: Floats, rng: np.random.Generator, draws: int) -> Floats:
    """(draws,) macro-averages of redrawn clusters."""
    means = [
        _macro_mean(*np.split(drawn, 2, axis=1))
        for drawn in drawn_sums(np.concatenate([sums, counts], axis=1), rng, draws)
    ]
    return np.concatenate(means)


def _macro_mean(sums: Floats, counts: Floats) -> Floats:
    there = counts > 0
    ratios = np.divide(sums, counts, where=there, out=np.zeros(there.shape))
    return np.asarray(ratios.sum(axis=1) / there.sum(axis=1))


def drawn_sums(table: Floats, rng: np.random.Generator, draws: int) -> Iterator[Floats]:
    """Sums over redrawn clusters: as many as there are, with replacement.

    Args:
        table: (clusters, columns) what each cluster adds.
        rng: where the draws come from.
        draws: bootstrap samples.

    Yields:
        (some of the draws, columns), in order.
    """
    clusters = len(table)
    step = max(_DRAWN_AT_A_TIME // clusters, 1)
    for start in range(0, draws, step):
        part = min(step, draws - start)
        drawn = rng.integers(clusters, size=(part, clusters), dtype=np.int32)
        drawn += np.arange(part, dtype=np.int32)[:, None] * clusters
        taken = np.bincount(drawn.ravel(), minlength=part * clusters).reshape(part, clusters)
        yield taken.astype(np.float64) @ table
