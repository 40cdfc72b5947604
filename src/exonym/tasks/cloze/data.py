"""Reading questions: mLAMA's directories, and tables of facts in one file.

    DIR/<language>/templates.jsonl     {"relation": "P36", "template": "The capital of [X] is [Y]."}
    DIR/<language>/<relation>.jsonl    {"sub_uri", "sub_label", "obj_uri", "obj_label", …}

mLAMA (Kassner et al. 2021, github.com/norakassner/mlama) keeps this in ``mlama1.1``, and beside it
lists of candidates (`exonym.tasks.cloze.candidates`): either directory can be given. Where there is
no list, a relation's candidates in a language are all objects of its file (typed querying). Lines
of one subject are one question with several right answers. One field beyond mLAMA is understood:
``told_in``, the languages whose training text tells the fact (an empty list: none does); a question
is told where any of its answers is.

A file (.jsonl, .tsv, .csv, compressed or not) is a table of facts with all of it in each row: see
`exonym.tasks.cloze.tables`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from exonym.foundation.errors import FormatError, InputError
from exonym.foundation.files import read_json_lines
from exonym.tasks.cloze.candidates import CandidateLists, chosen_from
from exonym.tasks.cloze.records import (
    OBJECT,
    SUBJECT,
    Candidate,
    ClozeSet,
    Key,
    Question,
    Told,
)
from exonym.tasks.cloze.tables import Row, is_table, read_table

__all__ = ["OBJECT", "SUBJECT", "Candidate", "ClozeSet", "Question", "Told", "load_questions"]

_TRIPLES = "mlama1.1"
_KEEP_GOING = "To leave such relations and lines out, and count them, pass keep_going=True"


def load_questions(
    path: str | Path,
    languages: Collection[str] | None = None,
    *,
    keep_going: bool = False,
) -> ClozeSet:
    """Read questions in mLAMA's layout, or a table of facts.

    Args:
        path: a directory with a folder per language, or one that has mLAMA's ``mlama1.1``; or the
            file of a table.
        languages: which to read; None reads all.
        keep_going: leave out what is wrong and count it in ``left_out``, rather than stop.

    Raises:
        InputError: nothing is there, no question is in it, or a language is not there.
        FormatError: a line lacks a field, or a template lacks a slot; names file and line.
    """
    path = Path(path)
    faults = _Faults(keep_going)
    if is_table(path):
        relations, there = _of_table(path, languages, faults)
        lists: CandidateLists | None = None
    else:
        folder = path / _TRIPLES if (path / _TRIPLES).is_dir() else path
        there = sorted(found.parent.name for found in folder.glob("*/templates.jsonl"))
        if not there:
            raise InputError(
                "no <language>/templates.jsonl here",
                where=path,
                remedy="Give a directory in mLAMA's layout, such as ATLAS/cloze, or a table of "
                "facts (.jsonl, .tsv, .csv)",
            )
        wanted = [code for code in there if languages is None or code in languages]
        relations = {key: one for code in wanted for key, one in _of_folder(folder, code, faults)}
        lists = CandidateLists.beside(folder)
    missing = sorted(set(languages or ()) - set(there))
    if missing:
        raise InputError(
            f"no questions in {missing[0]!r}; there are {', '.join(there)}", where=path
        )
    if not any(relation.subjects for relation in relations.values()):
        raise InputError(
            f"templates but no question for {', '.join(languages or there)}", where=path
        )
    return ClozeSet(
        tuple(question for key, one in relations.items() for question in one.questions(key)),
        {key: one.template for key, one in relations.items()},
        _candidates(relations, lists),
        dict(faults.counts),
    )


@dataclass
class _Faults:
    """What becomes of what is wrong: an error, or a count."""

    keep_going: bool
    counts: Counter[str] = field(default_factory=Counter)

    def found(self, what: str, where: str, reason: str) -> None:
        if not self.keep_going:
            raise FormatError(what, where=where, remedy=_KEEP_GOING)
        self.counts[reason] += 1


@dataclass
class _Relation:
    """A relation in one language.

    Args:
        template: with both slots.
        subjects: by entity, its name and its answers.
        told_in: by subject, the languages that tell its facts, of those whose lines say so.
        labels: by object, its name.
    """

    template: str
    subjects: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    told_in: dict[str, dict[str, None]] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        self.labels.setdefault(row.object, row.object_label)
        _, answers = self.subjects.setdefault(row.subject, (row.subject_label, []))
        if row.object not in answers:
            answers.append(row.object)
        if row.told_in is not None:
            self.told_in.setdefault(row.subject, {}).update(dict.fromkeys(row.told_in))

    def questions(self, key: Key) -> Iterator[Question]:
        language, relation = key
        for subject, (label, answers) in self.subjects.items():
            told = tuple(self.told_in[subject]) if subject in self.told_in else None
            yield Question(language, relation, subject, label, tuple(answers), told)


def _of_folder(folder: Path, language: str, faults: _Faults) -> Iterator[tuple[Key, _Relation]]:
    templates = _read_templates(folder / language / "templates.jsonl", faults)
    for name, template in templates.items():
        path = folder / language / f"{name}.jsonl"
        if not path.is_file():
            continue  # mLAMA has templates of relations that it has no triples of
        relation = _Relation(template)
        for number, value in read_json_lines(path):
            try:
                relation.add(Row.of_triple(value, language, name, template))
            except FormatError as error:
                faults.found(error.what, f"{path}:{number}", "lines without a field")
        yield (language, name), relation


def _read_templates(path: Path, faults: _Faults) -> dict[str, str]:
    templates: dict[str, str] = {}
    for number, value in read_json_lines(path):
        where = f"{path}:{number}"
        relation, template = value.get("relation"), value.get("template")
        if not isinstance(relation, str) or not isinstance(template, str):
            what = "the fields 'relation' and 'template' must be strings"
            faults.found(what, where, "templates without a field")
        elif (fault := _fault_of(template)) is not None:
            faults.found(fault, where, "templates without both slots")
        elif templates.setdefault(relation, template) != template:
            faults.found(f"a second template for {relation!r}", where, "second templates")
    return templates


def _fault_of(template: str) -> str | None:
    """What is wrong with a template."""
    for slot in (SUBJECT, OBJECT):
        if template.count(slot) != 1:
            return f"the template {template!r} needs the slot {slot} exactly once"
    return None


def _of_table(
    path: Path, languages: Collection[str] | None, faults: _Faults
) -> tuple[dict[Key, _Relation], list[str]]:
    """The relations of a table, and the languages that it has."""
    relations: dict[Key, _Relation] = {}
    there: set[str] = set()
    for number, found in read_table(path):
        where = f"{path}:{number}"
        if isinstance(found, FormatError):
            faults.found(found.what, where, "lines without a field")
            continue
        there.add(found.language)
        if languages is not None and found.language not in languages:
            continue
        relation = relations.get((found.language, found.relation))
        if relation is None:
            fault = _fault_of(found.template)
            if fault is not None:
                faults.found(fault, where, "templates without both slots")
                continue
            relation = relations[found.language, found.relation] = _Relation(found.template)
        if found.template != relation.template:
            what = f"a second template for {found.relation!r} in {found.language!r}"
            faults.found(what, where, "second templates")
            continue
        relation.add(found)
    if not there:
        raise InputError("no row of a fact in it", where=path)
    return dict(sorted(relations.items(), key=lambda item: item[0][0])), sorted(there)


def _candidates(
    relations: Mapping[Key, _Relation], lists: CandidateLists | None
) -> dict[Key, tuple[Candidate, ...]]:
    """Of each relation: its list with what entities are known of the names, or its objects."""
    own = {
        key: tuple(Candidate(entity, one.labels[entity]) for entity in sorted(one.labels))
        for key, one in relations.items()
    }
    if lists is None:
        return own
    named: dict[str, list[Iterable[Candidate]]] = {}
    for (language, _), candidates in own.items():
        named.setdefault(language, []).append(candidates)
    return {
        key: chosen_from(names, own[key], named[key[0]])
        if (names := lists.of(*key)) is not None
        else own[key]
        for key in relations
    }
