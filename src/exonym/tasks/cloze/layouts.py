"""Where facts lie: a folder of languages, one language, one relation, or a table."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from exonym.foundation.errors import FormatError, InputError
from exonym.foundation.json_lines import read_objects
from exonym.tasks.cloze.candidates import CandidateLists
from exonym.tasks.cloze.faults import Faults
from exonym.tasks.cloze.records import Key
from exonym.tasks.cloze.relations import Relation, fault_of
from exonym.tasks.cloze.tables import Row, Unusable, is_table, read_table

TEMPLATES = "templates.jsonl"
_TRIPLES = "mlama1.1"


@dataclass(frozen=True)
class Found:
    """What was read.

    Args:
        relations: by language and relation.
        languages: that are there, read or not, sorted.
        lists: of candidates, where there are any.
        only: the one relation that was asked for, where the path is its file.
    """

    relations: Mapping[Key, Relation]
    languages: list[str]
    lists: CandidateLists | None = None
    only: str | None = None


def read_path(
    path: Path,
    languages: Collection[str] | None,
    relations: Collection[str] | None,
    faults: Faults,
) -> Found:
    """Read all facts of some languages.

    Args:
        path: in one of the layouts of `exonym.tasks.cloze.data`.
        languages: which to read; None reads all.
        relations: those whose faults count. The others are read for the names of their objects,
            and what is wrong with them does not matter.
        faults: takes what is wrong.

    Raises:
        InputError: nothing that can be read is there.
        FormatError: something is wrong, and faults are errors.
    """
    if path.is_file() and path.name == TEMPLATES:
        raise InputError("templates without facts", where=path, remedy=f"Give {path.parent}/")
    if path.is_file() and path.suffix == ".jsonl" and (path.parent / TEMPLATES).is_file():
        return _relation_file(path, languages, faults)
    if is_table(path):
        return Found(*_of_table(path, languages, relations, faults))
    if (path / TEMPLATES).is_file():
        folder, folders = path.resolve().parent, {path.resolve().name: path}
    else:
        folder = path / _TRIPLES if (path / _TRIPLES).is_dir() else path
        folders = _folders(folder, languages, faults)
    if not folders:
        raise InputError(
            f"no <language>/{TEMPLATES} here",
            where=path,
            remedy="Give a directory in mLAMA's layout, such as ATLAS/cloze, or a table of "
            "facts (.jsonl, .tsv, .csv)",
        )
    read = _read_folder(folders, languages, relations, faults)
    return Found(read, sorted(folders), CandidateLists.beside(folder))


def _relation_file(path: Path, languages: Collection[str] | None, faults: Faults) -> Found:
    """One relation's file, with the template beside it."""
    folder = path.parent.resolve()
    read = _read_folder({folder.name: path.parent}, languages, [path.stem], faults)
    if not any(name == path.stem for _, name in read) and not faults.problems:
        raise InputError(f"no template for {path.stem!r} in {TEMPLATES} beside it", where=path)
    return Found(read, [folder.name], CandidateLists.beside(folder.parent), path.stem)


def _folders(folder: Path, languages: Collection[str] | None, faults: Faults) -> dict[str, Path]:
    """The folders of languages, by code."""
    found = {}
    for own in sorted(one for one in folder.glob("*/") if one.is_dir()):
        facts = len([*own.glob("*.jsonl")])
        if (own / TEMPLATES).is_file():
            found[own.name] = own
        elif facts and (languages is None or own.name in languages):
            faults.found(
                f"no {TEMPLATES} beside {facts} .jsonl files",
                own,
                None,
                "folders without templates",
            )
    return found


def _read_folder(
    folders: Mapping[str, Path],
    languages: Collection[str] | None,
    relations: Collection[str] | None,
    faults: Faults,
) -> dict[Key, Relation]:
    return {
        key: relation
        for code in sorted(folders)
        if languages is None or code in languages
        for key, relation in _of_language(folders[code], code, relations, faults)
    }


def _of_language(
    folder: Path, language: str, relations: Collection[str] | None, faults: Faults
) -> Iterator[tuple[Key, Relation]]:
    elsewhere = Faults(keep_going=True)  # of relations that nobody asks for

    def own(name: str) -> Faults:
        return faults if relations is None or name in relations else elsewhere

    templates: dict[str, str] = {}
    named: set[str] = set()
    path = folder / TEMPLATES
    for number, value in read_objects(path):
        if isinstance(value, str):
            faults.found(value, path, number, "lines that cannot be read")
            continue
        name, template = value.get("relation"), value.get("template")
        if not isinstance(name, str) or not isinstance(template, str):
            what = "the fields 'relation' and 'template' must be strings"
            faults.found(what, path, number, "templates without a field")
            continue
        named.add(name)
        if (fault := fault_of(template)) is not None:
            own(name).found(fault, path, number, "templates without both slots")
        elif templates.setdefault(name, template) != template:
            what = f"a second template for {name!r}"
            own(name).found(what, path, number, "second templates")
    there = {one.stem: one for one in sorted(folder.glob("*.jsonl")) if one.name != TEMPLATES}
    for name in sorted(there.keys() - named):
        if relations is None:
            what = f"no template for it in {TEMPLATES}, so it is not asked"
            faults.odd(what, there[name], None, "files of facts without a template")
    for name, template in templates.items():
        if name in there:
            yield (language, name), _of_file(there[name], language, name, template, own(name))
        else:  # mLAMA has templates of relations that it has no triples of
            what = f"no file of facts for the template of {name!r}"
            own(name).odd(what, path, None, "templates without a file of facts")


def _of_file(path: Path, language: str, name: str, template: str, faults: Faults) -> Relation:
    relation = Relation(template)
    for number, value in read_objects(path):
        if isinstance(value, str):
            faults.found(value, path, number, "lines that cannot be read")
            continue
        try:
            row = Row.of_triple(value, language, name, template)
        except FormatError as error:
            faults.found(error.what, path, number, "lines without a field")
            continue
        for what, reason in relation.add(row):
            faults.odd(what, path, number, reason)
    return relation


def _of_table(
    path: Path,
    languages: Collection[str] | None,
    wanted: Collection[str] | None,
    faults: Faults,
) -> tuple[dict[Key, Relation], list[str]]:
    """The relations of a table, and the languages that it has."""
    relations: dict[Key, Relation] = {}
    there: set[str] = set()
    elsewhere = Faults(keep_going=True)
    for number, found in read_table(path):
        if isinstance(found, Unusable):
            faults.found(found.what, path, number, found.reason)
            continue
        there.add(found.language)
        if languages is not None and found.language not in languages:
            continue
        own = faults if wanted is None or found.relation in wanted else elsewhere
        relation = relations.get((found.language, found.relation))
        if relation is None:
            fault = fault_of(found.template)
            if fault is not None:
                own.found(fault, path, number, "templates without both slots")
                continue
            relation = relations[found.language, found.relation] = Relation(found.template)
        if found.template != relation.template:
            what = f"a second template for {found.relation!r} in {found.language!r}"
            own.found(what, path, number, "second templates")
            continue
        for what, reason in relation.add(found):
            own.odd(what, path, number, reason)
    if not there and not faults.counts:
        raise InputError("no row of a fact in it", where=path)
    return dict(sorted(relations.items(), key=lambda item: item[0][0])), sorted(there)
