"""Last pass: blanks, what removed templates leave behind, and the spans of the links."""

from __future__ import annotations

import re

from exonym.wikimedia.wikitext.marks import CLOSE, OPEN, REMOVED, STOP, restore

# Invisible: soft hyphen, byte order mark, marks of writing direction.
_INVISIBLE = re.compile(f"[\u00ad\ufeff\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069{STOP}]+")
_SEPARATORS = r"\s,;:،؛、，；"
# Brackets with nothing in them but separators and removed elements.
_EMPTY_BRACKETS = re.compile(rf"[(（\[][{_SEPARATORS}/=~–—{REMOVED}-]*[)）\]]")
_AFTER_BRACKET = re.compile(rf"(?<=[(（])[{_SEPARATORS}{REMOVED}]+")
_BEFORE_BRACKET = re.compile(rf"(?<![{_SEPARATORS}{REMOVED}])[{_SEPARATORS}{REMOVED}]+(?=[)）])")
# "2013, {{ISBN|…}}." and "a, {{x}}, b": the separator before the hole goes.
_DOUBLE_SEPARATOR = re.compile(rf"[,;،؛、，；]\s?{REMOVED}[\s{REMOVED}]*(?=[,;،؛、，；.。])")
_EMPTY_QUOTES = re.compile(rf"(?<![\w.,!?])[\"“„«「『‘]\s*{REMOVED}[\s{REMOVED}]*[\"”“»」』’]")
# "{{flag|…}} — Foo": the dash of a removed beginning.
_BEGINNING = re.compile(rf"\s*{REMOVED}[\s{REMOVED}]*[–—:][\s{REMOVED}]*")
_BETWEEN_WORDS = re.compile(rf"(?<=\w){REMOVED}+(?=\w)")
_BLANK_BEFORE_MARK = re.compile(rf" (?=[、，。；：！？）」』]|[,،.](?:[\s{CLOSE}]|\Z))")
_LEADING = " ,;،؛、，；。"


def tidy(text: str, titles: list[str], *, spaced: bool) -> tuple[str, list[tuple[int, int, str]]]:
    """Clean one paragraph and count its spans.

    Args:
        text: with the marks `OPEN` and `CLOSE` around each anchor, in turns.
        titles: one per anchor, in order.
        spaced: whether the language puts blanks between words.

    Returns:
        (clean text, its links as (start, end, title)); no link is empty, begins or ends with a
        blank, or overlaps another.
    """
    text = _INVISIBLE.sub("", text)
    if REMOVED in text:
        text = _drop_debris(text, " " if spaced else "")
    text = " ".join(text.split())
    if f"{OPEN} " in text or f" {CLOSE}" in text:
        text = text.replace(f"{OPEN} ", f" {OPEN}").replace(f" {CLOSE}", f"{CLOSE} ")
        text = text.replace(f"{CLOSE} )", f"{CLOSE})")
        text = " ".join(text.split())
    text = _BLANK_BEFORE_MARK.sub("", text)
    return _count_spans(restore(text), titles)


def _drop_debris(text: str, word_gap: str) -> str:
    """Remove the marks of removed elements and the punctuation that now holds nothing."""
    beginning = _BEGINNING.match(text)
    if beginning is not None:
        text = text[beginning.end() :]
    text = _EMPTY_QUOTES.sub(REMOVED, text)
    text = _EMPTY_BRACKETS.sub(_unless_intact, text)
    text = _AFTER_BRACKET.sub(_unless_intact, text)
    text = _BEFORE_BRACKET.sub(_unless_intact, text)
    text = _DOUBLE_SEPARATOR.sub("", text)
    if word_gap:
        # Words are not glued together where a template (a blank, a unit) stood between them.
        text = _BETWEEN_WORDS.sub(word_gap, text)
    return text.replace(REMOVED, "")


def _unless_intact(match: re.Match[str]) -> str:
    return "" if REMOVED in match[0] else match[0]


def _count_spans(text: str, titles: list[str]) -> tuple[str, list[tuple[int, int, str]]]:
    """Take the marks out and count where they stood."""
    text = text.lstrip(_LEADING).rstrip(" ")
    if not titles:
        return text, []
    pieces = text.split(OPEN)
    length = len(pieces[0])
    clean = [pieces[0]]
    links: list[tuple[int, int, str]] = []
    last = pieces[0][-1:]
    for piece, title in zip(pieces[1:], titles, strict=True):
        anchor, _, rest = piece.partition(CLOSE)
        if anchor:
            links.append((length, length + len(anchor), title))
        elif not length:
            rest = rest.lstrip(_LEADING)
        elif last == " ":
            rest = rest.lstrip(" ")
        clean += (anchor, rest)
        length += len(anchor) + len(rest)
        last = (rest or anchor or last)[-1:]
    return "".join(clean).rstrip(" "), links
