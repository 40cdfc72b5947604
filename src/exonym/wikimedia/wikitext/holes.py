"""What removed templates leave behind: empty brackets, double commas, a dash at the beginning."""

from __future__ import annotations

import re

from exonym.wikimedia.wikitext.marks import REMOVED

_SEPARATORS = " ,;:،؛、，；"
_COMMAS = frozenset(",;،؛、，；")
_STOPS = frozenset(".。")
_WITHIN = _SEPARATORS + "/=~–—-"
_CHAIN = re.compile(f"({REMOVED}(?:[{_WITHIN}]*{REMOVED})*)")
_DASHES = frozenset("–—:")
_OPENING = frozenset("(（")
_CLOSING = frozenset(")）")
_OPENING_QUOTES = frozenset('"“„«「『‘')
_CLOSING_QUOTES = frozenset('"”“»」』’')
_MOST_QUOTES = 4  # around each other; keeps the time linear
_BEFORE_QUOTE = frozenset(".,!?_")


def fill_holes(text: str, word_gap: str) -> str:
    """Close the holes of one paragraph, with the punctuation that now holds nothing.

    Args:
        text: a paragraph without double blanks, in which `REMOVED` marks the holes.
        word_gap: what goes between two words that would be glued together.
    """
    # Texts and chains of holes with nothing but punctuation between them, in turns.
    pieces = _CHAIN.split(text)
    left = [pieces[0]]
    for index in range(1, len(pieces), 2):
        _join(left, pieces[index], pieces[index + 1], word_gap)
    text = "".join(left)
    while "  " in text:
        text = text.replace("  ", " ")
    return text.strip(" ")


def _join(left: list[str], chain: str, right: str, word_gap: str) -> None:
    """Add what stands behind a chain of holes to what stands before it."""
    before = left[-1]
    for _ in range(_MOST_QUOTES):
        inner, outer = before.rstrip(_WITHIN), right.lstrip(_WITHIN)
        first, last = inner[-1:], outer[:1]
        if (first in _OPENING or first == "[") and (last in _CLOSING or last == "]"):
            left[-1] = inner[:-1]
            left.append(outer[1:])
            return
        inner, outer = before.rstrip(_SEPARATORS), right.lstrip(_SEPARATORS)
        first, last = inner[-1:], outer[:1]
        if (first in _OPENING or last in _CLOSING) and not chain.strip(_SEPARATORS + REMOVED):
            left[-1] = inner
            left.append(outer)
            return
        inner, outer = before.rstrip(" "), right.lstrip(" ")
        first, last = inner[-1:], outer[:1]
        if not (first in _OPENING_QUOTES and last in _CLOSING_QUOTES and _may_open(inner[-2:-1])):
            break
        # The quotation was nothing but the hole, which now reaches further.
        before, chain, right = inner[:-1], REMOVED, outer[1:]
    left[-1] = before
    for piece in (*chain.split(REMOVED)[1:-1], right):
        _join_over_hole(left, piece, word_gap)


def _join_over_hole(left: list[str], right: str, word_gap: str) -> None:
    before, outer = left[-1].rstrip(" "), right.lstrip(" ")
    if not outer:
        # Another hole follows: what stands before both is looked at then.
        left[-1] = f"{before} " if right or left[-1] != before else before
        return
    if not before and len(left) == 1:
        # "{{flag|…}} — Foo": the dash of a removed beginning.
        left[-1] = outer[1:] if outer[:1] in _DASHES else outer
        return
    first, last = before[-1:], outer[:1]
    if first in _COMMAS and (last in _COMMAS or last in _STOPS):
        left[-1] = before[:-1]
        right = outer
    elif left[-1][-1:].isalnum() and right[:1].isalnum():
        right = word_gap + right
    left.append(right)


def _may_open(before: str) -> bool:
    """Whether a quotation mark after this character can begin a quotation."""
    return not before.isalnum() and before not in _BEFORE_QUOTE
