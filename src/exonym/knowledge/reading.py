"""Reading one dump file into a part: small files of what the later steps need, in file order.

A part does not depend on any other file, so parts can be made in parallel and in any order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import orjson

from exonym.foundation.files import atomic_file, open_binary
from exonym.knowledge.languages import label_languages
from exonym.knowledge.sources import WikiDump
from exonym.wikimedia.articles import Article, Redirect, read_articles
from exonym.wikimedia.dump import open_dump
from exonym.wikimedia.siteinfo import SiteInfo
from exonym.wikimedia.wikidata import Item, Property, open_wikidata
from exonym.wikimedia.wikis import language_of_database

PROGRESS_EVERY = 100
Advance = Callable[[int], None]
T = TypeVar("T")


@dataclass(slots=True)
class Part:
    """What was read of one dump file.

    Args:
        name: the dump's file name.
        path: the part's files begin with this path.
        language: the wiki's language; None for Wikidata.
        counts: what was read, by what it is.
        skipped: what was left out, by reason.
    """

    name: str
    path: Path
    language: str | None
    counts: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def titles(self) -> Path:
        """Lines ``[title]`` of an article and ``[title, target]`` of a redirect."""
        return self.path.with_name(f"{self.path.name}-titles.jsonl.zst")

    @property
    def articles(self) -> Path:
        """Lines ``[id, title, [[text, [[start, end, title], ...]], ...]]``."""
        return self.path.with_name(f"{self.path.name}-articles.jsonl.zst")

    @property
    def items(self) -> Path:
        """Lines of kept items and of properties, as JSON objects."""
        return self.path.with_name(f"{self.path.name}-items.jsonl.zst")


def read_lines(path: Path) -> Iterator[Any]:
    """The JSON values of one of a part's files."""
    with open_binary(path) as stream:
        for line in stream:
            yield orjson.loads(line)


def _line(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


def read_wiki(dump: WikiDump, path: Path, *, keep_going: bool, advance: Advance) -> Part:
    """Read the articles and redirects of a Wikipedia dump.

    Args:
        dump: the file.
        path: where the part's files go; their names are this path and an ending.
        keep_going: count what cannot be read instead of raising an error.
        advance: told how many more pages were read.

    Raises:
        FormatError: the dump is damaged and ``keep_going`` is false.
    """
    part = Part(dump.path.name, path, dump.language)
    since = 0
    with (
        atomic_file(part.titles) as titles,
        atomic_file(part.articles) as articles,
        open_dump(dump.path, keep_going=keep_going) as reader,
    ):
        for page in read_articles(reader):
            if isinstance(page, Redirect):
                part.counts["redirects"] += 1
                titles.write(_line([page.title, page.target]))
            else:
                part.counts["articles"] += 1
                part.counts["paragraphs"] += len(page.paragraphs)
                titles.write(_line([page.title]))
                articles.write(_line(_article_line(page)))
            since += 1
            if since == PROGRESS_EVERY:
                advance(since)
                since = 0
        part.skipped.update(reader.skipped)
    advance(since)
    return part


def _article_line(article: Article) -> list[Any]:
    paragraphs = [
        [
            paragraph.text,
            # The title of a title key is what follows the first colon.
            [[m.start, m.end, (m.entity or "").partition(":")[2]] for m in paragraph.mentions],
        ]
        for paragraph in article.paragraphs
    ]
    return [article.id, article.title, paragraphs]


def read_wikidata(
    dump: Path, path: Path, sites: Mapping[str, SiteInfo], *, keep_going: bool, advance: Advance
) -> Part:
    """Read the properties, and the items that have an article in one of the languages.

    Args:
        dump: the file.
        path: where the part's file goes; its name is this path and an ending.
        sites: the languages, each with the wiki that knows its namespaces.
        keep_going: count what cannot be read instead of raising an error.
        advance: told how many more items were read.

    Raises:
        FormatError: the dump is damaged and ``keep_going`` is false.
    """
    part = Part(dump.name, path, None)
    wanted = sorted({code for language in sites for code in label_languages(language)})
    since = 0
    with (
        atomic_file(part.items) as stream,
        open_wikidata(dump, languages=wanted, keep_going=keep_going) as reader,
    ):
        for record in reader:
            if isinstance(record, Property):
                part.counts["properties"] += 1
                labels = _by_wiki(record.labels, sites)
                stream.write(_line({"property": record.id, "labels": labels}))
            else:
                part.counts["items"] += 1
                sitelinks = _article_sitelinks(record, sites, part.skipped)
                if sitelinks:
                    stream.write(_line(_item_line(record, sitelinks, sites)))
                else:
                    part.skipped["no article in the languages"] += 1
            since += 1
            if since == PROGRESS_EVERY:
                advance(since)
                since = 0
        part.skipped.update(reader.skipped)
    advance(since)
    return part


def _article_sitelinks(
    item: Item, sites: Mapping[str, SiteInfo], skipped: Counter[str]
) -> dict[str, str]:
    sitelinks: dict[str, str] = {}
    for database, title in item.sitelinks.items():
        language = language_of_database(database)
        if language is None or language not in sites:
            continue
        namespace, bare = sites[language].split_title(title)
        if namespace != 0 or not bare:
            skipped["sitelink outside the article namespace"] += 1
        else:
            sitelinks[language] = bare
    return sitelinks


def _item_line(item: Item, sitelinks: dict[str, str], sites: Mapping[str, SiteInfo]) -> object:
    return {
        "id": item.id,
        "sitelinks": sitelinks,
        "labels": _by_wiki(item.labels, sites),
        "aliases": _by_wiki(item.aliases, sites),
        "descriptions": _by_wiki(item.descriptions, sites),
        "claims": item.claims,
    }


def _by_wiki(texts: Mapping[str, T], sites: Mapping[str, SiteInfo]) -> dict[str, T]:
    """Texts by Wikipedia's language codes, from texts by Wikidata's."""
    found: dict[str, T] = {}
    for language in sites:
        for code in label_languages(language):
            if code in texts:
                found[language] = texts[code]
                break
    return found
