"""What people ask of a knowledge base as a whole: ambiguous names, coverage of languages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exonym.foundation.errors import InputError
from exonym.knowledge.base import KnowledgeBase
from exonym.knowledge.tables import Column, StringTable, map_column


@dataclass(frozen=True, slots=True)
class AmbiguousName:
    """A name that leads to several entities.

    Args:
        surface: the name.
        entities: how many entities links with this text lead to.
        links: how many such links there are.
        top: the entity that most of them lead to.
        prior: that entity's share of them.
    """

    surface: str
    entities: int
    links: int
    top: str
    prior: float


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the knowledge base a language has.

    Args:
        language: its code.
        articles: entities with an article.
        shared: of these, entities with an article in another language, too.
        labels: entities with a label of Wikidata.
        descriptions: entities with a description.
        names: distinct (entity, name) pairs.
        named: entities with a name.
        linked: entities that links lead to.
        ambiguous: names that links to several entities show.
    """

    language: str
    articles: int
    shared: int
    labels: int
    descriptions: int
    names: int
    named: int
    linked: int
    ambiguous: int


def ambiguous_names(kb: KnowledgeBase, language: str, count: int = 20) -> list[AmbiguousName]:
    """The names of a language that lead to most entities, the most linked first among equals.

    Raises:
        InputError: the knowledge base has no such language.
    """
    first, last = _surfaces_of(kb, language)
    starts = map_column(kb.path, "candidates.start")[first : last + 1].astype(np.int64)
    counts = map_column(kb.path, "candidates.count")[starts[0] : starts[-1]].astype(np.int64)
    entities, links = _sums(counts > 0, starts), _sums(counts, starts)
    best = np.lexsort((np.arange(len(links)), -links, -entities))[:count]
    table, cut = StringTable(kb.path, "surfaces"), len(language) + 1
    found = []
    for row in best.tolist():
        if entities[row] < 2:
            break
        surface = table[first + row][cut:]
        top = kb.candidates(surface, language)[0]
        found.append(
            AmbiguousName(surface, int(entities[row]), int(links[row]), top.entity, top.prior)
        )
    return found


def coverage(kb: KnowledgeBase) -> list[Coverage]:
    """What each language has, in the order of the languages."""
    entity_of_title = map_column(kb.path, "titles.entity")
    sitelinks = map_column(kb.path, "sitelinks.title")
    sizes = np.diff(map_column(kb.path, "sitelinks.start").astype(np.int64))
    title_starts = map_column(kb.path, "titles.language_start")
    languages = np.searchsorted(title_starts[1:], sitelinks, side="right")
    owners = entity_of_title[sitelinks]
    name_language = map_column(kb.path, "names.language")
    name_starts = map_column(kb.path, "names.start").astype(np.int64)
    name_owner = np.repeat(np.arange(len(kb)), name_starts[1:] - name_starts[:-1])
    name_count = map_column(kb.path, "names.count")
    label_language = map_column(kb.path, "labels.language")
    description_language = map_column(kb.path, "descriptions.language")
    found = []
    for number, language in enumerate(kb.languages):
        mine = owners[languages == number]
        names = name_language == number
        first, last = _surfaces_of(kb, language)
        starts = map_column(kb.path, "candidates.start")[first : last + 1].astype(np.int64)
        counts = map_column(kb.path, "candidates.count")[starts[0] : starts[-1]]
        found.append(
            Coverage(
                language=language,
                articles=len(mine),
                shared=int(np.sum(sizes[mine] > 1)),
                labels=int(np.sum(label_language == number)),
                descriptions=int(np.sum(description_language == number)),
                names=int(names.sum()),
                named=len(np.unique(name_owner[names])),
                linked=len(np.unique(name_owner[names & (name_count > 0)])),
                ambiguous=int(np.sum(_sums(counts > 0, starts) > 1)),
            )
        )
    return found


def _surfaces_of(kb: KnowledgeBase, language: str) -> tuple[int, int]:
    if language not in kb.languages:
        known = ", ".join(kb.languages)
        raise InputError(f"no language {language!r} here, only {known}", where=kb.path)
    starts = map_column(kb.path, "surfaces.language_start")
    number = kb.languages.index(language)
    return int(starts[number]), int(starts[number + 1])


def _sums(values: Column, starts: Column) -> Column:
    """The sum of each group of values; ``starts`` are counted in the whole column."""
    sums = np.concatenate([[0], np.cumsum(values, dtype=np.int64)])
    places = starts - starts[0]
    return np.asarray(sums[places[1:]] - sums[places[:-1]])
