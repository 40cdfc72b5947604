"""An entity vocabulary that grows: the old rows stay, new entities and names come behind them.

A model's entity table can go on only with a vocabulary whose rows mean what they meant. What is
hard is to see that an entity has a row already: released vocabularies know titles of 24 languages
and no items, knowledge bases call entities by their items. So each old row is matched with the
entity that its item, or most of its titles, lead to.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from exonym.foundation.errors import ConfigError
from exonym.foundation.files import atomic_directory
from exonym.knowledge.tables import map_column
from exonym.knowledge.vocabulary_building import choose_entities
from exonym.knowledge.vocabulary_selection import SHOWN_FROM, kept_names, rank_of
from exonym.knowledge.vocabulary_writing import (
    KEY,
    VocabularyRow,
    VocabularyWriter,
    is_item,
    languages_of,
    names_of,
    shown,
)

if TYPE_CHECKING:
    from exonym.knowledge.base import KnowledgeBase
    from exonym.knowledge.vocabulary import EntityVocabulary

_DECIDES = 1 << 20  # an item weighs more than all titles of a row
_BATCH = 1 << 14
_BLOCK = 1 << 24

Int64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class NewEntities:
    """Which entities of a knowledge base get a new row; the fields are `EntityVocabulary.build`'s.

    Args:
        size: how many at most; None takes all, 0 none.
        min_languages: in how many languages an entity must have an article or be linked.
        min_links: how many links must lead to it.
        languages: count links and languages among these only; None counts all.
        types: only instances of these classes; None takes all.
    """

    size: int | None = None
    min_languages: int = 1
    min_links: int = 1
    languages: Collection[str] | None = None
    types: Collection[str] | None = None

    def __post_init__(self) -> None:
        if self.size is not None and self.size < 0:
            raise ConfigError(f"size must be at least 0, got {self.size}")


@dataclass(frozen=True, slots=True)
class Matches:
    """Which old rows stand for which entities of a knowledge base.

    Args:
        rows: (matches,) old rows, ascending.
        entities: (matches,) the entity of each, a row of the knowledge base; none comes twice.
        without_item: those of ``rows`` that have no item among their names.
        taken: how many rows lead only to entities for which another row stands.
        unknown: how many rows lead to no entity.
    """

    rows: Int64
    entities: Int64
    without_item: frozenset[int]
    taken: int
    unknown: int


def extend_vocabulary(
    old: EntityVocabulary,
    kb: KnowledgeBase,
    out: Path,
    wanted: NewEntities,
    *,
    overwrite: bool = False,
) -> None:
    """Write a vocabulary that begins with another's rows; see `EntityVocabulary.extended`.

    An old row is an entity's if it has its item, or, where it has none that the knowledge base
    knows, if most of its titles lead to the entity. So rows that are known by titles only, as in
    the released vocabularies, get their items, and nobody gets a second row. A title that leads to
    another row stays there. The manifest counts all of it under ``extension``.
    """
    matches = match_rows(old, kb)
    entities = _named(old)
    if entities and not len(matches.rows):
        raise ConfigError(
            f"none of the vocabulary's {entities:,} entities is known to the knowledge base "
            f"{kb.path}, so each would get a second row",
            where=old.path,
            remedy="Build the knowledge base with dumps of Wikidata, or of a language in which "
            f"the vocabulary has titles ({', '.join(old.languages) or 'it has none'})",
        )
    chosen, left_out = choose_entities(
        kb,
        size=wanted.size,
        min_languages=wanted.min_languages,
        min_links=wanted.min_links,
        languages=wanted.languages,
        types=wanted.types,
        known=matches.entities,
    )
    with_new_key = _rows_with_new_key(old, kb, matches)
    reasons = ("names gained", "titles that an old row has", "entities whose key an old row has")
    counts = Counter(dict.fromkeys(reasons, 0))
    links = array("I", (old.count(row) for row in range(len(old))))
    with atomic_directory(out, overwrite=overwrite) as directory:
        writer = VocabularyWriter(directory)
        total = old.names_count
        with shown("Extending the entity vocabulary", total, "names", least=SHOWN_FROM) as progress:
            # The old names come first and in their order: so it is quickly seen, later, that the
            # old rows are what they were (`changed_name`).
            everything = np.arange(len(old))
            for names, rows, ranks, seen in kept_names(old, everything, None, with_new_key):
                writer.add(names, rows, ranks)
                progress.advance(seen)
        gained = _gained(old, kb, matches, with_new_key)
        while batch := list(islice(gained, _BATCH)):
            names, rows, ranks = (list(column) for column in zip(*batch, strict=True))
            writer.add(names, rows, ranks)
            counts["names gained"] += len(batch)
        _add_new(writer, old, chosen, links, counts)
        writer.finish(
            rows=len(links),
            links=links,
            extension={
                "rows kept": len(old),
                "rows added": len(links) - len(old),
                "entities known": len(matches.rows),
                "entities not in the knowledge base": matches.unknown,
                "entities that another row has": matches.taken,
                "items gained": len(with_new_key),
                "names kept": old.names_count,
                **counts,
            },
            options={
                "size": wanted.size,
                "min_languages": wanted.min_languages,
                "min_links": wanted.min_links,
                "languages": None if wanted.languages is None else sorted(wanted.languages),
                "types": None if wanted.types is None else sorted(wanted.types),
            },
            left_out=left_out,
        )


def match_rows(old: EntityVocabulary, kb: KnowledgeBase) -> Matches:
    """Find the entity that each row of a vocabulary stands for.

    It is the one that the row's item names; where the knowledge base has no such item, the one
    that most of the row's titles lead to (redirects are followed), of several the first. Where
    several rows lead to one entity, the one with its item has it, else the one with the most
    titles, else the first.
    """
    hits = _hits(old, kb)
    pairs, first, inverse = np.unique(
        hits.rows * len(kb) + hits.entities, return_index=True, return_inverse=True
    )
    votes = np.bincount(inverse, np.where(hits.by_item, _DECIDES, 1), len(pairs)).astype(np.int64)
    row, entity = pairs // len(kb), pairs % len(kb)
    best = _first_of_each(row, np.lexsort((first, -votes, row)))
    row, entity, votes = row[best], entity[best], votes[best]
    having = np.sort(_first_of_each(entity, np.lexsort((row, -votes, entity))))
    return Matches(
        rows=row[having],
        entities=entity[having],
        without_item=frozenset(row[having][~hits.has_item[row[having]]].tolist()),
        taken=len(row) - len(having),
        unknown=_named(old) - len(row),
    )


@dataclass(frozen=True, slots=True)
class _Hits:
    """The names that a knowledge base knows, of rows that are not special.

    Args:
        rows: (names,) the row of each.
        entities: (names,) the entity it leads to.
        by_item: (names,) whether the name is an item.
        has_item: (rows of the vocabulary,) whether a row has an item, known or not.
    """

    rows: Int64
    entities: Int64
    by_item: NDArray[np.bool_]
    has_item: NDArray[np.bool_]


def _hits(old: EntityVocabulary, kb: KnowledgeBase) -> _Hits:
    special, has_item = np.zeros((2, len(old)), np.bool_)
    special[list(old.special_rows)] = True
    parts: list[tuple[Int64, Int64, NDArray[np.bool_]]] = []
    for names, stored in old.names_in_order():
        rows, entities = stored.astype(np.int64), kb.rows(names)
        items = np.fromiter(map(is_item, names), np.bool_, len(names))
        has_item[rows[items]] = True
        hit = (entities >= 0) & ~special[rows]
        parts.append((rows[hit], entities[hit], items[hit]))
    rows, entities, items = (np.concatenate(column) for column in zip(*parts, strict=True))
    return _Hits(rows, entities, items, has_item)


def _named(vocabulary: EntityVocabulary) -> int:
    """How many entities have a row and a name."""
    unnamed = int(vocabulary.manifest["rows_without_name"])
    return len(vocabulary) - len(vocabulary.special_rows) - unnamed


def _first_of_each(groups: Int64, order: Int64) -> Int64:
    """The places of the first of each group, in an order that sorts by group first."""
    sorted_groups = groups[order]
    starts = np.ones(len(order), np.bool_)
    starts[1:] = sorted_groups[1:] != sorted_groups[:-1]
    return order[starts]


def _rows_with_new_key(
    old: EntityVocabulary, kb: KnowledgeBase, matches: Matches
) -> frozenset[int]:
    """The old rows that had no item and get one, which becomes their key."""
    keys = (
        (row, kb.key(entity))
        for row, entity in zip(matches.rows.tolist(), matches.entities.tolist(), strict=True)
        if row in matches.without_item
    )
    return frozenset(row for row, key in keys if is_item(key) and old.row(key, exact=True) is None)


def _gained(
    old: EntityVocabulary, kb: KnowledgeBase, matches: Matches, with_new_key: frozenset[int]
) -> Iterator[tuple[str, int, int]]:
    """Yield (name, row, rank) of what matched entities are called and no old row is called."""
    for row, number in zip(matches.rows.tolist(), matches.entities.tolist(), strict=True):
        entity = kb.entity(kb.key(number))
        names = names_of(VocabularyRow(entity.key, entity.sitelinks, 0))
        for name, language in zip(names, languages_of(names), strict=True):
            if old.row(name, exact=True) is None:
                is_key = name == entity.key and row in with_new_key
                yield name, row, KEY if is_key else rank_of(language)


def _add_new(
    writer: VocabularyWriter,
    old: EntityVocabulary,
    chosen: Iterator[VocabularyRow],
    links: array[int],
    counts: Counter[str],
) -> None:
    """Write the rows of new entities; ``links`` and ``counts`` are added to.

    A title that leads to an old row stays there: pages are renamed, and names change hands.
    """
    while batch := list(islice(chosen, _BATCH)):
        names: list[str] = []
        rows: list[int] = []
        ranks: list[int] = []
        for entry in batch:
            key, *titles = names_of(entry)
            if old.row(key, exact=True) is not None:
                counts["entities whose key an old row has"] += 1
                continue
            free = [title for title in titles if old.row(title, exact=True) is None]
            counts["titles that an old row has"] += len(titles) - len(free)
            names += [key, *free]
            rows += [len(links)] * (1 + len(free))
            ranks += [KEY, *map(rank_of, languages_of(free))]
            links.append(entry.count)
        writer.add(names, rows, ranks)


def changed_name(old: EntityVocabulary, new: EntityVocabulary) -> str | None:
    """What shows that a vocabulary does not begin with another's rows; None if it does.

    Every name of the old one must lead to the same row in the new one, and there must be at least
    as many rows.
    """
    if len(new) < len(old):
        return f"it has {len(new):,} rows, the other {len(old):,}"
    if _begins_with_names(old, new):
        return None
    for names, rows in old.names_in_order():
        there = new.rows(names, exact=True)
        for place in np.flatnonzero((there != rows) | (there == new.unk_row)).tolist():
            name, row = names[place], int(rows[place])
            found = new.row(name, exact=True)
            if found != row:
                where = "has no row" if found is None else f"has row {found:,}"
                return f"{name!r} {where}, there {row:,}"
    return None


def _begins_with_names(old: EntityVocabulary, new: EntityVocabulary) -> bool:
    """Whether the columns of names of one begin with the other's: true of what was extended."""
    for name in ("names.offsets", "names.entity"):
        first, second = map_column(old.path, name), map_column(new.path, name)
        if len(second) < len(first) or not np.array_equal(first, second[: len(first)]):
            return False
    with (
        (old.path / "names.utf8").open("rb") as ours,
        (new.path / "names.utf8").open("rb") as theirs,
    ):
        while block := ours.read(_BLOCK):
            if theirs.read(len(block)) != block:
                return False
    return True
