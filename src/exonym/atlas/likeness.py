"""Likeness of names, and what a clever guesser would make of it."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from exonym.atlas.table import FactTable

_WORD = re.compile(r"[^\W\d_]+")
_HAN_OR_HANGUL = "\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff"
_SYLLABIC = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff"  # Thai, Lao, Khmer, Kana ...
_RUN = re.compile(f"([{_HAN_OR_HANGUL}]+)|([{_SYLLABIC}]+)|([^{_HAN_OR_HANGUL}{_SYLLABIC}]+)")


def stems(name: str, length: int) -> set[str]:
    """The runs of ``length`` letters in a name, without case and accents.

    Runs of Han and Hangul are half as long, those of Kana, Thai and their like one shorter, and
    none is shorter than 2. A word that is shorter than its runs counts as a whole.
    """
    plain = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(c for c in plain if unicodedata.category(c) != "Mn")
    found: set[str] = set()
    for word in _WORD.findall(unicodedata.normalize("NFC", plain)):
        for han, syllabic, letters in _RUN.findall(word):
            size = length // 2 if han else length - 1 if syllabic else length
            run = han or syllabic or letters
            size = max(2, size)
            found.update(run[start : start + size] for start in range(max(1, len(run) - size + 1)))
    return found


class Likeness:
    """Which entities have names alike in some language.

    Args:
        table: the names.
        length: see `stems`.
    """

    def __init__(self, table: FactTable, length: int) -> None:
        self._table, self._length = table, length
        self._cache: dict[str, frozenset[str]] = {}

    def features(self, key: str) -> frozenset[str]:
        """The stems of an entity's names, each marked with its language."""
        found = self._cache.get(key)
        if found is None:
            found = frozenset(
                f"{code}:{stem}"
                for code, names in self._table.entities[key].names.items()
                for name in names
                for stem in stems(name, self._length)
            )
            self._cache[key] = found
        return found

    def alike(self, first: str, second: str) -> bool:
        """Whether two entities share a stem in some language."""
        return not self.features(first).isdisjoint(self.features(second))


class Guesser:
    """Answers one relation's questions from what other subjects have in common with this one.

    Every feature that the asked subject shares with other subjects has one vote, which it splits
    among their objects. So a feature whose subjects agree counts most. The guesser stands for
    what a model could learn about a fact without being told.

    Args:
        answers: objects by subject.
        features: features by subject.
    """

    def __init__(
        self, answers: Mapping[str, Sequence[str]], features: Mapping[str, Iterable[str]]
    ) -> None:
        self._answers, self._features = answers, features
        self._votes: dict[str, Counter[str]] = defaultdict(Counter)
        self._having: Counter[str] = Counter()
        for subject, objects in answers.items():
            for feature in features[subject]:
                self._having[feature] += 1
                self._votes[feature].update(objects)

    def finds(self, subject: str) -> bool:
        """Whether the guess for a subject is one of its objects; a draw counts as found."""
        own = self._answers[subject]
        score: dict[str, float] = defaultdict(float)
        for feature in sorted(self._features[subject]):
            others = self._having[feature] - 1
            if others and feature not in own:
                for object, votes in self._votes[feature].items():
                    score[object] += (votes - (object in own)) / others
        best = max(score.values(), default=0.0)
        return best > 0 and any(score.get(object, 0.0) >= best * 0.999 for object in own)
