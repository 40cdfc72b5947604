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
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exonym.foundation.compression import DAMAGE, open_binary
from exonym.foundation.errors import FormatError
from exonym.foundation.json_lines import in_utf8, read_objects


class _Tabs(csv.excel_tab):
    quoting = csv.QUOTE_NONE
    strict = True


class _Commas(csv.excel):
    strict = True


_DIALECTS: Mapping[str, type[csv.Dialect]] = {".tsv": _Tabs, ".csv": _Commas}
_KINDS = (".jsonl", *_DIALECTS)
_COMPRESSED = (".bz2", ".gz", ".xz", ".zst")
_LONGEST_FIELD = 1 << 24
_COLUMNS = ("language", "template", "sub_uri", "sub_label", "obj_uri", "obj_label")
_NOT_UTF8 = re.compile("[\ud800-\udfff]")


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
        if "language" not in value and "template" not in value and "sub_uri" in value:
            raise FormatError(
                "a row of a table needs 'language', 'relation' and 'template'; a relation's file "
                "of mLAMA needs templates.jsonl beside it"
            )
        relation = "relation" if "relation" in value else "predicate_id"
        language, name, template = (_text(value, f) for f in ("language", relation, "template"))
        return cls.of_triple(value, language, name, template)


def is_table(path: Path) -> bool:
    """Whether a path is that of a table."""
    return path.is_file() and _kind(path) in _KINDS


@dataclass(frozen=True, slots=True)
class Unusable:
    """A line that is no fact.

    Args:
        what: what is wrong with it.
        reason: under which it counts.
    """

    what: str
    reason: str


def read_table(path: Path) -> Iterator[tuple[int, Row | Unusable]]:
    """The rows of a table with the lines they are on, or what is wrong with them.

    Raises:
        InputError: the file cannot be opened.
        FormatError: a .tsv or .csv has no header, or lacks a column.
    """
    rows = read_objects(path) if _kind(path) == ".jsonl" else _columns(path)
    for number, value in rows:
        if isinstance(value, str):
            yield number, Unusable(value, "lines that cannot be read")
            continue
        try:
            yield number, Row.of_table(value)
        except FormatError as error:
            yield number, Unusable(error.what, "lines without a field")


def _kind(path: Path) -> str:
    return path.with_suffix("").suffix if path.suffix in _COMPRESSED else path.suffix


def _columns(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    csv.field_size_limit(_LONGEST_FIELD)
    number = 0
    with open_binary(path) as stream:
        # Bytes that are not UTF-8 become surrogates, so that the lines behind them can be read.
        lines = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
        try:
            reader = csv.DictReader(lines, dialect=_DIALECTS[_kind(path)])
            _require_columns(reader, path)
            while True:
                try:
                    value = next(reader, None)
                except csv.Error as error:
                    number = reader.reader.line_num
                    yield number, f"not a line of a table ({error})"
                    continue
                if value is None:
                    return
                number = reader.line_num
                told = value.get("told_in")
                yield number, value if told is None else {**value, "told_in": told.split()}
        except DAMAGE as error:
            yield number + 1, f"ends early or is damaged after line {number} ({error})"


def _require_columns(reader: csv.DictReader[str], path: Path) -> None:
    where = f"{path}:1"
    try:
        names = reader.fieldnames
    except csv.Error as error:
        raise FormatError(f"not a table ({error})", where=where) from error
    if names is None:
        raise FormatError("an empty file", where=path)
    if "\0" in "".join(names):
        raise FormatError(f"not UTF-8, but UTF-16: {in_utf8('utf-16')}", where=where)
    lacking = [name for name in _COLUMNS if name not in names]
    if "relation" not in names and "predicate_id" not in names:
        lacking.append("relation")
    if lacking:
        seen = ", ".join(names).encode("utf-8", "replace").decode()
        raise FormatError(f"no column {lacking[0]!r} in the first line, only {seen}", where=where)


def _text(value: Mapping[str, Any], name: str) -> str:
    text = value.get(name)
    if not isinstance(text, str) or not text.strip():
        raise FormatError(f"the field {name!r} must be a string with text")
    if _NOT_UTF8.search(text):
        raise FormatError(f"the field {name!r} is not UTF-8; {in_utf8('latin1')}")
    return text


def _told_in(value: Mapping[str, Any]) -> tuple[str, ...] | None:
    if "told_in" not in value:
        return None
    told_in = value["told_in"]
    if not isinstance(told_in, list) or not all(isinstance(code, str) for code in told_in):
        raise FormatError(f"the field 'told_in' must be a list of languages, got {told_in!r}")
    return tuple(told_in)
