"""Language bias: how often a model's errors are one and the same answer (mLUKE, section 5).

A model that falls back on what is frequent in the query's language gives the same wrong answer
again and again, whatever the subject.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from exonym.analysis.half_samples import HALVES, half_sample_interval, halves
from exonym.analysis.resampling import Interval


@dataclass(frozen=True, slots=True)
class BiasEstimate:
    """Share of the most frequent wrong answer.

    Args:
        share: over all (language, relation) groups: the sum of each group's most frequent wrong
            answer, divided by the number of wrong answers. 0 when nothing is wrong.
        wrong: number of wrong answers.
        by_language: the same per language.
    """

    share: float
    wrong: int
    by_language: dict[str, float]


def most_frequent_wrong_share(errors: Iterable[tuple[str, str, str | None]]) -> BiasEstimate:
    """Measure the bias of a model's errors.

    Args:
        errors: (language, relation, answered entity) of each wrong answer.
    """
    groups: defaultdict[tuple[str, str], Counter[str | None]] = defaultdict(Counter)
    for language, relation, entity in errors:
        groups[language, relation][entity] += 1
    top: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for (language, _), counter in groups.items():
        top[language] += max(counter.values())
        wrong[language] += counter.total()
    by_language = {language: top[language] / wrong[language] for language in sorted(wrong)}
    total = wrong.total()
    return BiasEstimate(top.total() / total if total else 0.0, total, by_language)


def wrong_share_interval(
    errors: Iterable[tuple[str, str, str | None, Hashable]],
    *,
    samples: int = HALVES,
    seed: int = 0,
    confidence: float = 0.95,
) -> Interval:
    """The same measure with its interval (`exonym.analysis.half_samples`).

    Drawing with replacement would make any answer frequent, so random halves
    of the clusters are looked at instead.

    Args:
        errors: (language, relation, answered entity, cluster) of each wrong answer. A cluster is
            whatever makes answers depend on each other: the fact, in all its languages.
        samples: how many halves.
        seed: of the halves.
        confidence: of the interval, between 0 and 1.

    Raises:
        InputError: the wrong answers are of fewer than two clusters.
    """
    rows = list(errors)
    clusters = [cluster for *_, cluster in rows]
    answers = [(language, relation, entity) for language, relation, entity, _ in rows]
    of_halves = [
        most_frequent_wrong_share(itertools.compress(answers, half)).share
        for half in halves(clusters, samples, seed=seed)
    ]
    value = most_frequent_wrong_share(answers).share
    return half_sample_interval(value, of_halves, len(set(clusters)), confidence)
