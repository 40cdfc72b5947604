"""What of some questions a model's entity vocabulary knows, and the questions of that alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from exonym.foundation.errors import InputError
from exonym.foundation.files import JSON
from exonym.knowledge import EntityVocabulary
from exonym.tasks.cloze.records import Candidate, ClozeSet

_NO_ENTITY = "candidates of which no entity is known"
_NO_ROW = "candidates without a row"
_NO_ANSWER = "questions without an answer that has a row"


@dataclass(frozen=True, slots=True)
class Coverage:
    """What an entity vocabulary knows of what is asked.

    Args:
        questions: how many.
        answerable: of these, those with a right answer that has a row.
        subjects: different subjects.
        known_subjects: of these, those that have a row.
        candidates: in the lists of all languages and relations; a list that several relations
            share, as full candidates are, counts once.
        entities: of these, those of which an entity is known.
        known: of these, those with an entity that has a row.
    """

    questions: int
    answerable: int
    subjects: int
    known_subjects: int
    candidates: int
    entities: int
    known: int

    @property
    def share(self) -> float:
        """Of all candidates, those that are entities of the vocabulary."""
        return self.known / self.candidates if self.candidates else 0.0

    def to_json(self) -> JSON:
        """All counts, and the share."""
        return {**asdict(self), "share": self.share}


def coverage(source: ClozeSet, entities: EntityVocabulary) -> Coverage:
    """Count what an entity vocabulary knows of questions and their candidates.

    Args:
        source: questions.
        entities: a model's vocabulary.
    """
    lists = [*_lists(source)]
    known = _with_rows(lists, entities)
    subjects = [*dict.fromkeys(question.subject for question in source.questions)]
    rows = entities.rows(subjects)
    return Coverage(
        questions=len(source.questions),
        answerable=sum(any(a in known for a in one.answers) for one in source.questions),
        subjects=len(subjects),
        known_subjects=int(np.sum(~np.isin(rows, entities.special_rows))),
        candidates=sum(map(len, lists)),
        entities=sum(one.entity is not None for own in lists for one in own),
        known=sum(not known.isdisjoint(one.entities) for own in lists for one in own),
    )


def in_vocabulary(source: ClozeSet, entities: EntityVocabulary) -> ClozeSet:
    """The questions that a model can answer by entities, with the candidates that it knows.

    The paper's first table: candidates without a row in the entity vocabulary are left out, for
    words as for entities, and with them the questions that have no other right answer. ``left_out``
    counts both, by reason. The second table is of all questions, with
    ``answer(..., fallback=True)``.

    Args:
        source: questions.
        entities: a model's vocabulary.

    Raises:
        InputError: no question is left.
    """
    lists = [*_lists(source)]
    known = _with_rows(lists, entities)
    # Lists that relations share stay shared: full candidates would else be many times as large.
    kept = {id(own): tuple(_known(own, known)) for own in lists}
    questions = tuple(
        replace(question, answers=answers)
        for question in source.questions
        if (answers := tuple(answer for answer in question.answers if answer in known))
    )
    if not questions:
        raise InputError("no right answer of any question is in the entity vocabulary")
    nameless = sum(one.entity is None for own in lists for one in own)
    left = sum(map(len, lists)) - sum(map(len, kept.values()))
    counts = {
        _NO_ENTITY: nameless,
        _NO_ROW: left - nameless,
        _NO_ANSWER: len(source.questions) - len(questions),
    }
    return replace(
        source,
        questions=questions,
        candidates={key: kept[id(source.candidates[key])] for key in source.templates},
        left_out={**source.left_out, **{name: count for name, count in counts.items() if count}},
    )


def _lists(source: ClozeSet) -> Iterator[tuple[Candidate, ...]]:
    """The lists of candidates of all relations that are asked, each once."""
    asked: Mapping[int, tuple[Candidate, ...]] = {
        id(source.candidates[key]): source.candidates[key] for key in source.templates
    }
    yield from asked.values()


def _with_rows(lists: Sequence[Sequence[Candidate]], entities: EntityVocabulary) -> set[str]:
    """The entities of candidates that have a row of their own."""
    keys = [*dict.fromkeys(entity for own in lists for one in own for entity in one.entities)]
    rows = entities.rows(keys)
    return {
        key
        for key, row in zip(keys, rows.tolist(), strict=True)
        if row not in entities.special_rows
    }


def _known(candidates: Sequence[Candidate], known: set[str]) -> Iterator[Candidate]:
    """The candidates that have an entity that is known, with those of their entities."""
    for one in candidates:
        kept = [entity for entity in one.entities if entity in known]
        if kept:
            yield Candidate(kept[0], one.label, tuple(kept[1:]))
