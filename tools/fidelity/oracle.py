"""The links of a page's running text as mwparserfromhell sees them, and the text around them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import mwparserfromhell
from mwparserfromhell import nodes

from exonym.wikimedia import SiteInfo
from fidelity.layout import Layout
from fidelity.targets import lead, trail_of

HOLE = "\x00"
"""Stands where a template, reference or file was."""
BLOCK = "\x01"
"""Stands where a paragraph or list item begins or ends."""

UNLISTED = "file or category under a name that the siteinfo does not list"
FOREIGN = "file or category under a name that only other wikis know: we drop it, MediaWiki does not"
BRACKET = "`]]]`: the first bracket belongs to the anchor"
UNPARSED = "HTML in the anchor that the oracle does not parse"
VARIANT = "`-{ }-` in the anchor, of which one variant is shown"

# Elements that hold no running text.
_APART = {
    *("ref", "references", "table", "tr", "td", "th", "caption", "math", "chem", "ce", "gallery"),
    *("syntaxhighlight", "source", "code", "pre", "timeline", "score", "hiero", "graph", "style"),
    *("mapframe", "maplink", "imagemap", "inputbox", "categorytree", "templatedata", "script"),
    *("templatestyles", "charinsert", "indicator", "includeonly", "rt", "rp"),
    *("h1", "h2", "h3", "h4", "h5", "h6"),
}
_BLOCKS = {"p", "div", "center", "blockquote", "ul", "ol", "li", "dl", "dt", "dd", "hr", "poem"}
_QUOTES = re.compile("'{2,}")
_APOSTROPHES = re.compile("['’]")
_INVISIBLE = re.compile("[\u00ad\ufeff\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069]")
_BEFORE = re.compile(r"(\w+)\W*\Z")
_AFTER = re.compile(r"\W*(\w+)")
_ITEM = re.compile(f"({BLOCK}[^\n{BLOCK}]*)\n")
_EDGE = re.compile(f"[{HOLE}{BLOCK}]|\n[ \t]*\n")


@dataclass(frozen=True, slots=True)
class OracleLink:
    """A link to an article.

    Args:
        title: normalised, without section.
        anchor: what is shown, the trail included, blanks and emphasis normalised.
        apart: why it is not in the running text (``"template"``, ``"table"``, …); empty if it is.
        position: where it stands in the wikitext.
        before: the word before it in the same paragraph; empty where there is none or where
            something was taken out between the two.
        after: the word after it.
        doubt: why mwparserfromhell may be wrong about it, by MediaWiki's rules; mostly empty.
    """

    title: str
    anchor: str
    apart: str
    position: int
    before: str = ""
    after: str = ""
    doubt: str = ""


def plain(text: str) -> str:
    """Text as it is compared: no emphasis, no invisible characters, single blanks."""
    text = _INVISIBLE.sub("", _QUOTES.sub("", text.replace(HOLE, "")))
    return " ".join(text.split())


def word_before(text: str) -> str:
    """The last word of a text; the least of it that says whether something was lost."""
    found = _BEFORE.search(_APOSTROPHES.sub("", text[-80:]))
    return found[1][-4:] if found else ""


def word_after(text: str) -> str:
    """The first word of a text, likewise."""
    found = _AFTER.match(_APOSTROPHES.sub("", text[:80]))
    return found[1][:4] if found else ""


@dataclass
class _Walk:
    """Goes through the nodes in the order of the text.

    Running text and links are collected; ``cursor`` follows the place in the wikitext.
    """

    source: str
    site: SiteInfo
    out: list[str] = field(default_factory=list)
    length: int = 0
    cursor: int = 0
    # (title, apart, doubt, position, start and end in the running text)
    found: list[tuple[str, str, str, int, int, int]] = field(default_factory=list)
    anchors: list[str] = field(default_factory=list)
    captions: int = 0

    def say(self, text: str) -> None:
        self.out.append(text)
        self.length += len(text)

    def code(self, code: Any, apart: str) -> int:
        """Walk through some wikicode; return how many links to articles were in it."""
        count = 0
        children: Sequence[Any] = getattr(code, "nodes", ())
        for number, node in enumerate(children):
            follows = children[number + 1] if number + 1 < len(children) else None
            count += self.node(node, follows, apart)
        return count

    def node(self, node: Any, follows: Any, apart: str) -> int:
        if isinstance(node, nodes.Wikilink):
            return self.link(node, follows, apart)
        if isinstance(node, nodes.Tag):
            return self.tag(node, apart)
        if isinstance(node, nodes.Text):
            self.say(str(node))
        elif isinstance(node, nodes.HTMLEntity):
            self.say(node.normalize() or "")
        elif isinstance(node, nodes.Comment):
            self.skip(str(node))
        elif isinstance(node, nodes.Template):
            parts: list[Any] = [node.name]
            for parameter in node.params:
                parts += [parameter.name if parameter.showkey else None, parameter.value]
            self.hidden(parts, apart or "template")
        elif isinstance(node, nodes.Argument):
            self.hidden([node.name, node.default], apart or "argument")
        elif isinstance(node, nodes.Heading):
            self.hidden([node.title], apart or "heading", BLOCK)
        elif isinstance(node, nodes.ExternalLink):
            if node.brackets and node.title is None:
                self.say(HOLE)
            else:
                return self.code(node.title if node.brackets else node.url, apart)
        return 0

    def hidden(self, parts: Sequence[Any], apart: str, mark: str = HOLE) -> None:
        """Walk through what is not shown here; only a mark is left in the running text."""
        kept, length, self.out = self.out, self.length, []
        for part in parts:
            self.code(part, apart)
        self.out, self.length = kept, length
        self.say(mark)

    def skip(self, text: str) -> None:
        """Nothing in this text is a link, even if it looks so."""
        place = self.source.find(text, self.cursor)
        if place >= 0:
            self.cursor = place + len(text)

    def tag(self, node: Any, apart: str) -> int:
        name = str(node.tag).strip().lower()
        if name in ("nowiki", "pre", "math", "source", "syntaxhighlight", "timeline", "gallery"):
            self.skip(str(node))
        if name in _APART:
            self.hidden([node.contents], apart or name, BLOCK if name == "table" else HOLE)
            return 0
        block = name in _BLOCKS or (node.wiki_markup or "") in ("----", "*", "#", ":", ";")
        edge = BLOCK if block else (" " if name == "br" else "")
        self.say(edge)
        count = self.code(node.contents, apart) if node.contents is not None else 0
        self.say(edge if node.contents else "")
        return count

    def link(self, node: Any, follows: Any, apart: str) -> int:
        position = self.source.find(str(node)[:200], self.cursor)
        if position < 0:
            position = self.cursor
        self.cursor = position + 2
        kind, title = lead(str(node.title), self.site)
        if "{{" in str(node.title) or "<!--" in str(node.title):
            kind, title = lead(_without(node.title), self.site)
            if "{{" in str(node.title):
                apart, title = apart or "computed title", str(node.title)
                kind = "article"
        if kind == "hidden":
            self.hidden([node.text], apart or "file or category")
            return 0
        slot = len(self.found)
        self.found.append(("", apart, "", position, 0, 0))
        self.anchors.append("")
        start, first = self.length, len(self.out)
        inner = 0
        self.captions += kind in ("unlisted", "foreign")
        doubt = FOREIGN if kind == "foreign" else UNLISTED if self.captions else ""
        if node.text is not None and str(node.text) != "":
            inner = self.code(node.text, apart)
        else:
            self.code(node.title, apart)
        if node.text is None and str(node.title).lstrip().startswith(":"):
            shown = "".join(self.out[first:]).lstrip(" ").removeprefix(":")
            del self.out[first:]
            self.length = start
            self.say(shown)
        self.captions -= kind in ("unlisted", "foreign")
        anchor, end = "".join(self.out[first:]), self.length
        if isinstance(follows, nodes.Text):
            found = trail_of(self.site.language).match(str(follows))
            trail = found[0] if found else ""
            anchor, end = anchor + trail, end + len(trail)
        if kind not in ("article", "unlisted", "foreign") or inner:
            return inner
        if not doubt and isinstance(follows, nodes.Text) and str(follows).startswith("]"):
            doubt = BRACKET if anchor.count("[") > anchor.count("]") else ""
        if not doubt and "<" in anchor:
            doubt = UNPARSED
        if not doubt and "-{" in anchor:
            doubt = VARIANT
        if not plain(anchor):
            apart = apart or ("anchor is a template" if HOLE in anchor else "blank anchor")
        self.found[slot] = (title, apart, doubt, position, start, end)
        self.anchors[slot] = plain(anchor)
        return 1


def _without(code: Any) -> str:
    """The text of a title without its comments."""
    return "".join(str(node) for node in code.nodes if not isinstance(node, nodes.Comment))


def oracle_links(wikitext: str, site: SiteInfo) -> list[OracleLink]:
    """All links to articles on a page, in running text or not, in order.

    Emphasis is not parsed (mwparserfromhell gives up whole stretches where it is not balanced);
    runs of apostrophes are dropped from what is compared.
    """
    source = wikitext.replace("\r\n", "\n")
    walk = _Walk(source, site)
    walk.code(mwparserfromhell.parse(source, skip_style_tags=True), "")
    # A list item ends with its line, a paragraph does not.
    text = _ITEM.sub(rf"\1{BLOCK}", "".join(walk.out))
    links = []
    layout = Layout(source)
    for (title, apart, doubt, position, start, end), anchor in zip(
        walk.found, walk.anchors, strict=True
    ):
        if not title:
            continue
        doubt = doubt or layout.doubt(position)
        before = _EDGE.split(text[max(0, start - 80) : start])[-1]
        after = _EDGE.split(text[end : end + 80], maxsplit=1)[0]
        links.append(
            OracleLink(
                title, anchor, apart, position,
                word_before(before), word_after(after), doubt,
            )
        )  # fmt: skip
    return links
