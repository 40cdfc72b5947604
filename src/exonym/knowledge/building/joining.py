"""The step ``items``: what says that pages of several languages are about one thing.

The Wikidata dump says it best, and with it come labels, facts and types. Without it the tables of
page properties name each page's item; without those the language links join pages, which stand
in a table of each wiki, and in the text of old dumps.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np

from exonym.foundation.files import JSON, write_json
from exonym.knowledge.building.items import ItemNumbers, number_items, write_no_items_tables
from exonym.knowledge.building.plan import Plan, read_plan
from exonym.knowledge.building.reading import Part, line_of, read_lines
from exonym.knowledge.building.redirects import resolve_redirects
from exonym.knowledge.building.unions import join_pages
from exonym.knowledge.tables import Column, StringTable, StringTableWriter
from exonym.wikimedia.langlinks import read_langlinks, read_page_items


def join_items(plan_file: Path, rank: int) -> None:
    """Number the things that have an item, or pages in several languages."""
    assert rank == 0
    plan = read_plan(plan_file)
    if plan.sources.wikidata:
        number_items(plan)
        return
    write_no_items_tables(plan)
    report = _by_page_items(plan) if plan.sources.page_items else _by_language_links(plan)
    write_json(plan.work / "items" / "report.json", report)


class _Pages:
    """The articles of all languages, numbered from 0, language by language in file order.

    Titles lie in tables on disk; page ids in memory.
    """

    def __init__(self, plan: Plan) -> None:
        self.languages = plan.languages
        folder = plan.work / "items"
        folder.mkdir(exist_ok=True)
        self.ids: list[Column] = []
        self.starts = [0]
        for language in plan.languages:
            ids = array("Q")
            with StringTableWriter(folder, f"pages-{language}") as table:
                for title, page in _articles(plan, language):
                    table.append(title)
                    ids.append(page)
            self.ids.append(np.asarray(ids, "<u8"))
            self.starts.append(self.starts[-1] + len(ids))
        self._tables = [StringTable(folder, f"pages-{language}") for language in plan.languages]

    def __len__(self) -> int:
        return self.starts[-1]

    def language_of(self, pages: Column) -> Column:
        """The number of each page's language."""
        return np.searchsorted(np.asarray(self.starts[1:]), pages, side="right")

    def title(self, language: int, page: int) -> str:
        """The title of a page."""
        return self._tables[language][page - self.starts[language]]

    def by_title(self, language: int) -> dict[str, int]:
        """The pages of a language."""
        table, start = self._tables[language], self.starts[language]
        return {title: start + n for n, title in enumerate(table.strings(0, len(table)))}

    def by_id(self, language: int) -> dict[int, int]:
        """The pages of a language by their ids in the wiki."""
        start = self.starts[language]
        return {page: start + n for n, page in enumerate(self.ids[language].tolist())}


def _articles(plan: Plan, language: str) -> Iterator[tuple[str, int]]:
    seen: set[str] = set()
    for rank in plan.parts_of(language):
        for title, page, *target in read_lines(Part(plan.part(rank)).titles):
            if not target and title not in seen:
                seen.add(title)
                yield title, page


def _by_page_items(plan: Plan) -> JSON:
    """Join pages that have the same item."""
    pages, counts = _Pages(plan), Counter[str]()
    found, items = array("Q"), array("Q")
    for number, language in enumerate(plan.languages):
        by_id = pages.by_id(number)
        for path in plan.sources.page_items.get(language, ()):
            for page, item in read_page_items(path, keep_going=plan.keep_going):
                if page in by_id:
                    found.append(by_id[page])
                    items.append(int(item[1:]))
                else:
                    counts["properties of pages left out"] += 1
    order = np.lexsort((found, items))
    groups = np.asarray(items, "<u8")[order].tolist()
    ordered = np.asarray(found, "<u8")[order].tolist()
    with ItemNumbers(plan) as numbers:
        for item, group in groupby(zip(groups, ordered, strict=True), key=lambda pair: pair[0]):
            sitelinks = _sitelinks(pages, [page for _, page in group], counts)
            numbers.add(f"Q{item}", sitelinks)
    return _report(len(numbers), "page properties", len(pages), counts)


