"""Answering questions, a relation at a time."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from exonym.tasks.cloze.data import Candidate, ClozeSet, Question
from exonym.tasks.cloze.features import Query, encode_queries, make_query
from exonym.tasks.cloze.model import ClozeModel, Scores

_BATCH = 256


class Asking(StrEnum):
    """How a model is asked.

    WORDS: word [MASK]s, as many as the candidate has pieces, mean log-probability.
    ENTITY_Y: the entity [MASK] over [Y].
    ENTITY_XY: the same, with the subject's entity over [X].
    """

    WORDS = "words"
    ENTITY_Y = "entity-y"
    ENTITY_XY = "entity-xy"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered.

    Args:
        question: what was asked.
        entity: the best candidate; None when no candidate could be scored.
        label: its name in the question's language.
        score: mean log-probability (words) or logit (entities).
    """

    question: Question
    entity: str | None
    label: str | None
    score: float

    @property
    def correct(self) -> bool:
        """Whether it is one of the right answers."""
        return self.entity in self.question.answers


def answer(
    model: ClozeModel, questions: Iterable[Question], source: ClozeSet, asking: Asking
) -> Iterator[Answer]:
    """Answer questions out of their relation's candidates.

    Args:
        model: who is asked.
        questions: some of ``source``'s.
        source: has the templates and candidates.
        asking: by words or by entities.

    Yields:
        One answer per question, grouped by (language, relation), in the questions' order
        within a group. A candidate that the entity vocabulary lacks cannot win by entities, one
        whose name has no piece cannot win by words.
    """
    groups: dict[tuple[str, str], list[Question]] = defaultdict(list)
    for question in questions:
        groups[question.language, question.relation].append(question)
    for key, group in groups.items():
        template, candidates = source.templates[key], source.candidates[key]
        queries = [
            make_query(template, question.subject, question.subject_label, question.language)
            for question in group
        ]
        for start in range(0, len(queries), _BATCH):
            part = slice(start, start + _BATCH)
            if asking is Asking.WORDS:
                scores = _by_words(model, queries[part], candidates)
            else:
                scores = _by_entities(model, queries[part], candidates, asking)
            yield from _best(group[part], candidates, scores)


def _best(
    questions: Sequence[Question], candidates: Sequence[Candidate], scores: Scores
) -> Iterator[Answer]:
    for question, row in zip(questions, scores, strict=True):
        best = int(row.argmax())
        if np.isneginf(row[best]):
            yield Answer(question, None, None, float("-inf"))
        else:
            chosen = candidates[best]
            yield Answer(question, chosen.entity, chosen.label, float(row[best]))


def _by_words(
    model: ClozeModel, queries: Sequence[Query], candidates: Sequence[Candidate]
) -> Scores:
    words = model.tokenizer.words
    pieces = words.encode_stretches(
        [candidate.label for candidate in candidates], [queries[0].starts_word] * len(candidates)
    )
    scores = np.full((len(queries), len(candidates)), -np.inf, dtype=np.float32)
    by_length = sorted(range(len(pieces)), key=lambda i: len(pieces[i]))
    for length, group in itertools.groupby(by_length, key=lambda i: len(pieces[i])):
        if not length:
            continue  # a name without a piece cannot be asked for
        chosen = list(group)
        batch = encode_queries(
            queries,
            model.tokenizer,
            masks=length,
            subject_entity=False,
            object_entity=False,
            max_length=model.model.config.max_words,
        )
        scores[:, chosen] = model.word_scores(batch, [pieces[i] for i in chosen])
    return scores


def _by_entities(
    model: ClozeModel, queries: Sequence[Query], candidates: Sequence[Candidate], asking: Asking
) -> Scores:
    entities = model.tokenizer.entities
    rows = entities.rows([candidate.entity for candidate in candidates])
    batch = encode_queries(
        queries,
        model.tokenizer,
        masks=1,
        subject_entity=asking is Asking.ENTITY_XY,
        object_entity=True,
        max_length=model.model.config.max_words,
    )
    scores = model.entity_scores(batch, rows)
    scores[:, rows == entities.unk_row] = -np.inf
    return scores
