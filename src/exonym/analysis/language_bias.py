"""Language bias: how often a model's errors are one and the same answer (mLUKE, section 5).

A model that falls back on what is frequent in the query's language gives the same wrong answer
again and again, whatever the subject.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass


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
