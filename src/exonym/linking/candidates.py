"""What a name may mean: entities with their priors, from all that a knowledge base has of it.

Names are found by their folded form, so one name of a text leads to several names of the knowledge
base: spelt alike or not, of the text's language or of others. They are evidence at four levels,
the nearest first:

0. the text's language, spelt alike;
1. the text's language, spelt otherwise (``paris``, ``PARIS``);
2. other languages, spelt alike;
3. other languages, spelt otherwise;

and behind them stands how often an entity is linked by whatever name. The prior at a level is

    P_k(e) = (links_k(e) + ½ · [e is so named] / names_k + ½ · P_{k+1}(e)) / (links_k + 1)

where ``links_k`` are the links with such a text at this level, ``links_k(e)`` those that lead to e,
and ``names_k`` is how many entities have such a name there, by link, title, redirect, label or
alias. So one link in the text's language weighs more than any number of links in others, these
decide where the language has none, and an entity that is known by the name in another language only
is still a candidate. A level without names is left out. A name that a user added counts one link
more than all others of its level together have.

The probability that such a text is a mention at all is the share of its occurrences in the
knowledge base's text that are links, counted at the nearest level where the name occurs. It is
halved where only other languages know the name, and a tenth where a word without capitals is no
name as it is spelt in the text's language: names of one language are the common words of another
(Greek *e*, Italian *e*). A number that only other languages know is no mention, nor is a word that
shares its letters with a short abbreviation (*un*, UN); a mention that somebody marked may mean it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from exonym.knowledge import KnowledgeBase
from exonym.knowledge.tables import map_column
from exonym.knowledge.titles import plain_surface
from exonym.linking.added_names import AddedNames
from exonym.linking.linked import ScoredCandidate
from exonym.linking.name_index import NameIndex
from exonym.linking.options import LinkingOptions

_SHARE = 0.5  # links that each of the two smaller terms of a prior weighs as much as
_NEVER_SEEN = 0.1  # link probability of a name that stands nowhere in the knowledge base's text
_OTHER_LANGUAGE = 0.5  # what it is multiplied by where only other languages know the name
_NO_CAPITALS = 0.1  # and where a word without capitals is no name as it is spelt in the language
_SHORT = 3  # characters of abbreviations that other words are easily mistaken for
_MOST_KNOWN = 100_000  # names that are remembered for each language

LEVELS = range(4)


@dataclass(slots=True)
class KnownName:
    """What a knowledge base has of one spelling in one language.

    Args:
        surface: the spelling, as it stands in a text.
        language: of the text.
        link_probability: how likely such a text is a mention.
        rows: its names in the knowledge base, by level.
        added: its names among the additions, by level.
        candidates: the entities it may mean, once `CandidateFinder.complete` has gathered them.
        verdict: the entity that it is linked to where no model reads the text (None is NIL), its
            probability, and why; once a linker has settled them.
        settled: the entity that a mention came with.
    """

    surface: str
    language: str
    link_probability: float
    rows: tuple[tuple[int, ...], ...] = ()
    added: tuple[tuple[int, ...], ...] = ()
    candidates: tuple[ScoredCandidate, ...] | None = None
    verdict: tuple[str | None, float, str] | None = None
    settled: str | None = None


class CandidateFinder:
    """Looks up what texts' names may mean, and remembers what it found.

    Args:
        kb: the knowledge base.
        index: its names.
        added: what was added to it.
        options: how many candidates are kept, and whether other languages count.
    """

    def __init__(
        self, kb: KnowledgeBase, index: NameIndex, added: AddedNames, options: LinkingOptions
    ) -> None:
        self._kb, self._index, self._added, self._options = kb, index, added, options
        self._surfaces = kb.surfaces
        self._popularity = map_column(kb.path, "entities.links")
        self._known: dict[str, dict[str, KnownName]] = {}

    def forget(self) -> None:
        """Forget what was found: the additions have changed."""
        self._known.clear()

    def known(
        self,
        language: str,
        surfaces: Sequence[str],
        names: Sequence[int],
        added: Sequence[int],
    ) -> list[KnownName]:
        """What is known of spellings in a text's language.

        Args:
            language: of the text; in one that the knowledge base does not have, names of all
                languages are near.
            surfaces: the spellings.
            names: the name that each is in the index; -1 for none.
            added: the name that each is in the additions' index; -1 for none.
        """
        memory = self._known.setdefault(language, {})
        new = {
            surface: (name, addition)
            for surface, name, addition in zip(surfaces, names, added, strict=True)
            if surface not in memory
        }
        if new:
            if len(memory) + len(new) > _MOST_KNOWN:
                memory.clear()
                new = dict(zip(surfaces, zip(names, added, strict=True), strict=True))
            for known in self._look_up(language, new):
                memory[known.surface] = known
        return [memory[surface] for surface in surfaces]

    def complete(self, known: Iterable[KnownName]) -> None:
        """Gather the candidates of names that have none yet."""
        waiting = {id(name): name for name in known if name.candidates is None}
        names = list(waiting.values())
        rows = [row for name in names for level in name.rows for row in level]
        owners, entities, counts = self._surfaces.candidate_rows(rows)
        bounds = np.searchsorted(owners, np.arange(len(rows) + 1)).tolist()
        languages = self._surfaces.languages(rows).tolist()
        pairs = list(zip(entities.tolist(), counts.tolist(), strict=True))
        place = 0
        for name in names:
            evidence: list[list[_Named]] = [[] for _ in LEVELS]
            for level, own in enumerate(name.rows):
                for _ in own:
                    language = self._kb.languages[languages[place]]
                    listed = pairs[bounds[place] : bounds[place + 1]]
                    evidence[level] += [_Named(entity, n, language) for entity, n in listed]
                    place += 1
            name.candidates = self._candidates(name, evidence)

    def _look_up(self, language: str, new: dict[str, tuple[int, int]]) -> list[KnownName]:
        """Sort the names behind each spelling by how near they are."""
        names = np.array([name for name, _ in new.values()])
        there = np.flatnonzero(names >= 0)
        owners, flat = self._index.surfaces_of(names[there])
        bounds = np.searchsorted(there[owners], np.arange(len(names) + 1)).tolist()
        rows = flat.tolist()
        languages = self._surfaces.languages(flat).tolist()
        occurrences = self._surfaces.occurrences(flat).tolist()
        links = self._surfaces.links(flat).tolist()
        home = self._home(language)
        result = []
        for number, (surface, (_, addition)) in enumerate(new.items()):
            spelling = spelt(surface)
            levels: tuple[list[int], ...] = tuple([] for _ in LEVELS)
            counts = [[0, 0] for _ in LEVELS]
            named = [False] * len(LEVELS)
            for place in range(bounds[number], bounds[number + 1]):
                near = home is None or languages[place] == home
                if not near and not self._options.across_languages:
                    continue
                name = spelt(self._surfaces.text(rows[place]))
                level = (0 if near else 2) + (0 if name == spelling else 1)
                levels[level].append(rows[place])
                if name == spelling or not _is_abbreviation(name, spelling):
                    counts[level][0] += occurrences[place]
                    counts[level][1] += links[place]
                    named[level] = True
            added = self._added_levels(language, spelling, addition)
            probability = _link_probability(surface, named, added, counts)
            result.append(
                KnownName(
                    surface,
                    language,
                    probability,
                    tuple(map(tuple, levels)),
                    tuple(map(tuple, added)),
                )
            )
        return result

    def _home(self, language: str) -> int | None:
        """The number of a text's language; None where names of all languages are near."""
        languages = self._kb.languages
        return languages.index(language) if language in languages else None

    def _added_levels(self, language: str, spelling: str, name: int) -> list[list[int]]:
        levels: list[list[int]] = [[] for _ in LEVELS]
        if name < 0 or self._added.index is None:
            return levels
        for place in self._added.index.surfaces(name).tolist():
            addition = self._added.additions[place]
            near = addition.language == language or self._home(language) is None
            if near or self._options.across_languages:
                alike = spelt(addition.surface) == spelling
                levels[(0 if near else 2) + (0 if alike else 1)].append(place)
        return levels

    def _candidates(
        self, name: KnownName, evidence: list[list[_Named]]
    ) -> tuple[ScoredCandidate, ...]:
        for level, places in enumerate(name.added):
            links = sum(named.links for named in evidence[level]) + 1
            evidence[level] += [
                _Named(self._added.rows[place], 0, self._added.additions[place].language, links)
                for place in places
            ]
        listed = {named.entity for level in evidence for named in level}
        size = len(self._popularity)
        popularity = {
            entity: int(self._popularity[entity]) if entity < size else 0 for entity in listed
        }
        prior = priors(
            [[(named.entity, named.weight) for named in level] for level in evidence], popularity
        )
        best = sorted(listed, key=lambda entity: (-prior[entity], entity))
        return tuple(
            ScoredCandidate(
                self._added.key(entity),
                prior[entity],
                prior[entity],
                *_counted(entity, evidence, name.language),
            )
            for entity in best[: self._options.most_candidates]
        )


