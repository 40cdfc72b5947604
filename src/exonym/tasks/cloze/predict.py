"""Answering questions, a relation at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from exonym.tasks.cloze.features import Query, encode_queries, encode_word_queries, make_query
from exonym.tasks.cloze.model import ClozeModel, Scores
from exonym.tasks.cloze.records import Candidate, ClozeSet, Question

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
        score: mean log-probability (words) or logit (entities; with a fallback, log-probability).
        also: further entities that the candidate's name stands for.
    """

    question: Question
    entity: str | None
    label: str | None
    score: float
    also: tuple[str, ...] = ()

    @property
    def correct(self) -> bool:
        """Whether it is one of the right answers."""
        return any(entity in self.question.answers for entity in (self.entity, *self.also))


def answer(
    model: ClozeModel,
    questions: Iterable[Question],
    source: ClozeSet,
    asking: Asking,
    *,
    fallback: bool = False,
) -> Iterator[Answer]:
    """Answer questions out of their relation's candidates.

    Args:
        model: who is asked.
        questions: some of ``source``'s.
        source: has the templates and candidates.
        asking: by words or by entities.
        fallback: by entities, candidates that the entity vocabulary lacks get the score of their
            words, and the others their log-probability over the whole vocabulary (the paper's
            table of all of mLAMA). Otherwise they cannot win.

    Yields:
        One answer per question, grouped by (language, relation), in the questions' order
        within a group. A candidate that has no row in the entity vocabulary cannot win by entities,
        unless there is a fallback; one whose name has no piece cannot win by words.
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
                scores = _by_entities(model, queries[part], candidates, asking, fallback)
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
            yield Answer(question, chosen.entity, chosen.label, float(row[best]), chosen.also)


def _by_words(
    model: ClozeModel, queries: Sequence[Query], candidates: Sequence[Candidate]
) -> Scores:
    words = model.tokenizer.words
    pieces = words.encode_stretches(
        [candidate.label for candidate in candidates], [queries[0].starts_word] * len(candidates)
    )
    scores = np.full((len(queries), len(candidates)), -np.inf, dtype=np.float32)
    by_length: dict[int, list[int]] = {}
    for place, own in enumerate(pieces):
        if len(own):  # a name without a piece cannot be asked for
            by_length.setdefault(len(own), []).append(place)
    batches = encode_word_queries(
        queries,
        model.tokenizer,
        masks=list(by_length),
        max_length=model.model.config.max_words,
    )
    for batch, chosen in zip(batches, by_length.values(), strict=True):
        scores[:, chosen] = model.word_scores(batch, [pieces[place] for place in chosen])
    return scores


def _by_entities(
    model: ClozeModel,
    queries: Sequence[Query],
    candidates: Sequence[Candidate],
    asking: Asking,
    fallback: bool,
) -> Scores:
    entities = model.tokenizer.entities
    names = [(entity, place) for place, one in enumerate(candidates) for entity in one.entities]
    rows = entities.rows([entity for entity, _ in names])
    known = np.flatnonzero(rows != entities.unk_row)
    places = np.array([place for _, place in names], dtype=np.int64)[known]
    scores = np.full((len(queries), len(candidates)), -np.inf, dtype=np.float32)
    if len(known):
        batch = encode_queries(
            queries,
            model.tokenizer,
            masks=1,
            subject_entity=asking is Asking.ENTITY_XY,
            object_entity=True,
            max_length=model.model.config.max_words,
        )
        given = model.entity_scores(batch, rows[known], normalised=fallback)
        # A name with several entities has the score of the best; they follow each other.
        firsts = np.flatnonzero(np.diff(places, prepend=-1))
        scores[:, places[firsts]] = np.maximum.reduceat(given, firsts, axis=1)
    if fallback:
        lacking = np.setdiff1d(np.arange(len(candidates)), places)
        if len(lacking):
            scores[:, lacking] = _by_words(model, queries, [candidates[i] for i in lacking])
    return scores
