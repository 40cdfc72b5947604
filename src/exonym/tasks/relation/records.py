"""A text with two mentions and the relation between them: what all of this task works on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple, Self

from exonym.foundation.errors import InputError
from exonym.foundation.files import JSON
from exonym.tasks.reading import Problem
from exonym.text import AnnotatedText

NEGATIVES = frozenset({"no_relation", "Other", "NA", "no relation"})
"""Labels that say that there is no relation: KBP37, RELX and TACRED; SemEval-2010; NYT."""

_DIRECTIONS = ("(e1,e2)", "(e2,e1)")


def without_direction(label: str) -> str:
    """The relation of a label: ``"org:founded"`` for ``"org:founded(e2,e1)"``."""
    for direction in _DIRECTIONS:
        if label.endswith(direction):
            return label.removesuffix(direction)
    return label


class Span(NamedTuple):
    """Characters [start, end) of a text; empty where a file marks a place and names nothing."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class RelationExample:
    """Two mentions in a text and the relation between them.

    Args:
        id: names the example; the same in the files of all languages of a parallel benchmark.
        text: its own mentions do not count; its source is where it was read.
        head: what the file calls e1, or the subject. Head and tail may stand in either order. A
            mention may be empty: KBP37 and RELX have such.
        tail: e2, or the object.
        label: the relation, with its direction where the benchmark's labels have one; None where
            it is not known.

    Raises:
        InputError: head or tail lie outside of the text, or are nothing but blanks.
    """

    id: str
    text: AnnotatedText
    head: Span
    tail: Span
    label: str | None = None

    def __post_init__(self) -> None:
        text, where = self.text.text, self.text.source
        for start, end in (self.head, self.tail):
            if not 0 <= start <= end <= len(text):
                raise InputError(
                    f"[{start}, {end}) is no span of a text of {len(text)} characters", where=where
                )
            if start < end and not text[start:end].strip():
                raise InputError(f"the mention [{start}, {end}) is only blanks", where=where)

    @classmethod
    def of(cls, text: AnnotatedText, identifier: str = "", label: str | None = None) -> Self:
        """The example of a text with two mentions, the head first.

        Raises:
            InputError: another number of mentions.
        """
        if len(text.mentions) != 2:
            raise InputError(
                f"a relation is between two mentions, found {len(text.mentions)}",
                where=text.source,
                remedy="Give the text its head and its tail as mentions, in this order",
            )
        head, tail = (Span(mention.start, mention.end) for mention in text.mentions)
        return cls(identifier, text, head, tail, label)

    @property
    def language(self) -> str:
        """Of the text."""
        return self.text.language

    def surface(self, span: Span) -> str:
        """The characters of a span."""
        return self.text.text[span.start : span.end]

    def to_json(self) -> JSON:
        """The JSON Lines form, which `exonym.tasks.relation.data` reads back."""
        value: JSON = {"id": self.id, "text": self.text.text, "language": self.text.language}
        value |= {"head": list(self.head), "tail": list(self.tail)}
        if self.label is not None:
            value["label"] = self.label
        return value


@dataclass(frozen=True)
class Dataset:
    """The examples of a file, and what was found in it.

    Args:
        examples: those that can be used, in the file's order.
        format: ``"kbp37"``, ``"tacred"`` or ``"jsonl"``.
        encoding: of the file.
        problems: what is wrong or odd, in the file's order.
        notes: how the file was read and what is in it, one sentence each.
    """

    examples: tuple[RelationExample, ...]
    format: str
    encoding: str
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def counts(self) -> Counter[str]:
        """How many examples of each label."""
        return Counter(example.label for example in self.examples if example.label is not None)

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels, in alphabetical order."""
        return tuple(sorted(self.counts))

    @property
    def languages(self) -> tuple[str, ...]:
        """Of the examples, in alphabetical order."""
        return tuple(sorted({example.language for example in self.examples}))
