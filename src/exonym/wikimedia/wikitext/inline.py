"""Third pass: the links, HTML tags and entities of one paragraph."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from exonym.wikimedia.siteinfo import SiteInfo
from exonym.wikimedia.wikitext.marks import CLOSE, OPEN, REMOVED, STOP
from exonym.wikimedia.wikitext.targets import LinkKind, classify, pipe_trick
from exonym.wikimedia.wikitext.trails import trail_pattern

# Tags that MediaWiki knows; their content is kept. Any other "<word>" is text.
_TAGS = (
    "a|abbr|b|bdi|bdo|big|br|caption|cite|data|del|dfn|em|font|i|img|includeonly|ins|kbd"
    "|languages|mark|nobr|noinclude|nowiki|onlyinclude|q|rb|rbc|references|ref|rtc|ruby|s|samp"
    "|section|small|span|strike|strong|sub|sup|table|tbody|td|th|thead|time|tr|translate|tt|tvar"
    "|u|var|wbr|code|gallery|math|pre|source|syntaxhighlight|timeline|poem|div|p|center|li|ul|ol"
)
_TOKEN = re.compile(
    r"\[\[|\]\]|\]"
    r"|\[(?=(?:https?:|ftps?:|news:|irc:|gopher:)?//|mailto:)"
    rf"|</?(?i:{_TAGS})(?=[\s/>])[^<>]*>"
    r"|&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});"
    r"|__\w{3,40}?__"
)
_LINK = re.compile(r"\[\[([^\[\]{}|<>\n]*)(\]\]|\|)")
_BLANK = " \t\n\u00a0" + REMOVED + STOP
_URL = re.compile(r"\[[^\s\[\]<>\"]*[ \t]*")


@dataclass(slots=True)
class _Frame:
    """A link whose end has not come yet.

    Args:
        position: where its opening mark stands in the output.
        title: the article it leads to; empty when it is shown as plain text.
        external: a ``[http://… text]``, closed by one bracket.
        label: where its text begins in the input.
        target: as written, for the pipe trick.
    """

    position: int
    title: str
    external: bool
    label: int = 0
    target: str = ""


class InlineRenderer:
    """Renders paragraphs of one wiki.

    The output carries the marks `OPEN` and `CLOSE` around each anchor, strictly in turns, and
    the titles come in the same order.
    """

    def __init__(self, site: SiteInfo) -> None:
        self._site = site
        self._trail = trail_pattern(site.language)
        self._text = ""
        self._out: list[str] = []
        self._titles: list[str] = []
        self._frames: list[_Frame] = []
        self._open_links = self._dissolved = 0

    def render(self, text: str) -> tuple[str, list[str]]:
        """Turn one paragraph's wikitext into text with marks, and the titles it links to."""
        self._text, self._out, self._titles, self._frames = text, [], [], []
        self._open_links = self._dissolved = position = 0
        while (token := _TOKEN.search(text, position)) is not None:
            start = token.start()
            if start > position:
                self._out.append(text[position:start])
            match text[start]:
                case "[":
                    position = self._open(start) if token[0] == "[[" else self._external(start)
                case "]":
                    position = self._close(start, len(token[0]))
                case "<":
                    if token[0][1:3].lower() == "br":
                        self._out.append(" ")
                    position = token.end()
                case "&":
                    self._out.append(html.unescape(token[0]))
                    position = token.end()
                case _:
                    # A behaviour switch (__NOTOC__, in any language) has no small letters.
                    if token[0] != token[0].upper():
                        self._out.append(token[0])
                    position = token.end()
        self._out.append(text[position:])
        return "".join(self._out), self._titles

    def _open(self, start: int) -> int:
        link = _LINK.match(self._text, start)
        if link is None:
            # No title can stand here. Of three brackets the first is text.
            if self._text.startswith("[", start + 2):
                self._out.append("[")
                return start + 1
            return start + 2
        target = link[1]
        kind, title = classify(target, self._site)
        if link[2] == "|":
            self._push(_Frame(len(self._out), title, False, link.end(), target))
            return link.end()
        end = self._with_trail(link.end())
        if kind is LinkKind.HIDDEN:
            return link.end()
        self._dissolve()
        shown = html.unescape(target.removeprefix(":") if ":" in target[:1] else target)
        self._show(title, shown + self._text[link.end() : end])
        return end

    def _show(self, title: str, shown: str) -> None:
        if title and shown.strip():
            self._titles.append(title)
            self._out += (OPEN, shown, CLOSE)
        else:
            self._out.append(shown)

    def _external(self, start: int) -> int:
        url = _URL.match(self._text, start)
        end = url.end() if url else start + 1
        if self._text.startswith("]", end):
            # Shown as a mere number.
            self._out.append(REMOVED)
            return end + 1
        self._push(_Frame(len(self._out), "", True))
        return end

    def _push(self, frame: _Frame) -> None:
        self._frames.append(frame)
        self._out.append("")
        self._open_links += not frame.external

    def _dissolve(self) -> None:
        """Links do not nest: one that holds another is text."""
        for frame in self._frames[self._dissolved :]:
            frame.title = ""
        self._dissolved = len(self._frames)

    def _close(self, start: int, length: int) -> int:
        if length == 1 or not self._open_links:
            if self._frames and self._frames[-1].external:
                self._frames.pop()
                self._dissolved = min(self._dissolved, len(self._frames))
                return start + 1
            if length == 1:
                self._out.append("]")
            return start + length
        while (frame := self._frames.pop()).external:
            pass
        self._open_links -= 1
        self._dissolved = min(self._dissolved, len(self._frames))
        start += 2
        if self._text.startswith("]", start) and self._text.find("[", frame.label, start) >= 0:
            # "[[Foo|[1]]]": the first of three brackets belongs to the text.
            self._out.append("]")
            start += 1
        end = self._with_trail(start)
        self._finish(frame, self._text[start:end])
        return end

    def _finish(self, frame: _Frame, trail: str) -> None:
        """Put the marks around a link's text, if it has any."""
        if len(self._out) == frame.position + 1:
            self._out.append(html.unescape(pipe_trick(frame.target)))
        # Only a link without another in it is joined, so that deep nesting costs no more.
        shown = bool(frame.title) and "".join(self._out[frame.position :]).strip(_BLANK) != ""
        if frame.title:
            self._dissolve()
        self._out.append(trail)
        if shown:
            self._out[frame.position] = OPEN
            self._out.append(CLOSE)
            self._titles.append(frame.title)

    def _with_trail(self, position: int) -> int:
        trail = self._trail.match(self._text, position) if self._trail else None
        return trail.end() if trail else position
