"""Which entities of a knowledge base get a row."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from exonym.foundation.errors import ConfigError
from exonym.knowledge.base import KnowledgeBase
from exonym.knowledge.vocabulary_writing import SPECIAL_ENTITIES, VocabularyRow


def choose_entities(
    kb: KnowledgeBase, *, size: int | None, min_languages: int
) -> tuple[Iterator[VocabularyRow], dict[str, int]]:
    """The rows of a new vocabulary, and how many entities were left out by reason.

    Special rows first, then the most linked entities, ties in the order of their keys; see
    `EntityVocabulary.build`.

    Raises:
        ConfigError: ``size`` or ``min_languages`` is not positive.
    """
    for name, value in (("size", size), ("min_languages", min_languages)):
        if value is not None and value < 1:
            raise ConfigError(f"{name} must be at least 1, got {value}")
    links, languages = kb.link_counts(), kb.language_counts()
    eligible = np.flatnonzero((links > 0) & (languages >= min_languages))
    ranked = sorted(_most_linked(kb, eligible, links, size))[:size]
    left_out = {
        "beyond the size": len(eligible) - len(ranked),
        "in too few languages": int(np.sum((links > 0) & (languages < min_languages))),
        "never linked": int(np.sum(links == 0)),
    }
    return _rows(kb, ranked), left_out


def _rows(kb: KnowledgeBase, ranked: list[tuple[int, str]]) -> Iterator[VocabularyRow]:
    for name in SPECIAL_ENTITIES:
        yield VocabularyRow(name, {}, 0)
    for negative, key in ranked:
        yield VocabularyRow(key, kb.entity(key).sitelinks, -negative)


def _most_linked(
    kb: KnowledgeBase, rows: NDArray[np.int64], links: NDArray[np.int64], size: int | None
) -> Iterator[tuple[int, str]]:
    """Yield (minus the link count, key), in no order: the ``size`` most linked and all ties."""
    if size is not None and size < len(rows):
        least = np.partition(links[rows], len(rows) - size)[len(rows) - size]
        rows = rows[links[rows] >= least]
    for row in rows.tolist():
        yield -int(links[row]), kb.key(row)
