"""The step ``read``: one part of a dump file becomes small files of what the later steps need.

A part depends on no other part, so parts can be made in any order and at the same time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import orjson

from exonym.foundation.compression import open_binary
from exonym.foundation.files import (
    atomic_directory,
    atomic_file,
    read_json,
    write_json,
)
from exonym.knowledge.building.plan import Plan, Reading, read_plan
from exonym.knowledge.languages import label_languages
from exonym.wikimedia.articles import Redirect, ScannedPage, scan_pages
from exonym.wikimedia.dump import open_dump
from exonym.wikimedia.siteinfo import SiteInfo
from exonym.wikimedia.wikidata import Item, ItemRedirect, Property, open_wikidata
from exonym.wikimedia.wikis import database_of_language, language_of_database

T = TypeVar("T")
FAST = 1
"""How hard files are compressed that are read once and deleted."""


@dataclass(slots=True)
class Part:
    """What was read of one part of a dump file.

    Args:
        path: its folder.
        counts: what was read, by what it is.
        skipped: what was left out, by reason.
    """

    path: Path
    counts: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def titles(self) -> Path:
        """Lines ``[title, page id]`` of an article, ``[title, 0, target]`` of a redirect."""
        return self.path / "titles.jsonl.zst"

    @property
    def articles(self) -> Path:
        """Lines ``[id, title, [[text, [[start, end, title], ...]], ...]]``."""
        return self.path / "articles.jsonl.zst"

    @property
    def language_links(self) -> Path:
        """Lines ``[title, language, title there]`` of the links that stand in the articles."""
        return self.path / "language_links.jsonl.zst"

    @property
    def items(self) -> Path:
        """Lines of kept items, properties, redirects and classes, as JSON objects."""
        return self.path / "items.jsonl.zst"

    @property
    def report(self) -> Path:
        """``counts`` and ``skipped``."""
        return self.path / "report.json"

    @classmethod
    def open(cls, path: Path) -> Part:
        """A part that `read_part` wrote."""
        report = read_json(path / "report.json")
        return cls(path, Counter(report["counts"]), Counter(report["skipped"]))


def read_lines(path: Path) -> Iterator[Any]:
    """The JSON values of one of a build's files."""
    with open_binary(path) as stream:
        for line in stream:
            yield orjson.loads(line)


def line_of(value: object) -> bytes:
    """A value as one line of a build's files."""
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


def read_part(plan_file: Path, rank: int) -> None:
    """Do one task of reading.

    Raises:
        FormatError: the dump is damaged and the plan does not keep going.
    """
    plan = read_plan(plan_file)
    reading = plan.readings[rank]
    with atomic_directory(plan.part(rank), overwrite=True) as folder:
        part = Part(folder)
        if reading.language is None:
            _read_wikidata(plan, reading, part)
        else:
            _read_wiki(plan, reading, part)
        write_json(part.report, {"counts": part.counts, "skipped": part.skipped})


def _read_wiki(plan: Plan, reading: Reading, part: Part) -> None:
    """Read the articles and redirects of a part of a Wikipedia dump."""
    with (
        atomic_file(part.titles, level=FAST) as titles,
        atomic_file(part.articles, level=FAST) as articles,
        atomic_file(part.language_links, level=FAST) as language_links,
        open_dump(reading.path, keep_going=plan.keep_going, span=reading.span) as reader,
    ):
        for page in scan_pages(reader):
            if isinstance(page, Redirect):
                part.counts["redirects"] += 1
                titles.write(line_of([page.title, 0, page.target]))
                continue
            part.counts["articles"] += 1
            part.counts["paragraphs"] += len(page.paragraphs)
            titles.write(line_of([page.title, page.id]))
            articles.write(line_of(article_line(page)))
            for language, title in page.language_links:
                if language in plan.sites:
                    language_links.write(line_of([page.title, language, title]))
        part.skipped.update(reader.skipped)


def article_line(page: ScannedPage) -> list[Any]:
    """An article as `Part.articles` holds it."""
    # Plain tuples: orjson writes no named ones.
    paragraphs = [(text, [tuple(link) for link in links]) for text, links in page.paragraphs]
    return [page.id, page.title, paragraphs]


def _read_wikidata(plan: Plan, reading: Reading, part: Part) -> None:
    """Read the properties, the items that have an article in one of the languages, and classes."""
    sites = plan.sites
    wanted = sorted({code for language in sites for code in label_languages(language)})
    with (
        atomic_file(part.items, level=FAST) as stream,
        open_wikidata(
            reading.path,
            languages=wanted,
            wikis=[database_of_language(language) for language in sites],
            ranks=plan.ranks,
            keep_going=plan.keep_going,
            span=reading.span,
        ) as reader,
    ):
        for record in reader:
            if isinstance(record, Property):
                part.counts["properties"] += 1
                labels = _by_wiki(record.labels, sites)
                stream.write(line_of({"property": record.id, "labels": labels}))
            elif isinstance(record, ItemRedirect):
                part.counts["item redirects"] += 1
                stream.write(line_of({"redirect": record.id, "target": record.target}))
            else:
                _write_item(record, sites, part, stream)
        # Those that the reader did not even look into are items all the same.
        part.counts["items"] += reader.skipped["no article in the languages"]
        part.skipped.update(reader.skipped)


def _write_item(item: Item, sites: Mapping[str, SiteInfo], part: Part, stream: Any) -> None:
    part.counts["items"] += 1
    if item.parents:
        # Kept of every item: what is a kind of what is known through items without an article.
        stream.write(line_of({"class": item.id, "parents": item.parents}))
    sitelinks = _article_sitelinks(item, sites, part.skipped)
    if not sitelinks:
        part.skipped["no article in the languages"] += 1
        return
    line = {
        "id": item.id,
        "sitelinks": sitelinks,
        "labels": _by_wiki(item.labels, sites),
        "aliases": _by_wiki(item.aliases, sites),
        "descriptions": _by_wiki(item.descriptions, sites),
        "claims": item.claims,
        "types": item.types,
    }
    stream.write(line_of(line))


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


def _by_wiki(texts: Mapping[str, T], sites: Mapping[str, SiteInfo]) -> dict[str, T]:
    """Texts by Wikipedia's language codes, from texts by Wikidata's."""
    found: dict[str, T] = {}
    for language in sites:
        for code in label_languages(language):
            if code in texts:
                found[language] = texts[code]
                break
    return found
