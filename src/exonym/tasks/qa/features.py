"""From questions to model input: ``<s> question </s></s> window of the passage </s>``.

A passage that is too long goes in overlapping windows. mLUKE's code does it as AllenNLP's reader
does: windows of 384 pieces, 128 of which the next one repeats ("stride"), questions of at most 64
pieces (github.com/studio-ousia/luke, examples/reading_comprehension). A window has the mentions
that lie wholly inside it.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from exonym.tasks.qa.records import GoldAnswer, QuestionExample
from exonym.tasks.qa.settings import SPECIAL, QaSettings
from exonym.text import AnnotatedText
from exonym.tokenization import EncodedBatch, EncodedText, EntityTokenizer
from exonym.tokenization.encoded import Ids, pad_rows, position_ids
from exonym.tokenization.tokenizer import MOST_POSITIONS

_START = 1  # of the question in the input


@dataclass(frozen=True, slots=True, eq=False)
class Feature:
    """One input: a question and a window of its passage.

    Args:
        example: which of the examples it is of, counted from 0.
        input_ids: (words,) pieces, special ones included.
        entity_ids: (entities,) rows of the entity vocabulary.
        spans: (entities, 2) pieces [start, end) of each mention, indices into ``input_ids``.
        context: index of the window's first piece of the passage in ``input_ids``.
        offsets: (pieces, 2) characters [start, end) of the passage that each of the window's pieces
            stands for.
        answer: first and last piece of the first right answer, indices into ``input_ids``; None
            where it is not wholly in this window.
    """

    example: int
    input_ids: Ids
    entity_ids: Ids
    spans: Ids
    context: int
    offsets: Ids
    answer: tuple[int, int] | None

    @property
    def length(self) -> int:
        """Pieces and entities together."""
        return len(self.input_ids) + len(self.entity_ids)


@dataclass(frozen=True, slots=True)
class _Bare:
    """A text's pieces without special ones, and its mentions that have a row."""

    ids: Ids
    entity_ids: Ids
    spans: Ids
    offsets: Ids

    def cut(self, start: int, end: int) -> _Bare:
        """The pieces [start, end) and the mentions wholly inside; offsets stay as they are."""
        inside = (self.spans[:, 0] >= start) & (self.spans[:, 1] <= end)
        return _Bare(
            self.ids[start:end],
            self.entity_ids[inside],
            self.spans[inside] - np.int32(start),
            self.offsets[start:end],
        )


def encode(
    examples: Sequence[QuestionExample],
    tokenizer: EntityTokenizer,
    settings: QaSettings,
    counts: Counter[str] | None = None,
) -> list[Feature]:
    """The inputs of all windows of some questions, in their order.

    Args:
        examples: questions; passages that are the same are encoded once.
        tokenizer: of the model, without a task of its own.
        settings: how.
        counts: where given, what was made and what left out is added to it, by reason.
    """
    counts = Counter() if counts is None else counts
    contexts = _encoded([example.context for example in examples], tokenizer, settings, counts)
    questions = _encoded([example.question for example in examples], tokenizer, settings, counts)
    specials = tokenizer.words.bos_id, tokenizer.words.eos_id
    features: list[Feature] = []
    for number, example in enumerate(examples):
        asked = questions[example.question]
        if len(asked.ids) > settings.most_question:
            counts["questions cut"] += 1
            asked = asked.cut(0, settings.most_question)
        passage = contexts[example.context]
        answer = _pieces_of(example.answers, passage.offsets)
        windows = list(_windows(number, asked, passage, answer, settings, specials, counts))
        features += windows
        counts["questions"] += 1
        counts["windows"] += len(windows)
        if example.answers and all(window.answer is None for window in windows):
            counts["answers in no window"] += 1
    return features


def _encoded(
    texts: Sequence[AnnotatedText],
    tokenizer: EntityTokenizer,
    settings: QaSettings,
    counts: Counter[str],
) -> dict[AnnotatedText, _Bare]:
    """Each different text once."""
    different = list(dict.fromkeys(texts))
    plain = different
    if settings.variant == "words":
        plain = [AnnotatedText(text.text, text.language) for text in different]
    encoded = tokenizer.encode(plain, max_length=sys.maxsize)
    unknown = tokenizer.entities.unk_row
    return {text: _bare(one, unknown, counts) for text, one in zip(different, encoded, strict=True)}


def _bare(text: EncodedText, unknown: int, counts: Counter[str]) -> _Bare:
    known = text.entity_ids != unknown
    counts["mentions"] += int(known.sum())
    counts["mentions without a row"] += int((~known).sum())
    return _Bare(
        text.input_ids[1:-1],
        text.entity_ids[known],
        text.spans[known] - np.int32(1),
        text.offsets[1:-1],
    )


def _pieces_of(answers: Sequence[GoldAnswer], offsets: Ids) -> tuple[int, int] | None:
    """The first and the last piece that has characters of the first answer."""
    if not answers:
        return None
    start, end = answers[0].start, answers[0].end
    covered = (offsets[:, 0] < end) & (offsets[:, 1] > start) & (offsets[:, 0] < offsets[:, 1])
    pieces = np.flatnonzero(covered)
    return (int(pieces[0]), int(pieces[-1])) if len(pieces) else None


def _windows(
    number: int,
    asked: _Bare,
    passage: _Bare,
    answer: tuple[int, int] | None,
    settings: QaSettings,
    specials: tuple[int, int],
    counts: Counter[str],
) -> Iterator[Feature]:
    """The inputs of one question."""
    first, last = specials
    room = settings.window - SPECIAL - len(asked.ids)
    context = _START + len(asked.ids) + 2
    head = np.array([first, *asked.ids, last, last], dtype=np.int32)
    tail = np.array([last], dtype=np.int32)
    start = 0
    while True:
        end = min(start + room, len(passage.ids))
        part = passage.cut(start, end)
        rows = np.concatenate([asked.entity_ids, part.entity_ids])
        counts["mentions beyond the most"] += max(len(rows) - settings.most_entities, 0)
        spans = np.concatenate([asked.spans + np.int32(_START), part.spans + np.int32(context)])
        inside = answer is not None and start <= answer[0] and answer[1] < end
        shift = context - start
        yield Feature(
            number,
            np.concatenate([head, part.ids, tail]),
            rows[: settings.most_entities],
            spans[: settings.most_entities],
            context,
            part.offsets,
            (answer[0] + shift, answer[1] + shift) if answer is not None and inside else None,
        )
        if end == len(passage.ids):
            return
        start = end - settings.overlap


def batch_of(features: Sequence[Feature], tokenizer: EntityTokenizer) -> EncodedBatch:
    """Pad inputs into the model's arguments."""
    input_ids, attention_mask = pad_rows(
        [feature.input_ids for feature in features], tokenizer.words.pad_id
    )
    entity_ids, entity_mask = pad_rows(
        [feature.entity_ids for feature in features], tokenizer.entities.pad_row
    )
    spans = np.zeros((*entity_mask.shape, 2), dtype=np.int32)
    spans[entity_mask] = np.concatenate([feature.spans for feature in features])
    positions = position_ids(spans, entity_mask, MOST_POSITIONS)
    return EncodedBatch(input_ids, attention_mask, entity_ids, entity_mask, positions)
