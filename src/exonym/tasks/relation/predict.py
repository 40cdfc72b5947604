"""Relations between the mentions of texts, for one text or a stream of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from exonym.foundation.errors import InputError
from exonym.foundation.files import JSON
from exonym.linking.linked import Linked
from exonym.tasks.given import refuse, require_several
from exonym.tasks.relation.features import encode
from exonym.tasks.relation.model import RelationModel
from exonym.tasks.relation.records import NEGATIVES, RelationExample, Span
from exonym.text import AnnotatedText, Mention

_AT_ONCE = 1024  # pairs in memory together: enough to sort by length


class Linker(Protocol):
    """Finds the entities that a text mentions: `exonym.linking`'s `Linker`, or one's own."""

    def __call__(self, text: AnnotatedText) -> Linked:
        """The text with its links."""


@dataclass(frozen=True, slots=True)
class Place:
    """A mention in a text.

    Args:
        start: first character, counted in the untouched text.
        end: one past the last character.
        text: the characters from ``start`` to ``end``.
        entity: that is mentioned, where the text came with it or it was linked; else None.
    """

    start: int
    end: int
    text: str
    entity: str | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """What a model says about two mentions.

    Args:
        label: as in the training data, with its direction where that has one.
        score: its probability, from 0 to 1.
        head: the first of the two mentions (e1, the subject).
        tail: the second (e2, the object).
    """

    label: str
    score: float
    head: Place
    tail: Place

    def to_json(self) -> JSON:
        """All fields as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class RelationExtractor:
    """Says which relations there are between the mentions of texts.

    Args:
        model: fine-tuned.
        linker: finds the mentions of texts that come without any, and their entities; None: a text
            must have its mentions.
    """

    model: RelationModel
    linker: Linker | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels that can be predicted."""
        return self.model.labels

    def __call__(
        self,
        text: str | AnnotatedText,
        head: tuple[int, int] | None = None,
        tail: tuple[int, int] | None = None,
        *,
        language: str = "und",
        negatives: bool = False,
    ) -> list[Relation]:
        """The relations of a text.

        With head and tail, or with a text of two mentions, exactly one is returned: that of this
        pair, whatever it is. Else, as for mentions that the linker finds, every mention is the head
        and the tail of every other one, and pairs without a relation are left out.

        Args:
            text: with the mentions between which relations are looked for, if it has any.
            head: characters [start, end) of the first mention; None: see above.
            tail: of the second.
            language: of a text given as a string.
            negatives: return pairs without a relation as well.

        Raises:
            InputError: it is no text; a text has no two mentions and there is no linker; or one of
                head and tail is missing, or outside of the text; or two mentions are longer than an
                input.
        """
        given = AnnotatedText(text, language) if isinstance(text, str) else text
        if not isinstance(given, AnnotatedText):
            refuse(given, "a string or an AnnotatedText")
        if head is not None and tail is not None:
            pair = RelationExample("", given, Span(*head), Span(*tail))
            return list(self.predict([pair]))
        if head is not None or tail is not None:
            raise InputError("head and tail go together, one of them is missing")
        if self.linker is not None and not given.mentions:
            given = self.linker(given).text
        elif len(given.mentions) < 2:
            raise InputError(
                f"relations are between mentions, and this text has {len(given.mentions)}",
                where=given.source,
                remedy="Give head=(start, end) and tail=(start, end), or an AnnotatedText with "
                "mentions, or open the model with a linker",
            )
        elif len(given.mentions) == 2:
            return list(self.predict([RelationExample.of(given)]))
        found = self.predict(_pairs(given))
        return [one for one in found if negatives or one.label not in NEGATIVES]

    def predict(
        self, examples: Iterable[RelationExample | AnnotatedText], *, batch_size: int = 32
    ) -> Iterator[Relation]:
        """Label pairs of mentions, in their order.

        Args:
            examples: any number; about a thousand are in memory at once. A text has two mentions,
                the head first.
            batch_size: most pairs that go through the model together.

        Raises:
            InputError: ``batch_size`` is below 1; something is neither a text nor an example; a
                text has another number of mentions; or two mentions are longer than an input.
        """
        require_several(examples)
        if batch_size < 1:
            raise InputError(f"batch_size must be at least 1, got {batch_size}")
        stream = iter(examples)
        while chunk := list(itertools.islice(stream, _AT_ONCE)):
            yield from self._labelled([_example(one) for one in chunk], batch_size)

    def _labelled(self, examples: Sequence[RelationExample], batch_size: int) -> Iterator[Relation]:
        model = self.model
        features = encode(examples, model.tokenizer, model.settings)
        shares = model.probabilities(features, batch_size=batch_size)
        for example, row in zip(examples, shares, strict=True):
            best = int(row.argmax())
            yield Relation(
                self.labels[best],
                float(row[best]),
                _place(example, example.head),
                _place(example, example.tail),
            )


def load(dir_or_id: str | Path, *, linker: Linker | None = None) -> RelationExtractor:
    """Open a fine-tuned model: ours, or one with transformers' head.

    Args:
        dir_or_id: a directory, or a name on the hub.
        linker: see `RelationExtractor`.

    Raises:
        InputError: no checkpoint, or no tokenizer, is there.
        FormatError: the checkpoint is damaged, or has another head.
        ConfigError: its settings are impossible.
    """
    return RelationExtractor(RelationModel.from_pretrained(dir_or_id), linker)


def _example(given: RelationExample | AnnotatedText) -> RelationExample:
    if isinstance(given, AnnotatedText):
        return RelationExample.of(given)
    if not isinstance(given, RelationExample):
        refuse(given, "a RelationExample, or an AnnotatedText with two mentions")
    return given


def _pairs(text: AnnotatedText) -> Iterator[RelationExample]:
    """Every two mentions that do not stand at the same place, in both directions."""
    places = list(dict.fromkeys(Span(mention.start, mention.end) for mention in text.mentions))
    for head, tail in itertools.permutations(places, 2):
        yield RelationExample("", text, head, tail)


def _place(example: RelationExample, span: Span) -> Place:
    entity = next((m.entity for m in example.text.mentions if _at(m, span)), None)
    return Place(span.start, span.end, example.surface(span), entity)


def _at(mention: Mention, span: Span) -> bool:
    return (mention.start, mention.end) == span
