"""From examples to model input: markers around both mentions, [MASK] and [MASK2] over them.

The input is LUKE's (section 4.2): ``<ent>`` around the head, ``<ent2>`` around the tail, and two
entities whose mentions are these, markers included. A text that is too long becomes a window around
both mentions, or one around each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from exonym.objectives.loss import IGNORED
from exonym.tasks.around import around, kept
from exonym.tasks.relation.records import RelationExample, Span
from exonym.tasks.relation.settings import RelationSettings
from exonym.text import AnnotatedText, Mention
from exonym.tokenization import EncodedText, EntityTokenizer
from exonym.tokenization.encoded import pad_texts
from exonym.tokenization.markers import Task
from exonym.tokenization.tokenizer import MOST_POSITIONS

TASK: Task = "entity_pair_classification"

_PLACEHOLDER = "_"
_ANY_LENGTH = 1 << 30


@dataclass(frozen=True, slots=True)
class Feature:
    """An example as the model sees it.

    Args:
        text: encoded, with markers and two entities, the head's first.
        variant: ``"entities"``, or ``"words"``: the entities are left out of the input.
        target: the row of the label; `IGNORED` where it has none or the model does not know it.
    """

    text: EncodedText
    variant: str
    target: int = IGNORED

    @property
    def length(self) -> int:
        """Pieces and entities together."""
        return len(self.text.input_ids) + 2 * (self.variant == "entities")


def encode(
    examples: Sequence[RelationExample],
    tokenizer: EntityTokenizer,
    settings: RelationSettings,
    labels: Mapping[str, int] | None = None,
    counts: Counter[str] | None = None,
) -> list[Feature]:
    """Encode examples, one feature for each.

    Args:
        examples: what to encode.
        tokenizer: made for the task (`TASK`).
        settings: of the model.
        labels: the row of each label; None leaves all features without a target.
        counts: is told how many texts were cut, and how.

    Raises:
        InputError: a mention has no piece, as one of control characters has none.
    """
    rows, counts = labels or {}, Counter[str]() if counts is None else counts
    markers = tokenizer.words.added.markers
    features = []
    texts = tokenizer.encode([_marked(example) for example in examples], max_length=_ANY_LENGTH)
    for example, text in zip(examples, texts, strict=True):
        text = _without_placeholders(text, example, markers)
        short = _with_short_mentions(text, settings.max_length - 2, markers)
        fitting = around(short, _places(short), settings.max_length)
        counts["texts whose mentions were shortened"] += short is not text
        _count(short, fitting, counts)
        target = IGNORED if example.label is None else rows.get(example.label, IGNORED)
        if example.label is not None and labels and target == IGNORED:
            counts["labels that the model does not know"] += 1
        features.append(Feature(fitting, settings.variant, target))
    return features


def batch_of(features: Sequence[Feature], tokenizer: EntityTokenizer) -> dict[str, Tensor]:
    """The model's arguments, padded: entities, or for the words variant the places of markers."""
    texts = [feature.text for feature in features]
    if features[0].variant == "entities":
        return _padded(texts, tokenizer)
    starts = np.stack([text.spans[:, 0] for text in texts])
    nothing = np.zeros(0, dtype=np.intp)
    words = [
        replace(
            text,
            entity_ids=text.entity_ids[nothing],
            spans=text.spans[nothing],
            mention_offsets=text.mention_offsets[nothing],
            mention_index=text.mention_index[nothing],
            mention_text=text.mention_text[nothing],
        )
        for text in texts
    ]
    return {**_padded(words, tokenizer), "marker_positions": torch.from_numpy(starts).long()}


def _padded(texts: list[EncodedText], tokenizer: EntityTokenizer) -> dict[str, Tensor]:
    return pad_texts(
        texts,
        pad_id=tokenizer.words.pad_id,
        pad_row=tokenizer.entities.pad_row,
        most_positions=MOST_POSITIONS,
    ).to("cpu")


def _count(text: EncodedText, fitting: EncodedText, counts: Counter[str]) -> None:
    if fitting is text:
        return
    counts["texts cut to a window around both mentions"] += 1
    gap = fitting.spans[:, 0].max() - fitting.spans[:, 0].min()
    if gap != text.spans[:, 0].max() - text.spans[:, 0].min():
        counts["texts cut between the mentions as well"] += 1
    counts["pieces cut"] += len(text.input_ids) - len(fitting.input_ids)


def _marked(example: RelationExample) -> AnnotatedText:
    """The text with both mentions; an empty one gets a character, which the model never sees."""
    text, spans = example.text.text, [example.head, example.tail]
    for number, span in sorted(enumerate(spans), key=lambda pair: -pair[1].start):
        if span.start == span.end:
            place = span.start
            text = f"{text[:place]}{_PLACEHOLDER}{text[place:]}"
            spans = [
                Span(place, place + 1) if other == number else _moved(old, place)
                for other, old in enumerate(spans)
            ]
    mentions = tuple(Mention(start, end) for start, end in spans)
    return AnnotatedText(text, example.language, mentions, example.text.source)


def _moved(span: Span, place: int) -> Span:
    """A span of the text into which a character was put at a place."""
    start, end = span
    behind = start > place or (start == place and start < end)
    return Span(start + behind, end + (end > place))


def _places(text: EncodedText) -> list[tuple[int, int]]:
    return [(int(start), int(end)) for start, end in text.spans]


def _with_short_mentions(text: EncodedText, room: int, markers: tuple[int, int]) -> EncodedText:
    """Leave out the ends of mentions that do not fit into an input together; markers stay."""
    lengths = [end - start for start, end in _places(text)]
    if sum(lengths) <= room or len(text.input_ids) - 2 <= room:
        return text
    stay = np.ones(len(text.input_ids), dtype=np.bool_)
    for (start, end), other in zip(_places(text), reversed(lengths), strict=True):
        most = max(room // 2, room - other)
        stay[start + most - 1 : end - 1] = False
    stay |= np.isin(text.input_ids, markers)
    return kept(text, np.flatnonzero(stay), shrink=True)


def _without_placeholders(
    text: EncodedText, example: RelationExample, markers: tuple[int, int]
) -> EncodedText:
    """Take the pieces of placeholders out again; their markers stay."""
    stay = np.ones(len(text.input_ids), dtype=np.bool_)
    for span, (start, end) in zip((example.head, example.tail), text.spans, strict=True):
        if span.start == span.end:
            stay[start + 1 : end - 1] = False
    stay |= np.isin(text.input_ids, markers)
    return text if stay.all() else kept(text, np.flatnonzero(stay), shrink=True)
