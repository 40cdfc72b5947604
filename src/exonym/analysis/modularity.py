"""Modularity of nearest-neighbour graphs by language (Fujinuma, Paul and Boyd-Graber 2019).

Vectors of several languages that mean the same should lie together, whatever the language. In the
graph that joins each vector with its k nearest, how much more often than by chance are both ends of
an edge of one language? With A the symmetric matrix of edge weights, max(0, cosine), and W its sum,

    e(l) = sum of A within language l / W       a(l) = sum of A from language l to all / W
    Q    = sum over l of e(l) - a(l)^2          Q_max = 1 - sum over l of a(l)^2

(Newman 2004), and the modularity is Q / Q_max: 1 where no edge joins two languages, 0 where
language does not matter, below 0 where vectors prefer other languages. An edge is there where
either end has the other among its k nearest. Lower is better for transfer.

All of this but W is as in the program of the measure's authors
(github.com/akkikiki/modularity_metric, src, revision 136421a). Its scripts pass k = 3, and its own
default is 100; which k mLUKE's authors took was not at hand.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from exonym.analysis.half_samples import HALVES, half_sample_interval, halves
from exonym.analysis.neighbours import Neighbours, unit_vectors
from exonym.foundation.errors import InputError
from exonym.foundation.seeds import generator

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Total = Literal["weights", "edges"]

NEAREST = 3
_TIED = 1e-12


@dataclass(frozen=True, slots=True)
class Modularity:
    """How far vectors keep to their own language.

    Args:
        value: Q / Q_max.
        low: lower end of the interval; None where none was asked for.
        high: upper end.
        p: how often such a modularity, or a higher one, comes about where languages do not matter.
        chance: the mean where languages do not matter.
        q: not normalised.
        nodes: vectors.
        edges: of the graph.
        clusters: independent parts of the vectors.
    """

    value: float
    q: float
    nodes: int
    edges: int
    low: float | None = None
    high: float | None = None
    p: float | None = None
    chance: float | None = None
    clusters: int | None = None


@dataclass(frozen=True, slots=True)
class _Graph:
    """Edges, each once: (edges,) first and second node, and weight; and how many nodes."""

    first: Ints
    second: Ints
    weights: Floats
    nodes: int

    @classmethod
    def of(cls, nearest: Ints, cosines: Floats) -> _Graph:
        """Join each row with its nearest; -1 is none."""
        count, k = nearest.shape
        rows = np.repeat(np.arange(count), k)
        there = nearest.ravel() >= 0
        ends = np.stack([rows, nearest.ravel()], axis=1)[there]
        keys = ends.min(axis=1) * np.int64(count) + ends.max(axis=1)
        keys, places = np.unique(keys, return_index=True)
        weights = np.maximum(cosines.ravel()[there][places], 0.0)
        return cls(keys // count, keys % count, weights, count)

    def q(self, numbers: Ints, languages: int, total: Total) -> tuple[float, float]:
        """Q and Q_max, the language of each node given."""
        ends = [numbers[self.first], numbers[self.second]]
        degrees = np.bincount(np.concatenate(ends), np.tile(self.weights, 2), languages)
        inside = np.bincount(ends[0][same := ends[0] == ends[1]], 2 * self.weights[same], languages)
        whole = 2 * float(self.weights.sum() if total == "weights" else len(self.weights))
        if whole == 0:
            raise InputError("no two of the vectors are similar, there is no graph")
        expected = float(((degrees / whole) ** 2).sum())
        return float(inside.sum() / whole) - expected, 1 - expected


def modularity(
    vectors: npt.NDArray[np.floating],
    languages: Sequence[str],
    *,
    k: int = NEAREST,
    total: Total = "weights",
    clusters: Sequence[Hashable] | None = None,
    permutations: int = 0,
    samples: int = HALVES,
    seed: int = 0,
    confidence: float = 0.95,
) -> Modularity:
    """Measure how far vectors keep to their own language.

    Args:
        vectors: (vectors, width).
        languages: of each vector; two at least.
        k: nearest neighbours of each vector; 3 is what the scripts of the measure's authors pass.
        total: what W is: the sum of ``"weights"``, or, as in the authors' program, the number of
            ``"edges"`` (both directions), so that low cosines count as missing edges.
        clusters: of each vector, for an interval: vectors that stand or fall together, such as the
            translations of a sentence. None: no interval.
        permutations: of the languages of the vectors, within clusters where there are any; 0 makes
            no test.
        samples: halves of the clusters that the interval is made from.
        seed: of halves and permutations.
        confidence: of the interval.

    Raises:
        InputError: fewer than two languages, too few vectors for ``k``, a vector of zeros, or
            numbers that do not fit together.
    """
    numbers, count = _numbered(vectors, languages, clusters, k)
    neighbours = Neighbours(unit_vectors(vectors), k)
    graph = _Graph.of(*neighbours.all())
    q, most = graph.q(numbers, count, total)
    found = Modularity(q / most, q, len(numbers), len(graph.weights))
    if clusters is not None:
        of_halves = [
            _share(neighbours, half, numbers, count, total)
            for half in halves(clusters, samples, seed=seed)
        ]
        ends = half_sample_interval(found.value, of_halves, len(set(clusters)), confidence)
        found = replace(found, low=ends.low, high=ends.high, clusters=ends.clusters)
    if permutations:
        rng = generator(seed, "permutation of languages")
        drawn = [
            np.divide(*graph.q(_shuffled(numbers, clusters, rng), count, total))
            for _ in range(permutations)
        ]
        as_high = sum(bool(one >= found.value - _TIED) for one in drawn)
        p = (1 + as_high) / (1 + permutations)
        found = replace(found, p=p, chance=float(np.mean(drawn)))
    return found


def _share(
    neighbours: Neighbours, stays: npt.NDArray[np.bool_], numbers: Ints, count: int, total: Total
) -> float:
    """The modularity of some of the vectors."""
    graph = _Graph.of(*neighbours.among(stays))
    q, most = graph.q(numbers[stays], count, total)
    return q / most


def _shuffled(numbers: Ints, clusters: Sequence[Hashable] | None, rng: np.random.Generator) -> Ints:
    """The languages dealt out anew, within each cluster where there are any."""
    if clusters is None:
        return rng.permutation(numbers)
    number: dict[Hashable, int] = {}
    places = np.asarray([number.setdefault(cluster, len(number)) for cluster in clusters])
    dealt = np.empty_like(numbers)
    dealt[np.argsort(places, kind="stable")] = numbers[
        np.lexsort((rng.random(len(numbers)), places))
    ]
    return dealt


def _numbered(
    vectors: npt.NDArray[np.floating],
    languages: Sequence[str],
    clusters: Sequence[Hashable] | None,
    k: int,
) -> tuple[Ints, int]:
    size = len(vectors)
    if len(languages) != size or (clusters is not None and len(clusters) != size):
        given = "" if clusters is None else f" and {len(clusters)} clusters"
        raise InputError(f"{len(languages)} languages{given} for {size} vectors")
    codes = sorted(set(languages))
    if len(codes) < 2:
        raise InputError(f"modularity is between languages, there is {len(codes)}")
    if not 1 <= k < size:
        raise InputError(f"k must be from 1 to {size - 1}, one less than the vectors, got {k}")
    place = {code: number for number, code in enumerate(codes)}
    return np.asarray([place[code] for code in languages], dtype=np.int64), len(codes)
