"""A sentence with its entities: what all of this task works on."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from exonym.foundation.errors import InputError
from exonym.foundation.files import JSON
from exonym.tasks.reading import Problem


class Gold(NamedTuple):
    """An entity as somebody marked it.

    Args:
        start: first character, counted in the untouched text.
        end: one past the last character.
        label: its type.
    """

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class NerExample:
    """A sentence, or a short text, with its entities.

    Args:
        text: never normalised; all offsets count its code points.
        language: Wikipedia's language code; ``"und"`` where nothing says it.
        entities: in the order of the file; they may overlap.
        words: characters [start, end) of each word, where the file has words.
        document: names the document; neighbours of the same document are each other's context.
            None stands alone.
        source: file and line.
        id: names the example; the same in the files of all languages of a parallel benchmark.
    """

    text: str
    language: str = "und"
    entities: tuple[Gold, ...] = ()
    words: tuple[tuple[int, int], ...] | None = None
    document: str | None = None
    source: str | None = None
    id: str | None = None

    def __post_init__(self) -> None:
        for start, end, label in self.entities:
            if not 0 <= start < end <= len(self.text) or not label:
                raise InputError(
                    f"an entity needs a label and 0 <= start < end <= {len(self.text)}, "
                    f"got {label!r} [{start}, {end})",
                    where=self.source,
                )

    def to_json(self) -> JSON:
        """The JSON Lines form, which `read_examples` reads back."""
        value: JSON = {"text": self.text, "language": self.language}
        value["entities"] = [gold._asdict() for gold in self.entities]
        if self.words is not None:
            value["words"] = self.words
        if self.document is not None:
            value["document"] = self.document
        if self.id is not None:
            value["id"] = self.id
        return value


@dataclass(frozen=True)
class Dataset:
    """What a file has.

    Args:
        examples: in the file's order.
        format: ``"columns"`` or ``"jsonl"``.
        scheme: of the tags: ``"IOB1"``, ``"IOB2"``, ``"BIOES"``, ``"IO"``; None without tags.
        encoding: of the file.
        problems: what is wrong or odd, with line numbers.
        notes: how the file was read, one sentence each.
    """

    examples: tuple[NerExample, ...]
    format: str
    scheme: str | None
    encoding: str
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """All types of entities, in alphabetical order."""
        return tuple(sorted(self.counts))

    @property
    def languages(self) -> tuple[str, ...]:
        """Of the examples, in alphabetical order."""
        return tuple(sorted({example.language for example in self.examples}))

    @property
    def counts(self) -> Counter[str]:
        """How many entities of each type."""
        return Counter(gold.label for example in self.examples for gold in example.entities)

    def renamed(self, names: Mapping[str, str | None]) -> Dataset:
        """The same with other names of types; entities whose type becomes None are left out.

        For measuring a model on a file that names its types otherwise, or has fewer.
        """
        examples = tuple(
            dataclasses.replace(
                example,
                entities=tuple(
                    Gold(start, end, name)
                    for start, end, label in example.entities
                    if (name := names.get(label, label)) is not None
                ),
            )
            for example in self.examples
        )
        shown = ", ".join(f"{old} as {new or 'nothing'}" for old, new in names.items())
        return dataclasses.replace(
            self, examples=examples, notes=(*self.notes, f"types read otherwise: {shown}")
        )


def document_name(path: Path, document: str | int) -> str:
    """The name of a file's document, with its folder: many benchmarks name all files alike."""
    return f"{'/'.join(path.parts[-2:])}#{document}"


def documents(examples: Sequence[NerExample]) -> list[range]:
    """Places of neighbouring examples that are of one document."""
    found: list[range] = []
    for place, example in enumerate(examples):
        same = place and example.document is not None
        if same and examples[place - 1].document == example.document:
            found[-1] = range(found[-1].start, place + 1)
        else:
            found.append(range(place, place + 1))
    return found
