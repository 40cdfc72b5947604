"""Tables of a task's scores over files and languages, each score with its bootstrap interval.

A file and language is a `Part`: what each of its items (sentence, pair of mentions, question) adds
to sums, from which the scores follow. What depends on each other is drawn together: the sentences
of a document, the questions about a passage, and the same item in several languages where files
tell by ids which these are. The mean over parts is drawn jointly, so that it counts as one that the
parts are the same items in many languages.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from exonym.analysis.resampling import Difference, Interval, Measure, differences, intervals
from exonym.foundation.errors import InputError
from exonym.foundation.files import JSON
from exonym.tasks.ner.metrics import Counts, Labelled, counts_of
from exonym.tasks.ner.records import NerExample
from exonym.tasks.qa.metrics import Rule, score
from exonym.tasks.qa.records import QuestionExample
from exonym.tasks.relation.metrics import macro_f1_of, micro_f1_of, relations_of, tally
from exonym.tasks.relation.records import RelationExample

Floats = npt.NDArray[np.float64]
MEAN = "mean"


def _share(sums: Floats, part: int, whole: int) -> Floats:
    """A column divided by another, 0 where that is 0."""
    below = sums[..., whole]
    return np.divide(sums[..., part], below, out=np.zeros(below.shape), where=below > 0)


def _ner_f1(sums: Floats) -> Floats:
    both = sums[..., 1] + sums[..., 2]
    return np.divide(2 * sums[..., 0], both, out=np.zeros(both.shape), where=both > 0)


# From sums of a part's rows, whose last column counts the items. The first of a task decides.
_NER: Mapping[str, Measure] = {
    "F1": _ner_f1,
    "precision": lambda sums: _share(sums, 0, 1),
    "recall": lambda sums: _share(sums, 0, 2),
}
_RELATION: Mapping[str, Measure] = {
    "macro F1": lambda sums: macro_f1_of(sums[..., :-1]),
    "micro F1": lambda sums: micro_f1_of(sums[..., :-1]),
    "accuracy": lambda sums: _share(sums, -2, -1),
}
_QA: Mapping[str, Measure] = {
    "F1": lambda sums: _share(sums, 0, -1),
    "exact match": lambda sums: _share(sums, 1, -1),
}
MEASURES = {"ner": _NER, "relation": _RELATION, "qa": _QA}
"""By task and name: from sums of rows to scores between 0 and 1."""


@dataclass(frozen=True)
class Part:
    """A file's items in one language.

    Args:
        task: ``"ner"``, ``"relation"`` or ``"qa"``.
        file: its name.
        language: code; of passages, where questions are asked in another: ``"ar, asked in de"``.
        table: (items, columns) what each item adds, a 1 in the last column.
        clusters: of each item; those of one cluster are drawn together.
        types: of named entities, counts by type; else none.
    """

    task: str
    file: str
    language: str
    table: Floats
    clusters: Sequence[Hashable]
    types: Mapping[str, Counts] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """A line of a table of scores.

    Args:
        file: name; ``"mean"`` in the last line of several.
        language: see `Part`; how many parts the mean is of.
        items: how many sentences, pairs or questions.
        scores: by name, the one that decides first.
        differences: by name, where two models were compared.
    """

    file: str
    language: str
    items: int
    scores: Mapping[str, Interval]
    differences: Mapping[str, Difference] = field(default_factory=dict)

    def to_json(self) -> JSON:
        """All fields as plain values."""
        return asdict(self)


def ner_parts(
    file: str, examples: Sequence[NerExample], predicted: Sequence[Sequence[Labelled]]
) -> list[Part]:
    """The parts of a file of sentences with named entities, by language.

    Args:
        file: its name.
        examples: with their gold.
        predicted: the entities found in each.
    """
    counted = counts_of([example.entities for example in examples], predicted)
    rows: list[list[float]] = []
    for by_type in counted:
        total = Counts()
        for counts in by_type.values():
            total = total.plus(counts)
        rows.append([*total, 1.0])
    places = _by_language([example.language for example in examples])
    parts = []
    for language, own in places.items():
        types: dict[str, Counts] = {}
        for place in own:
            for label, counts in counted[place].items():
                types[label] = types.get(label, Counts()).plus(counts)
        clusters = [_cluster(file, place, examples[place]) for place in own]
        table = np.asarray([rows[place] for place in own])
        ordered = {label: types[label] for label in sorted(types)}
        parts.append(Part("ner", file, language, table, clusters, ordered))
    return parts


def _cluster(file: str, place: int, example: NerExample) -> Hashable:
    """What a sentence is drawn with: its document, else the same sentence in other languages."""
    if example.document is not None:
        return file, example.document
    return (file, place) if example.id is None else example.id


def relation_parts(
    file: str,
    examples: Sequence[RelationExample],
    predicted: Sequence[str | None],
    labels: Sequence[str],
) -> list[Part]:
    """The parts of a file of labelled pairs of mentions, by language.

    The same ids in several files are the same example in several languages.

    Args:
        file: its name.
        examples: with their labels.
        predicted: the label of each, None where there is none.
        labels: that the model knows, or both of two that are compared: the macro F1 is over their
            relations and the file's.
    """
    gold = [example.label or "" for example in examples]
    every = relations_of(labels, gold, predicted)
    table = np.column_stack([tally(gold, predicted, every), np.ones(len(gold))])
    places = _by_language([example.language for example in examples])
    return [
        Part("relation", file, language, table[own], [examples[place].id for place in own])
        for language, own in places.items()
    ]


def qa_parts(
    file: str,
    examples: Sequence[QuestionExample],
    predicted: Mapping[str, str],
    rule: Rule,
    passages: dict[str, str],
) -> list[Part]:
    """The parts of a file of questions, by the languages of passage and question.

    Args:
        file: its name.
        examples: with their right answers.
        predicted: by id, the text of the answer.
        rule: of the official script to follow.
        passages: by id, the passage with which a question was first seen. It is filled here and
            handed to the next call, so that questions of parallel files fall into the same
            clusters.

    Raises:
        InputError: a question has no right answer, or two have the same id.
    """
    scored = score(examples, predicted, rule).questions
    table = np.asarray([[one.f1, one.exact_match, 1.0] for one in scored])
    for example in examples:
        passages.setdefault(example.id, example.context.text)
    places = _by_language([pair_of(example) for example in examples])
    return [
        Part("qa", file, pair, table[own], [passages[examples[place].id] for place in own])
        for pair, own in places.items()
    ]


def pair_of(example: QuestionExample) -> str:
    """The languages of a question and its passage, as `Part` names them."""
    asked, spoken = example.question.language, example.context.language
    return spoken if asked == spoken else f"{spoken}, asked in {asked}"


def score_rows(
    parts: Sequence[Part],
    others: Sequence[Part] = (),
    *,
    seed: int = 0,
    draws: int = 2000,
    confidence: float = 0.95,
) -> list[Row]:
    """A table: a row for each part and, where there are several, one for their mean.

    Args:
        parts: of one task.
        others: the same parts as another model answered them: each row has the difference to it,
            ours less theirs, with its interval and a permutation test on the same items.
        seed: of the draws.
        draws: bootstrap samples.
        confidence: of the intervals, between 0 and 1.

    Raises:
        InputError: there is no part, parts are of several tasks, or ``others`` are of other items.
    """
    if len({part.task for part in parts}) != 1:
        raise InputError(f"a table is of one task, got {sorted({part.task for part in parts})}")
    if others and _names(parts) != _names(others):
        raise InputError("two models are compared on the same files and languages")
    groups = [[place] for place in range(len(parts))]
    if len(parts) > 1:
        groups.append([*range(len(parts))])
    options = {"seed": seed, "draws": draws, "confidence": confidence}
    return [
        _row([parts[p] for p in group], [others[p] for p in group if others], options)
        for group in groups
    ]


def _row(parts: Sequence[Part], others: Sequence[Part], options: Mapping[str, Any]) -> Row:
    clusters = [cluster for part in parts for cluster in part.clusters]
    table, theirs = _side_by_side(parts), _side_by_side(others) if others else None
    widths = [part.table.shape[1] for part in parts]
    measures = {
        name: _mean_of(widths, measure) for name, measure in MEASURES[parts[0].task].items()
    }
    scores = intervals(table, measures, clusters, **options)
    gaps = {} if theirs is None else differences(table, theirs, measures, clusters, **options)
    alone = len(parts) == 1
    return Row(
        parts[0].file if alone else MEAN,
        parts[0].language if alone else f"{len(parts)} rows",
        len(clusters),
        scores,
        gaps,
    )


def _names(parts: Sequence[Part]) -> list[tuple[str, str]]:
    return [(part.file, part.language) for part in parts]


def _side_by_side(parts: Sequence[Part]) -> Floats:
    """One table: each part has columns of its own, which are 0 in the rows of the others."""
    widths = [part.table.shape[1] for part in parts]
    table = np.zeros((sum(len(part.table) for part in parts), sum(widths)))
    row = column = 0
    for part, width in zip(parts, widths, strict=True):
        table[row : row + len(part.table), column : column + width] = part.table
        row, column = row + len(part.table), column + width
    return table


def _mean_of(widths: Sequence[int], measure: Measure) -> Measure:
    """The mean of a measure over parts; a part none of whose items was drawn is left out."""
    borders = np.cumsum([0, *widths])

    def mean(sums: Floats) -> Floats:
        own = [sums[..., start:end] for start, end in itertools.pairwise(borders)]
        there = np.stack([one[..., -1] > 0 for one in own], axis=-1)
        values = np.stack([measure(one) for one in own], axis=-1)
        return np.asarray((values * there).sum(axis=-1) / there.sum(axis=-1))

    return mean


def _by_language(languages: Sequence[str]) -> dict[str, list[int]]:
    """Places of items by language, languages in alphabetical order."""
    return {
        language: [place for place, own in enumerate(languages) if own == language]
        for language in sorted(set(languages))
    }
