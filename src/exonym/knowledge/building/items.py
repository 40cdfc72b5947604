"""The step ``items``: Wikidata's items are numbered; their texts and facts become tables."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np

from exonym.foundation.files import atomic_file, write_json
from exonym.knowledge.building.plan import Plan
from exonym.knowledge.building.reading import Part, line_of, read_lines
from exonym.knowledge.tables import (
    ListsWriter,
    StringTableWriter,
    TextsByLanguageWriter,
    group_starts,
    save_column,
    write_hashes,
)


class ItemNumbers:
    """The items' rows, counted from 0 in the order they are added, with their names on disk.

    Writes the table ``items.keys`` and, for each language, ``items/LANG.jsonl.zst``: lines
    ``[row, title or None, label or None, aliases]``.
    """

    def __init__(self, plan: Plan) -> None:
        self._folder = plan.work / "items"
        self._folder.mkdir(exist_ok=True)
        self._keys = StringTableWriter(self._folder, "keys")
        self._stack = ExitStack()
        self._streams: dict[str, IO[bytes]] = {
            language: self._stack.enter_context(atomic_file(item_names(plan, language)))
            for language in plan.languages
        }

    def __len__(self) -> int:
        return len(self._keys)

    def add(
        self,
        key: str,
        sitelinks: Mapping[str, str],
        labels: Mapping[str, str] | None = None,
        aliases: Mapping[str, Sequence[str]] | None = None,
    ) -> int:
        """Number an item; returns its row."""
        row = self._keys.append(key)
        labels, aliases = labels or {}, aliases or {}
        for language in sitelinks.keys() | labels.keys() | aliases.keys():
            title, label = sitelinks.get(language), labels.get(language)
            line = [row, title, label, aliases.get(language, ())]
            self._streams[language].write(line_of(line))
        return row

    def __enter__(self) -> ItemNumbers:
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)
        self._keys.__exit__(*error)
        write_hashes(self._folder, "keys")


def item_names(plan: Plan, language: str) -> Path:
    """The file of a language's item names; see `ItemNumbers`."""
    return plan.work / "items" / f"{language}.jsonl.zst"


def number_items(plan: Plan) -> None:
    """Number the items of the Wikidata dumps in file order and write their tables."""
    parts = [Part.open(plan.part(rank)) for rank in plan.parts_of(None)]
    numbers = {language: number for number, language in enumerate(plan.languages)}
    rows: dict[str, int] = {}
    reports = [Counter[str]() for _ in parts]
    labels = TextsByLanguageWriter(plan.tables, "labels", numbers)
    descriptions = TextsByLanguageWriter(plan.tables, "descriptions", numbers)
    types = ListsWriter(plan.tables, "types")
    with ItemNumbers(plan) as items:
        for report, item in _records(parts, reports, "id"):
            if item["id"] in rows:
                report["item seen before"] += 1
                continue
            report["items kept"] += 1
            rows[item["id"]] = items.add(
                item["id"], item["sitelinks"], item["labels"], item["aliases"]
            )
            labels.append(item["labels"])
            descriptions.append(item["descriptions"])
            types.append(item["types"])
    labels.close()
    descriptions.close()
    types.close()
    _write_classes(plan, parts, reports)
    relations = _write_relations(plan, parts, reports, numbers)
    _write_triples(plan, parts, reports, rows, relations)
    write_json(
        plan.work / "items" / "report.json",
        {
            "items": len(rows),
            "joined_by": "wikidata",
            "parts": dict(zip(map(str, plan.parts_of(None)), reports, strict=True)),
        },
    )


def write_no_items_tables(plan: Plan) -> None:
    """Write the tables of a build without Wikidata: nothing is known but the pages."""
    numbers = {language: number for number, language in enumerate(plan.languages)}
    for name in ("labels", "descriptions", "relation_labels"):
        TextsByLanguageWriter(plan.tables, name, numbers).close()
    for name in ("types", "classes.parents"):
        ListsWriter(plan.tables, name).close()
    for name in ("classes", "relations"):
        StringTableWriter(plan.tables, name).__exit__(None, None, None)
    _save_triples(plan, array("I"), array("I"), array("I"), 0)


