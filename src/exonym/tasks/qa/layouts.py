"""The two layouts of questions in files, read so that every fault knows where it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from exonym.foundation.compression import DAMAGE, open_binary
from exonym.foundation.errors import FormatError, InputError
from exonym.foundation.files import JSON
from exonym.tasks.qa.places import Steps, lines_of
from exonym.tasks.qa.records import GoldAnswer, QuestionExample
from exonym.text import AnnotatedText

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a question, or with what holds several.

    Args:
        steps: the way to it: in a document from its top, in JSON Lines the number of the line.
        what: what was expected and what was seen.
        question: its id, where it has one.
    """

    steps: Steps
    what: str
    question: str | None = None

    @property
    def described(self) -> str:
        """What is wrong, and with which question."""
        return self.what if self.question is None else f"question {self.question}: {self.what}"


@dataclass(frozen=True, slots=True)
class Languages:
    """Of texts that do not say theirs.

    Args:
        path: of the file, for messages.
        context: of passages, or None if it is not known.
        question: of questions, or None.
    """

    path: Path
    context: str | None
    question: str | None


def open_layout(path: Path) -> Document | Lines:
    """Open a file of questions; the layouts differ in the first line that is not blank.

    Raises:
        InputError: there is no such file.
        FormatError: it is empty, damaged, or in none of the layouts.
    """
    try:
        with open_binary(path) as stream:
            first = b""
            while not first.strip():
                line = stream.readline()
                if not line:
                    raise FormatError("an empty file", where=path)
                first = line.removeprefix(_BYTE_ORDER_MARK)
            try:
                value = orjson.loads(first)
            except orjson.JSONDecodeError:
                value = None  # a document over several lines, or nothing that is JSON
            if isinstance(value, dict) and "data" not in value:
                return Lines(path)
            return Document(path, first + stream.read())
    except DAMAGE as error:
        if isinstance(error, FileNotFoundError | IsADirectoryError | PermissionError):
            raise
        raise FormatError(f"ends early or is damaged ({error})", where=path) from error


class Document:
    """SQuAD's layout."""

    format = "squad"

    def __init__(self, path: Path, data: bytes) -> None:
        self._data = data
        try:
            value = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise FormatError(
                f"not valid JSON ({error.msg})", where=f"{path}:{error.lineno}"
            ) from error
        articles = value.get("data") if isinstance(value, dict) else None
        if not isinstance(articles, list):
            raise FormatError(
                'no list "data" in it: not in the layout of SQuAD, nor JSON Lines of questions',
                where=path,
            )
        self._articles: list[Any] = articles

    def items(self, languages: Languages) -> Iterator[QuestionExample | Fault]:
        """The questions and what is wrong."""
        ids: set[str] = set()
        for number, article in enumerate(self._articles):
            steps: Steps = ("data", number)
            title = article.get("title") if isinstance(article, dict) else None
            for place, paragraph in _members(article, "paragraphs", steps):
                if isinstance(paragraph, Fault):
                    yield paragraph
                    continue
                try:
                    context = _text(paragraph, "context", languages.context, languages)
                except FormatError as error:
                    yield Fault(place, error.what)
                    continue
                for below, asked in _members(paragraph, "qas", place):
                    if isinstance(asked, Fault):
                        yield asked
                    else:
                        yield _question(asked, context, title, languages, ids, below)

    def lines(self, faults: Sequence[Fault]) -> list[int]:
        """Where each of them is; line 1 where a key that stands twice hides it."""
        lines = lines_of(self._data, {fault.steps for fault in faults})
        return [lines.get(fault.steps, 1) for fault in faults]


class Lines:
    """A question a line."""

    format = "jsonl"

    def __init__(self, path: Path) -> None:
        self._path = path

    def items(self, languages: Languages) -> Iterator[QuestionExample | Fault]:
        """The questions and what is wrong."""
        ids: set[str] = set()
        number = 0
        with open_binary(self._path) as stream:
            try:
                for number, line in enumerate(stream, start=1):
                    if line.strip():
                        yield _of_line(line.removeprefix(_BYTE_ORDER_MARK), number, languages, ids)
            except DAMAGE as error:
                raise FormatError(
                    f"ends early or is damaged after line {number} ({error})", where=self._path
                ) from error

    def lines(self, faults: Sequence[Fault]) -> list[int]:
        """Where each of them is."""
        return [int(fault.steps[0]) for fault in faults]


