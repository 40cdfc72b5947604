"""The shell that every report shares: one file with its style inside, and tables for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from exonym.foundation.files import atomic_file
from exonym.reports import formats
from exonym.text.languages import language_of

if TYPE_CHECKING:
    import jinja2


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose first column names its rows.

    Args:
        caption: what it shows.
        columns: headings.
        rows: cells as they are printed, as many as there are columns.
        text: whether the cells after the first are text; figures are set to the right.
        total: whether the last row is the sum of those above it.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text: bool = False
    total: bool = False


def environment() -> jinja2.Environment:
    """The templates of this room; everything that is filled in is escaped."""
    import jinja2

    loaded = jinja2.Environment(
        loader=jinja2.PackageLoader("exonym.reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    for name in ("count", "decimal", "duration", "interval", "language_name", "percent", "setting"):
        loaded.filters[name] = getattr(formats, name)
    loaded.filters["direction"] = direction
    return loaded


def direction(language: str) -> str:
    """The ``dir`` attribute of text in a language."""
    return "rtl" if language_of(language).right_to_left else "ltr"


def write_page(path: Path, template: str, fields: Mapping[str, object]) -> None:
    """Fill a template and write it; the file appears under its name only when it is whole.

    Args:
        path: the HTML file.
        template: a file in ``templates/``.
        fields: what the template uses; a name that is not given is an error.
    """
    text = environment().get_template(template).render(fields)
    with atomic_file(path) as stream:
        stream.write(text.encode())
