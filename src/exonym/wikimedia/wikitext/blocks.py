"""Second pass: tables and files go; lines become paragraphs and list items."""

from __future__ import annotations

import bisect
import re

from exonym.wikimedia.wikitext.marks import BREAK, END, LINE, REMOVED, STOP
from exonym.wikimedia.wikitext.quotes import drop_quotes
from exonym.wikimedia.wikitext.targets import Targets

_BRACKETS = re.compile(r"\[\[|\]\]")
_TARGET_WITH_COLON = re.compile(r"\[\[([^\[\]{}|<>\n:]*:[^\[\]{}|<>\n]*)")
_HEADING_AHEAD = re.compile(r"\n(?==)")
_PARAGRAPH_END = re.compile(r"\n[ \t]*(?=[\n=])")
_TABLE = re.compile(rf"\n(?:([ \t:{REMOVED}{BREAK}]*\{{\|)|[ \t{REMOVED}{BREAK}]*\|\}})")
_BLANK_LINE = re.compile(rf"\n[ \t{REMOVED}]*(?=\n|\Z)")
_RULE = re.compile(r"-{4,}")
# A line of nothing but prefixed links ("[[Kategorie:Stadt]]") is page furniture, whatever the
# prefix is called; siteinfo does not list a namespace's older names.
_FURNITURE = re.compile(r"(?:\s*\[\[[^\[\]|:\s][^\[\]|:]*:[^\s\[\]|][^\[\]]*\]\])+\s*\Z")
# A list item of nothing but a link to a category or another page that is no article.
_POINTER = re.compile(r"\[\[(:[^\[\]|]+:[^\[\]|]+)\]\]\Z")
_EDGE = " \t" + REMOVED
_LIST = "*#:;"
# What a line must begin with to be anything but a line of a paragraph.
_SPECIAL = frozenset(_LIST + "=|!-[")


def split_blocks(text: str, targets: Targets) -> list[str]:
    """The wikitext of each paragraph and list item, without markers and emphasis.

    Headings, tables, files, categories, language links and rules are left out. The lines of a
    paragraph are joined by `LINE`.
    """
    if "{|" in text:
        text = _drop_tables(text)
    if ":" in text:
        text = _drop_hidden_links(text, targets)
    # Only now: such tags also stand in the captions of files.
    text = text.replace(BREAK, "\n\n")
    blocks: list[str] = []
    paragraph: list[str] = []
    for line in text.split(END):
        stripped = line.strip(_EDGE)
        item = ""
        if stripped:
            first = stripped[0]
            if first not in _SPECIAL:
                paragraph.append(drop_quotes(line) if "''" in line else line)
                continue
            if first in _LIST:
                item = stripped.lstrip(_LIST)
                if "[[:" in item and _is_pointer(item.strip(_EDGE), targets):
                    item = ""
            elif not _is_furniture(first, stripped):
                paragraph.append(drop_quotes(line) if "''" in line else line)
                continue
        if paragraph:
            blocks.append(LINE.join(paragraph))
            paragraph = []
        if item:
            blocks.append(drop_quotes(item) if "''" in item else item)
    if paragraph:
        blocks.append(LINE.join(paragraph))
    return blocks


def _is_furniture(first: str, line: str) -> bool:
    match first:
        case "=":
            # A reference may stand behind a heading.
            return len(line) > 1 and line.rstrip(_EDGE + STOP)[-1:] == "="
        case "|":
            return True
        case "!":
            # The row of headings of a table that a template begins.
            return "!!" in line or "|" in line
        case "-":
            return _RULE.match(line) is not None
        case _:
            return _FURNITURE.match(line) is not None


def _is_pointer(item: str, targets: Targets) -> bool:
    pointer = _POINTER.match(item)
    return pointer is not None and not targets.look_up(pointer[1])[0]


def _drop_tables(text: str) -> str:
    """Drop the lines from ``{|`` to its ``|}``; of an unclosed table only to the blank line."""
    text = "\n" + text
    # Sorted and disjoint; a closing line keeps its rest.
    ranges: list[tuple[int, int]] = []
    starts: list[int] = []
    for line in _TABLE.finditer(text):
        if line.lastindex:
            starts.append(line.start() + 1)
        elif starts:
            start = starts.pop()
            while ranges and ranges[-1][0] >= start:
                ranges.pop()
            ranges.append((start, line.end()))
    covered = 0
    for start in starts:
        if start >= covered:
            blank = _BLANK_LINE.search(text, start)
            covered = blank.start() + 1 if blank else len(text)
            ranges.append((start, covered))
    parts: list[str] = []
    position = 1
    for start, end in sorted(ranges):
        parts.append(text[position:start])
        position = max(position, end)
    parts.append(text[position:])
    return "".join(parts)


def _hidden_ranges(text: str, targets: Targets) -> tuple[list[tuple[int, int]], list[int]]:
    """Where files, categories and language links stand: (start, end), and starts without end."""
    ranges: list[tuple[int, int]] = []
    position = 0
    while (first := _TARGET_WITH_COLON.search(text, position)) is not None:
        position = first.end()
        if not targets.hides(first[1]):
            continue
        # From here on brackets are matched until this link is closed.
        stack: list[tuple[int, bool]] = []
        for bracket in _BRACKETS.finditer(text, first.start()):
            start = bracket.start()
            if bracket[0] == "[[":
                target = _TARGET_WITH_COLON.match(text, start)
                stack.append((start, target is not None and targets.hides(target[1])))
                continue
            opened, hidden = stack.pop()
            position = bracket.end()
            if hidden:
                ranges.append((opened, position))
            if not stack:
                break
        if stack:
            return ranges, [start for start, hidden in stack if hidden]
    return ranges, []


def _drop_hidden_links(text: str, targets: Targets) -> str:
    """Drop files with their captions (which hold links), categories and language links."""
    ranges, unclosed = _hidden_ranges(text, targets)
    if not ranges and not unclosed:
        return text
    headings = [match.start() for match in _HEADING_AHEAD.finditer(text)] + [len(text)]
    parts: list[str] = []
    position = 0
    for start, end in sorted(ranges + [(start, -1) for start in unclosed]):
        if start < position:
            continue
        # A caption may have paragraphs, but brackets that close beyond a heading were never
        # this link's: then only its own paragraph goes.
        if end < 0 or end > headings[bisect.bisect_left(headings, start)]:
            close = _PARAGRAPH_END.search(text, start)
            end = close.start() if close else len(text)
        elif text.startswith("]", end) and _has_bracket(text[start:end]):
            end += 1
        parts += (text[position:start], REMOVED)
        position = end
    parts.append(text[position:])
    return "".join(parts)


def _has_bracket(link: str) -> bool:
    """Whether a single bracket is open in it, as in ``[[Datei:a.jpg|[http://a b]``."""
    return link.count("[") > link.count("]")
