"""`KnowledgeBase`: entities, their names, articles and facts, in one directory on disk."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from exonym.foundation.errors import InputError
from exonym.foundation.files import JSON, read_manifest
from exonym.knowledge.records import Candidate, Entity, Name, NameKind, Triple
from exonym.knowledge.sites import read_sites
from exonym.knowledge.stored_articles import stored_articles
from exonym.knowledge.surfaces import Surfaces
from exonym.knowledge.tables import (
    Column,
    IndexedStrings,
    Lists,
    TextsByLanguage,
    map_column,
    numbers,
)
from exonym.knowledge.titles import plain_surface, plain_title

if TYPE_CHECKING:
    from exonym.wikimedia.articles import Article

FORMAT, VERSION = "exonym-knowledge-base", 2
REMEDY = "Build one: exonym kb build --dumps DUMP... --out DIR"


class KnowledgeBase:
    """What is known of entities, joined over the languages of a set of Wikipedias.

    An immutable directory, made by `build_knowledge_base` or ``exonym kb build``, whose files
    are memory-mapped: opening takes milliseconds and constant memory, processes share the pages
    they read, and the object can be pickled (the path is).

    Wherever a ``key`` is asked for, a Wikidata item id (``"Q1490"``) and a title key
    (``"ja:東京都"``, redirects are followed) are both understood; keys that are given back are
    item ids where there is one.

    Attributes:
        path: the directory.
        manifest: ``manifest.json``: counts per file and language, sources, digests, dump dates.
        languages: Wikipedia's language codes, sorted.
    """

    def __init__(self, path: Path, manifest: JSON) -> None:
        self.path, self.manifest = path, manifest
        self.languages: tuple[str, ...] = tuple(manifest["languages"])
        self._numbers = {language: number for number, language in enumerate(self.languages)}
        self._sites = read_sites(path)
        self._keys = IndexedStrings(path, "entities")
        self._titles = IndexedStrings(path, "titles")
        self._surfaces = IndexedStrings(path, "surfaces")
        self._relations = IndexedStrings(path, "relations")
        self._classes = IndexedStrings(path, "classes")
        self._parents = Lists(path, "classes.parents")
        self._types = Lists(path, "types")
        self._labels = TextsByLanguage(path, "labels")
        self._descriptions = TextsByLanguage(path, "descriptions")
        self._relation_labels = TextsByLanguage(path, "relation_labels")
        self._columns = {
            name: map_column(path, name)
            for name in (
                "entities.links", "titles.entity", "sitelinks.start", "sitelinks.title",
                "occurrences.start", "occurrences.language", "occurrences.links",
                "candidates.start", "candidates.entity", "candidates.count",
                "surfaces.occurrences", "surfaces.language_start",
                "names.start", "names.language", "names.surface", "names.count", "names.kinds",
                "triples.start", "triples.subject", "triples.relation", "triples.object",
                "triples.by_relation", "relations.start",
                "triples.by_object", "triples.object_start",
            )
        }  # fmt: skip
        # The columns that a look-up of a name reads, number by number.
        self._candidate_starts, self._candidate_entities, self._candidate_counts = (
            numbers(self._columns[f"candidates.{part}"]) for part in ("start", "entity", "count")
        )

    @classmethod
    def open(cls, path: Path | str) -> KnowledgeBase:
        """Open a knowledge base directory.

        Raises:
            InputError: there is no such directory, or it is of another kind.
            VersionError: another version of Exonym wrote it.
            FormatError: a file of it is missing or damaged.
        """
        path = Path(path)
        return cls(path, read_manifest(path, format=FORMAT, version=VERSION, remedy=REMEDY))

    def __reduce__(self) -> tuple[Callable[[Path], KnowledgeBase], tuple[Path]]:
        return KnowledgeBase.open, (self.path,)

    def __repr__(self) -> str:
        return f"KnowledgeBase({str(self.path)!r}: {len(self):,} entities, {self.languages})"

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: str) -> bool:
        return self._find(key) is not None

    def __iter__(self) -> Iterator[str]:
        return map(self._keys.__getitem__, range(len(self)))

    def entity(self, key: str) -> Entity:
        """An entity by item id or title key.

        Raises:
            InputError: no such entity.
        """
        return self._entity(self._row(key))

    def entities(self) -> Iterator[Entity]:
        """All entities, in the order of their rows; iterating the object gives their keys."""
        return map(self._entity, range(len(self)))

    def key(self, row: int) -> str:
        """The key of an entity by its row, from 0 to ``len(kb)`` - 1."""
        return self._keys[row]

    def rows(self, keys: Sequence[str]) -> NDArray[np.int64]:
        """The rows of many keys, shape (len(keys),); -1 where there is no such entity."""
        rows = self._keys.find_all(keys)
        left = np.flatnonzero(rows < 0)
        pages = [self._page_key(*keys[place].partition(":")[::2]) for place in left.tolist()]
        titles = self._titles.find_all([page or "" for page in pages])
        rows[left[titles >= 0]] = self._columns["titles.entity"][titles[titles >= 0]]
        return rows

    def link_counts(self, languages: Collection[str] | None = None) -> NDArray[np.int64]:
        """How many links lead to each entity, in all languages or some; shape (entities,)."""
        if languages is None:
            return self._columns["entities.links"].astype(np.int64)
        return self._occurring(languages, self._columns["occurrences.links"])

    def language_counts(self, languages: Collection[str] | None = None) -> NDArray[np.int64]:
        """In how many languages, of all or some, each entity has an article or is linked, by row.

        Shape (entities,).
        """
        starts = self._columns["occurrences.start"].astype(np.int64)
        if languages is None:
            return starts[1:] - starts[:-1]
        return self._occurring(languages, np.ones(int(starts[-1]), np.int64))

    def _occurring(self, languages: Collection[str], values: Column) -> NDArray[np.int64]:
        """The sum over some languages of one value for each language an entity occurs in."""
        wanted = np.array([language in languages for language in self.languages])
        inside = np.where(wanted[self._columns["occurrences.language"]], values, 0)
        sums = np.concatenate([[0], np.cumsum(inside, dtype=np.int64)])
        starts = self._columns["occurrences.start"].astype(np.int64)
        return np.asarray(sums[starts[1:]] - sums[starts[:-1]])

    def resolve(self, language: str, title: str) -> str | None:
        """The entity of a page title, as a link to it would be read.

        Underscores, blanks and the first letter's case are normalised, a ``#section`` is
        dropped, redirects are followed. None when no page or item has the title.
        """
        row = self._find_title(language, title)
        return None if row is None else self._keys[row]

    def label(self, key: str, language: str) -> str | None:
        """The entity's name in a language: Wikidata's label, else its article's plain title."""
        row, number = self._row(key), self._numbers.get(language)
        if number is None:
            return None
        label = self._labels.get(row, number)
        if label is None and (title := self._entity(row).sitelinks.get(language)):
            return plain_title(title)
        return label

    def description(self, key: str, language: str) -> str | None:
        """Wikidata's description of the entity in a language, or None."""
        row, number = self._row(key), self._numbers.get(language)
        return None if number is None else self._descriptions.get(row, number)

    def names(self, key: str, language: str) -> tuple[Name, ...]:
        """What the entity is called in a language, the most used first.

        The texts of links to it with their counts, then, with count 0, the plain titles of its
        article and of redirects, label and aliases that no link shows. Ties are in the order of
        the characters.
        """
        row, number = self._row(key), self._numbers.get(language)
        if number is None:
            return ()
        start, end = self._span("names.start", row)
        languages = self._columns["names.language"][start:end]  # in order
        first, last = (start + np.searchsorted(languages, (number, number + 1))).tolist()
        cut = len(language) + 1
        return tuple(
            Name(self._surfaces[surface][cut:], count, NameKind(kinds))
            for surface, count, kinds in zip(
                self._columns["names.surface"][first:last].tolist(),
                self._columns["names.count"][first:last].tolist(),
                self._columns["names.kinds"][first:last].tolist(),
                strict=True,
            )
        )

    @property
    def surfaces(self) -> Surfaces:
        """All names by row, to be read many at a time."""
        return Surfaces(self, self._surfaces)

    def candidates(self, surface: str, language: str) -> tuple[Candidate, ...]:
        """The entities that a text may name in a language, the most linked first.

        The text is compared exactly, but for runs of white space.
        """
        row = self._surfaces.find(f"{language}:{plain_surface(surface)}")
        return () if row is None else self._candidates(row)

    def candidates_of(self, surfaces: Sequence[str], language: str) -> list[tuple[Candidate, ...]]:
        """`candidates` of many texts, in their order; faster than one by one."""
        rows = self._surfaces.find_all([f"{language}:{plain_surface(s)}" for s in surfaces])
        return [() if row < 0 else self._candidates(row) for row in rows.tolist()]

    def _candidates(self, row: int) -> tuple[Candidate, ...]:
        start, end = self._candidate_starts[row], self._candidate_starts[row + 1]
        if end == start + 1:  # most names have one entity, and this is asked most of all
            key = self._keys[self._candidate_entities[start]]
            return (Candidate(key, self._candidate_counts[start], 1.0),)
        entities = self._candidate_entities[start:end]
        counts = self._candidate_counts[start:end]
        total = sum(counts)
        return tuple(
            Candidate(self._keys[entity], count, count / total if total else 1 / len(counts))
            for entity, count in zip(entities, counts, strict=True)
        )

    def occurrences(self, surface: str, language: str) -> int:
        """How often a name stands in the text of a language, as a link or not; 0 if unknown.

        In languages with blanks between words only where it begins and ends at a word's border.
        """
        row = self._surfaces.find(f"{language}:{plain_surface(surface)}")
        return 0 if row is None else int(self._columns["surfaces.occurrences"][row])

    def link_probability(self, surface: str, language: str) -> float | None:
        """The share of a name's occurrences in the text of a language that are links.

        None for a text that is no name in the language, or never stands in its text.
        """
        row = self._surfaces.find(f"{language}:{plain_surface(surface)}")
        if row is None or not (occurrences := int(self._columns["surfaces.occurrences"][row])):
            return None
        start, end = self._span("candidates.start", row)
        return int(self._columns["candidates.count"][start:end].sum()) / occurrences

    def link_count(self, key: str, language: str | None = None) -> int:
        """How many links lead to the entity, in one language or in all."""
        row = self._row(key)
        if language is None:
            return int(self._columns["entities.links"][row])
        start, end = self._span("occurrences.start", row)
        for place in range(start, end):
            if self.languages[self._columns["occurrences.language"][place]] == language:
                return int(self._columns["occurrences.links"][place])
        return 0

    def languages_of(self, key: str) -> tuple[str, ...]:
        """The languages in which the entity has an article or is linked, sorted."""
        start, end = self._span("occurrences.start", self._row(key))
        numbers = self._columns["occurrences.language"][start:end]
        return tuple(self.languages[number] for number in numbers)

    def types(self, key: str) -> tuple[str, ...]:
        """What the entity is an instance of (Wikidata's P31), as item ids.

        The classes need not be entities of this knowledge base.
        """
        return tuple(self._types.get(self._row(key)))

    def superclasses(self, item: str) -> frozenset[str]:
        """A class and all that it is a subclass of, over any number of steps (Wikidata's P279)."""
        found, waiting = {item}, [item]
        while waiting:
            row = self._classes.find(waiting.pop())
            new = () if row is None else set(self._parents.get(row)) - found
            found.update(new)
            waiting.extend(new)
        return frozenset(found)

    def is_a(self, key: str, item: str) -> bool:
        """Whether the entity is an instance of a class or of one of its subclasses."""
        return any(item in self.superclasses(kind) for kind in self.types(key))

    def relations(self) -> dict[str, int]:
        """The relations that have triples, with the number of their triples, sorted by id."""
        starts = self._columns["relations.start"]
        counts = (starts[1:] - starts[:-1]).tolist()
        return {self._relations[row]: count for row, count in enumerate(counts) if count}

    def relation_label(self, relation: str, language: str) -> str | None:
        """Wikidata's label of a relation (``"P36"`` → ``"capital"``), or None."""
        row, number = self._relations.find(relation), self._numbers.get(language)
        return None if row is None or number is None else self._relation_labels.get(row, number)

    def triples(
        self, subject: str | None = None, relation: str | None = None, object: str | None = None
    ) -> Iterator[Triple]:
        """The facts, all or of one subject, relation and object, sorted by subject row.

        Raises:
            InputError: no such subject or object.
        """
        wanted = (
            None if subject is None else self._row(subject),
            None if relation is None else self._relations.find(relation),
            None if object is None else self._row(object),
        )
        if relation is not None and wanted[1] is None:
            return
        parts = [self._columns[f"triples.{part}"] for part in ("subject", "relation", "object")]
        for place in self._triple_places(*wanted):
            rows = [int(part[place]) for part in parts]
            if all(row == want for row, want in zip(rows, wanted, strict=True) if want is not None):
                yield Triple(self._keys[rows[0]], self._relations[rows[1]], self._keys[rows[2]])

    def _triple_places(
        self, subject: int | None, relation: int | None, target: int | None
    ) -> Iterable[int]:
        """Where to look for the triples: the shortest list that the index has of them."""
        if subject is not None:
            return range(*self._span("triples.start", subject))
        if target is not None:
            start, end = self._span("triples.object_start", target)
            return self._columns["triples.by_object"][start:end]
        if relation is not None:
            start, end = self._span("relations.start", relation)
            return self._columns["triples.by_relation"][start:end]
        return range(len(self._columns["triples.subject"]))

    def articles(self, language: str) -> Iterator[Article]:
        """The articles of a language in dump order, their mentions resolved to entity keys.

        Links to pages that nobody wrote have no mention here; the manifest counts them.

        Raises:
            InputError: the knowledge base has no such language.
        """
        if language not in self._numbers:
            known = ", ".join(self.languages)
            raise InputError(f"no language {language!r} here, only {known}", where=self.path)
        path = self.path / "articles" / f"{language}.jsonl.zst"
        expected = self.manifest["languages"][language]["articles"]
        return stored_articles(path, language, self._keys, expected)

    def _span(self, starts: str, row: int) -> tuple[int, int]:
        column = self._columns[starts]
        return int(column[row]), int(column[row + 1])

    def _entity(self, row: int) -> Entity:
        start, end = self._span("sitelinks.start", row)
        keys = (self._titles[int(title)] for title in self._columns["sitelinks.title"][start:end])
        sitelinks = dict(key.split(":", 1) for key in keys)
        return Entity(self._keys[row], sitelinks, int(self._columns["entities.links"][row]))

    def _page_key(self, language: str, title: str) -> str | None:
        """The title key of the page that a link with this title leads to, there or not."""
        site = self._sites.get(language)
        if site is None:
            return None
        namespace, bare = site.split_title(title.partition("#")[0])
        return f"{language}:{bare}" if namespace == 0 else None

    def _find_title(self, language: str, title: str) -> int | None:
        key = self._page_key(language, title)
        row = None if key is None else self._titles.find(key)
        return None if row is None else int(self._columns["titles.entity"][row])

    def _find(self, key: str) -> int | None:
        row = self._keys.find(key)
        if row is None and ":" in key:
            language, _, title = key.partition(":")
            row = self._find_title(language, title)
        return row

    def _row(self, key: str) -> int:
        row = self._find(key)
        if row is None:
            raise InputError(
                f"no entity {key!r} in this knowledge base",
                where=self.path,
                remedy=f"Look for it by name: exonym kb lookup {self.path} NAME",
            )
        return row
