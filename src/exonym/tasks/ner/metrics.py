"""Precision, recall and F1 of entities, as conlleval defines them (Tjong Kim Sang 2002).

An entity is right when its first character, its last character and its type are. Counts are summed
over all sentences before ratios are taken (micro-average), and where nothing was found or nothing
was to be found, the ratio is 0. conlleval compares tags; where entities do not overlap, as tags
cannot, both are the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from exonym.foundation.errors import InputError


class Labelled(Protocol):
    """An entity: gold or predicted."""

    @property
    def start(self) -> int:
        """First character."""

    @property
    def end(self) -> int:
        """One past the last."""

    @property
    def label(self) -> str:
        """Its type."""


class Row(NamedTuple):
    """A line of a table of scores; shares are between 0 and 1.

    Args:
        language: code, or ``"all"``.
        label: a type, or ``"all"``.
        precision: right ones among those found.
        recall: found ones among those in the gold.
        f1: their harmonic mean.
        right: how many were found and right.
        found: how many were found.
        gold: how many there were.
    """

    language: str
    label: str
    precision: float
    recall: float
    f1: float
    right: int
    found: int
    gold: int


class Counts(NamedTuple):
    """What ratios are made of.

    Args:
        right: entities that were found and are right.
        found: entities that were found.
        gold: entities that there were.
    """

    right: int = 0
    found: int = 0
    gold: int = 0

    @property
    def precision(self) -> float:
        """Right ones among those found; 0 if none was found."""
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """Found ones among those in the gold; 0 if there was none."""
        return self.right / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of both; 0 if both are."""
        return 2 * self.right / (self.found + self.gold) if self.right else 0.0

    def plus(self, other: Counts) -> Counts:
        """Both together."""
        return Counts(*(one + two for one, two in zip(self, other, strict=True)))


@dataclass(frozen=True)
class Scores:
    """Counts by language and type, from which all ratios follow.

    Args:
        counts: by (language, type).
        sentences: of each language.
    """

    counts: dict[tuple[str, str], Counts] = field(default_factory=dict)
    sentences: dict[str, int] = field(default_factory=dict)

    @property
    def languages(self) -> tuple[str, ...]:
        """All languages, in alphabetical order."""
        return tuple(sorted(self.sentences))

    @property
    def labels(self) -> tuple[str, ...]:
        """All types that are in the gold or were predicted, in alphabetical order."""
        return tuple(sorted({label for _, label in self.counts}))

    def of(self, *, language: str | None = None, label: str | None = None) -> Counts:
        """Counts of a language, a type, both, or everything."""
        total = Counts()
        for (spoken, kind), counts in self.counts.items():
            if language in (None, spoken) and label in (None, kind):
                total = total.plus(counts)
        return total

    @property
    def f1(self) -> float:
        """Over everything."""
        return self.of().f1

    @property
    def macro_f1(self) -> float:
        """The mean of the languages' F1."""
        return sum(self.of(language=code).f1 for code in self.languages) / len(self.languages)

    def rows(self) -> list[Row]:
        """A row for each type of each language, one for the language, and those of all together."""
        languages: list[str | None] = [*self.languages]
        if len(languages) != 1:
            languages.append(None)
        found = []
        for language in languages:
            here = {kind for spoken, kind in self.counts if language in (None, spoken)}
            for label in [*sorted(here), None]:
                counts = self.of(language=language, label=label)
                ratios = (counts.precision, counts.recall, counts.f1)
                found.append(Row(language or "all", label or "all", *ratios, *counts))
        return found


def score(
    gold: Sequence[Iterable[Labelled]],
    predicted: Sequence[Iterable[Labelled]],
    languages: Sequence[str],
) -> Scores:
    """Compare predictions with the gold.

    Args:
        gold: the entities of each sentence; none left out because a model cannot reach it.
        predicted: the entities that were found in each.
        languages: of each sentence.

    Raises:
        InputError: they are not as many.
    """
    if not len(gold) == len(predicted) == len(languages):
        raise InputError(
            f"{len(gold)} sentences of gold, {len(predicted)} predictions, "
            f"{len(languages)} languages"
        )
    found: dict[tuple[str, str], Counts] = {}
    for language, counts in zip(languages, counts_of(gold, predicted), strict=True):
        for label, count in counts.items():
            key = (language, label)
            found[key] = found.get(key, Counts()).plus(count)
    ordered = {key: found[key] for key in sorted(found)}
    return Scores(ordered, dict(sorted(Counter(languages).items())))


def counts_of(
    gold: Sequence[Iterable[Labelled]], predicted: Sequence[Iterable[Labelled]]
) -> list[dict[str, Counts]]:
    """Counts by type of each sentence, for intervals over sentences or documents."""
    result = []
    for wanted, given in zip(gold, predicted, strict=True):
        right, found = _keys(wanted), _keys(given)
        counts = {}
        for label in sorted({key[2] for key in right | found}):
            counts[label] = Counts(
                sum(key[2] == label for key in right & found),
                sum(key[2] == label for key in found),
                sum(key[2] == label for key in right),
            )
        result.append(counts)
    return result


def _keys(entities: Iterable[Labelled]) -> set[tuple[int, int, str]]:
    return {(entity.start, entity.end, entity.label) for entity in entities}
