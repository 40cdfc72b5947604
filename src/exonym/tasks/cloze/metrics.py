"""Top-1 accuracy, and the two answers that need no model."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from exonym.tasks.cloze.predict import Answer
from exonym.tasks.cloze.records import ClozeSet, Question

Fact = tuple[str, str]
"""Subject and relation: what questions in several languages have in common."""
Scores = list[tuple[str, Fact, float]]
"""Language, fact and score in [0, 1] of every question."""


def score(answers: Iterable[Answer]) -> Scores:
    """1 for a right answer, 0 for a wrong one."""
    return [(*_asked(given.question), float(given.correct)) for given in answers]


def chance(questions: Iterable[Question], source: ClozeSet) -> Scores:
    """The expected score of a candidate drawn at random."""
    places: dict[tuple[str, str], dict[str, list[int]]] = {}
    scores: Scores = []
    for question in questions:
        key = question.language, question.relation
        if key not in places:
            own = places.setdefault(key, {})
            for place, candidate in enumerate(source.candidates[key]):
                for entity in candidate.entities:
                    own.setdefault(entity, []).append(place)
        right = {place for answer in question.answers for place in places[key].get(answer, ())}
        scores.append((*_asked(question), len(right) / len(source.candidates[key])))
    return scores


def _asked(question: Question) -> tuple[str, Fact]:
    return question.language, (question.subject, question.relation)


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
        (key, entity): candidate.label
        for key, candidates in source.candidates.items()
        for candidate in candidates
        for entity in candidate.entities
    }
    answers = []
    for question in questions:
        entity = objects.get(question.relation)
        key = ((question.language, question.relation), entity or "")
        answers.append(Answer(question, entity, labels.get(key), 0.0))
    return answers
