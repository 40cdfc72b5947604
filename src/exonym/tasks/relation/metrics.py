"""Macro F1 over relations, as the authors of RELX define it; micro F1, precision, recall, accuracy.

A label is a relation with a direction ("org:founded(e1,e2)"), or it says that there is none. For
each relation r, both its directions together,

    P(r) = right(r) / predicted(r)    R(r) = right(r) / gold(r)    F1(r) = 2 P R / (P + R)

where predicted(r) and gold(r) count r in either direction, and right(r) the examples of r whose
prediction has relation and direction right. 0 / 0 is 0, so that F1(r) = 2 right / (predicted +
gold). The macro F1 is the mean of F1(r) over all relations, 18 in KBP37 and RELX, "no relation" not
among them (Köksal and Özgür 2020; it is the official measure of SemEval-2010 task 8). The micro F1
sums right, predicted and gold over these relations first, as TACRED's scorer does. The accuracy is
of all examples, "no relation" too.

`tally` gives these counts per example, so that intervals can be had by drawing examples
(`exonym.analysis`): every measure is a function of sums of its rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from exonym.foundation.errors import InputError
from exonym.foundation.files import JSON
from exonym.tasks.relation.records import NEGATIVES, without_direction

Floats = npt.NDArray[np.float64]
_PREDICTED, _GOLD, _RIGHT = range(3)


@dataclass(frozen=True, slots=True)
class RelationScore:
    """One relation, both directions together.

    Args:
        predicted: how often it was predicted.
        gold: how often it was right to predict it.
        right: how often relation and direction were right.
    """

    predicted: int
    gold: int
    right: int

    @property
    def precision(self) -> float:
        """Of what was predicted, the share that is right."""
        return self.right / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Of what would be right, the share that was predicted."""
        return self.right / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        return 2 * self.right / both if (both := self.predicted + self.gold) else 0.0


@dataclass(frozen=True)
class LanguageScores:
    """What a model got right, in one language or over all examples.

    Args:
        examples: how many.
        right: of these, with "no relation".
        by_relation: each relation, in alphabetical order.
    """

    examples: int
    right: int
    by_relation: Mapping[str, RelationScore]

    @property
    def accuracy(self) -> float:
        """The share of all examples."""
        return self.right / self.examples

    @property
    def macro_f1(self) -> float:
        """The mean over relations: RELX's measure."""
        found = [score.f1 for score in self.by_relation.values()]
        return sum(found) / len(found) if found else 0.0

    @property
    def micro(self) -> RelationScore:
        """All relations together: TACRED's measure."""
        scores = self.by_relation.values()
        return RelationScore(
            sum(score.predicted for score in scores),
            sum(score.gold for score in scores),
            sum(score.right for score in scores),
        )

    def to_json(self) -> JSON:
        """The measures as shares."""
        micro = self.micro
        return {
            "macro_f1": self.macro_f1,
            "micro_f1": micro.f1,
            "micro_precision": micro.precision,
            "micro_recall": micro.recall,
            "accuracy": self.accuracy,
            "examples": self.examples,
            "relations": len(self.by_relation),
        }


@dataclass(frozen=True)
class Scores:
    """LanguageScores by language.

    Args:
        languages: by code, in alphabetical order.
    """

    languages: Mapping[str, LanguageScores]

    @property
    def macro_f1(self) -> float:
        """The mean over languages."""
        return sum(scores.macro_f1 for scores in self.languages.values()) / len(self.languages)

    def rows(self) -> list[JSON]:
        """A table: a row for each language, and where there are several, their mean."""
        rows = [{"language": code, **scores.to_json()} for code, scores in self.languages.items()]
        if len(rows) > 1:
            names = [name for name, value in rows[0].items() if isinstance(value, float)]
            means = {name: sum(row[name] for row in rows) / len(rows) for name in names}
            total = sum(row["examples"] for row in rows)
            rows.append({"language": "mean", **means, "examples": total})
        return rows


def relations_of(*labels: Sequence[str | None]) -> tuple[str, ...]:
    """All relations among labels, in alphabetical order, "no relation" not among them."""
    found = {label for some in labels for label in some if label is not None}
    return tuple(sorted({without_direction(label) for label in found} - NEGATIVES))


def score(
    gold: Sequence[str],
    predicted: Sequence[str | None],
    relations: Sequence[str] | None = None,
) -> LanguageScores:
    """Measure predictions.

    Args:
        gold: the right label of each example.
        predicted: the predicted ones; None where there was no answer, which is never right and
            says nothing of any relation.
        relations: that the macro F1 is the mean of, such as those of the training data; relations
            that only gold or predictions have come in addition. None takes these alone.

    Raises:
        InputError: there is no example, or not as many predictions.
    """
    every = tuple(sorted({*(relations or ()), *relations_of(gold, predicted)}))
    table = tally(gold, predicted, every).sum(axis=0).astype(np.int64)
    by_relation = {
        name: RelationScore(*counts)
        for name, counts in zip(every, table[:-1].reshape(-1, 3).tolist(), strict=True)
    }
    return LanguageScores(len(gold), int(table[-1]), by_relation)


def tally(gold: Sequence[str], predicted: Sequence[str | None], relations: Sequence[str]) -> Floats:
    """What each example adds to the counts.

    Args:
        gold: the right label of each example.
        predicted: the predicted one, or None.
        relations: all that may occur.

    Returns:
        (examples, 3 x relations + 1): predicted, gold and right of each relation, one after the
        other, and last whether the label is right.

    Raises:
        InputError: there is no example, or not as many predictions, or an unknown relation.
    """
    if not gold or len(gold) != len(predicted):
        raise InputError(f"{len(predicted)} predictions for {len(gold)} examples")
    place = {name: index for index, name in enumerate(relations)}
    table = np.zeros((len(gold), 3 * len(place) + 1))
    for row, (right, given) in enumerate(zip(gold, predicted, strict=True)):
        for label, kind in ((right, _GOLD), (given, _PREDICTED)):
            if label is None or (name := without_direction(label)) in NEGATIVES:
                continue
            if name not in place:
                raise InputError(f"the relation {name!r} is not among those that are measured")
            table[row, 3 * place[name] + kind] = 1
            if right == given:
                table[row, 3 * place[name] + _RIGHT] = 1
        table[row, -1] = right == given
    return table


def macro_f1_of(sums: Floats) -> Floats:
    """The macro F1 of (…, 3 x relations + 1) sums of `tally`'s rows: (…)."""
    return np.asarray(_f1(_by_relation(sums)).mean(axis=-1))


def micro_f1_of(sums: Floats) -> Floats:
    """The micro F1 of (…, 3 x relations + 1) sums of `tally`'s rows: (…)."""
    return _f1(_by_relation(sums).sum(axis=-2))


def _by_relation(sums: Floats) -> Floats:
    return sums[..., :-1].reshape(*sums.shape[:-1], -1, 3)


def _f1(counts: Floats) -> Floats:
    both = counts[..., _PREDICTED] + counts[..., _GOLD]
    return np.divide(2 * counts[..., _RIGHT], both, out=np.zeros(both.shape), where=both > 0)