def _records(
    parts: Sequence[Part], reports: Sequence[Counter[str]], kind: str
) -> Iterator[tuple[Counter[str], dict[str, Any]]]:
    for part, report in zip(parts, reports, strict=True):
        for record in read_lines(part.items):
            if kind in record:
                yield report, record


def _write_classes(plan: Plan, parts: Sequence[Part], reports: Sequence[Counter[str]]) -> None:
    """Write what is a subclass of what, sorted by item id."""
    parents: dict[str, list[str]] = {}
    for _, record in _records(parts, reports, "class"):
        parents.setdefault(record["class"], record["parents"])
    lists = ListsWriter(plan.tables, "classes.parents")
    with StringTableWriter(plan.tables, "classes") as table:
        for name in sorted(parents):
            table.append(name)
            lists.append(parents[name])
    lists.close()


def _write_relations(
    plan: Plan,
    parts: Sequence[Part],
    reports: Sequence[Counter[str]],
    numbers: Mapping[str, int],
) -> dict[str, int]:
    """Write the relations' names and labels; returns their rows."""
    labels: dict[str, dict[str, str]] = {}
    for report, record in _records(parts, reports, "property"):
        if record["property"] in labels:
            report["property seen before"] += 1
        labels.setdefault(record["property"], record["labels"])
    used = {p for _, item in _records(parts, reports, "id") for p, _ in item["claims"]}
    rows: dict[str, int] = {}
    texts = TextsByLanguageWriter(plan.tables, "relation_labels", numbers)
    with StringTableWriter(plan.tables, "relations") as table:
        for relation in sorted(used | labels.keys()):
            rows[relation] = table.append(relation)
            texts.append(labels.get(relation, {}))
    texts.close()
    return rows


def _write_triples(
    plan: Plan,
    parts: Sequence[Part],
    reports: Sequence[Counter[str]],
    rows: Mapping[str, int],
    relations: Mapping[str, int],
) -> None:
    """Write the facts whose two ends were kept; an object that was merged is what it became."""
    redirects = {r["redirect"]: r["target"] for _, r in _records(parts, reports, "redirect")}
    subjects, predicates, objects = array("I"), array("I"), array("I")
    seen: set[int] = set()
    for report, item in _records(parts, reports, "id"):
        subject = rows[item["id"]]
        if subject in seen:
            continue
        seen.add(subject)
        for relation, target in item["claims"]:
            report["claims"] += 1
            row = rows.get(target)
            if row is None and target in redirects:
                row = rows.get(redirects[target])
                report["claims about a redirected item"] += 1
            if row is None:
                report["claim about an item left out"] += 1
                continue
            subjects.append(subject)
            predicates.append(relations[relation])
            objects.append(row)
    _save_triples(plan, subjects, predicates, objects, len(relations))


def _save_triples(
    plan: Plan, subjects: array[int], predicates: array[int], objects: array[int], relations: int
) -> None:
    """Write the triples sorted by subject, each once, and their order by relation and object.

    ``triples.start`` and ``triples.object_start`` are written when the entities are counted.
    """
    subject, relation, target = (np.asarray(c, "<u4") for c in (subjects, predicates, objects))
    order = np.lexsort((target, relation, subject))
    rows = np.stack([subject, relation, target], axis=1)[order]
    first = np.ones(len(rows), bool)
    first[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    rows = rows[first]
    by_relation = np.argsort(rows[:, 1], kind="stable")
    by_object = np.argsort(rows[:, 2], kind="stable")
    save_column(plan.tables, "triples.subject", rows[:, 0], "<u4")
    save_column(plan.tables, "triples.relation", rows[:, 1], "<u4")
    save_column(plan.tables, "triples.object", rows[:, 2], "<u4")
    save_column(plan.tables, "triples.by_relation", by_relation, "<u4")
    save_column(plan.tables, "triples.by_object", by_object, "<u4")
    starts = group_starts(rows[by_relation, 1], relations)
    save_column(plan.tables, "relations.start", starts, "<u8")
