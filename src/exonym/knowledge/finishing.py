"""The last step of a build: sorted views of what was collected, and the look-ups."""

from __future__ import annotations

from collections import Counter

import numpy as np

from exonym.knowledge.joining import Joiner
from exonym.knowledge.tables import Column, group_starts, save_column, write_hash_index


def write_tables(joiner: Joiner) -> Counter[str]:
    """Write every table that is sorted by entity or relation, and the hash look-ups.

    Args:
        joiner: after all languages were joined; its string tables are closed here.

    Returns:
        The totals, by what is counted.
    """
    for table in (joiner.keys, joiner.titles, joiner.surfaces):
        table.__exit__(None, None, None)
    entities = len(joiner.keys)
    names = _write_names(joiner, entities)
    _write_articles(joiner, entities, names)
    triples = _write_triples(joiner, entities)
    for name in ("entities", "titles", "surfaces", "relations"):
        write_hash_index(joiner.directory, name)
    return Counter(
        {
            "entities": entities,
            "entities with an item": len(joiner.items),
            "titles": len(joiner.titles),
            "names": len(names),
            "links resolved": int(names[:, 3].sum()),
            "relations": len(joiner.relations),
            "triples": triples,
        }
    )


def _languages_of_rows(ends: list[int]) -> Column:
    """The language number of each row of a table whose languages end at ``ends``."""
    return np.repeat(np.arange(len(ends)), np.diff([0, *ends]))


def _write_names(joiner: Joiner, entities: int) -> Column:
    """Write names by surface and by entity.

    Returns:
        One row per name: entity, language, surface, count.
    """
    directory = joiner.directory
    starts = np.asarray(joiner.candidate_starts, "<i8")
    entity = np.asarray(joiner.candidate_entities, "<i8")
    count = np.asarray(joiner.candidate_counts, "<i8")
    save_column(directory, "candidates.start", starts, "<u8")
    save_column(directory, "candidates.entity", entity, "<u4")
    save_column(directory, "candidates.count", count, "<u4")
    surface = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    language = _languages_of_rows(joiner.surface_ends)
    order = np.lexsort((surface, -count, language, entity))
    save_column(directory, "names.start", group_starts(entity[order], entities), "<u8")
    save_column(directory, "names.language", language[order], "<u2")
    save_column(directory, "names.surface", surface[order], "<u4")
    save_column(directory, "names.count", count[order], "<u4")
    return np.stack([entity, language, surface, count], axis=1)


def _write_articles(joiner: Joiner, entities: int, names: Column) -> None:
    """Write titles, sitelinks by entity, and in which languages each entity occurs how often."""
    directory = joiner.directory
    of_title = np.asarray(joiner.title_entities, "<i8")
    rows = np.asarray(joiner.articles, "<i8")
    order = np.argsort(of_title[rows], kind="stable")
    save_column(directory, "titles.entity", of_title, "<u4")
    save_column(directory, "sitelinks.title", rows[order], "<u4")
    starts = group_starts(of_title[rows][order], entities)
    save_column(directory, "sitelinks.start", starts, "<u8")

    linked = names[names[:, 3] > 0]
    entity = np.concatenate([linked[:, 0], of_title[rows]])
    language = np.concatenate([linked[:, 1], _languages_of_rows(joiner.title_ends)[rows]])
    count = np.concatenate([linked[:, 3], np.zeros(len(rows), "<i8")])
    width = len(joiner.numbers)
    pairs, inverse = np.unique(entity * width + language, return_inverse=True)
    links = np.zeros(len(pairs), "<i8")
    np.add.at(links, inverse, count)
    save_column(directory, "occurrences.start", group_starts(pairs // width, entities), "<u8")
    save_column(directory, "occurrences.language", pairs % width, "<u2")
    save_column(directory, "occurrences.links", links, "<u4")
    total = np.zeros(entities, "<i8")
    np.add.at(total, pairs // width, links)
    save_column(directory, "entities.links", total, "<u4")


def _write_triples(joiner: Joiner, entities: int) -> int:
    """Write the triples sorted by subject, each once, and their order by relation and object."""
    directory = joiner.directory
    subject, relation, target = (np.asarray(column, "<i8") for column in joiner.triples)
    order = np.lexsort((target, relation, subject))
    rows = np.stack([subject, relation, target], axis=1)[order]
    first = np.ones(len(rows), bool)
    first[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    rows = rows[first]
    by_relation = np.argsort(rows[:, 1], kind="stable")
    save_column(directory, "triples.start", group_starts(rows[:, 0], entities), "<u8")
    save_column(directory, "triples.subject", rows[:, 0], "<u4")
    save_column(directory, "triples.relation", rows[:, 1], "<u4")
    save_column(directory, "triples.object", rows[:, 2], "<u4")
    save_column(directory, "triples.by_relation", by_relation, "<u4")
    starts = group_starts(rows[by_relation, 1], len(joiner.relations))
    save_column(directory, "relations.start", starts, "<u8")
    by_object = np.argsort(rows[:, 2], kind="stable")
    save_column(directory, "triples.by_object", by_object, "<u4")
    starts = group_starts(rows[by_object, 2], entities)
    save_column(directory, "triples.object_start", starts, "<u8")
    return len(rows)