@dataclass(frozen=True, slots=True)
class _Named:
    """An entity that has a name: how many links show the name, in a language, and lead to it."""

    entity: int
    links: int
    language: str
    added: int = 0  # links that a user's addition counts for

    @property
    def weight(self) -> int:
        return self.links + self.added


def priors(
    levels: Sequence[Sequence[tuple[int, int]]], popularity: dict[int, int]
) -> dict[int, float]:
    """The prior of each entity; see the formula above.

    Args:
        levels: (entity, links) of each name at each level, the nearest first; an entity may be
            listed several times.
        popularity: how often each of the entities is linked by whatever name.
    """
    total = sum(popularity.values()) + len(popularity)
    prior = {entity: (links + 1) / total for entity, links in popularity.items()}
    for level in reversed(levels):
        if not level:
            continue
        links = dict.fromkeys((entity for entity, _ in level), 0)
        for entity, count in level:
            links[entity] += count
        total_links, share = sum(links.values()), _SHARE / len(links)
        whole = total_links + 2 * _SHARE
        prior = {entity: _SHARE * value / whole for entity, value in prior.items()}
        for entity, own in links.items():
            prior[entity] += (own + share) / whole
    return prior


def spelt(text: str) -> str:
    """A text as spellings are compared: one blank between words, composed characters."""
    text = plain_surface(text)
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _link_probability(
    surface: str,
    named: Sequence[bool],
    added: Sequence[Sequence[int]],
    counts: Sequence[Sequence[int]],
) -> float:
    """How likely a spelling is a mention; ``counts`` are occurrences and links by level."""
    nearest = next((level for level in LEVELS if named[level] or added[level]), None)
    if nearest is None:
        return 0.0
    factor = 1.0
    if nearest >= 2:
        # Every language writes numbers, and which it links is its own habit.
        factor = _OTHER_LANGUAGE if any(map(str.isalpha, surface)) else 0.0
    if nearest and _has_no_capitals(surface):
        factor *= _NO_CAPITALS
    if added[nearest]:
        return factor
    for occurrences, links in counts:
        if occurrences:
            return factor * min(1.0, links / occurrences)
    return factor * _NEVER_SEEN


def _is_abbreviation(name: str, spelling: str) -> bool:
    """Whether a name is a short abbreviation in capitals, and a text has it in small letters."""
    return len(name) <= _SHORT and name != name.lower() and name == name.upper() != spelling


def _has_no_capitals(surface: str) -> bool:
    return surface == surface.lower() and surface != surface.upper()


def _counted(entity: int, evidence: list[list[_Named]], language: str) -> tuple[int, str]:
    """The links behind a candidate in the nearest language that knows it by the name."""
    for near in (evidence[:2], evidence[2:]):
        links: dict[str, int] = {}
        for level in near:
            for named in level:
                if named.entity == entity:
                    links[named.language] = links.get(named.language, 0) + named.links
        if links:
            best = max(links, key=lambda code: (code == language, links[code]))
            return links[best], best
    raise AssertionError("a candidate is named somewhere")
