"""The step ``finish``: the languages' tables become one, with views sorted by entity."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from exonym.foundation.files import read_json
from exonym.knowledge.building.links import STEP as LINKS
from exonym.knowledge.building.occurrences import STEP as OCCURRENCES
from exonym.knowledge.building.plan import Plan
from exonym.knowledge.building.titles import STEP as TITLES
from exonym.knowledge.building.titles import TitleTable, first_rows
from exonym.knowledge.tables import (
    Column,
    StringTable,
    group_starts,
    join_tables,
    map_column,
    save_column,
    write_hash_index,
)


def write_tables(plan: Plan) -> dict[str, int]:
    """Write every table that is of all languages.

    Returns:
        The totals, by what is counted.
    """
    tables = plan.tables
    titles = [plan.of_language(TITLES, language) for language in plan.languages]
    links = [plan.of_language(LINKS, language) for language in plan.languages]
    items = read_json(plan.work / "items" / "report.json")["items"]
    bases = first_rows([read_json(folder / "report.json")["new"] for folder in titles], items)
    join_tables(tables, "entities", [plan.work / "items", *titles], "keys")
    join_tables(tables, "titles", titles, "titles")
    join_tables(tables, "surfaces", links, "surfaces")
    write_hash_index(tables, "relations")
    write_hash_index(tables, "classes")
    links_by_language = _write_names(tables, links, bases[-1])
    _write_surfaces(plan, tables, links)
    _write_articles(plan, bases, links_by_language)
    triples = _write_triple_starts(tables, bases[-1])
    return {
        "entities": bases[-1],
        "entities with an item": items,
        "titles": len(StringTable(tables, "titles")),
        "names": len(map_column(tables, "names.count")),
        "links resolved": int(map_column(tables, "entities.links").sum(dtype=np.int64)),
        "relations": len(StringTable(tables, "relations")),
        "triples": triples,
        "classes": len(StringTable(tables, "classes")),
    }


def _joined(parts: list[Path], name: str) -> Column:
    return np.concatenate([map_column(part, name) for part in parts])


def _write_names(tables: Path, links: list[Path], entities: int) -> tuple[Column, Column]:
    """Write names by surface and by entity.

    Returns:
        For each pair of an entity and a language in which it is linked, ascending:
        entity · languages + language; the number of links.
    """
    starts, before = [np.zeros(1, "<u8")], np.uint64(0)
    for folder in links:
        ends = map_column(folder, "candidates.start") + before
        starts.append(ends[1:])
        before = ends[-1]
    start = np.concatenate(starts)
    save_column(tables, "candidates.start", start, "<u8")
    entity = _joined(links, "candidates.entity")
    count = _joined(links, "candidates.count")
    kinds = _joined(links, "candidates.kinds")
    save_column(tables, "candidates.entity", entity, "<u4")
    save_column(tables, "candidates.count", count, "<u4")
    save_column(tables, "candidates.kinds", kinds, "<u1")

    sizes = [len(map_column(folder, "candidates.entity")) for folder in links]
    language = np.repeat(np.arange(len(links), dtype="<u2"), sizes)
    surface = np.repeat(np.arange(len(start) - 1, dtype="<u4"), np.diff(start).astype(np.int64))
    order = _by_entity(entity, language, count)
    save_column(tables, "names.start", group_starts(entity[order], entities), "<u8")
    save_column(tables, "names.language", language[order], "<u2")
    save_column(tables, "names.surface", surface[order], "<u4")
    save_column(tables, "names.count", count[order], "<u4")
    save_column(tables, "names.kinds", kinds[order], "<u1")

    order = order[count[order] > 0]
    pairs = entity[order].astype(np.int64) * len(links) + language[order]
    unique, first = np.unique(pairs, return_index=True)
    sums = np.add.reduceat(count[order], first, dtype=np.int64) if len(unique) else unique
    return unique, sums


def _by_entity(entity: Column, language: Column, count: Column) -> Column:
    """The order by entity, language, most counted first, then as they come.

    One sort of a 64-bit key where the three fit into it: a third of the memory of three sorts.
    """
    most = int(count.max(initial=0))
    bits = [int(column.max(initial=0)).bit_length() for column in (entity, language)]
    if sum(bits) + most.bit_length() <= 64:
        key = entity.astype(np.uint64)
        for column, width in ((language, bits[1]), (most - count, most.bit_length())):
            key = (key << np.uint64(width)) | column.astype(np.uint64)
        return np.argsort(key, kind="stable")
    return np.lexsort((most - count, language, entity))


def _write_surfaces(plan: Plan, tables: Path, links: list[Path]) -> None:
    """Write how often each name occurs, and where each language's names begin."""
    folders = [plan.of_language(OCCURRENCES, language) for language in plan.languages]
    save_column(tables, "surfaces.occurrences", _joined(folders, "occurrences"), "<u8")
    sizes = [len(StringTable(folder, "surfaces")) for folder in links]
    save_column(tables, "surfaces.language_start", [0, *np.cumsum(sizes).tolist()], "<u8")


def _write_articles(plan: Plan, bases: list[int], linked: tuple[Column, Column]) -> None:
    """Write titles, sitelinks by entity, and in which languages each entity occurs how often."""
    tables, entities, width = plan.tables, bases[-1], len(plan.languages)
    of_title, rows, languages, starts = [], [], [], [0]
    before = 0
    for number, language in enumerate(plan.languages):
        table = TitleTable(plan, language, bases[number], bases[0])
        of_title.append(table.entities.astype("<u4"))
        articles = np.flatnonzero(table.is_article)
        rows.append((before + articles).astype("<u4"))
        languages.append(np.full(len(articles), number, "<u2"))
        before += len(table.entities)
        starts.append(before)
    save_column(tables, "titles.language_start", starts, "<u8")
    entity, row = np.concatenate(of_title), np.concatenate(rows)
    order = np.argsort(entity[row], kind="stable")
    save_column(tables, "titles.entity", entity, "<u4")
    save_column(tables, "sitelinks.title", row[order], "<u4")
    save_column(tables, "sitelinks.start", group_starts(entity[row][order], entities), "<u8")

    pairs, links = linked
    written = entity[row].astype(np.int64) * width + np.concatenate(languages)
    occurring = np.union1d(pairs, written)
    counts = np.zeros(len(occurring), "<i8")
    counts[np.searchsorted(occurring, pairs)] = links
    owners = occurring // width
    save_column(tables, "occurrences.start", group_starts(owners, entities), "<u8")
    save_column(tables, "occurrences.language", occurring % width, "<u2")
    save_column(tables, "occurrences.links", counts, "<u4")
    total = np.zeros(entities, "<i8")
    np.add.at(total, owners, counts)
    save_column(tables, "entities.links", total, "<u4")


def _write_triple_starts(tables: Path, entities: int) -> int:
    subject = map_column(tables, "triples.subject")
    target = map_column(tables, "triples.object")
    by_object = map_column(tables, "triples.by_object")
    save_column(tables, "triples.start", group_starts(subject, entities), "<u8")
    save_column(tables, "triples.object_start", group_starts(target[by_object], entities), "<u8")
    return len(subject)


def language_counts(plan: Plan) -> dict[str, dict[str, int]]:
    """What was counted in each language."""
    found = {}
    for language in plan.languages:
        report = read_json(plan.of_language(LINKS, language) / "report.json")
        found[language] = dict(sorted(report["counts"].items()))
    return found
