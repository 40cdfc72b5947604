"""The three layouts: from the text of a file to examples, and what is wrong, with line numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from exonym.foundation.errors import FormatError, InputError
from exonym.foundation.files import JSON
from exonym.tasks.reading import Problem
from exonym.tasks.relation.records import RelationExample, Span
from exonym.text import AnnotatedText, Mention, SplitText

Item = RelationExample | Problem

_BLANKS = re.compile(r"\s*")
_TAG = re.compile(r"<(/?)e([12])>")
_DIRECTED = re.compile(r"(.*\S)\s*\(\s*(e[12])\s*,\s*(e[12])\s*\)")
_SHOWN = 60


def tagged(lines: Sequence[str], language: str, path: Path) -> Iterator[Item]:
    """KBP37, RELX and SemEval-2010 task 8: a numbered sentence with tags, and its label below.

    Lines that begin with ``Comment`` are passed over, as SemEval has them below the label. A
    sentence with a blank line, or the next sentence, below it has no label, unless it stands behind
    the sentence, after a tab.
    """
    waiting: tuple[int, str] | None = None  # a sentence whose label may follow
    for number, line in enumerate(lines, start=1):
        content = line.strip()
        if "\t" in content:
            if waiting is not None:
                yield from _tagged_example(*waiting, None, language, path)
            waiting = (number, content)
            sentence, _, behind = content.rpartition("\t")
            if "\t" in sentence.strip() and not _TAG.search(behind):
                yield from _labelled((number, sentence), behind, number, language, path)
                waiting = None
        elif content.startswith("Comment"):
            continue
        elif waiting is not None:
            yield from _labelled(waiting, line, number, language, path)
            waiting = None
        elif content:
            yield Problem(number, f"expected a number, a tab and a sentence, found {_short(line)}")
    if waiting is not None:
        yield from _tagged_example(*waiting, None, language, path)


def _labelled(
    waiting: tuple[int, str], given: str, number: int, language: str, path: Path
) -> Iterator[Item]:
    label, odd = _plain(given)
    yield from _tagged_example(*waiting, label, language, path)
    yield from (Problem(number, what, fatal=False) for what in odd)


def _plain(label: str | None) -> tuple[str | None, list[str]]:
    """A label without blanks around it, or in its direction; and what was odd about it."""
    if label is None or not label.strip():
        return None, []
    plain = label.strip()
    match = _DIRECTED.fullmatch(plain)
    plain = f"{match[1]}({match[2]},{match[3]})" if match else plain
    return plain, [] if plain == label else [f"the label {label!r} is read as {plain!r}"]


def _tagged_example(
    number: int, line: str, label: str | None, language: str, path: Path
) -> Iterator[Item]:
    identifier, _, sentence = line.partition("\t")
    try:
        plain, spans = untag(sentence)
        text = AnnotatedText(plain, language, source=f"{path}:{number}")
        example = RelationExample(identifier.strip(), text, spans[0], spans[1], label)
    except InputError as error:
        yield Problem(number, error.what)
        return
    yield from _empty_mentions(example, number)
    yield example


def _empty_mentions(example: RelationExample, number: int) -> Iterator[Problem]:
    for name, span in (("head (e1)", example.head), ("tail (e2)", example.tail)):
        if span.start == span.end:
            what = f"the {name} is empty; the place where it stands is taken for it"
            yield Problem(number, what, fatal=False)


def untag(sentence: str) -> tuple[str, list[Span]]:
    """Take the tags out of a sentence.

    Args:
        sentence: with ``<e1> … </e1>`` and ``<e2> … </e2>`` once each, perhaps in quotation marks.

    Returns:
        The text, and characters [start, end) of e1 and of e2.

    Raises:
        FormatError: a tag is missing, or there twice, or closes before it opens.
    """
    sentence = sentence.strip()
    if len(sentence) > 1 and sentence[0] == sentence[-1] == '"':
        sentence = sentence[1:-1].strip()
    sentence = sentence.replace(" .", ".")
    borders: dict[tuple[str, str], int] = {}
    parts: list[str] = []
    length = place = 0
    opened = False
    for tag in _TAG.finditer(sentence):
        part = sentence[place : tag.start()]
        if opened:
            part = part.lstrip()
        if tag[1]:
            part = part.rstrip()
        parts.append(part)
        length += len(part)
        if (tag[1], tag[2]) in borders:
            raise FormatError(f"the tag {tag[0]} stands there twice")
        borders[tag[1], tag[2]] = length
        place, opened = tag.end(), not tag[1]
    parts.append(sentence[place:])
    spans = []
    for name in "12":
        for slash in ("", "/"):
            if (slash, name) not in borders:
                raise FormatError(f"the tag <{slash}e{name}> is missing")
        start, end = borders["", name], borders["/", name]
        if start > end:
            raise FormatError(f"<e{name}> closes before it opens")
        spans.append(Span(start, end))
    return "".join(parts), spans


def tacred(lines: Sequence[str], language: str, path: Path) -> Iterator[Item]:
    """TACRED: words, with the first and the last word of subject and object; a list, or lines."""
    for number, value in _objects(lines, path):
        yield from _of_object(value, number, language, path, _tacred_example)


def _tacred_example(value: JSON, number: int, language: str, path: Path) -> RelationExample:
    words = value.get("token")
    if not isinstance(words, list) or not all(isinstance(word, str) and word for word in words):
        raise FormatError("the field 'token' must be a list of words")
    mentions = []
    for name in ("subj", "obj"):
        first, last = (_number(value, f"{name}_{end}") for end in ("start", "end"))
        if not first <= last < len(words):
            raise FormatError(
                f"the words {first} to {last} ({name}_start, {name}_end) are not among the "
                f"{len(words)} words"
            )
        mentions.append(Mention(first, last + 1))
    language = _string(value, "language", language)
    source = f"{path}:{number}"
    text = SplitText(tuple(words), language, tuple(mentions), source=source).joined()
    return RelationExample.of(text, _identifier(value, number), _label(value, "relation", "label"))


def json_lines(lines: Sequence[str], language: str, path: Path) -> Iterator[Item]:
    """One object a line: a text, its head and its tail, or its two mentions, and a label."""
    for number, value in _objects(lines, path):
        yield from _of_object(value, number, language, path, _line_example)


def _line_example(value: JSON, number: int, language: str, path: Path) -> RelationExample:
    text = value.get("text")
    if not isinstance(text, str) or not text.strip():
        raise FormatError("the field 'text' must be a string with text")
    language = _string(value, "language", language)
    label, identifier = _label(value, "label", "relation"), _identifier(value, number)
    source = f"{path}:{number}"
    if "mentions" in value:
        fields = {"text": text, "language": language, "source": source}
        annotated = AnnotatedText.from_json({**fields, "mentions": value["mentions"]})
        return RelationExample.of(annotated, identifier, label)
    plain = AnnotatedText(text, language, source=source)
    return RelationExample(identifier, plain, _span(value, "head"), _span(value, "tail"), label)


def _objects(lines: Sequence[str], path: Path) -> Iterator[tuple[int, Any]]:
    """Line numbers and values of a JSON list's members, or of JSON Lines."""
    first = next((line.lstrip() for line in lines if line.strip()), "")
    if first.startswith("["):
        yield from _members("\n".join(lines), path)
        return
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield number, orjson.loads(line)
            except orjson.JSONDecodeError as error:
                yield number, FormatError(f"not valid JSON ({error.msg})")


