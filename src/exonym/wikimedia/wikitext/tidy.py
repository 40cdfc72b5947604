"""Last pass: blanks, what removed templates leave behind, and the spans of the links."""

from __future__ import annotations

import re
from itertools import accumulate
from typing import NamedTuple

from exonym.wikimedia.wikitext.holes import fill_holes
from exonym.wikimedia.wikitext.marks import CLOSE, END, GUARD, OPEN, REMOVED, STOP, restore

# Invisible: soft hyphen, byte order mark, marks of writing direction, our own.
_INVISIBLE = "\u00ad\ufeff\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069"
_DROPPED = (*_INVISIBLE, STOP, GUARD)
# All that Python takes as a blank, but the blank itself and the end of a paragraph.
_BLANKS = tuple(
    "\t\v\f\r\x1c\x1d\x1e\x1f\x85\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
    "\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
_BLANK_BEFORE_MARK = re.compile(rf" ([、，。；：！？）」』]|[,،.](?=[ {END}{CLOSE}]|\Z))")
_LEADING = " ,;،؛、，；。"


class Link(NamedTuple):
    """A link to an article.

    Args:
        start: first character of the anchor in its paragraph's text.
        end: one past its last character, the link trail included.
        title: the normalised title of the article, without section.
    """

    start: int
    end: int
    title: str


class Paragraph(NamedTuple):
    """One paragraph or list item of running text, and its links in order, none overlapping."""

    text: str
    links: tuple[Link, ...]


def tidy(text: str, titles: list[str], *, spaced: bool) -> list[Paragraph]:
    """Clean the paragraphs of a page and count their spans.

    Args:
        text: the paragraphs, separated by `END`, with the marks `OPEN` and `CLOSE` around each
            anchor, in turns.
        titles: one per anchor, in order.
        spaced: whether the language puts blanks between words.

    Returns:
        the paragraphs with a letter or digit in them; no link is empty, begins or ends with a
        blank, or overlaps another
    """
    text = _clean(text, " " if spaced else "")
    paragraphs: list[Paragraph] = []
    position = 0
    for block in text.split(END):
        links: tuple[Link, ...] = ()
        if OPEN in block:
            first, position = position, position + block.count(OPEN) // 2
            clean, links = _count_spans(block, titles[first:position])
        else:
            clean = block.lstrip(_LEADING).rstrip(" ")
        if clean and (clean[0].isalnum() or any(map(str.isalnum, clean))):
            paragraphs.append(Paragraph(clean, links))
    return paragraphs


def _clean(text: str, word_gap: str) -> str:
    protected = GUARD in text
    # Looking for each character by itself is several times faster than for a class of them.
    for character in _DROPPED:
        if character in text:
            text = text.replace(character, "")
    text = _collapse(text)
    if REMOVED in text:
        text = END.join(
            [
                fill_holes(block, word_gap) if REMOVED in block else block
                for block in text.split(END)
            ]
        )
    if f"{OPEN} " in text or f" {CLOSE}" in text:
        text = text.replace(f"{OPEN} ", f" {OPEN}").replace(f" {CLOSE}", f"{CLOSE} ")
        text = text.replace(f"{CLOSE} )", f"{CLOSE})")
        text = _collapse(text)
    text = _BLANK_BEFORE_MARK.sub(r"\1", text)
    if protected:
        text = restore(text)
    # From here on anchors stand between two equal marks.
    return text.replace(CLOSE, OPEN)


def _collapse(text: str) -> str:
    """Make every run of blanks one blank."""
    for blank in _BLANKS:
        if blank in text:
            text = text.replace(blank, " ")
    while "  " in text:
        text = text.replace("  ", " ")
    return text


def _count_spans(text: str, titles: list[str]) -> tuple[str, tuple[Link, ...]]:
    """Take the marks out (all `OPEN`, two for each anchor) and count where they stood."""
    pieces = text.lstrip(_LEADING).rstrip(" ").split(OPEN)
    if "" in pieces[1::2]:
        titles = _drop_empty(pieces, titles)
        if not titles:
            return "".join(pieces), ()
    ends = list(accumulate(map(len, pieces)))
    return "".join(pieces), tuple(map(Link, ends[0::2], ends[1::2], titles))


def _drop_empty(pieces: list[str], titles: list[str]) -> list[str]:
    """Join the texts around anchors that are empty; returns the titles of the others."""
    joined = [pieces[0]]
    kept: list[str] = []
    for anchor, rest, title in zip(pieces[1::2], pieces[2::2], titles, strict=True):
        if anchor:
            joined += (anchor, rest)
            kept.append(title)
            continue
        if len(joined) == 1 and not joined[0]:
            rest = rest.lstrip(_LEADING)
        elif (joined[-1] or joined[-2])[-1:] == " ":
            rest = rest.lstrip(" ")
        joined[-1] += rest
    # What stood before an anchor that is gone may now end the paragraph.
    joined[-1] = joined[-1].rstrip(" ")
    pieces[:] = joined
    return kept
