"""Top-1 accuracy, and the two answers that need no model."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from exonym.tasks.cloze.predict import Answer
from exonym.tasks.cloze.records import Candidate, ClozeSet, Key, Question

Fact = tuple[str, str]
"""Subject and relation: what questions in several languages have in common."""
Scores = list[tuple[str, Fact, float]]
"""Language, fact and score in [0, 1] of every question."""


def score(answers: Iterable[Answer]) -> Scores:
    """1 for a right answer, 0 for a wrong one."""
    return [(*_asked(given.question), float(given.correct)) for given in answers]


def chance(questions: Iterable[Question], source: ClozeSet) -> Scores:
    """The expected score of a candidate drawn at random."""
    own: Sequence[Candidate] = ()
    places: dict[str, list[int]] = {}
    scores: Scores = []
    for question in questions:
        # Questions of one list follow each other, and full lists are large: one at a time.
        if source.candidates[question.language, question.relation] is not own:
            own, places = source.candidates[question.language, question.relation], {}
            for place, candidate in enumerate(own):
                for entity in candidate.entities:
                    places.setdefault(entity, []).append(place)
        right = {place for answer in question.answers for place in places.get(answer, ())}
        scores.append((*_asked(question), len(right) / len(own)))
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
    labels: dict[Key, str | None] = {}
    answers = []
    for question in questions:
        entity, key = objects.get(question.relation), (question.language, question.relation)
        if key not in labels:
            called = (one.label for one in source.candidates[key] if entity in one.entities)
            labels[key] = next(called, None)
        answers.append(Answer(question, entity, labels[key], 0.0))
    return answers
