"""Linked text as one coloured page: every mention in its text, and what it was taken to mean.

The colour belongs to the entity: by whatever name and in whatever language, the same entity has the
same colour on a page. The page is made piece by piece, so there may be any number of texts.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from exonym.linking.formats import entity_iri
from exonym.linking.labels import Labels
from exonym.linking.linked import Link, Linked
from exonym.reports.extras import require_report_extra
from exonym.reports.page import direction, environment

# Steps of the golden angle: however many entities a page has, the next one's hue lies in a gap.
_HUE_STEP = 137.508
_SHOWN = {
    **{code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n"},
    0x7F: 0x2421,
    **dict.fromkeys(range(0x80, 0xA0), 0xFFFD),
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a text that the same mentions cover.

    Args:
        text: its characters.
        row: the mention that is shown, of several the shortest; None where there is none.
        depth: how many mentions cover it.
        first: whether ``row``'s mention begins here.
        last: whether it ends here.
    """

    text: str
    row: Row | None = None
    depth: int = 0
    first: bool = False
    last: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A mention as the table below a text has it.

    Args:
        anchor: of the row on the page.
        link: the mention.
        label: the entity's name in the text's language, as far as there is one.
        english: its name in English.
        address: where more is to be read of it; None for entities that only the user knows.
        hue: of its colour, in degrees.
    """

    anchor: str
    link: Link
    label: str
    english: str
    address: str | None
    hue: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A text as the template shows it."""

    number: int
    language: str
    direction: str
    source: str | None
    pieces: Sequence[Piece]
    rows: Sequence[Row]


@dataclass(slots=True)
class Sums:
    """What was shown so far, for the foot of the page."""

    texts: int = 0
    links: int = 0
    nil: int = 0
    languages: dict[str, int] = field(default_factory=dict)

    def add(self, linked: Linked) -> None:
        """Count one text."""
        self.texts += 1
        self.links += sum(link.entity is not None for link in linked.links)
        self.nil += sum(link.entity is None for link in linked.links)
        language = linked.text.language
        self.languages[language] = self.languages.get(language, 0) + 1


def write_linked_page(
    texts: Iterable[Linked], labels: Labels, *, title: str = "Linked text", explain: bool = False
) -> Iterator[str]:
    """The page, piece by piece.

    It needs no network; equal texts give equal characters.

    Args:
        texts: what a linker gave, in any number.
        labels: names of entities.
        title: the page's heading.
        explain: show the candidates of each mention too.

    Raises:
        MissingExtraError: jinja2 is not installed.
    """
    require_report_extra("jinja2")
    loaded = environment()
    loaded.filters["visible"] = visible
    template = loaded.get_template("linked_text.html")
    sums, colours = Sums(), Colours()

    def shown() -> Iterator[Shown]:
        for number, linked in enumerate(texts, start=1):
            sums.add(linked)
            yield show_text(number, linked, labels, colours)

    yield from template.generate(
        title=title, texts=shown(), labels=labels, explain=explain, sums=sums
    )


class Colours:
    """A hue for each entity, far from those of the entities before it on the page."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def hue(self, entity: str) -> int:
        """In degrees."""
        number = self._numbers.setdefault(entity, len(self._numbers))
        return round(number * _HUE_STEP) % 360


def show_text(number: int, linked: Linked, labels: Labels, colours: Colours) -> Shown:
    """Cut a text at the borders of its mentions and name the entities.

    Args:
        number: of the text on the page, from 1.
        linked: the text.
        labels: names of entities.
        colours: of the page.
    """
    text = linked.text
    rows = [
        _row(f"t{number}-{place}", link, text.language, labels, colours)
        for place, link in enumerate(linked.links, start=1)
    ]
    return Shown(
        number,
        text.language,
        text_direction(text.text, text.language),
        None if text.source is None else visible(text.source),
        tuple(_pieces(text.text, rows)),
        rows,
    )


def _row(anchor: str, link: Link, language: str, labels: Labels, colours: Colours) -> Row:
    if link.entity is None:
        return Row(anchor, link, "", "", None, 0)
    address = entity_iri(link.entity, "").replace(
        "http://www.wikidata.org/entity/", "https://www.wikidata.org/wiki/"
    )
    return Row(
        anchor,
        link,
        labels(link.entity, language),
        labels(link.entity, "en"),
        address if address.startswith("https://") else None,
        colours.hue(link.entity),
    )


def _pieces(text: str, rows: Sequence[Row]) -> Iterator[Piece]:
    """The stretches between the borders of mentions, in order; together they are the text."""
    starting = sorted(rows, key=lambda row: row.link.start, reverse=True)
    borders = {0, len(text), *(at for row in rows for at in (row.link.start, row.link.end))}
    covering: list[Row] = []
    for start, end in itertools.pairwise(sorted(borders)):
        covering = [row for row in covering if row.link.end > start]
        while starting and starting[-1].link.start == start:
            covering.append(starting.pop())
        stretch = visible(text[start:end])
        if not covering:
            yield Piece(stretch)
            continue
        row = min(covering, key=lambda row: (row.link.end - row.link.start, row.link.start))
        yield Piece(stretch, row, len(covering), row.link.start == start, row.link.end == end)


def text_direction(text: str, language: str) -> str:
    """The ``dir`` attribute of a text: how most of its letters run, else its language."""
    left = right = 0
    for character in text:
        kind = unicodedata.bidirectional(character)
        left += kind == "L"
        right += kind in ("R", "AL")
    if left == right:
        return direction(language)
    return "rtl" if right > left else "ltr"


def visible(text: str) -> str:
    """A text for a page: control characters, which no page may have, by their signs."""
    return text.translate(_SHOWN)
