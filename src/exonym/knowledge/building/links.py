"""The step ``links``: a language's links are resolved and counted; its names become a table."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from exonym.foundation.files import atomic_directory, atomic_file, read_json, write_json
from exonym.knowledge.building.items import item_names
from exonym.knowledge.building.plan import Plan, read_plan
from exonym.knowledge.building.reading import Part, line_of, read_lines
from exonym.knowledge.building.spilling import PairCounter
from exonym.knowledge.building.titles import STEP as TITLES
from exonym.knowledge.building.titles import TitleTable, first_rows
from exonym.knowledge.records import NameKind
from exonym.knowledge.tables import StringTableWriter, save_column, write_hashes
from exonym.knowledge.titles import plain_surface, plain_title

STEP = "links"


def write_links(plan_file: Path, rank: int) -> None:
    """Do one language: write its articles with entities for link targets, and its names."""
    plan = read_plan(plan_file)
    language = plan.languages[rank]
    report = read_json(plan.of_language(TITLES, language) / "report.json")
    counts = Counter(report["counts"])
    with atomic_directory(plan.of_language(STEP, language), overwrite=True) as folder:
        names = PairCounter(folder, "names")
        targets: dict[str, int] = {}
        for title, row, article in _titles(plan, rank):
            targets[title] = row
            kind = NameKind.TITLE if article else NameKind.REDIRECT
            names.add(plain_title(title), row, kind)
        for row, _, label, aliases in read_lines(item_names(plan, language)):
            if label is not None:
                names.add(plain_surface(label), row, NameKind.LABEL)
            for alias in aliases:
                names.add(plain_surface(alias), row, NameKind.ALIAS)
        parts: dict[str, dict[str, Counter[str]]] = {}
        with atomic_file(plan.tables / "articles" / f"{language}.jsonl.zst") as stream:
            for number in plan.parts_of(language):
                seen = report["parts"][str(number)]
                part = Part.open(plan.part(number))
                part.counts.subtract({kind: seen[kind] for kind in ("articles", "redirects")})
                part.skipped["page seen before"] += seen["articles"] + seen["redirects"]
                for line in _resolved_articles(part, set(seen["again"]), targets, names):
                    stream.write(line_of(line))
                counts.update(part.counts)
                counts["pages seen before"] += part.skipped["page seen before"]
                parts[str(number)] = {"counts": +part.counts, "skipped": +part.skipped}
        counts["names"] = _write_names(folder, language, names)
        write_json(folder / "report.json", {"counts": counts, "parts": parts})


def _titles(plan: Plan, rank: int) -> TitleTable:
    folders = [plan.of_language(TITLES, code) for code in plan.languages]
    new = [read_json(folder / "report.json")["new"] for folder in folders]
    items = read_json(plan.work / "items" / "report.json")["items"]
    return TitleTable(plan, plan.languages[rank], first_rows(new, items)[rank], items)


def _resolved_articles(
    part: Part, skip: Collection[int], targets: Mapping[str, int], names: PairCounter
) -> Iterator[dict[str, Any]]:
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
                    names.add_link(plain_surface(text[start:end]), row)
                    mentions.append([start, end, row])
            part.counts["links"] += len(links)
            part.counts["links resolved"] += len(mentions)
            resolved.append([text, mentions])
        yield {"id": page, "title": title, "paragraphs": resolved}


def _write_names(folder: Path, language: str, names: PairCounter) -> int:
    """Write the names, sorted, and of each its entities, the most linked first."""
    starts, entities, counts = array("Q", [0]), array("I"), array("I")
    kinds = array("B")
    with StringTableWriter(folder, "surfaces") as table:
        for surface, candidates in names.by_text():
            table.append(f"{language}:{surface}")
            for entity, count, kind in sorted(candidates, key=lambda found: (-found[1], found[0])):
                entities.append(entity)
                counts.append(count)
                kinds.append(kind)
            starts.append(len(entities))
    write_hashes(folder, "surfaces")
    save_column(folder, "candidates.start", starts, "<u8")
    save_column(folder, "candidates.entity", entities, "<u4")
    save_column(folder, "candidates.count", counts, "<u4")
    save_column(folder, "candidates.kinds", kinds, "<u1")
    return len(starts) - 1
