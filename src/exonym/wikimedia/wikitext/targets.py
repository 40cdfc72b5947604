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
from exonym.wikimedia.wikitext.marks import REMOVED

# Files are also known by their ending: siteinfo does not list a namespace's older names
# ("Bild:", "Imagem:", "Hình:"), which old pages still use.
_MEDIA_FILE = re.compile(
    r":[^:\n]*\.(?:jpe?g|png|gif|svg|tiff?|webp|xcf|pdf|djvu|og[agv]|opus|mp3|mp4|wav|flac|midi?"
    r"|webm|stl)\s*\Z",
    re.IGNORECASE,
)
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")


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
    if REMOVED in target:
        return LinkKind.TEXT, ""
    if "&" in target:
        target = html.unescape(target)
    if "%" in target and _PERCENT.search(target):
        target = urllib.parse.unquote(target)
    colon = target.find(":")
    if colon < 0:
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
    if colon_found and folded in PROJECT_PREFIXES:
        return LinkKind.TEXT, ""
    if not forced and _MEDIA_FILE.search(stripped):
        return LinkKind.HIDDEN, ""
    return _article(stripped, site)


def _article(target: str, site: SiteInfo) -> tuple[LinkKind, str]:
    key, title = site.split_title(target.partition("#")[0])
    if key != MAIN_NAMESPACE or not title:
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
