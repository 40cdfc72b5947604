"""Where names stand in texts, and which of overlapping ones are taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from exonym.linking.added_names import AddedNames
from exonym.linking.candidates import CandidateFinder, KnownName
from exonym.linking.covers import best, longest
from exonym.linking.found import Found
from exonym.linking.name_index import NameIndex
from exonym.linking.options import LinkingOptions

_NONE = -1


@dataclass(frozen=True, slots=True)
class Detected:
    """A name in a text.

    Args:
        start: its first character.
        end: one past its last.
        name: what is known of it.
        probability: that it is a mention.
    """

    start: int
    end: int
    name: KnownName
    probability: float


class Detector:
    """Finds the names of a knowledge base, and those that were added, in many texts at once.

    Args:
        index: the knowledge base's names.
        added: those that were added.
        finder: says how likely each is a mention.
        options: how likely it must be, and what becomes of overlapping ones.
    """

    def __init__(
        self,
        index: NameIndex,
        added: AddedNames,
        finder: CandidateFinder,
        options: LinkingOptions,
    ) -> None:
        self._index, self._added = index, added
        self._finder, self._options = finder, options

    def __call__(self, texts: Sequence[str], languages: Sequence[str]) -> list[list[Detected]]:
        """The mentions of each text, in its order.

        Args:
            texts: any strings.
            languages: of each text.
        """
        found, added = self._found(texts)
        known = self._known(texts, languages, found, added)
        probability = np.array([name.link_probability for name in known])
        keep = np.flatnonzero(probability >= self._options.min_link_probability)
        kept = found.take(keep)
        if self._options.cover == "longest":
            keep = keep[longest(kept, probability[keep])]
        elif self._options.cover == "best":
            keep = keep[best(kept, fitness(kept.end - kept.start, probability[keep]))]
        kept = found.take(keep)
        mentions: list[list[Detected]] = [[] for _ in texts]
        for text, start, end, place in zip(
            kept.text.tolist(),
            kept.start.tolist(),
            kept.end.tolist(),
            keep.tolist(),
            strict=True,
        ):
            name = known[place]
            mentions[text].append(Detected(start, end, name, name.link_probability))
        return mentions

    def of_surfaces(self, surfaces: Sequence[str], languages: Sequence[str]) -> list[KnownName]:
        """What is known of texts that are mentions as a whole.

        Args:
            surfaces: each a mention; blanks at its ends do not count.
            languages: of each.
        """
        bare = [surface.strip() for surface in surfaces]
        found, added = self._found(bare)
        whole = (found.start == 0) & (found.end == np.array(list(map(len, bare)))[found.text])
        names = np.full(len(bare), _NONE)
        additions = np.full(len(bare), _NONE)
        names[found.text[whole]] = found.name[whole]
        additions[found.text[whole]] = added[whole]
        return self._of_languages(bare, languages, names.tolist(), additions.tolist())

    def _found(self, texts: Sequence[str]) -> tuple[Found, NDArray[np.int64]]:
        """Every span that is a name: its number in the index and among the additions, or -1."""
        found = self._index.find(texts)
        if self._added.index is None:
            return found, np.full(len(found.text), _NONE)
        more = self._added.index.find(texts)
        if not len(more.text):
            return found, np.full(len(found.text), _NONE)
        columns = [
            np.concatenate([getattr(found, field), getattr(more, field)])
            for field in ("text", "start", "end")
        ]
        names = np.concatenate([found.name, np.full(len(more.name), _NONE)])
        added = np.concatenate([np.full(len(found.name), _NONE), more.name])
        order = np.lexsort((columns[2], columns[1], columns[0]))
        text, start, end = (column[order] for column in columns)
        new = np.ones(len(order), np.bool_)
        new[1:] = (np.diff(text) != 0) | (np.diff(start) != 0) | (np.diff(end) != 0)
        firsts = np.flatnonzero(new)
        both = [np.maximum.reduceat(column[order], firsts) for column in (names, added)]
        return Found(text[firsts], start[firsts], end[firsts], both[0]), both[1]

    def _known(
        self,
        texts: Sequence[str],
        languages: Sequence[str],
        found: Found,
        added: NDArray[np.int64],
    ) -> list[KnownName]:
        """What is known of each span."""
        numbers = found.text.tolist()
        surfaces = [
            texts[text][start:end]
            for text, start, end in zip(
                numbers, found.start.tolist(), found.end.tolist(), strict=True
            )
        ]
        owners = [languages[text] for text in numbers]
        return self._of_languages(surfaces, owners, found.name.tolist(), added.tolist())

    def _of_languages(
        self,
        surfaces: Sequence[str],
        languages: Sequence[str],
        names: Sequence[int],
        added: Sequence[int],
    ) -> list[KnownName]:
        if len(set(languages)) == 1:
            return self._finder.known(languages[0], surfaces, names, added)
        places: dict[str, list[int]] = {}
        for place, language in enumerate(languages):
            places.setdefault(language, []).append(place)
        result: dict[int, KnownName] = {}
        for language, own in places.items():
            known = self._finder.known(
                language,
                [surfaces[place] for place in own],
                [names[place] for place in own],
                [added[place] for place in own],
            )
            result.update(zip(own, known, strict=True))
        return [result[place] for place in range(len(surfaces))]


def fitness(lengths: NDArray[np.int64], probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much a span is worth in the best cover; several numbers may be the best of a text.

    Args:
        lengths: characters of each span.
        probability: of each to be a mention.
    """
    return lengths.astype(np.float64) * np.sqrt(probability)
