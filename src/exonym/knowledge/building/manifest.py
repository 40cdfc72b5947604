"""The steps ``digests`` and ``finish``: what a knowledge base was made of, and what it holds."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from exonym.foundation.errors import InputError
from exonym.foundation.files import JSON, read_json, sha256, write_json, write_manifest
from exonym.knowledge.base import FORMAT, VERSION
from exonym.knowledge.building.checks import check_references, warnings_about
from exonym.knowledge.building.finishing import language_counts, write_tables
from exonym.knowledge.building.links import STEP as LINKS
from exonym.knowledge.building.plan import Plan, read_plan
from exonym.knowledge.building.reading import Part
from exonym.knowledge.building.sources import dump_date
from exonym.knowledge.sites import write_sites

_SUMMED = ("articles", "redirects", "paragraphs", "links")


def files_of(plan: Plan) -> list[Path]:
    """The dump files, wikis first."""
    return [*(wiki.path for wiki in plan.sources.wikis), *plan.sources.others]


def write_digest(plan_file: Path, rank: int) -> None:
    """Do one file: write its SHA-256."""
    plan = read_plan(plan_file)
    write_json(plan.work / "digests" / f"{rank:05}.json", sha256(files_of(plan)[rank]))


def finish(plan_file: Path, rank: int) -> None:
    """Write the tables of all languages, check them, and write the manifest.

    Raises:
        InputError: there is no article in the dumps.
    """
    assert rank == 0
    plan = read_plan(plan_file)
    languages = language_counts(plan)
    files = _file_reports(plan)
    if not any(counts.get("articles") for counts in languages.values()):
        raise _nothing_found(files)
    write_sites(plan.tables, plan.sites)
    totals = write_tables(plan)
    check_references(plan.tables)
    joined = read_json(plan.work / "items" / "report.json")
    sums = {key: sum(counts.get(key, 0) for counts in languages.values()) for key in _SUMMED}
    write_manifest(
        plan.tables,
        format=FORMAT,
        version=VERSION,
        languages=languages,
        totals=dict(sorted({**totals, **sums}.items())),
        joined_by=joined["joined_by"],
        joined={key: value for key, value in joined.items() if key not in ("joined_by", "parts")},
        files=files,
        ignored=[{"name": name, "reason": reason} for name, reason in plan.sources.ignored],
        warnings=[
            *plan.sources.warnings,
            *warnings_about(languages, joined_by=joined["joined_by"]),
        ],
        options=plan.options,
    )


def _file_reports(plan: Plan) -> list[JSON]:
    """One report a file, of all its parts together."""
    warnings = {wiki.path: wiki.warnings for wiki in plan.sources.wikis}
    languages = {wiki.path: wiki.language for wiki in plan.sources.wikis}
    items = read_json(plan.work / "items" / "report.json").get("parts", {})
    by_part = {
        rank: report
        for language in plan.languages
        for rank, report in read_json(plan.of_language(LINKS, language) / "report.json")[
            "parts"
        ].items()
    }
    reports = []
    for number, path in enumerate(files_of(plan)):
        counts, skipped = Counter[str](), Counter[str]()
        for rank, reading in enumerate(plan.readings):
            if reading.path != path:
                continue
            if reading.language is None:
                part = Part.open(plan.part(rank))
                counts.update(part.counts)
                skipped.update(part.skipped)
                for key, count in items.get(str(rank), {}).items():
                    (counts if key in _KEPT else skipped)[key] += count
            else:
                counts.update(by_part[str(rank)]["counts"])
                skipped.update(by_part[str(rank)]["skipped"])
        reports.append(
            {
                "name": path.name,
                "language": languages.get(path),
                "date": dump_date(path),
                "bytes": path.stat().st_size,
                "sha256": read_json(plan.work / "digests" / f"{number:05}.json"),
                "counts": dict(sorted(counts.items())),
                "skipped": dict(sorted(skipped.items())),
                "warnings": list(warnings.get(path, ())),
            }
        )
    return reports


_KEPT = ("items kept", "claims", "claims about a redirected item")


class NothingFoundError(InputError):
    """There is no article in the dumps, so there is nothing to go on with."""


def _nothing_found(files: list[JSON]) -> InputError:
    left_out: Counter[str] = Counter()
    for report in files:
        left_out.update(report["skipped"])
    reasons = ", ".join(f"{reason}: {count:,}" for reason, count in sorted(left_out.items()))
    return NothingFoundError(
        f"no article in the dumps (left out: {reasons or 'nothing'})",
        where=", ".join(report["name"] for report in files),
        remedy="Give a dump of the articles, such as swwiki-20260101-pages-articles.xml.bz2",
    )
