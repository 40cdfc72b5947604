"""Tables of facts in one file: a row has everything that a question needs.

    language  relation  template  sub_uri  sub_label  obj_uri  obj_label  told_in

in any order: as JSON Lines with these fields, or as .tsv or .csv with them in the first line.
``predicate_id`` may stand for ``relation``, as in the table that mLAMA is also published as; other
columns are passed over. ``told_in`` may be missing; in .tsv and .csv it is languages with blanks
between them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exonym.foundation.compression import DAMAGE, open_binary
from exonym.foundation.errors import FormatError
from exonym.foundation.files import read_json_lines


class _Tabs(csv.excel_tab):
    quoting = csv.QUOTE_NONE
    strict = True


class _Commas(csv.excel):
    strict = True


_DIALECTS: Mapping[str, type[csv.Dialect]] = {".tsv": _Tabs, ".csv": _Commas}
_KINDS = (".jsonl", *_DIALECTS)
_COMPRESSED = (".bz2", ".gz", ".xz", ".zst")
_LONGEST_FIELD = 1 << 24


@dataclass(frozen=True, slots=True)
class Row:
    """A fact in one language.

    Args:
        language: code.
        relation: property id.
        template: with both slots.
        subject: entity.
        subject_label: its name.
        object: entity.
        object_label: its name.
        told_in: languages that tell it; None where nothing says so.
    """

    language: str
    relation: str
    template: str
    subject: str
    subject_label: str
    object: str
    object_label: str
    told_in: tuple[str, ...] | None

    @classmethod
    def of_triple(
        cls, value: Mapping[str, Any], language: str, relation: str, template: str
    ) -> Row:
        """A line of a relation's file.

        Raises:
            FormatError: a field is missing or of the wrong kind.
        """
        return cls(
            language,
            relation,
            template,
            subject=_text(value, "sub_uri"),
            subject_label=_text(value, "sub_label"),
            object=_text(value, "obj_uri"),
            object_label=_text(value, "obj_label"),
            told_in=_told_in(value),
        )

    @classmethod
    def of_table(cls, value: Mapping[str, Any]) -> Row:
        """A row of a table.

        Raises:
            FormatError: a field is missing or of the wrong kind.
        """
        relation = "relation" if "relation" in value else "predicate_id"
        language, name, template = (_text(value, f) for f in ("language", relation, "template"))
        return cls.of_triple(value, language, name, template)


def is_table(path: Path) -> bool:
    """Whether a path is that of a table."""
    return path.is_file() and _kind(path) in _KINDS


def read_table(path: Path) -> Iterator[tuple[int, Row | FormatError]]:
    """The rows of a table with the lines they are on, or what is wrong with them.

    Raises:
        FormatError: the file is damaged, or has no header.
    """
    rows = read_json_lines(path) if _kind(path) == ".jsonl" else _columns(path)
    for number, value in rows:
        try:
            yield number, Row.of_table(value)
        except FormatError as error:
            yield number, error


def _kind(path: Path) -> str:
    return path.with_suffix("").suffix if path.suffix in _COMPRESSED else path.suffix


def _columns(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    csv.field_size_limit(_LONGEST_FIELD)
    number = 0
    with open_binary(path) as stream:
        lines = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
        try:
            reader = csv.DictReader(lines, dialect=_DIALECTS[_kind(path)])
            if reader.fieldnames is None:
                raise FormatError("an empty file", where=path)
            for value in reader:
                number = reader.line_num
                told = value.get("told_in")
                yield number, value if told is None else {**value, "told_in": told.split()}
        except UnicodeDecodeError as error:
            raise FormatError(f"not valid UTF-8 ({error.reason})", where=path) from error
        except csv.Error as error:
            raise FormatError(f"not a table ({error})", where=f"{path}:{number + 1}") from error
        except DAMAGE as error:
            raise FormatError(
                f"ends early or is damaged after line {number} ({error})", where=path
            ) from error


def _text(value: Mapping[str, Any], name: str) -> str:
    text = value.get(name)
    if not isinstance(text, str) or not text.strip():
        raise FormatError(f"the field {name!r} must be a string with text")
    return text


def _told_in(value: Mapping[str, Any]) -> tuple[str, ...] | None:
    if "told_in" not in value:
        return None
    told_in = value["told_in"]
    if not isinstance(told_in, list) or not all(isinstance(code, str) for code in told_in):
        raise FormatError(f"the field 'told_in' must be a list of languages, got {told_in!r}")
    return tuple(told_in)
