"""An entity vocabulary asked for keys that only a knowledge base can lead to its rows.

A model may have been trained with another knowledge base, or with a vocabulary that knows entities
by the titles of their pages alone, as the released ones do. An entity's row is then the one that
most of its pages lead to, unless most of that row's own titles lead elsewhere: pages are renamed,
and names change hands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from typing import TypeVar

from exonym.knowledge.base import KnowledgeBase
from exonym.knowledge.vocabulary import EntityVocabulary

_Voted = TypeVar("_Voted", bound=Hashable)


class JoinedVocabulary(EntityVocabulary):
    """A vocabulary that finds its rows by a knowledge base's keys, too.

    What the vocabulary itself knows comes first; the rows and files are its own. Each key is
    looked for once.

    Args:
        vocabulary: whose rows.
        kb: whose keys.
    """

    def __init__(self, vocabulary: EntityVocabulary, kb: KnowledgeBase) -> None:
        super().__init__(vocabulary.path, vocabulary.manifest)
        self.kb = kb
        self._found: dict[str, int | None] = {}

    @classmethod
    def of(cls, vocabulary: Path | str, kb: KnowledgeBase) -> JoinedVocabulary:
        """Open a vocabulary directory and join a knowledge base to it."""
        return cls(EntityVocabulary.open(vocabulary), kb)

    def row(self, key: str, *, exact: bool = False) -> int | None:
        """The row of an entity, by any of its keys or titles; or None.

        ``exact`` asks the vocabulary alone, as transformers does.
        """
        row = super().row(key, exact=exact)
        if row is not None or exact:
            return row
        if key not in self._found:
            self._found[key] = self._by_pages(key)
        return self._found[key]

    def _by_pages(self, key: str) -> int | None:
        if key not in self.kb:
            return None
        entity = self.kb.entity(key)
        rows = (
            super(JoinedVocabulary, self).row(f"{language}:{title}")
            for language, title in entity.sitelinks.items()
        )
        row = _most(row for row in rows if row is not None and row not in self.special_rows)
        if row is None:
            return None
        own = (self.kb.resolve(language, title) for language, title in self._titles(row))
        return row if _most(found for found in own if found is not None) == entity.key else None

    def _titles(self, row: int) -> Iterable[tuple[str, str]]:
        for name in self.names(row):
            language, colon, title = name.partition(":")
            if colon and language in self.kb.languages:
                yield language, title

    def __reduce__(self) -> tuple[Callable[..., EntityVocabulary], tuple[Path, KnowledgeBase]]:  # type: ignore[override]
        return JoinedVocabulary.of, (self.path, self.kb)


def _most(votes: Iterable[_Voted]) -> _Voted | None:
    """What comes most often, of several the first; None where there is nothing."""
    counted = Counter(votes)
    return max(counted, key=counted.__getitem__) if counted else None
