"""Reading questions in mLAMA's layout.

    DIR/<language>/templates.jsonl     {"relation": "P36", "template": "The capital of [X] is [Y]."}
    DIR/<language>/<relation>.jsonl    {"sub_uri", "sub_label", "obj_uri", "obj_label", …}

One field beyond mLAMA is understood: ``told_in``, the languages whose training text tells the
fact (an empty list: none does). The candidates of a relation in a language are all objects of its
file, as in mLAMA's typed querying. Lines of one subject are one question with several right
answers; it is told where any of them is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from exonym.foundation.errors import FormatError, InputError
from exonym.foundation.files import JSON, read_json_lines

SUBJECT, OBJECT = "[X]", "[Y]"
Told = Literal["told", "untold", "control"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A possible answer: its entity and its name in the question's language."""

    entity: str
    label: str


@dataclass(frozen=True, slots=True)
class Question:
    """One (subject, relation) asked in one language.

    Args:
        language: code.
        relation: property id.
        subject: entity.
        subject_label: its name in the language.
        answers: all right answers, as entities.
        told_in: the languages whose text tells one of the answers; None where the file does not
            say.
    """

    language: str
    relation: str
    subject: str
    subject_label: str
    answers: tuple[str, ...]
    told_in: tuple[str, ...] | None = None

    @property
    def told(self) -> Told | None:
        """``"told"`` here, ``"untold"`` here but told elsewhere, or ``"control"``: nowhere."""
        if self.told_in is None:
            return None
        if not self.told_in:
            return "control"
        return "told" if self.language in self.told_in else "untold"


@dataclass(frozen=True)
class ClozeSet:
    """Questions with their templates and candidates.

    Args:
        questions: ordered by language, relation and file.
        templates: by (language, relation).
        candidates: by (language, relation), in order of entity.
    """

    questions: tuple[Question, ...]
    templates: Mapping[tuple[str, str], str]
    candidates: Mapping[tuple[str, str], tuple[Candidate, ...]]


def load_questions(directory: str | Path, languages: Collection[str] | None = None) -> ClozeSet:
    """Read a directory in mLAMA's layout.

    Args:
        directory: with a folder per language.
        languages: which to read; None reads all.

    Raises:
        InputError: no such directory, no question in it, or a language is not there.
        FormatError: a line lacks a field, or a template lacks a slot; names file and line.
    """
    directory = Path(directory)
    there = sorted(path.parent.name for path in directory.glob("*/templates.jsonl"))
    if not there:
        raise InputError(
            "no <language>/templates.jsonl here",
            where=directory,
            remedy="Give a directory in mLAMA's layout, such as ATLAS/cloze",
        )
    missing = sorted(set(languages or ()) - set(there))
    if missing:
        raise InputError(
            f"no questions in {missing[0]!r}; there are {', '.join(there)}", where=directory
        )
    questions: list[Question] = []
    templates: dict[tuple[str, str], str] = {}
    candidates: dict[tuple[str, str], tuple[Candidate, ...]] = {}
    for language in there:
        if languages is not None and language not in languages:
            continue
        folder = directory / language
        for relation, template in _read_templates(folder / "templates.jsonl").items():
            path = folder / f"{relation}.jsonl"
            if not path.is_file():
                continue  # mLAMA has templates of relations that it has no triples of
            templates[language, relation] = template
            asked, possible = _read_relation(path, language, relation)
            questions += asked
            candidates[language, relation] = possible
    if not questions:
        raise InputError(
            f"templates but no question for {', '.join(languages or there)}",
            where=directory,
        )
    return ClozeSet(tuple(questions), templates, candidates)


def _read_templates(path: Path) -> dict[str, str]:
    templates = {}
    for number, value in read_json_lines(path):
        relation, template = _fields(value, ("relation", "template"), path, number)
        for slot in (SUBJECT, OBJECT):
            if template.count(slot) != 1:
                raise FormatError(
                    f"the template {template!r} needs the slot {slot} exactly once",
                    where=f"{path}:{number}",
                )
        if relation in templates:
            raise FormatError(f"a second template for {relation!r}", where=f"{path}:{number}")
        templates[relation] = template
    return templates


def _read_relation(
    path: Path, language: str, relation: str
) -> tuple[list[Question], tuple[Candidate, ...]]:
    subjects: dict[str, tuple[str, list[str]]] = {}
    told_in: dict[str, dict[str, None]] = {}  # of the subjects whose lines say so
    labels: dict[str, str] = {}
    for number, value in read_json_lines(path):
        names = ("sub_uri", "sub_label", "obj_uri", "obj_label")
        subject, label, answer, answer_label = _fields(value, names, path, number)
        labels.setdefault(answer, answer_label)
        _, answers = subjects.setdefault(subject, (label, []))
        if answer not in answers:
            answers.append(answer)
        if "told_in" in value:
            codes = _told_in(value, path, number)
            told_in.setdefault(subject, {}).update(dict.fromkeys(codes))
    questions = [
        Question(
            language,
            relation,
            subject,
            label,
            tuple(answers),
            tuple(told_in[subject]) if subject in told_in else None,
        )
        for subject, (label, answers) in subjects.items()
    ]
    return questions, tuple(Candidate(entity, labels[entity]) for entity in sorted(labels))


def _told_in(value: JSON, path: Path, number: int) -> list[str]:
    told_in = value["told_in"]
    if not isinstance(told_in, list) or not all(isinstance(code, str) for code in told_in):
        raise FormatError(
            f"the field 'told_in' must be a list of languages, got {told_in!r}",
            where=f"{path}:{number}",
        )
    return told_in


def _fields(value: JSON, names: tuple[str, ...], path: Path, number: int) -> tuple[str, ...]:
    for name in names:
        if not isinstance(value.get(name), str) or not value[name].strip():
            raise FormatError(
                f"the field {name!r} must be a string with text", where=f"{path}:{number}"
            )
    return tuple(value[name] for name in names)
