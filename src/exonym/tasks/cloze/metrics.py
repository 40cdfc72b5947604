"""Top-1 accuracy, and the two answers that need no model."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from exonym.tasks.cloze.data import ClozeSet, Question
from exonym.tasks.cloze.predict import Answer

Scores = dict[str, list[float]]
"""Per language, the score in [0, 1] of every question."""


def score(answers: Iterable[Answer]) -> Scores:
    """1 for a right answer, 0 for a wrong one, by language."""
    scores: defaultdict[str, list[float]] = defaultdict(list)
    for given in answers:
        scores[given.question.language].append(float(given.correct))
    return dict(scores)


def chance(questions: Iterable[Question], source: ClozeSet) -> Scores:
    """The expected score of a candidate drawn at random."""
    scores: defaultdict[str, list[float]] = defaultdict(list)
    for question in questions:
        possible = source.candidates[question.language, question.relation]
        scores[question.language].append(len(question.answers) / len(possible))
    return dict(scores)


def most_frequent_objects(source: ClozeSet) -> Mapping[str, str]:
    """The most frequent object of each relation, over the facts that some language tells.

    Each (subject, object) counts once, however many languages hold it; ties go to the first id.
    Where the questions do not say what is told, all facts count.
    """
    facts = {
        (question.relation, question.subject, answer)
        for question in source.questions
        for answer in question.answers
        if question.told_in is None or question.told_in
    }
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for relation, _, answer in facts:
        counts[relation][answer] += 1
    return {
        relation: min(counter, key=lambda entity: (-counter[entity], entity))
        for relation, counter in counts.items()
    }


def most_frequent(questions: Iterable[Question], source: ClozeSet) -> list[Answer]:
    """Answer every question with its relation's most frequent object."""
    objects = most_frequent_objects(source)
    labels = {
        (key, candidate.entity): candidate.label
        for key, candidates in source.candidates.items()
        for candidate in candidates
    }
    answers = []
    for question in questions:
        entity = objects.get(question.relation)
        key = ((question.language, question.relation), entity or "")
        answers.append(Answer(question, entity, labels.get(key), 0.0))
    return answers
