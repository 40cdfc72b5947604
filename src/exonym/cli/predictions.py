"""Predictions as records, a line of JSON each, and as people read them on a terminal."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from exonym.cli.linked_listing import plain
from exonym.cli.output import table_lines
from exonym.foundation.errors import InputError
from exonym.foundation.files import JSON
from exonym.text import AnnotatedText

if TYPE_CHECKING:
    from exonym.cli.predict_inputs import Given
    from exonym.tasks.ner import EntityRecognizer
    from exonym.tasks.qa import Answerer, QuestionExample
    from exonym.tasks.relation import RelationExtractor

_SHOWN = 400  # characters of a text


@dataclass(frozen=True)
class Asked:
    """What a command asks beside its texts.

    Args:
        question: of each passage; None: the questions of files.
        question_language: None: the passage's.
        head: of a relation: words of the text, or ``START:END``.
        tail: the same.
        most: answers to each question.
    """

    question: str | None = None
    question_language: str | None = None
    head: str | None = None
    tail: str | None = None
    most: int = 1


def entity_records(
    model: EntityRecognizer, given: Iterable[Given], batch_size: int
) -> Iterator[JSON]:
    """Named entities: ``{"text", "language", "entities": [...]}`` for each text."""
    texts, shown = itertools.tee(given)
    predicted = model.predict(cast("Iterable[AnnotatedText]", texts), batch_size=batch_size)
    for one, found in zip(shown, predicted, strict=True):
        entities = [entity.to_json() for entity in found]
        yield _head(one) | {"entities": entities}


def relation_records(
    model: RelationExtractor, given: Iterable[Given], asked: Asked, batch_size: int
) -> Iterator[JSON]:
    """Relations: ``{"text", "language", "relations": [...]}`` for each text or example.

    Raises:
        InputError: a text has no two mentions to ask about, or a mention is not in it.
    """
    from exonym.tasks.relation import RelationExample

    def is_example(one: Given) -> bool:
        return isinstance(one, RelationExample)

    for examples, group in itertools.groupby(given, is_example):
        if examples:  # these go through the model many at a time
            pairs, shown = itertools.tee(cast("Iterator[RelationExample]", group))
            found = model.predict(pairs, batch_size=batch_size)
            for example, relation in zip(shown, found, strict=True):
                head = {"id": example.id} if example.id else {}
                yield head | _head(example.text) | {"relations": [relation.to_json()]}
            continue
        for text in cast("Iterator[AnnotatedText]", group):
            places = _place(text, "head", asked.head), _place(text, "tail", asked.tail)
            relations = [one.to_json() for one in model(text, *places)]
            yield _head(text) | {"relations": relations}


def answer_records(
    model: Answerer, given: Iterable[Given], asked: Asked, batch_size: int
) -> Iterator[JSON]:
    """Answers: ``{"id", "question", "answers": [...]}``, of bare passages their text as well.

    Raises:
        InputError: a passage without a question.
    """
    examples, shown = itertools.tee(_question(one, asked) for one in given)
    for example, answers in zip(
        shown, model.predict(examples, batch_size=batch_size, most=asked.most), strict=True
    ):
        head: JSON = {"id": example.id} if example.id else _head(example.context)
        yield head | {
            "question": example.question.text,
            "answers": [answer.to_json() for answer in answers.answers],
        }


def _question(one: Given, asked: Asked) -> QuestionExample:
    from exonym.tasks.qa import QuestionExample

    if isinstance(one, QuestionExample):
        return one
    assert isinstance(one, AnnotatedText), "texts or questions are read for this task"
    if asked.question is None:
        raise InputError(
            "a passage without a question",
            where=one.source,
            remedy='Ask with --question "...", or give a file of questions',
        )
    language = asked.question_language or one.language
    return QuestionExample("", AnnotatedText(asked.question, language), one)


def _place(text: AnnotatedText, name: str, said: str | None) -> tuple[int, int] | None:
    """Where a mention is: ``START:END``, or words that stand once in the text."""
    if said is None:
        return None
    start, colon, end = said.partition(":")
    if colon and start.isdecimal() and end.isdecimal():
        return int(start), int(end)
    count = text.text.count(said) if said else 0
    if count != 1:
        raise InputError(
            f"{said!r} stands {count} times in the text, and must stand there once",
            where=f"--{name}",
            remedy=f"Give its characters: --{name} START:END",
        )
    place = text.text.index(said)
    return place, place + len(said)


def _head(one: Any) -> JSON:
    head: JSON = {"text": one.text, "language": one.language}
    return head if one.source is None else head | {"source": one.source}


def json_lines(records: Iterable[JSON]) -> Iterator[str]:
    """A line for each record."""
    for record in records:
        yield json.dumps(record, ensure_ascii=False) + "\n"


def listing(records: Iterable[JSON]) -> Iterator[str]:
    """The listing of each record: the text, and a table of what was found."""
    for record in records:
        rows_of, header, nothing = next(
            _LISTINGS[name] for name in ("entities", "relations", "answers") if name in record
        )
        lines = []
        if "text" in record:
            text = record["text"]
            cut = f"... ({len(text):,} characters)" if len(text) > _SHOWN else ""
            lines.append(f"[{record['language']}] {plain(text[:_SHOWN])}{cut}")
        if "question" in record:
            lines.append(plain(record["question"]))
        rows = list(rows_of(record))
        lines += table_lines(header, rows) if rows else [nothing]
        yield "\n".join([*lines, "", ""])


def _entity_rows(record: JSON) -> Iterator[list[object]]:
    for one in record["entities"]:
        yield [
            plain(one["surface"]), one["start"], one["end"], plain(one["label"]), one["score"],
            one.get("entity"),
        ]  # fmt: skip


def _relation_rows(record: JSON) -> Iterator[list[object]]:
    for one in record["relations"]:
        head, tail = one["head"], one["tail"]
        yield [
            plain(head["text"]), plain(one["label"]), plain(tail["text"]), one["score"],
            head["entity"], tail["entity"],
        ]  # fmt: skip


def _answer_rows(record: JSON) -> Iterator[list[object]]:
    for one in record["answers"]:
        yield [plain(one["text"]), one["start"], one["end"], one["score"], one["entity"]]


_Rows = Callable[[JSON], Iterator[list[object]]]
_LISTINGS: dict[str, tuple[_Rows, tuple[str, ...], str]] = {
    "entities": (
        _entity_rows,
        ("mention", "from", "to", "type", "score", "entity"),
        "No entity was found.",
    ),
    "relations": (
        _relation_rows,
        ("head", "relation", "tail", "score", "entity of the head", "entity of the tail"),
        "No relation was found.",
    ),
    "answers": (
        _answer_rows,
        ("answer", "from", "to", "score", "entity"),
        "There is no answer.",
    ),
}
