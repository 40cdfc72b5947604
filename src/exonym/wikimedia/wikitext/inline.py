"""Third pass: HTML tags, links and entities of all paragraphs of a page at once."""

from __future__ import annotations

import re

from exonym.wikimedia.siteinfo import SiteInfo
from exonym.wikimedia.wikitext.brackets import BLANK, SCHEME, BracketReader
from exonym.wikimedia.wikitext.entities import unescape
from exonym.wikimedia.wikitext.marks import CLOSE, END, LINE, OPEN, REMOVED, STOP
from exonym.wikimedia.wikitext.targets import Targets, pipe_trick
from exonym.wikimedia.wikitext.trails import trail_pattern

# Tags that MediaWiki knows; their content is kept. Any other "<word>" is text.
_TAGS = (
    "a|abbr|b|bdi|bdo|big|caption|cite|data|del|dfn|em|font|i|img|includeonly|ins|kbd"
    "|languages|mark|nobr|noinclude|nowiki|onlyinclude|phonos|q|rb|rbc|references|ref|rtc|ruby|s"
    "|samp|section|small|span|strike|strong|sub|sup|table|tbody|td|th|thead|time|tr|translate|tt|tvar"
    "|u|var|wbr|code|gallery|math|pre|source|syntaxhighlight|timeline|poem|div|p|center|li|ul|ol"
)
_LINE_BREAK = re.compile(r"<(?i:/?br)(?=[\s/>])[^<>]*>")
_TAG = re.compile(rf"</?(?i:{_TAGS})(?=[\s/>])[^<>]*>")
_SWITCH = re.compile(r"__\w{3,40}?__")
_EXTERNAL = re.compile(rf"\[{SCHEME}[^\s\[\]<>\"{OPEN}]*[ \t]*([^\[\]\n]*)\]")
# A bar between blanks or links, as in rows of links for navigation.
_BAR = re.compile(rf"\|+(?=[ {OPEN}{LINE}{END}]|\Z)(?<=[ {CLOSE}{LINE}]\|)")
_EXTERNAL_OPENING = re.compile(rf"\[(?={SCHEME})")


class InlineRenderer:
    """Renders the paragraphs of one wiki.

    Nearly all links are plain: they are found all at once. A paragraph in which brackets are
    left over then is read again, with `brackets.BracketReader`, which knows every case.
    """

    def __init__(self, site: SiteInfo) -> None:
        self.targets = Targets(site)
        self._trail = trail_pattern(site.language)
        trail = f"{self._trail.pattern}|" if self._trail else ""
        self._link = re.compile(rf"\[\[([^\[\]{{}}|<>\r\n]*)(?:\|([^\[\]\n]*))?\]\]({trail})()")

    def render(self, blocks: list[str]) -> tuple[str, list[str]]:
        """Turn paragraphs' wikitext into text.

        Returns:
            (the paragraphs, each but the last followed by `END`; the titles of the links). The
            marks `OPEN` and `CLOSE` stand around each anchor, strictly in turns, and the titles
            come in the same order.
        """
        source = END.join(blocks)
        if "<" in source:
            source = _LINE_BREAK.sub(LINE, source)
            source = _TAG.sub(STOP, source)
        text, titles = self._plain_links(source) if "[[" in source else (source, [])
        if "[" in text:
            text = _EXTERNAL.sub(_external_text, text)
        if "[[" in text or "]]" in text or _EXTERNAL_OPENING.search(text):
            text, titles = self._read_again(source, text, titles)
        if "__" in text:
            text = _SWITCH.sub(_switch, text)
        if "|" in text:
            text = _BAR.sub(" · ", text)
        return unescape(text), titles

    def _plain_links(self, text: str) -> tuple[str, list[str]]:
        """Links without brackets in them."""
        # Between the texts stand target, label, trail and a place for the closing mark.
        parts = self._link.split(text)
        titles: list[str] = []
        known = self.targets.known
        for index in range(1, len(parts), 5):
            target, label = parts[index], parts[index + 1]
            found = known.get(target)
            title, shown = found or self.targets.look_up(target)
            if label is None:
                parts[index + 1] = shown
            elif not label:
                parts[index + 1] = pipe_trick(target)
            elif not label.strip(BLANK):
                title = ""
            if title:
                titles.append(title)
                parts[index] = OPEN
                parts[index + 3] = CLOSE
            else:
                parts[index] = ""
        return "".join(parts), titles

    def _read_again(self, source: str, text: str, titles: list[str]) -> tuple[str, list[str]]:
        """Read the paragraphs bracket by bracket in which any are left over."""
        blocks: list[str] = []
        found: list[str] = []
        position = 0
        for original, block in zip(source.split(END), text.split(END), strict=True):
            count = block.count(OPEN)
            if "[[" in block or "]]" in block or _EXTERNAL_OPENING.search(block):
                block, inner = BracketReader(original, self.targets, self._trail).read()
                found += inner
            else:
                found += titles[position : position + count]
            position += count
            blocks.append(block)
        return END.join(blocks), found


def _external_text(link: re.Match[str]) -> str:
    # Without a text it is shown as a mere number.
    return link[1] or REMOVED


def _switch(word: re.Match[str]) -> str:
    """A behaviour switch (``__NOTOC__``, in any language) has no small letters."""
    return word[0] if word[0] != word[0].upper() else ""
