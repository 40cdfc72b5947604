"""Reading questions: mLAMA's directories, and tables of facts in one file.

    DIR/<language>/templates.jsonl     {"relation": "P36", "template": "The capital of [X] is [Y]."}
    DIR/<language>/<relation>.jsonl    {"sub_uri", "sub_label", "obj_uri", "obj_label", …}

mLAMA (Kassner et al. 2021, github.com/norakassner/mlama) keeps this in ``mlama1.1``, and beside it
lists of candidates (`exonym.tasks.cloze.candidates`): either directory can be given, or one
language's folder in it, or one relation's file. Where there is no list, a relation's candidates in
a language are all objects of its file (typed querying). Lines of one subject are one question with
several right answers. One field beyond mLAMA is understood: ``told_in``, the languages whose
training text tells the fact (an empty list: none does); a question is told where any of its answers
is.

A file (.jsonl, .tsv, .csv, compressed or not) is a table of facts with all of it in each row: see
`exonym.tasks.cloze.tables`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from exonym.foundation.errors import InputError
from exonym.tasks.cloze.candidates import CandidateLists, chosen_from
from exonym.tasks.cloze.faults import Faults, FileProblem
from exonym.tasks.cloze.layouts import Found, read_path
from exonym.tasks.cloze.records import (
    OBJECT,
    SUBJECT,
    Candidate,
    ClozeSet,
    Key,
    Question,
    Told,
)
from exonym.tasks.cloze.relations import Relation

__all__ = [
    "OBJECT",
    "SUBJECT",
    "Candidate",
    "CheckedQuestions",
    "ClozeSet",
    "Question",
    "Told",
    "check_questions",
    "load_questions",
]


def load_questions(
    path: str | Path,
    languages: Collection[str] | None = None,
    *,
    relations: Collection[str] | None = None,
    keep_going: bool = False,
) -> ClozeSet:
    """Read questions in mLAMA's layout, or a table of facts.

    Args:
        path: a directory with a folder per language, or one that has mLAMA's ``mlama1.1``; one of
            these folders, or a relation's file in it; or the file of a table.
        languages: which to read; None reads all.
        relations: which to ask; None asks all. The candidates are those of all relations, so that
            each has the same as without this choice.
        keep_going: leave out what is wrong and count it in ``left_out``, rather than stop.

    Raises:
        InputError: nothing is there, no question is in it, or a language or relation is not there.
        FormatError: a line cannot be read or lacks a field, or a template lacks a slot; names file
            and line.
    """
    path, faults = Path(path), Faults(keep_going)
    found = read_path(path, languages, relations, faults)
    return _questions(path, found, languages, relations, faults)


@dataclass(frozen=True)
class CheckedQuestions:
    """What is in files of facts, and what is wrong with them.

    Args:
        questions: what can be asked; None where nothing can.
        problems: in the order of the files.
        notes: what else a reader should know.
    """

    questions: ClozeSet | None
    problems: tuple[FileProblem, ...]
    notes: tuple[str, ...] = ()


def check_questions(path: str | Path, languages: Collection[str] | None = None) -> CheckedQuestions:
    """Read files of facts to their end, whatever is wrong with single lines.

    Args:
        path: see `load_questions`.
        languages: which to read; None reads all.

    Raises:
        InputError: nothing is there, or a language is not there.
        FormatError: a table has no header, or a list of candidates is something else.
    """
    path, faults = Path(path), Faults(keep_going=True, listing=True)
    found = read_path(path, languages, None, faults)
    try:
        questions = _questions(path, found, languages, None, faults)
    except InputError:
        if not any(problem.fatal for problem in faults.problems):
            raise
        return CheckedQuestions(None, tuple(faults.problems))
    return CheckedQuestions(questions, tuple(faults.problems), tuple(_notes(questions, found)))


def _questions(
    path: Path,
    found: Found,
    languages: Collection[str] | None,
    wanted: Collection[str] | None,
    faults: Faults,
) -> ClozeSet:
    missing = sorted(set(languages or ()) - set(found.languages))
    if missing:
        raise InputError(
            f"no questions in {missing[0]!r}; there are {', '.join(found.languages)}", where=path
        )
    if found.only is not None:
        wanted = [found.only]
    there = dict.fromkeys(name for _, name in found.relations)
    unknown = sorted(set(wanted or ()) - there.keys())
    if unknown:
        raise InputError(
            f"no questions of the relation {unknown[0]!r}; there are {', '.join(there) or 'none'}",
            where=path,
        )
    asked = {key: one for key, one in found.relations.items() if wanted is None or key[1] in wanted}
    if not any(relation.subjects for relation in asked.values()):
        raise InputError(
            f"templates but no question for {', '.join(languages or found.languages)}", where=path
        )
    return ClozeSet(
        tuple(question for key, one in asked.items() for question in one.questions(key)),
        {key: one.template for key, one in asked.items()},
        _candidates(found.relations, found.lists),
        dict(faults.counts),
    )


def _candidates(
    relations: Mapping[Key, Relation], lists: CandidateLists | None
) -> dict[Key, tuple[Candidate, ...]]:
    """Of each relation: its list with what entities are known of the names, or its objects."""
    own = {key: one.candidates() for key, one in relations.items()}
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


def _notes(source: ClozeSet, found: Found) -> Iterable[str]:
    languages = {question.language for question in source.questions}
    relations = {question.relation for question in source.questions}
    yield f"{len(source.questions):,} questions"
    yield f"{len(languages)} languages" if len(languages) > 1 else f"language {min(languages)}"
    yield f"{len(relations)} relations" if len(relations) > 1 else f"relation {min(relations)}"
    several = sum(len(question.answers) > 1 for question in source.questions)
    yield f"{several:,} questions with several right answers"
    turned = sum(one.index(OBJECT) < one.index(SUBJECT) for one in source.templates.values())
    yield f"{turned} of {len(source.templates)} templates with [Y] before [X]"
    told = [question for question in source.questions if question.told_in is not None]
    yield f"{len(told):,} questions that say which languages tell the fact"
    if found.lists is None:
        yield "candidates: the objects of each relation"
    else:
        names = ", ".join(folder.name for folder in found.lists.folders)
        yield f"candidates: {names}, else the objects of each relation"
