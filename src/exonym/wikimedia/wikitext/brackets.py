"""The links of a paragraph whose brackets are nested, single or never closed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from exonym.wikimedia.wikitext.marks import CLOSE, LINE, OPEN, REMOVED, STOP
from exonym.wikimedia.wikitext.targets import Targets, pipe_trick

SCHEME = r"(?:(?:https?:|ftps?:|news:|irc:|gopher:)?//|mailto:)"
_TOKEN = re.compile(rf"\[\[|\]\]|\]|\[(?={SCHEME})")
_LINK = re.compile(r"\[\[([^\[\]{}|<>\r\n]*)(\]\]|\|)")
# What shows nothing by itself.
BLANK = " \t\n\u00a0" + LINE + REMOVED + STOP
# What no title can be, up to the pipe: the label is shown all the same.
_NO_TITLE = re.compile(r"\[\[[^\[\]|\r\n]*\|")
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
        bracket: where in the output a single closing bracket stands that may be meant as its
            end; 0 for none yet, -1 for none.
    """

    position: int
    title: str
    external: bool
    label: int = 0
    target: str = ""
    bracket: int = 0


class BracketReader:
    """Reads the links of one paragraph bracket by bracket, whatever their order."""

    def __init__(self, text: str, targets: Targets, trail: re.Pattern[str] | None) -> None:
        self._text = text
        self._targets = targets
        self._trail = trail
        self._out: list[str] = []
        self._titles: list[str] = []
        self._frames: list[_Frame] = []
        self._open_links = self._dissolved = 0

    def read(self) -> tuple[str, list[str]]:
        """The paragraph with the marks `OPEN` and `CLOSE` in turns, and a title for each pair."""
        text, position = self._text, 0
        while (token := _TOKEN.search(text, position)) is not None:
            start = token.start()
            if start > position:
                self._out.append(text[position:start])
            if text[start] == "]":
                position = self._close(start, len(token[0]))
            else:
                position = self._open(start) if token[0] == "[[" else self._external(start)
        self._out.append(text[position:])
        for frame in self._frames:
            if frame.bracket > 0:
                # "[[Berlin|Stadt]" was never closed.
                self._out[frame.bracket] = ""
        return "".join(self._out), self._titles

    def _open(self, start: int) -> int:
        link = _LINK.match(self._text, start)
        if link is None:
            return self._no_title(start)
        target = link[1]
        title, shown = self._targets.look_up(target)
        if link[2] == "|":
            self._push(_Frame(len(self._out), title, False, link.end(), target))
            return link.end()
        if not shown:
            return link.end()
        self._dissolve()
        end = self._with_trail(link.end())
        shown += self._text[link.end() : end]
        if title and shown.strip():
            self._titles.append(title)
            self._out += (OPEN, shown, CLOSE)
        else:
            self._out.append(shown)
        return end

    def _no_title(self, start: int) -> int:
        """Two brackets that begin no link."""
        text = self._text
        if text.startswith("[[", start + 2):
            # Two of four are too many.
            return start + 2
        if text.startswith("[", start + 2):
            # Of three the first is text.
            self._out.append("[")
            return start + 1
        label = _NO_TITLE.match(text, start)
        if label is None:
            return start + 2
        self._push(_Frame(len(self._out), "", False, label.end()))
        return label.end()

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
                self._single(start)
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

    def _single(self, start: int) -> None:
        """A single closing bracket: text, unless it is the end of a link that has no other."""
        frame = self._frames[-1] if self._frames else None
        if frame is not None and not frame.bracket:
            inner = self._text.find("[", frame.label, start) >= 0
            frame.bracket = -1 if inner else len(self._out)
        self._out.append("]")

    def _finish(self, frame: _Frame, trail: str) -> None:
        """Put the marks around a link's text, if it has any."""
        if len(self._out) == frame.position + 1:
            self._out.append(pipe_trick(frame.target))
        # Only a link without another in it is joined, so that deep nesting costs no more.
        shown = bool(frame.title) and "".join(self._out[frame.position :]).strip(BLANK) != ""
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
