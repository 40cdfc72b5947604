"""What entities are called, for people to read: those of the knowledge base and added ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from exonym.knowledge import KnowledgeBase
from exonym.knowledge.lookup import best_label
from exonym.linking.additions import linking_folder, read_additions

_KEPT = 1 << 16

Labels = Callable[[str, str], str]
"""An entity's name in a language, or in another, or its key: ``labels("Q1490", "ja")``."""


def labels_of(kb: KnowledgeBase, folder: Path | None = None) -> Labels:
    """Names of entities as `exonym.knowledge.lookup.best_label` chooses them, added ones too.

    Args:
        kb: where the entities are.
        folder: where the additions are; None: beside the knowledge base. They are read when a
            key comes that is not known yet.
    """
    folder = folder or linking_folder(kb)
    added: dict[str, dict[str, str]] = {}

    def read() -> None:
        for addition in read_additions(kb, folder):
            if addition.label is not None:
                added.setdefault(addition.entity, {}).setdefault(addition.language, addition.label)

    @lru_cache(maxsize=_KEPT)
    def label(entity: str, language: str) -> str:
        if entity in kb:
            return best_label(kb, entity, language)
        if entity not in added:
            read()
        found = added.get(entity, {})
        return found.get(language) or found.get("en") or next(iter(found.values()), entity)

    return label