def _sitelinks(pages: _Pages, group: list[int], counts: Counter[str]) -> dict[str, str]:
    """The titles of an item's pages by language; the first where there are several."""
    sitelinks: dict[str, str] = {}
    for page, language in zip(group, pages.language_of(np.asarray(group)).tolist(), strict=True):
        code = pages.languages[language]
        if code in sitelinks:
            counts["second pages of an item"] += 1
        else:
            sitelinks[code] = pages.title(language, page)
            counts["pages joined"] += 1
    return sitelinks


def _by_language_links(plan: Plan) -> JSON:
    """Join pages that language links lead between; at most one page of each language."""
    pages, counts = _Pages(plan), Counter[str]()
    _spill_language_links(plan, pages)
    ends: list[tuple[Column, Column]] = []
    for number, language in enumerate(plan.languages):
        ends.append(_resolved_language_links(plan, pages, number, language, counts))
    sources = np.concatenate([source for source, _ in ends])
    targets = np.concatenate([target for _, target in ends])
    groups = join_pages(sources, targets, pages.language_of, len(pages), counts)
    sizes = np.diff(pages.starts)
    by_size = sorted(range(len(sizes)), key=lambda number: (-sizes[number], number))
    with ItemNumbers(plan) as numbers:
        for group in groups:
            sitelinks = _sitelinks(pages, group, counts)
            codes = (plan.languages[number] for number in by_size)
            code = next(code for code in codes if code in sitelinks)
            numbers.add(f"{code}:{sitelinks[code]}", sitelinks)
    joined_by = "language links" if groups else None
    return _report(len(numbers), joined_by, len(pages), counts)


def _spill_language_links(plan: Plan, pages: _Pages) -> None:
    """Sort the language links of all wikis by the language that they lead to."""
    folder = plan.work / "items"
    spills = {code: (folder / f"to-{code}.jsonl").open("wb") for code in plan.languages}
    try:
        for number, language in enumerate(plan.languages):
            by_id = pages.by_id(number)
            for path in plan.sources.language_links.get(language, ()):
                for page, code, title in read_langlinks(
                    path, languages=plan.languages, keep_going=plan.keep_going
                ):
                    if page in by_id and code != language:
                        spills[code].write(line_of([by_id[page], title]))
            by_title = pages.by_title(number)
            for rank in plan.parts_of(language):
                for title, code, there in read_lines(Part(plan.part(rank)).language_links):
                    if code in spills and code != language and title in by_title:
                        spills[code].write(line_of([by_title[title], there]))
    finally:
        for stream in spills.values():
            stream.close()


def _resolved_language_links(
    plan: Plan, pages: _Pages, number: int, language: str, counts: Counter[str]
) -> tuple[Column, Column]:
    """The pages at the two ends of each link to a language."""
    by_title = pages.by_title(number)
    redirects = {
        title: target[0]
        for rank in plan.parts_of(language)
        for title, _, *target in read_lines(Part(plan.part(rank)).titles)
        if target and title not in by_title
    }
    by_title |= resolve_redirects(redirects, by_title).targets
    site = plan.sites[language]
    sources, targets = array("Q"), array("Q")
    for source, title in read_lines(plan.work / "items" / f"to-{language}.jsonl"):
        counts["language links"] += 1
        page = by_title.get(site.split_title(title)[1])
        if page is None:
            counts["language links to missing pages"] += 1
        else:
            sources.append(source)
            targets.append(page)
    return np.asarray(sources, "<u8"), np.asarray(targets, "<u8")


def _report(items: int, joined_by: str | None, pages: int, counts: Counter[str]) -> JSON:
    return {"items": items, "joined_by": joined_by, "pages": pages, **counts}
