"""Reading questions about passages: the layouts of SQuAD 1.1, XQuAD and MLQA, and JSON Lines.

    {"data": [{"title", "paragraphs": [{"context", "qas": [{"id", "question", "answers":
        [{"text", "answer_start"}]}]}]}]}                      SQuAD, XQuAD, MLQA; one document
    {"id", "question", "context", "answers": {"text": [], "answer_start": []}, "title"}
                                                               JSON Lines; answers as above, too

In JSON Lines a question or passage may be an annotated text (`AnnotatedText.to_json`) instead of a
string: so `tasks.qa.annotation` writes it. The layout is seen from the file. Languages stand in the
name of most benchmarks' files (``xquad.ar.json``, ``test-context-ar-question-de.json``), in
``language`` and ``question_language`` of a line, or are given. Offsets count code points.

Files may be compressed (.bz2 .gz .xz .zst). SQuAD 2's questions without an answer are read, with no
answers.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from exonym.foundation.errors import ConfigError, FormatError
from exonym.tasks.qa.layouts import Document, Fault, Languages, Lines, open_layout
from exonym.tasks.qa.records import QuestionExample
from exonym.tasks.reading import Problem, require_usable
from exonym.wikimedia.wikis import WIKIPEDIA_LANGUAGES

Format = Literal["auto", "squad", "jsonl"]

_CODE = r"([a-z]{2,3}(?:-[a-z]+)*)"
_MLQA = re.compile(rf"context-{_CODE}-question-{_CODE}\.")
_TRANSLATED = re.compile(rf"{_CODE}_squad-translate-")
_SUFFIX = re.compile(rf"\.{_CODE}\.jsonl?\b")
_SQUAD = re.compile(r"(?:train|dev)-v[12]\.\d\.json\b")


@dataclass(frozen=True)
class Dataset:
    """The questions of a file, and what was found in it.

    Args:
        examples: those that can be used, in the file's order.
        format: ``"squad"`` (one document) or ``"jsonl"`` (a question a line).
        problems: what is wrong with others, in the file's order.
        notes: what was found, in words.
        labels: none; other tasks' files have some.
    """

    examples: tuple[QuestionExample, ...]
    format: str
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


def languages_of_file(path: Path) -> tuple[str | None, str | None]:
    """The languages of passages and of questions, from a benchmark's file name.

    Understood: ``xquad.ar.json`` and any ``NAME.ar.json`` with the code of a Wikipedia,
    ``…context-ar-question-de.json``, ``de_squad-translate-…``, ``train-v1.1.json`` (English).
    None where the name does not say.
    """
    name = path.name
    if match := _MLQA.search(name):
        return match[1], match[2]
    if match := _TRANSLATED.match(name):
        return match[1], match[1]
    if (match := _SUFFIX.search(name)) and match[1] in WIKIPEDIA_LANGUAGES:
        return match[1], match[1]
    return ("en", "en") if _SQUAD.search(name) else (None, None)


def read_questions(
    path: Path | str, *, language: str | None = None, question_language: str | None = None
) -> Iterator[QuestionExample]:
    """The questions of a file, in its order.

    Args:
        path: the file.
        language: of the passages, where neither text nor line says; None takes it from the
            file's name.
        question_language: of the questions; None takes it from the file's name, else they are in
            the language of the passages.

    Raises:
        InputError: there is no such file, or its language is not known.
        FormatError: something is wrong with it; the message names file and line.
    """
    path = Path(path)
    opened = _open(path, "auto")
    for item in opened.items(_languages(path, language, question_language)):
        if isinstance(item, Fault):
            raise FormatError(
                item.described,
                where=f"{path}:{opened.lines([item])[0]}",
                remedy=_remedy(path),
            )
        yield item


def read_examples(
    path: Path | str,
    *,
    format: Format = "auto",
    language: str | None = None,
    question_language: str | None = None,
) -> Dataset:
    """Read a file whose questions can all be used.

    Args:
        path: the file.
        format: its layout; ``"auto"`` sees it from the file.
        language: as in `read_questions`.
        question_language: as in `read_questions`.

    Raises:
        InputError: there is no such file, or its language is not known.
        ConfigError: no such format.
        FormatError: something is wrong with it; the message names file and line.
    """
    dataset = check_examples(
        path, format=format, language=language, question_language=question_language
    )
    require_usable(dataset.problems, Path(path), remedy=_remedy(path))
    return dataset


def check_examples(
    path: Path | str,
    *,
    format: Format = "auto",
    language: str | None = None,
    question_language: str | None = None,
) -> Dataset:
    """Read a file to its end, whatever is wrong with single questions.

    The arguments are those of `read_examples`.

    Raises:
        InputError: there is no such file, or its language is not known.
        ConfigError: no such format.
        FormatError: it is in none of the layouts, without a question, or damaged.
    """
    path = Path(path)
    opened = _open(path, format)
    examples: list[QuestionExample] = []
    faults: list[Fault] = []
    for item in opened.items(_languages(path, language, question_language)):
        if isinstance(item, Fault):
            faults.append(item)
        else:
            examples.append(item)
    if not examples and not faults:
        raise FormatError("there is no question in it", where=path)
    problems = tuple(
        Problem(line, fault.described)
        for line, fault in zip(opened.lines(faults), faults, strict=True)
    )
    return Dataset(tuple(examples), opened.format, problems, tuple(_notes(opened.format, examples)))


def _notes(layout: str, examples: Sequence[QuestionExample]) -> Iterator[str]:
    """What is in a file, in words."""
    yield "one document in SQuAD's layout" if layout == "squad" else "JSON Lines, a question a line"
    yield f"{len(examples):,} questions"
    pairs = Counter((example.question.language, example.context.language) for example in examples)
    for (asked, context), count in sorted(pairs.items()):
        yield f"questions in {asked}, passages in {context}: {count:,}"
    unanswered = sum(not example.answers for example in examples)
    if unanswered:
        yield f"questions without an answer: {unanswered:,}"
    untitled = sum(not example.title for example in examples)
    if untitled:
        yield f"questions without the title of an article: {untitled:,}"
    mentions = sum(bool(e.question.mentions or e.context.mentions) for e in examples)
    if mentions:
        yield f"questions with entities: {mentions:,}"


def _remedy(path: Path | str) -> str:
    return f"All that is wrong is listed by: exonym data check qa {path}"


def _open(path: Path, format: Format) -> Document | Lines:
    if format not in get_args(Format):
        raise ConfigError(f"no format {format!r}, only {', '.join(get_args(Format))}")
    opened = open_layout(path)
    if format not in ("auto", opened.format):
        raise FormatError(f"not in the format {format!r}, but {opened.format!r}", where=path)
    return opened


def _languages(path: Path, context: str | None, question: str | None) -> Languages:
    named, asked = languages_of_file(path)
    if context is not None:
        return Languages(path, context, question or context)
    return Languages(path, named, question or asked)
