"""Joining the parts: items, pages and links of all languages become the tables of one directory.

Entities are numbered as they come: kept items in the order of the Wikidata dump, then, language
by language, the pages that no item belongs to. At any time the titles of one language and the
item ids are in memory; texts, names and link counts go to disk as they are read.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import orjson

from exonym.foundation.files import JSON, atomic_file
from exonym.knowledge.reading import Part, read_lines
from exonym.knowledge.redirects import resolve_redirects
from exonym.knowledge.spilling import PairCounter
from exonym.knowledge.tables import StringTableWriter, TextsByLanguageWriter
from exonym.knowledge.titles import plain_surface, plain_title


class Joiner:
    """The state of a build after the dumps were read.

    Args:
        directory: where the tables are written.
        work: where intermediate files are written; the caller removes it.
        languages: the languages of the knowledge base, sorted.
    """

    def __init__(self, directory: Path, work: Path, languages: Sequence[str]) -> None:
        self.directory, self.work = directory, work
        self.numbers = {language: number for number, language in enumerate(languages)}
        self.keys = StringTableWriter(directory, "entities")
        self.titles = StringTableWriter(directory, "titles")
        self.title_entities = array("I")
        self.title_ends: list[int] = []  # of each language, counted in titles
        self.articles = array("Q")  # rows of titles that are no redirects, in order
        self.surfaces = StringTableWriter(directory, "surfaces")
        self.candidate_starts = array("Q", [0])
        self.candidate_entities = array("I")
        self.candidate_counts = array("Q")
        self.surface_ends: list[int] = []  # of each language, counted in candidates
        self.items: dict[str, int] = {}
        self.triples: tuple[array[int], array[int], array[int]] = (
            array("I"),
            array("I"),
            array("I"),
        )
        self.relations: dict[str, int] = {}
        self.by_language: dict[str, Counter[str]] = {}

    def join_items(self, parts: Iterable[Part]) -> None:
        """Number the items and write their texts; sitelinks and names are kept for later."""
        labels = TextsByLanguageWriter(self.directory, "labels", self.numbers)
        descriptions = TextsByLanguageWriter(self.directory, "descriptions", self.numbers)
        spills = {
            language: (self.work / f"items-{number}.jsonl").open("wb")
            for language, number in self.numbers.items()
        }
        try:
            for part, item in _items(parts, "id"):
                if item["id"] in self.items:
                    part.skipped["item seen before"] += 1
                    continue
                self.items[item["id"]] = self.keys.append(item["id"])
                part.counts["items kept"] += 1
                labels.append(item["labels"])
                descriptions.append(item["descriptions"])
                self._spill_names(item, spills)
        finally:
            for stream in spills.values():
                stream.close()
            labels.close()
            descriptions.close()

    def _spill_names(self, item: Mapping[str, Any], spills: Mapping[str, IO[bytes]]) -> None:
        row = self.items[item["id"]]
        for language, stream in spills.items():
            title = item["sitelinks"].get(language)
            label = item["labels"].get(language)
            names = [*([label] if label else []), *item["aliases"].get(language, ())]
            if title is not None or names:
                stream.write(orjson.dumps([row, title, names], option=orjson.OPT_APPEND_NEWLINE))

    def join_claims(self, parts: Sequence[Part]) -> None:
        """Collect relations with their labels, and triples whose two ends were kept."""
        subjects, relations, objects = self.triples
        labels: dict[str, dict[str, str]] = {}
        for part, record in _items(parts, "property"):
            if record["property"] in labels:
                part.skipped["property seen before"] += 1
            labels.setdefault(record["property"], record["labels"])
        used = {p for _, item in _items(parts, "id") for p, _ in item["claims"]}
        with StringTableWriter(self.directory, "relations") as table:
            texts = TextsByLanguageWriter(self.directory, "relation_labels", self.numbers)
            for relation in sorted(used | labels.keys()):
                self.relations[relation] = table.append(relation)
                texts.append(labels.get(relation, {}))
            texts.close()
        seen: set[int] = set()
        for part, item in _items(parts, "id"):
            subject = self.items[item["id"]]
            if subject in seen:
                continue
            seen.add(subject)
            for relation, target in item["claims"]:
                row = self.items.get(target)
                part.counts["claims"] += 1
                if row is None:
                    part.skipped["claim about an item left out"] += 1
                    continue
                subjects.append(subject)
                relations.append(self.relations[relation])
                objects.append(row)

    def join_language(self, language: str, parts: Sequence[Part]) -> None:
        """Resolve a language's titles and links; write its articles, titles and names."""
        counts = self.by_language[language] = Counter()
        names = PairCounter(self.work, f"names-{self.numbers[language]}")
        entities = self._item_titles(language, names, counts)
        redirects, duplicates = self._page_titles(language, parts, entities, counts)
        for title, row in entities.items():
            names.add(plain_title(title), row, 0)
        resolved = resolve_redirects(redirects, entities)
        counts["redirects to missing pages"] = resolved.missing
        counts["redirects in a loop"] = resolved.loops
        counts["redirects resolved"] = len(resolved.targets)
        targets = entities | resolved.targets
        for title in sorted(targets):
            row = self.titles.append(f"{language}:{title}")
            self.title_entities.append(targets[title])
            if title in entities:
                self.articles.append(row)
        self.title_ends.append(len(self.titles))
        with atomic_file(self.directory / "articles" / f"{language}.jsonl.zst") as stream:
            for part, skip in zip(parts, duplicates, strict=True):
                for line in _resolved_articles(part, skip, targets, names):
                    stream.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        for part in parts:
            for key in ("articles", "redirects", "paragraphs", "links", "links resolved"):
                counts[key] += part.counts[key]
            counts["pages seen before"] += part.skipped["page seen before"]
        self._write_names(language, names, counts)

    def _item_titles(
        self, language: str, names: PairCounter, counts: Counter[str]
    ) -> dict[str, int]:
        entities: dict[str, int] = {}
        with (self.work / f"items-{self.numbers[language]}.jsonl").open("rb") as stream:
            for line in stream:
                row, title, surfaces = orjson.loads(line)
                for surface in surfaces:
                    names.add(plain_surface(surface), row, 0)
                if title is not None and entities.setdefault(title, row) != row:
                    counts["sitelink of two items"] += 1
        counts["items with an article"] = len(entities)
        return entities

    def _page_titles(
        self, language: str, parts: Sequence[Part], entities: dict[str, int], counts: Counter[str]
    ) -> tuple[dict[str, str], list[set[int]]]:
        """Give each page an entity.

        Returns:
            The redirects that have no item of their own, and for each part which of its
            articles, counted from 0, were seen before.
        """
        redirects: dict[str, str] = {}
        pages: set[str] = set()
        duplicates: list[set[int]] = []
        for part in parts:
            again: set[int] = set()
            ordinal = -1
            for title, *target in read_lines(part.titles):
                ordinal += not target
                if title in pages:
                    part.skipped["page seen before"] += 1
                    part.counts["redirects" if target else "articles"] -= 1
                    if not target:
                        again.add(ordinal)
                    continue
                pages.add(title)
                if target and title not in entities:
                    redirects[title] = target[0]
                elif target:
                    counts["redirects with an item of their own"] += 1
                elif title not in entities:
                    entities[title] = self.keys.append(f"{language}:{title}")
                    counts["articles without an item"] += 1
            duplicates.append(again)
        return redirects, duplicates

    def _write_names(self, language: str, names: PairCounter, counts: Counter[str]) -> None:
        for surface, candidates in names.by_text():
            self.surfaces.append(f"{language}:{surface}")
            for entity, count in sorted(candidates, key=lambda pair: (-pair[1], pair[0])):
                self.candidate_entities.append(entity)
                self.candidate_counts.append(count)
            self.candidate_starts.append(len(self.candidate_entities))
            counts["names"] += 1
        self.surface_ends.append(len(self.candidate_entities))


def _items(parts: Iterable[Part], kind: str) -> Iterator[tuple[Part, dict[str, Any]]]:
    for part in parts:
        for record in read_lines(part.items):
            if kind in record:
                yield part, record


def _resolved_articles(
    part: Part, skip: set[int], targets: Mapping[str, int], names: PairCounter
) -> Iterator[JSON]:
    """A part's articles with entity rows in place of link targets; each link is counted."""
    for ordinal, (page, title, paragraphs) in enumerate(read_lines(part.articles)):
        if ordinal in skip:
            part.counts["paragraphs"] -= len(paragraphs)
            continue
        resolved = []
        for text, links in paragraphs:
            mentions = []
            for start, end, target in links:
                row = targets.get(target)
                if row is not None:
                    names.add(plain_surface(text[start:end]), row)
                    mentions.append([start, end, row])
            part.counts["links"] += len(links)
            part.counts["links resolved"] += len(mentions)
            resolved.append([text, mentions])
        yield {"id": page, "title": title, "paragraphs": resolved}
