"""First pass: take out what carries no running text (comments, templates, references, maths)."""

from __future__ import annotations

import re

from exonym.wikimedia.wikitext.marks import BREAK, REMOVED, STOP, protect

# Elements whose content is no running text. Everything up to the first end tag goes, as
# MediaWiki does for its extension tags; only tables nest.
_OPAQUE = (
    "ref", "references", "math", "chem", "ce", "gallery", "syntaxhighlight", "source", "code",
    "pre", "timeline", "score", "hiero", "graph", "mapframe", "maplink", "imagemap", "inputbox",
    "categorytree", "templatedata", "templatestyles", "charinsert", "indicator", "includeonly",
    "style", "script", "rt", "rp",
)  # fmt: skip
_BLOCK_TAGS = "p|div|center|blockquote|ul|ol|li|dl|dt|dd|h[1-6]|hr|poem"
# Most templates hold no other, and most references no tag: these are taken as a whole. All that
# may repeat stops at the next brace or bracket, so that the time stays linear. Every alternative
# begins with a literal character outside its group: only so does `re` skip ahead to these.
_TOKEN = re.compile(
    r"\{(\{[^{}<]*\}\})"
    r"|<(ref(?:\s[^<>]*|/)?>(?:(?<=/>)|[^<]*</ref>))"
    r"|\{(\{+)"
    r"|\}(\}+)"
    r"|<(!--)"
    rf"|<(?i:({'|'.join(sorted(_OPAQUE, key=len, reverse=True))}|nowiki))(?=[\s/>])"
    rf"|<(?i:(/?table)|(/?(?:{_BLOCK_TAGS})))(?=[\s/>])[^<>]*>"
)
# The function that writes a number in the wiki's language: the number is shown.
_NUMBER = re.compile(r"\{\{(?:formatnum|FORMATNUM):([^{}|<>\n]*)(?:\|[^{}|<>\n]*)?\}\}")
_TEMPLATE, _REFERENCE, _OPENING, _CLOSING, _COMMENT, _ELEMENT, _TABLE, _BLOCK = range(1, 9)
# The rest of a tag. It may not contain "<", so that scanning stays linear.
_TAG_REST = re.compile(r"[^<>]*>")
_BLANK_LINE_REST = re.compile(r"[ \t]*\n")
_PARAGRAPH_END = re.compile(r"\n[ \t]*(?=[\n=])")
_END_TAGS = {
    name: re.compile(rf"</{name}\s*>", re.IGNORECASE) for name in (*_OPAQUE, "nowiki")
}  # fmt: skip


