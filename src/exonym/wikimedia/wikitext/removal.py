"""First pass: take out what carries no running text (comments, templates, references, maths)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

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
_TOKEN = re.compile(
    rf"<!--|<(?i:(?P<opaque>{'|'.join(sorted(_OPAQUE, key=len, reverse=True))})"
    rf"|(?P<table>/?table)|(?P<nowiki>nowiki)|(?P<block>/?(?:{_BLOCK_TAGS})))(?=[\s/>])"
    r"|\{\{+|\}\}+"
)
# The rest of a tag. It may not contain "<", so that scanning stays linear.
_TAG_REST = re.compile(r"[^<>]*>")
_BLANK_LINE_REST = re.compile(r"[ \t]*\n")
_PARAGRAPH_END = re.compile(r"\n[ \t]*(?=[\n=])")
_END_TAGS = {
    name: re.compile(rf"</{name}\s*>", re.IGNORECASE) for name in (*_OPAQUE, "nowiki")
}  # fmt: skip


@dataclass(slots=True)
class _Braces:
    """A run of opening braces that is not used up: where it starts, how many are left."""

    start: int
    count: int


@dataclass(slots=True)
class _Remover:
    """Collects (start, end, replacement) ranges, sorted by start, and cuts them out at the end."""

    text: str
    ranges: list[tuple[int, int, str]] = field(default_factory=list)
    braces: list[_Braces] = field(default_factory=list)
    tables: list[int] = field(default_factory=list)
    unclosed: list[int] = field(default_factory=list)
    # Elements of which no further end tag exists: searching again would cost quadratic time.
    exhausted: set[str] = field(default_factory=set)

    def run(self) -> str:
        text, position = self.text, 0
        while (token := _TOKEN.search(text, position)) is not None:
            kind = token.lastgroup
            if kind is not None:
                position = self._tag(token, kind)
            elif text[token.start()] == "{":
                self.braces.append(_Braces(token.start(), token.end() - token.start()))
                position = token.end()
            elif text[token.start()] == "}":
                self._close_braces(token.start(), token.end())
                position = token.end()
            else:
                position = self._comment(token.start())
        self.unclosed += [run.start for run in self.braces] + self.tables
        return self._cut()

    def _tag(self, token: re.Match[str], kind: str) -> int:
        start, name = token.start(), token[kind].lower()
        rest = _TAG_REST.match(self.text, token.end())
        if rest is None:
            return token.end()
        end = rest.end()
        if kind == "block":
            self.ranges.append((start, end, BREAK))
        elif kind == "table":
            self._table(name, start, end)
        elif self.text[end - 2] == "/":
            self.ranges.append((start, end, _trace(name)))
        else:
            return self._element(name, start, end)
        return end

    def _element(self, name: str, start: int, end: int) -> int:
        """An element with content: up to its end tag."""
        close = None if name in self.exhausted else _END_TAGS[name].search(self.text, end)
        if close is None:
            self.exhausted.add(name)
            if name == "nowiki":
                self.ranges.append((start, end, ""))
            else:
                self.unclosed.append(start)
            return end
        content = _trace(name)
        if name == "nowiki":
            content = STOP + protect(self.text[end : close.start()]) + STOP
        self.ranges.append((start, close.end(), content))
        return close.end()

    def _table(self, name: str, start: int, end: int) -> None:
        if name == "table":
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
            run = self.braces[-1]
            used = 3 if left >= 3 and run.count >= 3 else 2
            run.count -= used
            left -= used
            self._remove(run.start + run.count, end - left, REMOVED)
            if run.count < 2:
                self.braces.pop()
        if left >= 2:
            self.ranges.append((end - left, end, ""))

    def _remove(self, start: int, end: int, replacement: str) -> None:
        """Remove a range that may contain earlier ones."""
        while self.ranges and self.ranges[-1][0] >= start:
            self.ranges.pop()
        self.ranges.append((start, end, replacement))

    def _cut(self) -> str:
        """The text without the ranges; what was never closed goes up to its paragraph's end."""
        text, covered = self.text, 0
        for start in sorted(self.unclosed):
            if start >= covered:
                close = _PARAGRAPH_END.search(text, start)
                covered = close.start() if close else len(text)
                self.ranges.append((start, covered, REMOVED))
        if self.unclosed:
            self.ranges.sort(key=lambda item: (item[0], -item[1]))
        parts, position = [], 0
        for start, end, replacement in self.ranges:
            if start >= position:
                parts.append(text[position:start])
                parts.append(replacement)
            elif end <= position:
                continue
            position = max(position, end)
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
    return _Remover(text).run()
