"""The step ``titles``: each page of a language gets its entity; redirects are followed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from exonym.foundation.files import atomic_directory, read_json, write_json
from exonym.knowledge.building.items import item_names
from exonym.knowledge.building.plan import Plan, read_plan
from exonym.knowledge.building.reading import Part, read_lines
from exonym.knowledge.building.redirects import resolve_redirects
from exonym.knowledge.tables import (
    StringTable,
    StringTableWriter,
    map_column,
    save_column,
    write_hashes,
)

STEP = "titles"


def write_titles(plan_file: Path, rank: int) -> None:
    """Do one language: write its titles with their entities, and its pages without an item.

    An entity is given as a number: an item's row, or, behind the items, the place of a page among
    the language's pages that no item belongs to. Those get their rows when all languages are
    counted (`TitleTable`).
    """
    plan = read_plan(plan_file)
    language = plan.languages[rank]
    counts: Counter[str] = Counter()
    with atomic_directory(plan.of_language(STEP, language), overwrite=True) as folder:
        entities = _item_titles(plan, language, counts)
        with StringTableWriter(folder, "keys") as keys:
            items = read_json(plan.work / "items" / "report.json")["items"]
            redirects, reports = _page_titles(plan, language, entities, keys, items, counts)
            new = len(keys)
        write_hashes(folder, "keys")
        resolved = resolve_redirects(redirects, entities)
        counts["redirects to missing pages"] = resolved.missing
        counts["redirects in a loop"] = resolved.loops
        counts["redirects resolved"] = len(resolved.targets)
        targets = entities | resolved.targets
        titles = sorted(targets)
        with StringTableWriter(folder, "titles") as table:
            for title in titles:
                table.append(f"{language}:{title}")
        write_hashes(folder, "titles")
        save_column(folder, "titles.entity", [targets[title] for title in titles], "<i8")
        articles = np.fromiter((title in entities for title in titles), bool, len(titles))
        save_column(folder, "titles.article", articles, "?")
        write_json(folder / "report.json", {"new": new, "counts": counts, "parts": reports})


def _item_titles(plan: Plan, language: str, counts: Counter[str]) -> dict[str, int]:
    entities: dict[str, int] = {}
    for row, title, _, _ in read_lines(item_names(plan, language)):
        if title is not None and entities.setdefault(title, row) != row:
            counts["sitelink of two items"] += 1
    counts["items with an article"] = len(entities)
    return entities


def _page_titles(
    plan: Plan,
    language: str,
    entities: dict[str, int],
    keys: StringTableWriter,
    items: int,
    counts: Counter[str],
) -> tuple[dict[str, str], dict[str, dict[str, object]]]:
    """Give each page an entity.

    Returns:
        The redirects that have no item of their own, and for each part, by its rank, how many of
        its articles and redirects were seen before and which articles, counted from 0.
    """
    redirects: dict[str, str] = {}
    pages: set[str] = set()
    reports: dict[str, dict[str, object]] = {}
    for rank in plan.parts_of(language):
        again: list[int] = []
        seen = Counter({"articles": 0, "redirects": 0})
        ordinal = -1
        for title, _, *target in read_lines(Part(plan.part(rank)).titles):
            ordinal += not target
            if title in pages:
                seen["redirects" if target else "articles"] += 1
                if not target:
                    again.append(ordinal)
                continue
            pages.add(title)
            if target and title not in entities:
                redirects[title] = target[0]
            elif target:
                counts["redirects with an item of their own"] += 1
            elif title not in entities:
                entities[title] = items + keys.append(f"{language}:{title}")
                counts["articles without an item"] += 1
        reports[str(rank)] = {**seen, "again": again}
    return redirects, reports


class TitleTable:
    """A language's titles, once all languages are counted.

    Args:
        plan: the build.
        language: whose titles.
        base: the row of the language's first page that no item belongs to.
        items: how many items there are.
    """

    def __init__(self, plan: Plan, language: str, base: int, items: int) -> None:
        self.folder = plan.of_language(STEP, language)
        self._table = StringTable(self.folder, "titles")
        numbers = map_column(self.folder, "titles.entity")
        self.entities = np.where(numbers < items, numbers, numbers - items + base)
        self.is_article = map_column(self.folder, "titles.article")
        self._prefix = len(language) + 1

    def __iter__(self) -> Iterator[tuple[str, int, bool]]:
        """Yield (title, entity row, whether it is an article and no redirect), sorted."""
        step = 1 << 16
        for start in range(0, len(self._table), step):
            stop = min(start + step, len(self._table))
            yield from zip(
                [title[self._prefix :] for title in self._table.strings(start, stop)],
                self.entities[start:stop].tolist(),
                self.is_article[start:stop].tolist(),
                strict=True,
            )


def first_rows(new: Sequence[int], items: int) -> list[int]:
    """The row of each language's first page without an item, and at the end the number of rows.

    Args:
        new: how many such pages each language has, in the order of the languages.
        items: how many items there are; they have the first rows.
    """
    return [items, *(items + np.cumsum(new)).tolist()]
