"""From a template and a subject to model input.

The object's slot becomes a mention over a placeholder, so that the tokenizer cuts exactly there;
its pieces are then replaced by as many <mask>s as wanted. The paper's entity queries lay the
entity [MASK] over one <mask> (section 5).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from exonym.tasks.cloze.records import OBJECT, SUBJECT
from exonym.text import AnnotatedText, Mention
from exonym.tokenization import EncodedBatch, EncodedText, EntityTokenizer
from exonym.tokenization.encoded import pad_rows, pad_texts
from exonym.tokenization.tokenizer import MOST_POSITIONS

_PLACEHOLDER = "_"


@dataclass(frozen=True, slots=True)
class Query:
    """A template with its subject filled in.

    Args:
        text: with two mentions: the subject, then the placeholder of the object.
        starts_word: whether the object begins a word (a blank or nothing stands before it).
    """

    text: AnnotatedText
    starts_word: bool


def make_query(template: str, subject: str, label: str, language: str) -> Query:
    """Fill a template's [X]; its [Y] becomes the placeholder. Either slot may come first."""
    before, _, after = template.partition(SUBJECT)
    if OBJECT in before:
        head, _, between = before.partition(OBJECT)
        object_start = len(head)
        before = head + _PLACEHOLDER + between
        subject_start = len(before)
        text = before + label + after
    else:
        subject_start = len(before)
        between, _, tail = after.partition(OBJECT)
        object_start = subject_start + len(label) + len(between)
        text = before + label + between + _PLACEHOLDER + tail
    mentions = (
        Mention(subject_start, subject_start + len(label), subject),
        Mention(object_start, object_start + len(_PLACEHOLDER)),
    )
    starts_word = object_start == 0 or text[object_start - 1].isspace()
    return Query(AnnotatedText(text, language, mentions), starts_word)


@dataclass(frozen=True, slots=True)
class QueryBatch:
    """Padded queries.

    Args:
        batch: the model's input, with entities [X], [Y] in this order where they are wanted.
        mask_start: (queries,) index of the first <mask>; the others follow.
        masks: how many there are.
        last_entity: (queries,) index of the last entity of each query, [Y] where it is wanted.
    """

    batch: EncodedBatch
    mask_start: npt.NDArray[np.int64]
    masks: int
    last_entity: npt.NDArray[np.int64]


def encode_queries(
    queries: Sequence[Query],
    tokenizer: EntityTokenizer,
    *,
    masks: int,
    subject_entity: bool,
    object_entity: bool,
    max_length: int,
) -> QueryBatch:
    """Encode queries with ``masks`` <mask>s at the object.

    A subject that has no row in the entity vocabulary is no entity of the input, as in the
    paper's code.

    Raises:
        InputError: a query is longer than ``max_length`` pieces.
    """
    encoded = tokenizer.encode([query.text for query in queries], max_length=max_length - masks)
    texts, starts = [], []
    for text in encoded:
        start = int(text.spans[1, 0])
        starts.append(start)
        texts.append(_with_masks(text, masks, tokenizer.words.mask_id))
    unknown = tokenizer.entities.unk_row
    texts = [
        _with_entities(
            text, subject=subject_entity and text.entity_ids[0] != unknown, object=object_entity
        )
        for text in texts
    ]
    batch = pad_texts(
        texts,
        pad_id=tokenizer.words.pad_id,
        pad_row=tokenizer.entities.pad_row,
        most_positions=MOST_POSITIONS,
    )
    last = batch.entity_attention_mask.sum(axis=1, dtype=np.int64) - 1
    return QueryBatch(batch, np.asarray(starts, dtype=np.int64), masks, last)


def encode_word_queries(
    queries: Sequence[Query],
    tokenizer: EntityTokenizer,
    *,
    masks: Sequence[int],
    max_length: int,
) -> Iterator[QueryBatch]:
    """Encode queries without entities, once for all numbers of <mask>s.

    Yields:
        A batch for each number in ``masks``.

    Raises:
        InputError: a query is longer than ``max_length`` pieces.
    """
    texts = [query.text for query in queries]
    encoded = list(tokenizer.encode(texts, max_length=max_length - max(masks, default=0)))
    starts = np.array([int(text.spans[1, 0]) for text in encoded], dtype=np.int64)
    heads = [text.input_ids[:start] for text, start in zip(encoded, starts, strict=True)]
    tails = [text.input_ids[text.spans[1, 1] :] for text in encoded]
    nothing = np.zeros((len(queries), 0), dtype=np.int32)
    for count in masks:
        filling = np.full(count, tokenizer.words.mask_id, dtype=np.int32)
        input_ids, mask = pad_rows(
            [
                np.concatenate([head, filling, tail])
                for head, tail in zip(heads, tails, strict=True)
            ],
            tokenizer.words.pad_id,
        )
        batch = EncodedBatch(
            input_ids, mask, nothing, nothing.astype(np.bool_), nothing[:, :, None]
        )
        yield QueryBatch(batch, starts, count, np.full(len(queries), -1, dtype=np.int64))


def _with_entities(text: EncodedText, *, subject: bool, object: bool) -> EncodedText:
    wanted = [index for index, keep in ((0, subject), (1, object)) if keep]
    return replace(
        text,
        entity_ids=text.entity_ids[wanted],
        spans=text.spans[wanted],
        mention_offsets=text.mention_offsets[wanted],
        mention_index=text.mention_index[wanted],
        mention_text=text.mention_text[wanted],
    )


def _with_masks(text: EncodedText, masks: int, mask_id: int) -> EncodedText:
    """Replace the placeholder's pieces (the second mention's) by ``masks`` <mask>s."""
    start, end = (int(i) for i in text.spans[1])
    shift = masks - (end - start)
    filling = np.full(masks, mask_id, dtype=np.int32)
    spans = np.where(text.spans >= end, text.spans + shift, text.spans).astype(np.int32)
    spans[1] = (start, start + masks)
    places = np.concatenate(
        [np.arange(start), np.full(masks, start), np.arange(end, len(text.input_ids))]
    )
    return replace(
        text,
        spans=spans,
        origin=replace(text.origin, places=text.origin.places[places]),
        text_index=text.text_index[places],
        input_ids=np.concatenate([text.input_ids[:start], filling, text.input_ids[end:]]),
    )