def _of_line(
    line: bytes, number: int, languages: Languages, ids: set[str]
) -> QuestionExample | Fault:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return Fault((number,), f"not valid JSON ({error.msg})")
    if not isinstance(value, dict):
        return Fault((number,), "expected a JSON object")
    context_language = value.get("language") or languages.context
    own = Languages(
        languages.path,
        context_language,
        value.get("question_language") or languages.question or context_language,
    )
    try:
        context = _text(value, "context", own.context, own)
    except FormatError as error:
        return Fault((number,), error.what)
    return _question(value, context, value.get("title"), own, ids, (number,))


def _members(value: Any, name: str, steps: Steps) -> Iterator[tuple[Steps, Any]]:
    """The objects of a list within an object, or a fault in place of what is none."""
    inner = value.get(name) if isinstance(value, dict) else None
    if not isinstance(inner, list):
        yield steps, Fault(steps, f'expected an object with a list "{name}"')
        return
    for number, member in enumerate(inner):
        place = (*steps, name, number)
        if isinstance(member, dict):
            yield place, member
        else:
            yield place, Fault(place, "expected a JSON object")


def _question(
    value: JSON,
    context: AnnotatedText,
    title: Any,
    languages: Languages,
    ids: set[str],
    steps: Steps,
) -> QuestionExample | Fault:
    name = value.get("id")
    if isinstance(name, int) and not isinstance(name, bool):
        name = str(name)
    if not isinstance(name, str) or not name:
        return Fault(steps, "the field 'id' must be a string with text")
    if name in ids:
        return Fault(steps, f"a second question with the id {name!r}", name)
    ids.add(name)
    try:
        if not isinstance(title, str | None):
            raise FormatError(f"the title of its article must be a string, got {title!r}")
        question = _text(value, "question", languages.question, languages)
        return QuestionExample(name, question, context, _answers(value, context.text), title)
    except FormatError as error:
        return Fault(steps, error.what, name)


def _text(value: JSON, name: str, language: Any, languages: Languages) -> AnnotatedText:
    given = value.get(name)
    if isinstance(given, dict):
        try:
            return AnnotatedText.from_json(given)
        except InputError as error:
            raise FormatError(f"the field {name!r}: {error.what}") from error
    if not isinstance(given, str) or not given.strip():
        raise FormatError(f"the field {name!r} must be a string with text")
    if language is None:
        raise InputError(
            f"the language of its {name}s is not known: the file's name does not say it",
            where=languages.path,
            remedy="Say it: --language en, and --question-language if that is another",
        )
    if not isinstance(language, str):
        raise FormatError(f"a language must be a code such as 'en', got {language!r}")
    return AnnotatedText(given, language)


def _answers(value: JSON, context: str) -> tuple[GoldAnswer, ...]:
    """The right answers, each checked against the passage."""
    given = value.get("answers")
    if given is None or value.get("is_impossible") is True:
        return ()
    if isinstance(given, dict):
        given = _columns(given)
    if not isinstance(given, list):
        raise FormatError("the field 'answers' must be a list of objects")
    return tuple(_answer(answer, context) for answer in given)


def _columns(given: JSON) -> list[JSON]:
    texts, starts = given.get("text"), given.get("answer_start")
    if not isinstance(texts, list) or not isinstance(starts, list) or len(texts) != len(starts):
        raise FormatError("'answers' must have lists 'text' and 'answer_start' of one length")
    pairs = zip(texts, starts, strict=True)
    return [{"text": text, "answer_start": start} for text, start in pairs]


def _answer(value: Any, context: str) -> GoldAnswer:
    text, start = (
        (value.get("text"), value.get("answer_start")) if isinstance(value, dict) else (None, None)
    )
    if not isinstance(text, str) or not text.strip():
        raise FormatError("an answer's 'text' must be a string with text")
    if not isinstance(start, int) or isinstance(start, bool) or start < 0:
        raise FormatError(f"an answer's 'answer_start' must be a number from 0, got {start!r}")
    seen = context[start : start + len(text)]
    if seen != text:
        raise FormatError(
            f"the answer {_short(text)} is not at character {start} of its passage, "
            f"where {_short(seen)} stands; {_elsewhere(text, start, context)}"
        )
    return GoldAnswer(text, start)


def _elsewhere(text: str, start: int, context: str) -> str:
    """Where an answer stands that is not where a file says."""
    units = context.encode("utf-16-le")[: 2 * start].decode("utf-16-le", "replace")
    if context.startswith(text, len(units)):
        return f"it stands at {len(units)}: count code points, not units of UTF-16"
    places = [match.start() for match in re.finditer(re.escape(text), context)]
    if not places:
        return "it stands nowhere in it"
    return f"it stands at {min(places, key=lambda place: abs(place - start))}"


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