class _Remover:
    """Collects (start, end, replacement) ranges, sorted by start, and cuts them out at the end."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.ranges: list[tuple[int, int, str]] = []
        # Runs of opening braces that are not used up: where they start, how many are left.
        self.braces: list[tuple[int, int]] = []
        self.tables: list[int] = []
        self.unclosed: list[int] = []
        # Elements of which no further end tag exists: searching again would cost quadratic time.
        self.exhausted: set[str] = set()

    def run(self) -> str:
        position = 0
        while position >= 0:
            position = self._scan(position)
        self.unclosed += [start for start, _ in self.braces] + self.tables
        return self._cut()

    def _scan(self, position: int) -> int:
        """Read tokens until one must be jumped over; returns where to go on, -1 at the end."""
        ranges = self.ranges
        for token in _TOKEN.finditer(self.text, position):
            kind = token.lastindex
            start, end = token.span()
            if kind == _TEMPLATE:
                ranges.append((start, end, REMOVED))
            elif kind == _REFERENCE:
                # A reference never leaves a hole in a sentence.
                ranges.append((start, end, STOP))
            elif kind == _OPENING:
                self.braces.append((start, end - start))
            elif kind == _CLOSING:
                self._close_braces(start, end)
            elif kind == _BLOCK:
                ranges.append((start, end, BREAK))
            elif kind == _TABLE:
                self._table(start, end, closing=self.text[start + 1] == "/")
            elif kind == _COMMENT:
                return self._comment(start)
            else:
                return self._element(token)
        return -1

    def _element(self, token: re.Match[str]) -> int:
        """An element with content: up to its end tag. Returns where to go on."""
        text, start, name = self.text, token.start(), token[_ELEMENT].lower()
        rest = _TAG_REST.match(text, token.end())
        if rest is None:
            return token.end()
        end = rest.end()
        if text[end - 2] == "/":
            self.ranges.append((start, end, _trace(name)))
            return end
        close = None if name in self.exhausted else _END_TAGS[name].search(text, end)
        if close is None:
            self.exhausted.add(name)
            if name == "nowiki":
                self.ranges.append((start, end, ""))
            else:
                self.unclosed.append(start)
            return end
        content = protect(text[end : close.start()]) if name == "nowiki" else _trace(name)
        self.ranges.append((start, close.end(), content))
        return close.end()

    def _table(self, start: int, end: int, *, closing: bool) -> None:
        if not closing:
            self.tables.append(start)
        elif self.tables:
            self._remove(self.tables.pop(), end, BREAK)
        else:
            self.ranges.append((start, end, ""))

    def _comment(self, start: int) -> int:
        close = -1 if "!--" in self.exhausted else self.text.find("-->", start + 4)
        if close < 0:
            self.exhausted.add("!--")
            self.unclosed.append(start)
            return start + 4
        end = close + 3
        # A comment alone on its line takes the line with it, else it would end the paragraph.
        if start == 0 or self.text[start - 1] == "\n":
            line_rest = _BLANK_LINE_REST.match(self.text, end)
            if line_rest is not None:
                end = line_rest.end()
        self.ranges.append((start, end, ""))
        return end

    def _close_braces(self, start: int, end: int) -> None:
        """Match closing braces with open ones: three with three (an argument), else two."""
        left = end - start
        while left >= 2 and self.braces:
            opened, count = self.braces.pop()
            used = 3 if left >= 3 and count >= 3 else 2
            count -= used
            left -= used
            self._remove(opened + count, end - left, REMOVED)
            if count >= 2:
                self.braces.append((opened, count))
        if left >= 2:
            self.ranges.append((end - left, end, ""))

    def _remove(self, start: int, end: int, replacement: str) -> None:
        """Remove a range that may contain earlier ones."""
        ranges = self.ranges
        while ranges and ranges[-1][0] >= start:
            ranges.pop()
        ranges.append((start, end, replacement))

    def _cut(self) -> str:
        """The text without the ranges; what was never closed goes up to its paragraph's end."""
        text, ranges, covered = self.text, self.ranges, 0
        for start in sorted(self.unclosed):
            if start >= covered:
                close = _PARAGRAPH_END.search(text, start)
                covered = close.start() if close else len(text)
                ranges.append((start, covered, REMOVED))
        if self.unclosed:
            ranges.sort(key=lambda item: (item[0], -item[1]))
        parts: list[str] = []
        position = 0
        for start, end, replacement in ranges:
            if start >= position:
                parts += (text[position:start], replacement)
                position = end
            elif end > position:
                position = end
        parts.append(text[position:])
        return "".join(parts)


def _trace(name: str) -> str:
    """What an element leaves behind: a reference never leaves a hole in a sentence."""
    return STOP if name in ("nowiki", "ref") else REMOVED


def remove_elements(text: str) -> str:
    """Take out comments, templates, references, maths, galleries, code and HTML tables.

    A mark (`marks.REMOVED`) is left where something was shown in the running text. ``<nowiki>``
    protects its content; block-level HTML tags become paragraph breaks.
    """
    if "{{!}}" in text:
        text = text.replace("{{!}}", "|")
    if "{{formatnum:" in text or "{{FORMATNUM:" in text:
        text = _NUMBER.sub(r"\1", text)
    return _Remover(text).run()
