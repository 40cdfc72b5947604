"""JSON Lines with named entities: spans of characters, or tokens and tags.

    {"text": "…", "entities": [{"start": 0, "end": 6, "label": "LOC"}]}    also [0, 6, "LOC"]
    {"tokens": ["Berlin"], "tags": ["B-LOC"]}                               also numbers of tags

Optional: ``language``, ``document`` (lines of the same one, one after the other, are each other's
context), ``words`` beside a text (characters [start, end) of each), ``id``. For ``entities``,
``tags``, ``label`` and ``language`` some other names are understood that common files have.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from exonym.foundation.files import JSON
from exonym.tasks.ner.joining import running_text
from exonym.tasks.ner.records import Dataset, Gold, NerExample, document_name
from exonym.tasks.ner.tagging import OUTSIDE, Tag, chunks, detect_scheme, parse_tag
from exonym.tasks.reading import Problem

_SPANS = ("entities", "spans", "labels", "label")
_TOKENS = ("tokens", "words")
_TAGS = ("tags", "ner_tags", "labels", "ner")
_LABEL = ("label", "type", "tag", "entity_group")
_LANGUAGES = ("language", "lang")


class _WrongError(Exception):
    """Something in a line that makes it unusable."""


@dataclass(slots=True)
class _Line:
    number: int
    example: NerExample
    tags: list[Tag] = field(default_factory=list)


def read_json_examples(
    lines: Sequence[str],
    path: Path,
    encoding: str,
    *,
    language: str | None,
    tag_names: Sequence[str] | None = None,
) -> Dataset:
    """Read all lines; what is wrong with some is among the problems.

    Args:
        lines: of the file.
        path: its name, for messages.
        encoding: of the file.
        language: of lines that do not say theirs.
        tag_names: of tags that are numbers, in their order from 0.
    """
    found: list[_Line] = []
    problems: list[Problem] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            one = _read_line(line, number, path, language, problems, tag_names)
        except _WrongError as error:
            problems.append(Problem(number, str(error)))
        else:
            found.append(one)
    tagged = [line for line in found if line.tags]
    scheme = None
    notes = []
    if tagged:
        scheme, odd = detect_scheme([line.tags for line in tagged])
        numbers = sorted({tagged[sentence].number for sentence, _ in odd})
        problems += [Problem(n, f"a tag does not fit {scheme}", fatal=False) for n in numbers]
        if odd:
            notes.append(f"{len(odd)} tags do not fit {scheme}; read as conlleval reads them")
    examples = tuple(line.example for line in found)
    unknown = sum(example.language == "und" for example in examples)
    if unknown:
        notes.append(f"{unknown} lines of no known language, taken as spaced")
    overlapping = sum(_overlaps(example.entities) for example in examples)
    if overlapping:
        notes.append(
            f"{overlapping} lines have overlapping entities, which flat predictions cannot all be"
        )
    problems.sort(key=lambda problem: problem.line)
    return Dataset(examples, "jsonl", scheme, encoding, tuple(problems), tuple(notes))


def _read_line(
    line: str,
    number: int,
    path: Path,
    language: str | None,
    problems: list[Problem],
    tag_names: Sequence[str] | None,
) -> _Line:
    try:
        value = orjson.loads(line)
    except (orjson.JSONDecodeError, UnicodeEncodeError) as error:
        raise _WrongError(f"not valid JSON ({error})") from error
    if not isinstance(value, dict):
        raise _WrongError("expected a JSON object")
    spoken = _first(value, _LANGUAGES) or language or "und"
    if not isinstance(spoken, str):
        raise _WrongError(f"the language must be a string, got {spoken!r}")
    document = value.get("document")
    if document is not None and not isinstance(document, str | int):
        raise _WrongError(f"the document must be a name or a number, got {document!r}")
    document = None if document is None else document_name(path, document)
    identifier = value.get("id")
    if identifier is not None and not isinstance(identifier, str | int):
        raise _WrongError(f"the id must be a string or a number, got {identifier!r}")
    named = None if identifier is None else str(identifier)
    tail = (document, f"{path}:{number}", named)
    if isinstance(value.get("text"), str):
        text = value["text"]
        entities = tuple(_spans(value, text, number, problems))
        return _Line(number, NerExample(text, spoken, entities, _words(value, text), *tail))
    if any(isinstance(value.get(name), list) for name in _TOKENS):
        return _of_tokens(value, spoken, number, tail, tag_names)
    raise _WrongError("expected a 'text' with 'entities', or 'tokens' with 'tags'")


def _of_tokens(
    value: JSON,
    language: str,
    number: int,
    tail: tuple[str | None, str, str | None],
    tag_names: Sequence[str] | None,
) -> _Line:
    tokens, names = _first(value, _TOKENS), _first(value, _TAGS)
    if not all(isinstance(token, str) and token.strip() for token in tokens):
        raise _WrongError("tokens must be strings, none of them blank")
    if names is None:
        names = ["O"] * len(tokens)
    if not isinstance(names, list) or len(names) != len(tokens):
        count = len(names) if isinstance(names, list) else "no"
        raise _WrongError(f"{len(tokens)} tokens, but {count} tags")
    names = [_named(name, tag_names) if type(name) is int else name for name in names]
    tags = [parse_tag(name, bare=True) if isinstance(name, str) else None for name in names]
    kept = [tag for tag in tags if tag is not None]
    if len(kept) < len(tags):
        raise _WrongError(f"not a tag: {names[tags.index(None)]!r}")
    text, spans = running_text(tokens, language)
    entities = tuple(Gold(spans[a][0], spans[b - 1][1], kind) for a, b, kind in chunks(kept))
    return _Line(number, NerExample(text, language, entities, tuple(spans), *tail), kept)


def _named(number: int, tag_names: Sequence[str] | None) -> str:
    if tag_names is None:
        raise _WrongError(
            "tags are numbers: say their names, as the data set's card has them, from 0 on "
            "(--tag-names O,B-PER,I-PER)"
        )
    if not 0 <= number < len(tag_names):
        raise _WrongError(f"the tag {number} has no name: there are {len(tag_names)} names")
    return tag_names[number]


def _spans(value: JSON, text: str, number: int, problems: list[Problem]) -> Iterator[Gold]:
    items = _first(value, _SPANS)
    if items is None:
        items = []
    if not isinstance(items, list):
        raise _WrongError(f"entities must be a list, got {items!r}")
    seen = set()
    for item in items:
        start, end, label = _span(item)
        if label != label.strip():
            what = f"blanks around the label {label!r} are left out"
            problems.append(Problem(number, what, fatal=False))
            label = label.strip()
        if not 0 <= start < end <= len(text):
            raise _WrongError(
                f"the entity [{start}, {end}) does not lie in the text of {len(text)} characters"
            )
        surface = text[start:end]
        if not surface.strip():
            raise _WrongError(f"the entity [{start}, {end}) covers nothing but blanks")
        if surface != surface.strip():
            what = f"blanks at the edge of the entity {surface!r} are left out"
            problems.append(Problem(number, what, fatal=False))
            start, end = start + len(surface) - len(surface.lstrip()), start + len(surface.rstrip())
        gold = Gold(start, end, label)
        if gold in seen:
            problems.append(Problem(number, f"the entity {surface!r} is there twice", fatal=False))
            continue
        seen.add(gold)
        yield gold


def _span(item: Any) -> tuple[int, int, str]:
    if isinstance(item, dict):
        parts = (item.get("start"), item.get("end"), _first(item, _LABEL))
    elif isinstance(item, list) and len(item) == 3:
        parts = (item[0], item[1], item[2])
    else:
        raise _WrongError(f"an entity has start, end and label, got {item!r}")
    start, end, label = parts
    if type(start) is not int or type(end) is not int:
        raise _WrongError(
            f"start and end of an entity must be whole numbers, got {start!r}, {end!r}"
        )
    if not isinstance(label, str) or not label.strip():
        raise _WrongError(f"the label of an entity must be a string, got {label!r}")
    if label.strip() == OUTSIDE:
        raise _WrongError(f"{OUTSIDE!r} cannot be the label of an entity: it means none")
    return start, end, label


def _words(value: JSON, text: str) -> tuple[tuple[int, int], ...] | None:
    given = value.get("words")
    if given is None:
        return None
    words, last = [], 0
    for word in given if isinstance(given, list) else [given]:
        if not isinstance(word, list) or len(word) != 2 or any(type(n) is not int for n in word):
            raise _WrongError(f"words beside a text must be characters [start, end), got {word!r}")
        start, end = word
        if not last <= start < end <= len(text):
            raise _WrongError(
                f"the word [{start}, {end}) does not lie in the text behind the last one"
            )
        words.append((start, end))
        last = end
    return tuple(words)


def _overlaps(entities: Sequence[Gold]) -> bool:
    ordered = sorted(entities)
    return any(one.end > two.start for one, two in itertools.pairwise(ordered))


def _first(value: JSON, names: Sequence[str]) -> Any:
    return next((value[name] for name in names if value.get(name) is not None), None)
