"""mLAMA's lists of candidates.

    DIR/TREx_multilingual_objects/<language>.json    {"P36": {"subjects": […], "objects": […]}, …}
    DIR/GoogleRE_objects/<language>.json             the same

The lists have names, and no entities. A name's entities are those that it is the name of in the
relation's own file, else in the language's other files; a name of which neither knows any can win
by words alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exonym.foundation.errors import FormatError
from exonym.foundation.files import read_json
from exonym.tasks.cloze.records import Candidate

FOLDERS = ("TREx_multilingual_objects", "GoogleRE_objects")


@dataclass
class CandidateLists:
    """The lists of a directory; those of a language are read when they are first asked for.

    Args:
        folders: where they are.
    """

    folders: Sequence[Path]

    def __post_init__(self) -> None:
        self._read: dict[str, dict[str, list[str]]] = {}

    @classmethod
    def beside(cls, folder: Path) -> CandidateLists | None:
        """The lists in a directory or in the one above it; None if there are none."""
        for place in (folder, folder.resolve().parent):
            found = [place / name for name in FOLDERS if (place / name).is_dir()]
            if found:
                return cls(found)
        return None

    def of(self, language: str, relation: str) -> list[str] | None:
        """The names of a relation's objects; None if there is no list of them.

        Raises:
            FormatError: the file is not such a list.
        """
        if language not in self._read:
            lists: dict[str, list[str]] = {}
            for folder in self.folders:
                path = folder / f"{language}.json"
                if path.is_file():
                    lists |= _objects(read_json(path), path)
            self._read[language] = lists
        return self._read[language].get(relation)


def _objects(value: Any, path: Path) -> dict[str, list[str]]:
    lists = {}
    for relation, one in value.items() if isinstance(value, dict) else ():
        names = one.get("objects") if isinstance(one, dict) else None
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise FormatError(
                f'the relation {relation!r} must have a list of names, "objects"', where=path
            )
        lists[relation] = names
    if not lists:
        raise FormatError('expected {"P36": {"objects": [names]}}', where=path)
    return lists


def chosen_from(
    names: Sequence[str], own: Sequence[Candidate], language: Sequence[Iterable[Candidate]]
) -> tuple[Candidate, ...]:
    """The candidates of a list, and behind them the relation's objects that it lacks.

    Args:
        names: of the list; each counts once, blank ones do not.
        own: the objects in the relation's file.
        language: the objects of all files of the language.
    """
    here, elsewhere = _by_label([own]), _by_label(language)
    listed = [name for name in dict.fromkeys(names) if name.strip()]
    candidates = []
    for name in listed:
        entities = here.get(name) or elsewhere.get(name) or []
        first = entities[0] if entities else None
        candidates.append(Candidate(first, name, tuple(entities[1:])))
    return (*candidates, *(one for one in own if one.label not in set(listed)))


def _by_label(groups: Iterable[Iterable[Candidate]]) -> dict[str, list[str]]:
    found: dict[str, dict[str, None]] = {}
    for group in groups:
        for candidate in group:
            found.setdefault(candidate.label, {}).update(dict.fromkeys(candidate.entities))
    return {label: sorted(entities) for label, entities in found.items()}
