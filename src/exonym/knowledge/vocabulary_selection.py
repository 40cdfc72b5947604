"""A new entity vocabulary from an old one: some of its rows and languages, ids, further rows."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from exonym.foundation.errors import InputError
from exonym.foundation.files import atomic_directory
from exonym.knowledge.vocabulary_writing import (
    ENGLISH,
    KEY,
    OTHER,
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

SHOWN_FROM = 1 << 20  # names; fewer are written before a bar could be read

FindItem = Callable[[Sequence[str]], str | None]
"""From a row's names to its Wikidata item, or None."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What a selection did.

    Args:
        rows: the new rows, added ones included.
        names: names of the new rows.
        rows_left_out: old rows that are gone.
        names_left_out: their names, and names of kept rows in other languages.
        items: rows that were given their Wikidata item.
        items_taken: rows whose item another row has, so that they were not given it.
    """

    rows: int
    names: int
    rows_left_out: int
    names_left_out: int
    items: int = 0
    items_taken: int = 0


def rows_with_titles_in(
    vocabulary: EntityVocabulary, languages: Collection[str]
) -> NDArray[np.int64]:
    """The special rows and those that have a title in one of the languages, ascending.

    Raises:
        InputError: no row has a title in one of them; names the language.
    """
    keep = np.zeros(len(vocabulary), np.bool_)
    keep[list(vocabulary.special_rows)] = True
    missing = set(languages)
    for names, rows in vocabulary.names_in_order():
        found = languages_of(names)
        kept = [language in languages for language in found]
        keep[rows[kept]] = True
        missing.difference_update(found)
    if missing:
        known = ", ".join(vocabulary.languages) or "none"
        raise InputError(
            f"no title in the language {min(missing)!r}, only in: {known}", where=vocabulary.path
        )
    return np.flatnonzero(keep)


def select_rows(
    vocabulary: EntityVocabulary,
    out: Path,
    *,
    rows: NDArray[np.int64] | None = None,
    languages: Collection[str] | None = None,
    find_item: FindItem | None = None,
    added: Sequence[VocabularyRow] = (),
    overwrite: bool = False,
) -> Selection:
    """Write a vocabulary that has some of another's rows, and further ones behind them.

    Args:
        vocabulary: the old one.
        out: the directory to make.
        rows: the old rows to keep, in their new order, the four special ones among them; None
            keeps all.
        languages: the languages whose titles are kept; None keeps all. Names that are no titles
            (item ids, special names, keys without a language) are always kept.
        find_item: gives rows that have no item theirs; `items_from` makes one.
        added: rows to put behind the old ones.
        overwrite: replace ``out`` if it exists.

    Raises:
        InputError: an added name has a row already.
        ExistsError: ``out`` exists and ``overwrite`` is false.
    """
    kept = np.arange(len(vocabulary)) if rows is None else rows
    links = array("I", (vocabulary.count(row) for row in kept.tolist()))
    links.extend(entry.count for entry in added)
    given, taken = _items(vocabulary, kept, find_item)
    with atomic_directory(out, overwrite=overwrite) as directory:
        writer = VocabularyWriter(directory)
        if given:
            writer.add([*given], [*given.values()], [KEY] * len(given))
        before = len(writer)
        total = vocabulary.names_count
        with shown("Writing the entity vocabulary", total, "names", least=SHOWN_FROM) as progress:
            for names, new_rows, ranks, seen in kept_names(
                vocabulary, kept, languages, {*given.values()}
            ):
                writer.add(names, new_rows, ranks)
                progress.advance(seen)
        names_kept = len(writer) - before
        for row, entry in enumerate(added, start=len(kept)):
            names = names_of(entry)
            writer.add(names, [row] * len(names), [KEY] + [OTHER] * (len(names) - 1))
        names_in_all = len(writer)
        writer.finish(rows=len(kept) + len(added), links=links)
    return Selection(
        rows=len(kept) + len(added),
        names=names_in_all,
        rows_left_out=len(vocabulary) - len(kept),
        names_left_out=vocabulary.names_count - names_kept,
        items=len(given),
        items_taken=taken,
    )


def items_from(kb: KnowledgeBase | None, items: Mapping[str, str]) -> FindItem:
    """How a row finds its Wikidata item: the one that most of its titles lead to.

    Args:
        kb: follows titles and redirects to items.
        items: from title keys to items; asked first.
    """

    def find(names: Sequence[str]) -> str | None:
        votes: Counter[str] = Counter()
        for name, language in zip(names, languages_of(names), strict=True):
            item = items.get(name)
            if item is None and kb is not None and language in kb.languages:
                item = kb.resolve(language, name[len(language) + 1 :])
            if item is not None and is_item(item):
                votes[item] += 1
        return max(votes, key=votes.__getitem__) if votes else None

    return find


def _items(
    vocabulary: EntityVocabulary, kept: NDArray[np.int64], find_item: FindItem | None
) -> tuple[dict[str, int], int]:
    """New rows by their items, for rows that have none, and how many items were taken."""
    given: dict[str, int] = {}
    taken = 0
    if find_item is None:
        return given, taken
    special = frozenset(vocabulary.special_rows)
    for new, old in enumerate(kept.tolist()):
        names = vocabulary.names(old)
        if old in special or any(map(is_item, names)):
            continue
        item = find_item(names)
        if item is None:
            continue
        if item in given or item in vocabulary:
            taken += 1
        else:
            given[item] = new
    return given, taken


def kept_names(
    vocabulary: EntityVocabulary,
    kept: NDArray[np.int64],
    languages: Collection[str] | None,
    with_new_key: Collection[int],
) -> Iterator[tuple[list[str], list[int], list[int], int]]:
    """Yield the names of kept rows in the old order, new rows, ranks, how many names were seen.

    Args:
        vocabulary: whose names.
        kept: the old rows that are kept, in their new order.
        languages: whose titles are kept; None for all.
        with_new_key: new rows whose old key is no longer their key.
    """
    new_row = np.full(len(vocabulary), -1, np.int64)
    new_row[kept] = np.arange(len(kept))
    first = 0
    for names, rows in vocabulary.names_in_order():
        keys = vocabulary.key_places(rows)
        chosen = [
            (name, row, KEY if key == place and row not in with_new_key else rank_of(language))
            for place, (name, row, key, language) in enumerate(
                zip(names, new_row[rows].tolist(), keys.tolist(), languages_of(names), strict=True),
                start=first,
            )
            if row >= 0 and (languages is None or not language or language in languages)
        ]
        first += len(names)
        yield (
            [name for name, _, _ in chosen],
            [row for _, row, _ in chosen],
            [rank for _, _, rank in chosen],
            len(names),
        )


def rank_of(language: str) -> int:
    """The rank of a title in a language."""
    return ENGLISH if language == "en" else OTHER
