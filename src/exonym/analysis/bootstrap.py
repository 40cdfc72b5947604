"""Percentile bootstrap intervals (Efron 1979), questions redrawn within each language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from exonym.foundation.errors import InputError
from exonym.foundation.seeds import generator


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
    scores: Mapping[str, Sequence[float]],
    *,
    seed: int = 0,
    draws: int = 2000,
    confidence: float = 0.95,
) -> Estimate:
    """The mean over languages of the mean score, with its bootstrap interval.

    Args:
        scores: per language, one score per question.
        seed: of the draws.
        draws: bootstrap samples.
        confidence: of the interval.

    Raises:
        InputError: there is no question.
    """
    filled = {
        language: np.asarray(scores[language])
        for language in sorted(scores)
        if len(scores[language])
    }
    if not filled:
        raise InputError("there is no question to average over")
    rng = generator(seed, "bootstrap")
    means = np.zeros(draws)
    for values in filled.values():
        # Drawing n of n questions with replacement, as counts per distinct score: exact, and
        # cheap when the scores are zeros and ones.
        distinct, counts = np.unique(values, return_counts=True)
        redrawn = rng.multinomial(len(values), counts / len(values), size=draws)
        means += redrawn @ distinct / len(values)
    tail = (1 - confidence) / 2
    low, high = np.quantile(means / len(filled), (tail, 1 - tail))
    by_language = {language: float(values.mean()) for language, values in filled.items()}
    return Estimate(
        float(np.mean(list(by_language.values()))),
        float(low),
        float(high),
        sum(len(values) for values in filled.values()),
        by_language,
    )
