"""Links between the languages' pages about one thing, without the Wikidata dump.

They stand in two tables that Wikimedia publishes with each wiki's dump, ``langlinks`` (page,
language, title there) and ``page_props`` (page, item of Wikidata), and in the wikitext of dumps
from before 2013 (``[[de:Titel]]``).
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from urllib.parse import unquote as unquote_percent

from exonym.foundation.errors import FormatError
from exonym.wikimedia.siteinfo import MAIN_NAMESPACE, SiteInfo
from exonym.wikimedia.sql import read_rows, unquote
from exonym.wikimedia.wikis import WIKIPEDIA_LANGUAGES

# Prefixes that lead to a wiki whose database has another name.
_WIKI_OF_PREFIX = {
    "be-tarask": "be-x-old",
    "gsw": "als",
    "lzh": "zh-classical",
    "nan": "zh-min-nan",
    "nb": "no",
    "rup": "roa-rup",
    "sgs": "bat-smg",
    "vro": "fiu-vro",
    "yue": "zh-yue",
}
_LINK_START = re.compile(r"\[\[\s*([A-Za-z][A-Za-z-]{1,15})\s*:")
_LINK = re.compile(r"\[\[\s*([A-Za-z][A-Za-z-]{1,15})\s*:([^\[\]|{}<>\n]+)(?:\|[^\[\]\n]*)?\]\]")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_NOWIKI = re.compile(r"<nowiki\s*>.*?</nowiki>", re.DOTALL | re.IGNORECASE)
_NOWIKI_END = "</nowiki>"
_QID = re.compile(rb"[Qq][1-9][0-9]*")


def wiki_language(prefix: str) -> str:
    """The language of the Wikipedia that a link's prefix leads to, as its database names it."""
    code = prefix.lower()
    return _WIKI_OF_PREFIX.get(code, code)


def read_langlinks(
    path: Path,
    *,
    languages: Collection[str] | None = None,
    keep_going: bool = False,
    skipped: Counter[str] | None = None,
) -> Iterator[tuple[int, str, str]]:
    """The rows of a ``langlinks`` table.

    Args:
        path: ``<wiki>-<date>-langlinks.sql.gz``.
        languages: only links to the Wikipedias of these; None takes all.
        keep_going: count what is broken and go on.
        skipped: counts rows that are left out: ``"not UTF-8"`` (a title that the database cut
            within a character), ``"no title"``, ``"link to a section"``; and with
            ``keep_going`` ``"malformed"`` and ``"truncated"``.

    Yields:
        (page id, language, title there with its namespace), blanks instead of underscores.

    Raises:
        InputError: the file cannot be opened.
        FormatError: it is damaged, or has no such table.
    """
    counts = Counter[str]() if skipped is None else skipped
    wanted = None if languages is None else frozenset(languages)
    known: dict[bytes, str | None] = {}
    columns = ("ll_from", "ll_lang", "ll_title")
    rows = read_rows(path, "langlinks", columns, keep_going=keep_going, skipped=counts)
    for page, prefix, quoted in rows:
        if prefix in known:
            language = known[prefix]
        else:
            code = wiki_language((unquote(prefix) or b"").decode(errors="replace"))
            language = known[prefix] = code if wanted is None or code in wanted else None
        if language is None:
            continue
        try:
            title = _title((unquote(quoted) or b"").decode())
        except UnicodeDecodeError:
            counts["not UTF-8"] += 1
            continue
        if not title:
            counts["no title"] += 1
        elif "#" in title:
            counts["link to a section"] += 1
        else:
            yield _page_id(page, path), language, title


def read_page_items(
    path: Path, *, keep_going: bool = False, skipped: Counter[str] | None = None
) -> Iterator[tuple[int, str]]:
    """The items of a wiki's pages, from its ``page_props`` table.

    Args:
        path: ``<wiki>-<date>-page_props.sql.gz``.
        keep_going: count what is broken and go on.
        skipped: counts rows that are left out: ``"impossible id"``, and with ``keep_going``
            ``"malformed"`` and ``"truncated"``.

    Yields:
        (page id, QID)

    Raises:
        InputError: the file cannot be opened.
        FormatError: it is damaged, or has no such table.
    """
    counts = Counter[str]() if skipped is None else skipped
    columns = ("pp_page", "pp_propname", "pp_value")
    rows = read_rows(path, "page_props", columns, keep_going=keep_going, skipped=counts)
    for page, name, value in rows:
        if not name.endswith(b"'wikibase_item'"):
            continue
        item = unquote(value) or b""
        if _QID.fullmatch(item):
            yield _page_id(page, path), item.decode().upper()
        else:
            counts["impossible id"] += 1


def _page_id(value: bytes, path: Path) -> int:
    if not value.isdigit() or len(value) > 18:
        raise FormatError(f"{value[:40].decode(errors='replace')} is no page id", where=path)
    return int(value)


def language_links(wikitext: str, site: SiteInfo) -> list[tuple[str, str]]:
    """The links to the same page in other languages that stand in a page's wikitext.

    Args:
        wikitext: of one page.
        site: the page's wiki.

    Returns:
        (language, title there) in the order of the page, the first of each language, as
        MediaWiki takes them. Links that only name another language (``[[:de:Titel]]``), links
        to a section and what stands in comments and ``<nowiki>`` are none.
    """
    if not any(_leads_abroad(match[1], site) for match in _LINK_START.finditer(wikitext)):
        return []
    found: dict[str, str] = {}
    for match in _LINK.finditer(_visible(wikitext)):
        if not _leads_abroad(match[1], site):
            continue
        title = match[2]
        if "&" in title:
            title = html.unescape(title)
        if "%" in title:
            title = unquote_percent(title)
        title = _title(title)
        if title and "#" not in title:
            found.setdefault(wiki_language(match[1]), title)
    return list(found.items())


def _leads_abroad(prefix: str, site: SiteInfo) -> bool:
    code = prefix.lower()
    return (
        code in WIKIPEDIA_LANGUAGES
        and wiki_language(code) != site.language
        and site.split_title(f"{prefix}:x")[0] == MAIN_NAMESPACE
    )


def _visible(wikitext: str) -> str:
    """The wikitext without comments and ``<nowiki>``; in linear time, whatever is not closed."""
    if "<!--" in wikitext:
        wikitext = _COMMENT.sub("", wikitext)
    # An opening tag without an end is text. Before the last end there is none.
    end = wikitext.lower().rfind(_NOWIKI_END)
    if end < 0:
        return wikitext
    # Lowering a few letters changes their number; then the border may be a bit off, no more.
    end += len(_NOWIKI_END)
    return _NOWIKI.sub("", wikitext[:end]) + wikitext[end:]


def _title(title: str) -> str:
    return " ".join(title.replace("_", " ").split())
