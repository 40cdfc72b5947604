"""The hand-written inputs beside this file: names, templates, knowledge, QIDs."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atlas.cldr import LANGUAGES, Names
from atlas.clean import Cleaner
from exonym.foundation.errors import FormatError

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a ``.psv`` file: an entity whose names were written by hand.

    Args:
        id: QID or own id.
        kind: id of its kind; empty for kinds themselves.
        code: a short code that other inputs refer to; for cities, the country.
        names: language -> names, the first the main one.
    """

    id: str
    kind: str
    code: str
    names: Names


def read_rows(name: str, cleaner: Cleaner) -> list[Row]:
    """Read a ``.psv`` file.

    Raises:
        FormatError: a row has another number of columns than the header, or lacks a name.
    """
    path = HERE / name
    lines = [
        (number, line.split("|"))
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if line and not line.startswith("#")
    ]
    header = lines[0][1]
    rows = []
    for number, cells in lines[1:]:
        if len(cells) != len(header) or not all(cells[3:]):
            raise FormatError(
                f"expected {len(header)} filled columns, found {len(list(filter(None, cells)))}",
                where=f"{path}:{number}",
            )
        names: Names = {}
        for language, cell in zip(header[3:], cells[3:], strict=True):
            for text in cell.split("; "):
                cleaned = text if _is_acronym(text) else cleaner.name(text, language, "")
                if cleaned is None:
                    raise FormatError(f"{text!r} is not a name", where=f"{path}:{number}")
                names.setdefault(language, []).append(cleaned)
        rows.append(Row(cells[0], cells[1], cells[2], names))
    return rows


def _is_acronym(text: str) -> bool:
    """Acronyms of organisations stay in Latin letters in every language."""
    return text.isascii() and text.isupper()


def read_toml(name: str) -> dict[str, Any]:
    """Read a hand-written TOML file of this folder."""
    return tomllib.loads((HERE / name).read_text("utf-8"))


def read_relations() -> list[dict[str, Any]]:
    """The relation lines of the table, from the two files of templates.

    Raises:
        FormatError: a template lacks a slot, or a language is missing or has fewer than three.
    """
    relations = []
    for name in ("templates_places.toml", "templates_things.toml"):
        for identifier, table in read_toml(name).items():
            for language in LANGUAGES:
                wordings = table["templates"].get(language, [])
                slots = {(text.count("[X]"), text.count("[Y]")) for text in wordings}
                if len(set(wordings)) < 3 or slots != {(1, 1)} or language not in table["names"]:
                    raise FormatError(
                        f"{identifier} needs a name and three wordings with [X] and [Y] once each",
                        where=f"{HERE / name}, language {language}",
                    )
            relations.append({"type": "relation", "id": identifier, **table})
    return relations
