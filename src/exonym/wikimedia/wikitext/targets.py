"""What a link leads to: an article, a file, a category, another wiki."""

from __future__ import annotations

import enum
import html
import re
import urllib.parse

from exonym.wikimedia.siteinfo import (
    CATEGORY_NAMESPACE,
    FILE_NAMESPACE,
    MAIN_NAMESPACE,
    SiteInfo,
)
from exonym.wikimedia.wikis import PROJECT_PREFIXES, WIKIPEDIA_LANGUAGES
from exonym.wikimedia.wikitext.interwiki import OUTSIDE_PREFIXES
from exonym.wikimedia.wikitext.marks import REMOVED, STOP

# Files are also known by their ending: siteinfo does not list a namespace's older names
# ("Bild:", "Imagem:", "Hình:"), which old pages still use.
_MEDIA_FILE = re.compile(
    r":[^:\n]*\.(?:jpe?g|png|gif|svg|tiff?|webp|xcf|pdf|djvu|og[agv]|opus|mp3|mp4|wav|flac|midi?"
    r"|webm|stl)\s*\Z",
    re.IGNORECASE,
)
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_URL = re.compile(r"\s*(?:[a-z]{3,6}:)?//")
# Relative paths and signatures are no titles.
_NO_TITLE = re.compile(r"~~~|(?:\A|/)\.\.?(?:/|\Z)")
# What makes a target more than a plain title: a prefix, a section, an escape, an odd blank, an
# invisible mark, a path.
_ODD = re.compile(
    "[:#%&_~\x00-\x1f\x7f\u00a0\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u2069\u3000"
    "\ufdd0-\ufdef]|  |//|\\.\\.?(?:/|\\Z)"
)
_CACHED = 1 << 16


class LinkKind(enum.Enum):
    """What happens to a link."""

    ARTICLE = "article"
    """Leads to an article: its text is shown and the link is kept."""
    TEXT = "text"
    """Leads elsewhere: its text is shown, the link is not kept."""
    HIDDEN = "hidden"
    """A file, category or language link: nothing is shown in the running text."""


def classify(target: str, site: SiteInfo) -> tuple[LinkKind, str]:
    """Find out what a link leads to.

    Args:
        target: what stands before the first pipe, as written.
        site: the wiki that the link stands in.

    Returns:
        (kind, normalised title without section); the title is empty unless it is an article
    """
    if REMOVED in target or STOP in target:
        return LinkKind.TEXT, ""
    if "&" in target:
        target = html.unescape(target)
    if "%" in target and _PERCENT.search(target):
        target = urllib.parse.unquote(target)
    if "//" in target and _URL.match(target):
        return LinkKind.TEXT, ""
    if ":" not in target:
        return _article(target, site)
    stripped = target.lstrip(" _\n")
    forced = stripped.startswith(":")
    if forced:
        stripped = stripped.lstrip(": _")
    prefix, colon_found, _ = stripped.partition(":")
    key = site.namespace_key(prefix) if colon_found else None
    if key is not None:
        # A known namespace: shown as text, unless it is a file or category of this page.
        hidden = key in (FILE_NAMESPACE, CATEGORY_NAMESPACE) and not forced
        return (LinkKind.HIDDEN if hidden else LinkKind.TEXT), ""
    folded = prefix.strip(" _").lower()
    if colon_found and folded in WIKIPEDIA_LANGUAGES:
        return (LinkKind.TEXT if forced else LinkKind.HIDDEN), ""
    if colon_found and (folded in PROJECT_PREFIXES or folded in OUTSIDE_PREFIXES):
        return LinkKind.TEXT, ""
    if not forced and _MEDIA_FILE.search(stripped):
        return LinkKind.HIDDEN, ""
    return _article(stripped, site)


def _article(target: str, site: SiteInfo) -> tuple[LinkKind, str]:
    key, title = site.split_title(target.partition("#")[0])
    if key != MAIN_NAMESPACE or not title or _NO_TITLE.search(title):
        return LinkKind.TEXT, ""
    return LinkKind.ARTICLE, title


def pipe_trick(target: str) -> str:
    """What ``[[target|]]`` shows: no namespace, no bracketed addition, nothing after a comma."""
    shown = target.strip()
    head, colon, rest = shown.partition(":")
    if colon and rest.strip():
        shown = rest.strip() if head.strip() or rest else shown
    without = re.sub(r"\s*[(（][^()（）]*[)）]\s*\Z", "", shown)
    if without == shown:
        without = re.split(r"[,，、]\s", shown, maxsplit=1)[0]
    return without.strip() or shown


class Targets:
    """The links of one wiki; each target is looked at once.

    Attributes:
        known: by target as written: (normalised title or nothing, what the link shows that has
            no text of its own).
    """

    def __init__(self, site: SiteInfo) -> None:
        self._site = site
        self.known: dict[str, tuple[str, str]] = {}
        self._capitals: dict[str, str] = {}
        self._prefixes: dict[str, LinkKind] = {}

    def look_up(self, target: str) -> tuple[str, str]:
        """The entry of `known`, made where it does not exist yet."""
        found = self.known.get(target)
        if found is None:
            if len(self.known) >= _CACHED:
                self.known.clear()
            found = self._plain(target) or self._any(target)
            self.known[target] = found
        return found

    def _plain(self, target: str) -> tuple[str, str] | None:
        """The same as `_any` in less time, if the target is nothing but a title."""
        title = target.strip(" ")
        if not title or _ODD.search(title):
            return None
        first = title[0]
        capital = self._capitals.get(first)
        if capital is None:
            capital = self._capitals[first] = self._site.split_title(first)[1]
        return capital + title[1:], target

    def _any(self, target: str) -> tuple[str, str]:
        kind, title = classify(target, self._site)
        if kind is LinkKind.HIDDEN:
            return "", ""
        if not title and _URL.match(target):
            # "[[http://a.b text]]" is an external link in brackets.
            return "", target.lstrip().partition(" ")[2]
        return title, target.removeprefix(":")

    def hides(self, target: str) -> bool:
        """Whether nothing is shown of a link with a colon: a file, a category, another language."""
        prefix = target[: target.index(":") + 1]
        kind = self._prefixes.get(prefix)
        if kind is None:
            if len(self._prefixes) >= _CACHED:
                self._prefixes.clear()
            # "x" stands for any name: most prefixes decide by themselves.
            kind = self._prefixes[prefix] = classify(f"{prefix}x", self._site)[0]
        if kind is LinkKind.ARTICLE:
            kind = classify(target, self._site)[0]
        return kind is LinkKind.HIDDEN
