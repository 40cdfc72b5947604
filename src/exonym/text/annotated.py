"""`AnnotatedText`: the one currency between the rooms, from a paragraph to a prediction."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from exonym.foundation.errors import FormatError, InputError
from exonym.foundation.files import JSON, atomic_file
from exonym.foundation.json_lines import read_json_lines


@dataclass(frozen=True, slots=True)
class Mention:
    """A span of text that names an entity.

    Args:
        start: first character, counted in the untouched text.
        end: one past the last character; greater than ``start``.
        entity: a QID (``"Q1490"``) or a title key (``"ja:東京都"``); None is the entity [MASK].
        score: how sure the annotator was, on the annotator's scale.
    """

    start: int
    end: int
    entity: str | None = None
    score: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise InputError(
                f"a mention needs 0 <= start < end, got start={self.start}, end={self.end}"
            )
        if self.score is not None and not math.isfinite(self.score):
            raise InputError(f"a mention's score must be finite, got {self.score}")


@dataclass(frozen=True, slots=True)
class AnnotatedText:
    """Text in one language with the entities it mentions.

    Mentions keep the order they are given in (a relation's head comes before its tail) and
    may overlap (candidate spans do).

    Args:
        text: never normalised; all offsets count its code points.
        language: Wikipedia's language code (``"ja"``).
        mentions: the spans; each must lie inside ``text``.
        source: where the text came from, such as the title key of its article.
    """

    text: str
    language: str
    mentions: tuple[Mention, ...] = ()
    source: str | None = None

    def __post_init__(self) -> None:
        for mention in self.mentions:
            if mention.end > len(self.text):
                raise InputError(
                    f"mention [{mention.start}, {mention.end}) ends after the text, which has "
                    f"{len(self.text)} characters: {self.text[:40]!r}"
                )

    def surface(self, mention: Mention) -> str:
        """The characters that a mention covers."""
        return self.text[mention.start : mention.end]

    def slice(self, start: int, end: int) -> AnnotatedText:
        """The text from ``start`` to ``end`` with the mentions that lie wholly inside."""
        inside = tuple(
            replace(mention, start=mention.start - start, end=mention.end - start)
            for mention in self.mentions
            if start <= mention.start and mention.end <= end
        )
        return AnnotatedText(self.text[start:end], self.language, inside, self.source)

    def to_json(self) -> JSON:
        """The JSON Lines form; fields that are None are left out."""
        value: JSON = {"text": self.text, "language": self.language}
        if self.mentions:
            value["mentions"] = [_mention_to_json(mention) for mention in self.mentions]
        if self.source is not None:
            value["source"] = self.source
        return value

    @classmethod
    def from_json(cls, value: JSON) -> AnnotatedText:
        """The inverse of `to_json`.

        Raises:
            FormatError: a field is missing, unknown or of the wrong type.
        """
        unknown = value.keys() - {"text", "language", "mentions", "source"}
        if unknown:
            raise FormatError(f"unknown field {sorted(unknown)[0]!r} in an annotated text")
        try:
            text, language = value["text"], value["language"]
            mentions = tuple(_mention_from_json(item) for item in value.get("mentions", ()))
        except (KeyError, TypeError) as error:
            raise FormatError(f"not an annotated text ({error})") from error
        if not isinstance(text, str) or not isinstance(language, str):
            raise FormatError("the fields 'text' and 'language' must be strings")
        if not isinstance(value.get("source"), str | None):
            raise FormatError("the field 'source' must be a string")
        return cls(text, language, mentions, value.get("source"))


_MENTION_TYPES: dict[str, tuple[type, ...]] = {
    "start": (int,),
    "end": (int,),
    "entity": (str, type(None)),
    "score": (int, float, type(None)),
}


def _mention_from_json(value: JSON) -> Mention:
    for name, item in value.items() if isinstance(value, dict) else ():
        if isinstance(item, bool) or not isinstance(item, _MENTION_TYPES.get(name, object)):
            raise FormatError(f"a mention's {name!r} cannot be {item!r}")
    return Mention(**value)


def _mention_to_json(mention: Mention) -> JSON:
    value: dict[str, Any] = {"start": mention.start, "end": mention.end}
    if mention.entity is not None:
        value["entity"] = mention.entity
    if mention.score is not None:
        value["score"] = mention.score
    return value


def write_annotated(path: Path, texts: Iterable[AnnotatedText]) -> int:
    """Write JSON Lines (compressed by suffix), atomically; returns the number of texts."""
    count = 0
    with atomic_file(path) as stream:
        for count, text in enumerate(texts, start=1):  # noqa: B007 - the count is returned
            stream.write(orjson.dumps(text.to_json(), option=orjson.OPT_APPEND_NEWLINE))
    return count


def read_annotated(path: Path) -> Iterator[AnnotatedText]:
    """Read JSON Lines written by `write_annotated`.

    Raises:
        FormatError: names the file and the line that is wrong.
    """
    for number, value in read_json_lines(path):
        try:
            yield AnnotatedText.from_json(value)
        except InputError as error:
            raise FormatError(error.what, where=f"{path}:{number}") from error
