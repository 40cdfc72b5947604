"""Linked text as people read it on a terminal: the text, its mentions, and on demand why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from exonym.cli.output import table_lines

if TYPE_CHECKING:
    from exonym.linking.labels import Labels
    from exonym.linking.linked import Link, Linked

NIL = "(none)"
_SHOWN = 400  # characters of a text, as a head over its mentions
# A terminal would obey control characters; they are shown by their signs.
_SIGNS = {
    **{code: 0x2400 + code for code in range(0x20)},
    0x7F: 0x2421,
    **dict.fromkeys(range(0x80, 0xA0), 0xFFFD),
}
_SIGNS_IN_TEXT = {code: sign for code, sign in _SIGNS.items() if chr(code) not in "\t\n"}


def write_listing(
    texts: Iterable[Linked], labels: Labels, *, explain: bool = False
) -> Iterator[str]:
    """The listing of each text.

    Args:
        texts: what a linker gave.
        labels: names of entities.
        explain: show also the candidates of each mention, and why one won.
    """
    for linked in texts:
        language = linked.text.language
        lines = [_head(linked)]
        if linked.links:
            lines += _mentions(linked.links, language, labels)
        else:
            lines.append("No mention was found.")
        if explain:
            for link in linked.links:
                lines += ["", *_explanation(link, language, labels)]
        yield "\n".join([*lines, "", ""])


def _head(linked: Linked) -> str:
    text = linked.text.text
    shown = text[:_SHOWN].translate(_SIGNS_IN_TEXT)
    if len(text) > _SHOWN:
        shown += f"... ({len(text):,} characters)"
    source = f" {plain(linked.text.source)}" if linked.text.source else ""
    return f"[{linked.text.language}{source}] {shown}"


def _mentions(links: Iterable[Link], language: str, labels: Labels) -> list[str]:
    rows = [
        (
            plain(link.surface),
            link.start,
            link.end,
            NIL if link.entity is None else plain(link.entity),
            "" if link.entity is None else plain(labels(link.entity, language)),
            link.score,
            link.link_probability,
        )
        for link in links
    ]
    columns = ("mention", "from", "to", "entity", "name", "score", "link probability")
    return table_lines(columns, rows)


def _explanation(link: Link, language: str, labels: Labels) -> list[str]:
    rows = [
        (
            plain(candidate.entity),
            plain(labels(candidate.entity, language)),
            candidate.language or "-",
            candidate.count,
            candidate.prior,
            candidate.score,
        )
        for candidate in link.candidates
    ]
    head = f"{plain(link.surface)!r}, {link.start} to {link.end}: {plain(link.why)}"
    columns = ("candidate", "name", "known in", "links", "prior", "score")
    return [head, *(table_lines(columns, rows) if rows else ["It has no candidate."])]


def plain(text: str) -> str:
    """A text whose control characters are shown by their signs."""
    return text.translate(_SIGNS)
