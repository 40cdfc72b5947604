"""Which entities of a knowledge base get a row."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from exonym.foundation.errors import ConfigError
from exonym.knowledge.base import KnowledgeBase
from exonym.knowledge.vocabulary_writing import VocabularyRow


def choose_entities(
    kb: KnowledgeBase,
    *,
    size: int | None,
    min_languages: int,
    min_links: int,
    languages: Collection[str] | None,
    types: Collection[str] | None,
    known: NDArray[np.int64] | None = None,
) -> tuple[Iterator[VocabularyRow], dict[str, int]]:
    """The entities that get new rows, and how many were left out by reason.

    The most linked first, ties in the order of their keys; see `EntityVocabulary.build`.

    Args:
        kb: where the entities come from.
        size: how many at most; None takes all.
        min_languages: see `EntityVocabulary.build`.
        min_links: likewise.
        languages: likewise.
        types: likewise.
        known: (entities,) their rows in the knowledge base: entities that have a row already, and
            are neither taken nor counted.

    Raises:
        ConfigError: a least number is not positive, or the knowledge base has no such language.
    """
    for name, value in {"min_languages": min_languages, "min_links": min_links}.items():
        if value < 1:
            raise ConfigError(f"{name} must be at least 1, got {value}")
    if unknown := sorted(set(languages or ()) - set(kb.languages)):
        raise ConfigError(
            f"the knowledge base has no language {unknown[0]!r}, only {', '.join(kb.languages)}"
        )
    links, occurring = kb.link_counts(languages), kb.language_counts(languages)
    new = np.ones(len(kb), np.bool_)
    if known is not None:
        new[known] = False
    linked, spread = new & (links >= min_links), occurring >= min_languages
    eligible = np.flatnonzero(linked & spread)
    left_out = {
        "in too few languages": int(np.sum(linked & ~spread)),
        "never linked": int(np.sum(new & (links == 0))),
    }
    if min_links > 1:
        left_out["linked too seldom"] = int(np.sum(new & (links > 0) & ~linked))
    if types is not None:
        of_type = _of_types(kb, eligible, types)
        left_out["of other types"] = len(eligible) - len(of_type)
        eligible = of_type
    ranked = sorted(_most_linked(kb, eligible, links, size))[:size]
    left_out["beyond the size"] = len(eligible) - len(ranked)
    return _rows(kb, ranked), dict(sorted(left_out.items()))


def _of_types(
    kb: KnowledgeBase, rows: NDArray[np.int64], types: Collection[str]
) -> NDArray[np.int64]:
    """The rows of the instances of some classes or their subclasses."""
    wanted: dict[str, bool] = {}
    kept = []
    for row in rows.tolist():
        for kind in kb.types(kb.key(row)):
            if kind not in wanted:
                wanted[kind] = not kb.superclasses(kind).isdisjoint(types)
            if wanted[kind]:
                kept.append(row)
                break
    return np.asarray(kept, np.int64)


def _rows(kb: KnowledgeBase, ranked: list[tuple[int, str]]) -> Iterator[VocabularyRow]:
    for negative, key in ranked:
        yield VocabularyRow(key, kb.entity(key).sitelinks, -negative)


def _most_linked(
    kb: KnowledgeBase, rows: NDArray[np.int64], links: NDArray[np.int64], size: int | None
) -> Iterator[tuple[int, str]]:
    """Yield (minus the link count, key), in no order: the ``size`` most linked and all ties."""
    if size == 0:
        return
    if size is not None and size < len(rows):
        least = np.partition(links[rows], len(rows) - size)[len(rows) - size]
        rows = rows[links[rows] >= least]
    for row in rows.tolist():
        yield -int(links[row]), kb.key(row)
