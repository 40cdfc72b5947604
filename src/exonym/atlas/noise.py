"""The parts of a real page that are not sentences: templates, files, tables, references.

None of them names anything but the page's own entity and its kind, so none can tell a fact.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from exonym.atlas.draws import Draw
from exonym.atlas.sites import CATEGORY, FILE, Site
from exonym.atlas.titles import LinkOptions


@dataclass(frozen=True, slots=True)
class PageOptions:
    """How often pages carry what; all are probabilities unless said otherwise.

    Args:
        links: the forms of links.
        paragraph: least and most sentences in a paragraph.
        list_item: a paragraph of guest sentences is written as a bulleted list.
        heading: a paragraph after the first opens a section of its own.
        line_break: a single line break stands where a space would (spaced languages).
        reference: a sentence carries a reference.
        nowiki: the last character of a sentence stands in ``<nowiki>``.
        nbsp: a space inside a sentence is ``&nbsp;``.
        inline: a comment or an empty template stands in a sentence.
        infobox, file, comment, table, gallery, see_also, red_link, hatnote, navigation: the page
            has one.
        language_link: the page ends with old-style links to other wikis.
        redirect_chain: a redirect leads to another redirect of the same entity.
        talk: a page has a talk page.
    """

    links: LinkOptions = field(default_factory=LinkOptions)
    paragraph: tuple[int, int] = (2, 4)
    list_item: float = 0.15
    heading: float = 0.3
    line_break: float = 0.04
    reference: float = 0.04
    nowiki: float = 0.01
    nbsp: float = 0.02
    inline: float = 0.02
    infobox: float = 0.2
    file: float = 0.12
    comment: float = 0.06
    table: float = 0.04
    gallery: float = 0.03
    see_also: float = 0.15
    red_link: float = 0.05
    hatnote: float = 0.04
    navigation: float = 0.08
    language_link: float = 0.05
    redirect_chain: float = 0.03
    talk: float = 0.03


@dataclass(frozen=True, slots=True)
class About:
    """What the noise on a page may name.

    Args:
        name: the page's subject as plain wikitext.
        file: the same as part of a file's name.
        kind: a link to the entity's kind as plain as can be; empty when that is not known.
        kind_name: the kind's name; empty when that is not known.
    """

    name: str
    file: str
    kind: str
    kind_name: str


def infobox(about: About, draw: Draw) -> str:
    """A box of nested templates with a picture, coordinates and a comment; no fact in it."""
    lines = [
        f"{{{{Infobox {about.kind_name}".rstrip(),
        f"| name      = {about.name}",
        f"| image     = {about.file}.jpg",
    ]
    if about.kind:
        lines.append(f"| caption   = {{{{small|1={about.kind}}}}} <!-- {draw.integer(1, 99)} -->")
    north, east = draw.integer(0, 59), draw.integer(0, 59)
    lines.append(f"| footnotes = {{{{note|{{{{nowrap|{north}}}}}|id={east}}}}}")
    return "\n".join([*lines, "}}"])


def picture(about: About, site: Site, draw: Draw) -> str:
    """A thumbnail in the local file namespace, its caption with a link inside."""
    side = draw.pick(("right", "left", "upright=1.2"))
    caption = f"{about.name} ({about.kind})" if about.kind else about.name
    namespace = site.namespaces[FILE]
    return f"[[{namespace}:{about.file} {draw.integer(1, 9)}.jpg|{site.thumb}|{side}|{caption}]]"


def table(about: About, draw: Draw) -> str:
    """A small table about nothing but numbers."""
    rows = "".join(
        f'|-\n| {year} || align="right" | {draw.integer(1, 999)}&thinsp;{draw.integer(100, 999)}\n'
        for year in (2001, 2011, 2021)[: draw.integer(1, 3)]
    )
    return f'{{| class="wikitable" style="text-align:right"\n|+ {about.name}\n! № !! Σ\n{rows}|}}'


def gallery(about: About, site: Site) -> str:
    """A gallery of two pictures."""
    namespace = site.namespaces[FILE]
    return (
        f"<gallery>\n{namespace}:{about.file} a.jpg|{about.name}\n"
        f"{namespace}:{about.file} b.png|{about.kind}\n</gallery>"
    )


class References:
    """References of one page: some named and used again."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self._names: list[str] = []
        self.used = False

    def mark(self) -> str:
        """A reference to stand after a sentence."""
        self.used = True
        draw, number = self._draw, self._draw.integer(1, 9999)
        if self._names and draw.chance(0.4):
            return f'<ref name="{draw.pick(self._names)}" />'
        source = (
            f"{{{{cite web|url=https://example.org/{number}|title=No. {number}|access-date=}}}}"
        )
        if draw.chance(0.4):
            self._names.append(f"n{number}")
            return f'<ref name="n{number}">{source}</ref>'
        return f"<ref>[https://example.org/{number} No. {number}]</ref>"


def inline(draw: Draw) -> str:
    """Something in mid-sentence that shows nothing."""
    return draw.pick(("<!-- ? -->", "{{anchor|a}}", '<span id="a"></span>', "{{sfn|A|2001|p=3}}"))


def hatnote(about: About, site: Site) -> str:
    """The template on top that tells readers of other pages of the same name."""
    return f"{{{{for|{site.history.lower()}|{about.name} ({site.listing.lower()})}}}}"


def navigation(about: About, draw: Draw) -> str:
    """Templates at the foot."""
    return draw.pick(
        (
            f"{{{{Navbox|title={about.name}|state={{{{{{1|collapsed}}}}}}}}}}",
            "{{Authority control}}\n__NOTOC__",
            "{{stub}}",
        )
    )


def category(site: Site, name: str, *, sort_key: str = "") -> str:
    """A category in the local namespace."""
    key = f"|{sort_key}" if sort_key else ""
    return f"[[{site.namespaces[CATEGORY]}:{name}{key}]]"
