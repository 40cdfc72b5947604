"""Second pass: tables and files go; lines become paragraphs and list items."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator

from exonym.wikimedia.siteinfo import SiteInfo
from exonym.wikimedia.wikitext.marks import BREAK, REMOVED
from exonym.wikimedia.wikitext.quotes import drop_quotes
from exonym.wikimedia.wikitext.targets import LinkKind, classify

_BRACKETS = re.compile(r"\[\[|\]\]")
_TARGET_WITH_COLON = re.compile(r"\[\[([^\[\]{}|<>\n:]*:[^\[\]{}|<>\n]*)")
_HEADING_AHEAD = re.compile(r"\n(?==)")
_PARAGRAPH_END = re.compile(r"\n[ \t]*(?=[\n=])")
_TABLE_START = re.compile(rf"[ \t:{REMOVED}]*\{{\|")
_TABLE_END = re.compile(rf"[ \t{REMOVED}]*\|\}}")
_HEADING = re.compile(r"=.*=\Z", re.DOTALL)
_RULE = re.compile(r"-{4,}")
_LIST = re.compile(r"[*#:;]+")
# A line of nothing but prefixed links ("[[Kategorie:Stadt]]") is page furniture, whatever the
# prefix is called; siteinfo does not list a namespace's older names.
_FURNITURE = re.compile(r"(?:\s*\[\[[^\[\]|:\s][^\[\]|:]*:[^\s\[\]|][^\[\]]*\]\])+\s*\Z")
_EDGE = " \t" + REMOVED


def split_blocks(text: str, site: SiteInfo) -> Iterator[str]:
    """Yield the wikitext of each paragraph and list item, without markers and emphasis.

    Headings, tables, files, categories, language links and rules are left out.
    """
    if "{|" in text:
        text = _drop_tables(text)
    if ":" in text:
        text = _drop_hidden_links(text, site)
    # Only now: such tags also stand in the captions of files.
    text = text.replace(BREAK, "\n\n")
    paragraph: list[str] = []
    for line in text.split("\n"):
        stripped = line.strip(_EDGE)
        item = _LIST.match(stripped)
        if stripped and item is None and not _is_furniture(stripped):
            paragraph.append(drop_quotes(line))
            continue
        if paragraph:
            yield "\n".join(paragraph)
            paragraph = []
        if item is not None:
            yield drop_quotes(stripped[item.end() :])
    if paragraph:
        yield "\n".join(paragraph)


def _is_furniture(line: str) -> bool:
    match line[0]:
        case "=":
            return _HEADING.match(line) is not None
        case "|":
            return True
        case "-":
            return _RULE.match(line) is not None
        case "[":
            return _FURNITURE.match(line) is not None
        case _:
            return False


def _drop_tables(text: str) -> str:
    """Drop the lines from ``{|`` to its ``|}``; of an unclosed table only to the blank line."""
    lines = text.split("\n")
    # (first line, line after the last), sorted and disjoint; a closing line keeps its rest.
    ranges: list[tuple[int, int]] = []
    starts: list[int] = []
    for number, line in enumerate(lines):
        if "|" not in line:
            continue
        if _TABLE_START.match(line):
            starts.append(number)
        elif starts and (end := _TABLE_END.match(line)) is not None:
            lines[number] = line[end.end() :]
            start = starts.pop()
            while ranges and ranges[-1][0] >= start:
                ranges.pop()
            ranges.append((start, number))
    covered = 0
    for start in starts:
        if start >= covered:
            covered = start
            while covered < len(lines) and lines[covered].strip(_EDGE):
                covered += 1
            ranges.append((start, covered))
    kept: list[str] = []
    position = 0
    for start, end_line in sorted(ranges):
        kept += lines[position:start]
        position = max(position, end_line)
    kept += lines[position:]
    return "\n".join(kept)


def _drop_hidden_links(text: str, site: SiteInfo) -> str:
    """Drop files with their captions (which hold links), categories and language links."""
    ranges: list[tuple[int, int]] = []
    stack: list[tuple[int, bool]] = []
    for bracket in _BRACKETS.finditer(text):
        start = bracket.start()
        if bracket[0] == "[[":
            target = _TARGET_WITH_COLON.match(text, start)
            hidden = target is not None and classify(target[1], site)[0] is LinkKind.HIDDEN
            stack.append((start, hidden))
        elif stack:
            opened, hidden = stack.pop()
            if hidden:
                ranges.append((opened, bracket.end()))
    unclosed = [(start, -1) for start, hidden in stack if hidden]
    if not ranges and not unclosed:
        return text
    headings = [match.start() for match in _HEADING_AHEAD.finditer(text)] + [len(text)]
    parts: list[str] = []
    position = 0
    for start, end in sorted(ranges + unclosed):
        if start < position:
            continue
        # A caption may have paragraphs, but brackets that close beyond a heading were never
        # this link's: then only its own paragraph goes.
        if end < 0 or end > headings[bisect.bisect_left(headings, start)]:
            close = _PARAGRAPH_END.search(text, start)
            end = close.start() if close else len(text)
        parts += (text[position:start], REMOVED)
        position = end
    parts.append(text[position:])
    return "".join(parts)
