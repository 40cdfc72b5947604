"""What is left of markup in our paragraphs, told apart from what the reader is meant to see."""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from exonym.wikimedia import Paragraph, SiteInfo
from fidelity.layout import Layout

# Tags of HTML and of MediaWiki's extensions; any other ``<word>`` is shown as it stands, as
# phonetic notation and code are.
_TAGS = (
    "abbr|b|bdi|bdo|big|blockquote|br|caption|center|cite|code|dd|del|dfn|div|dl|dt|em|font|gallery"
    "|h[1-6]|hr|i|imagemap|includeonly|ins|kbd|li|math|noinclude|nowiki|ol|onlyinclude|p|poem|pre|q"
    "|ref|references|ruby|rb|rp|rt|s|samp|score|section|small|source|span|strike|strong|sub|sup"
    "|syntaxhighlight|table|tbody|td|templatestyles|th|thead|timeline|tr|tt|u|ul|var|wbr"
)
_KINDS = {
    "braces": re.compile(r"\{\{|\}\}|\{\||\|\}"),
    "brackets": re.compile(r"\[\[|\]\]"),
    "variant": re.compile(r"-\{|\}-"),
    "pipe": re.compile(r"\|"),
    "quotes": re.compile(r"''+"),
    "tag": re.compile(rf"</?(?:{_TAGS})(?:\s[^<>]*)?/?>|<!--", re.IGNORECASE),
    "entity": re.compile(r"&(?:#\d+|#[xX][0-9a-fA-F]+|[a-zA-Z]\w*);"),
    "switch": re.compile(r"__[^\W\d_]{3,}__"),
}
_LINK = re.compile(r"\[\[(?:[^\[\]|\n]*\|)?([^\[\]\n]*)\]\]")
_NOWIKI = re.compile(r"<nowiki>(.*?)</nowiki>", re.DOTALL | re.IGNORECASE)
_ESCAPED = re.compile(r"&(?:lt|gt|amp|#\w+|lbrack|rbrack|lbrace|rbrace|vert|apos);")


@dataclass
class Debris:
    """Paragraphs with something left of markup.

    Args:
        paragraphs: how many were searched.
        found: (page, kind, text around it), one for each paragraph that has any.
        meant: paragraphs in which such characters stand because the author means them
            (``<nowiki>``, entities).
    """

    paragraphs: int = 0
    found: list[tuple[str, str, str]] = field(default_factory=list)
    meant: int = 0

    def search(
        self, page: str, wikitext: str, site: SiteInfo, paragraphs: Sequence[Paragraph]
    ) -> None:
        """Look through the paragraphs of one page."""
        self.paragraphs += len(paragraphs)
        prefix = _prefixes(site)
        for paragraph in paragraphs:
            hit = _first(paragraph, prefix)
            if hit is None:
                continue
            kind, place, sign = hit
            text = paragraph.text[max(0, place - 50) : place + 50]
            if _is_meant(wikitext, paragraph.text, place, sign, kind):
                self.meant += 1
            else:
                self.found.append((page, kind, text))


@functools.lru_cache(maxsize=8)
def _prefixes(site: SiteInfo) -> re.Pattern[str]:
    """The namespaces for files and categories, and a language code, before a colon."""
    names = {space.name for space in site.namespaces if space.key in (-2, 6, 14)}
    names |= {"File", "Image", "Category", "Media"}
    return re.compile(rf"(?i:{'|'.join(map(re.escape, sorted(names - {''})))}):(?=\S)")


def _first(paragraph: Paragraph, prefix: re.Pattern[str]) -> tuple[str, int, str] | None:
    for kind, pattern in _KINDS.items():
        found = pattern.search(paragraph.text)
        if found is not None:
            return kind, found.start(), found[0]
    starts = [0, *(link.start for link in paragraph.links)]
    for start in starts:
        found = prefix.match(paragraph.text, start)
        if found is not None:
            return "prefix", start, found[0]
    return None


def _is_meant(wikitext: str, text: str, place: int, sign: str, kind: str) -> bool:
    """Whether MediaWiki shows the sign to the reader.

    It does where the author wrote it in ``<nowiki>`` or as an entity, where a link begins with a
    colon (``[[:Category:Town]]``), and a pipe between words in no brackets.
    """
    if any(sign in html.unescape(shown) for shown in _NOWIKI.findall(wikitext)):
        return True
    window = text[max(0, place - 6) : place + len(sign) + 6].strip()
    if kind == "prefix":
        return f"[[:{sign}" in wikitext.replace("[[: ", "[[:")
    if kind == "pipe":
        return all(
            _beside(text, pipe.start()) in _free_pipes(wikitext)
            for pipe in re.finditer(r"\|", text)
        )
    return window not in wikitext and any(
        window in html.unescape(wikitext[max(0, found.start() - 80) : found.end() + 80])
        for found in _ESCAPED.finditer(wikitext)
    )


@functools.lru_cache(maxsize=4)
def _free_pipes(wikitext: str) -> frozenset[tuple[str, str]]:
    """The letters beside each pipe that belongs to no link, template or table."""
    text = _LINK.sub(r"\1", Layout(wikitext).without_templates())
    lines = (line for line in text.split("\n") if not line.lstrip().startswith(("|", "!", "{|")))
    return frozenset(
        _beside(line, pipe.start())
        for line in lines
        for pipe in re.finditer(r"\|", line)
        if "[[" not in line[: pipe.start()]
    )


def _beside(text: str, place: int) -> tuple[str, str]:
    before = [sign for sign in text[max(0, place - 12) : place] if sign.isalnum()]
    after = [sign for sign in text[place + 1 : place + 13] if sign.isalnum()]
    return "".join(before[-2:]), "".join(after[:2])