def _members(text: str, path: Path) -> Iterator[tuple[int, Any]]:
    """The members of a JSON list, each with the line on which it begins."""
    decoder = json.JSONDecoder()
    place, number, behind = 0, 1, ""  # behind: the sign or member that was read last
    while True:
        blanks = _BLANKS.match(text, place)
        start = blanks.end() if blanks else place
        number += text.count("\n", place, start)
        sign = text[start : start + 1]
        if sign == "]" and behind in ("[", "member"):
            return
        if (sign == "[" and not behind) or (sign == "," and behind == "member"):
            place, behind = start + 1, sign
            continue
        if behind not in ("[", ","):
            found = repr(sign) if sign else "the end of the file"
            raise FormatError(f"expected a comma or ], found {found}", where=f"{path}:{number}")
        try:
            value, place = decoder.raw_decode(text, start)
        except json.JSONDecodeError as error:
            where = f"{path}:{error.lineno}"
            raise FormatError(f"not valid JSON ({error.msg})", where=where) from error
        except (RecursionError, ValueError) as error:  # too deep; a number of thousands of digits
            raise FormatError(f"no JSON of examples ({error})", where=f"{path}:{number}") from error
        yield number, value
        number += text.count("\n", start, place)
        behind = "member"


def _of_object(
    value: Any,
    number: int,
    language: str,
    path: Path,
    read: Callable[[JSON, int, str, Path], RelationExample],
) -> Iterator[Item]:
    if isinstance(value, FormatError):
        yield Problem(number, value.what)
        return
    if not isinstance(value, dict):
        yield Problem(number, f"expected a JSON object, found {_short(str(value))}")
        return
    try:
        example = read(value, number, language, path)
        example.text.text.encode()
    except UnicodeEncodeError:
        yield Problem(number, "half of a pair of surrogates (\\ud800 to \\udfff) in the text")
        return
    except InputError as error:
        yield Problem(number, error.what)
        return
    label, odd = _plain(example.label)
    yield from (Problem(number, what, fatal=False) for what in odd)
    yield from _empty_mentions(example, number)
    yield replace(example, label=label)


def _span(value: JSON, name: str) -> Span:
    given = value.get(name)
    pair = [given.get("start"), given.get("end")] if isinstance(given, dict) else given
    if not isinstance(pair, list) or len(pair) != 2 or not all(type(end) is int for end in pair):
        raise FormatError(f"the field {name!r} must be two numbers [start, end), got {given!r}")
    return Span(*pair)


def _number(value: JSON, name: str) -> int:
    given = value.get(name)
    if type(given) is not int or given < 0:
        raise FormatError(f"the field {name!r} must be a number from 0, got {given!r}")
    return given


def _string(value: JSON, name: str, default: str) -> str:
    given = value.get(name, default)
    if not isinstance(given, str) or not given:
        raise FormatError(f"the field {name!r} must be a string with text, got {given!r}")
    return given


def _label(value: JSON, *names: str) -> str | None:
    given = next((value[name] for name in names if value.get(name) is not None), None)
    if given is not None and (not isinstance(given, str) or not given.strip()):
        raise FormatError(f"a label must be a string with text, got {given!r}")
    return given


def _identifier(value: JSON, number: int) -> str:
    given = value.get("id", number)
    if not isinstance(given, str | int) or isinstance(given, bool) or given == "":
        raise FormatError(f"the field 'id' must be a string or a number, got {given!r}")
    return str(given)


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
