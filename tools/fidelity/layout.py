"""Where tables and templates lie by MediaWiki's own rules, which mwparserfromhell does not follow.

MediaWiki finds tables line by line (``Parser::handleTables``): a line that begins with ``{|`` after
blanks and colons opens one whatever stands before or in it; a line that begins with ``|}`` closes
it; one that is never closed goes to the end of the page. mwparserfromhell reads ``:{|`` as text,
and gives a table up where anything in it is not balanced.
"""

from __future__ import annotations

import bisect
import re

TABLE = "table that the oracle does not see (indented, or not closed)"
HTML_TABLE = "HTML table that the oracle does not see"
TEMPLATE = "template that the oracle does not see"

_DEAF = re.compile(
    r"<!--.*?(?:-->|\Z)|<(nowiki|math|pre|ref|gallery|timeline|source|syntaxhighlight)\b[^<>]*"
    r"(?:(?<=/)>|>.*?</\1\s*>)",
    re.DOTALL | re.IGNORECASE,
)
_INNERMOST = re.compile(r"\{\{[^{}]*\}\}|\{\{\{[^{}]*\}\}\}")
_OPEN = re.compile(r"[\s:\x00]*\{\|")
_CLOSE = re.compile(r"[\s\x00]*\|\}")
_HTML = re.compile(r"<(/?)table\b[^<>]*>", re.IGNORECASE)


class Layout:
    """Ranges of one page's wikitext, by what they are."""

    def __init__(self, source: str) -> None:
        text = _DEAF.sub(_blank, source)
        self._deaf = _Ranges.of_blanks(text)
        count = 1
        while count:
            text, count = _INNERMOST.subn(_blank, text)
        self._text = text
        self._templates = _Ranges.of_blanks(text)
        self._tables = _Ranges(_wiki_tables(text))
        self._html = _Ranges(_html_tables(text))

    def without_templates(self) -> str:
        """The wikitext without templates, references, comments and the like."""
        return self._text.replace("\x00", "")

    def doubt(self, position: int) -> str:
        """Why a link at this place is not in the running text by MediaWiki's rules, if so."""
        if self._tables.hold(position):
            return TABLE
        if self._html.hold(position):
            return HTML_TABLE
        if self._templates.hold(position) and not self._deaf.hold(position):
            return TEMPLATE
        return ""


class _Ranges:
    """Sorted, disjoint (start, end)."""

    def __init__(self, ranges: list[tuple[int, int]]) -> None:
        self._ranges = ranges
        self._starts = [start for start, _ in ranges]

    @staticmethod
    def of_blanks(text: str) -> _Ranges:
        return _Ranges([found.span() for found in re.finditer("\x00+", text)])

    def hold(self, position: int) -> bool:
        index = bisect.bisect_right(self._starts, position) - 1
        return index >= 0 and position < self._ranges[index][1]


def _blank(found: re.Match[str]) -> str:
    return "\x00" * len(found[0])


def _wiki_tables(text: str) -> list[tuple[int, int]]:
    ranges, depth, position, start = [], 0, 0, 0
    for line in text.split("\n"):
        if _OPEN.match(line):
            start = start if depth else position
            depth += 1
        elif depth and _CLOSE.match(line):
            depth -= 1
            if not depth:
                ranges.append((start, position))
        position += len(line) + 1
    return [*ranges, (start, len(text))] if depth else ranges


def _html_tables(text: str) -> list[tuple[int, int]]:
    ranges, depth, start = [], 0, 0
    for tag in _HTML.finditer(text):
        if not tag[1]:
            start = start if depth else tag.start()
            depth += 1
        elif depth:
            depth -= 1
            if not depth:
                ranges.append((start, tag.end()))
    return [*ranges, (start, len(text))] if depth else ranges
