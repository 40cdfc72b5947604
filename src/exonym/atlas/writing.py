"""Writing a whole world to a folder: dumps, questions, ledger, manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from exonym.atlas.layout import lay_out
from exonym.atlas.ledger import Ledger, Use
from exonym.atlas.mediawiki import dump_name, write_dump
from exonym.atlas.noise import PageOptions
from exonym.atlas.options import TellingOptions
from exonym.atlas.pages import PageWriter
from exonym.atlas.questions import write_cloze, write_ledger
from exonym.atlas.sites import site_of
from exonym.atlas.table import FactTable, load_table
from exonym.atlas.telling import tell
from exonym.atlas.titles import Titles, make_titles
from exonym.atlas.wikidata import write_wikidata
from exonym.foundation.errors import InputError
from exonym.foundation.files import atomic_directory, write_manifest
from exonym.foundation.progress import stage
from exonym.foundation.workers import map_forked

FORMAT, VERSION = "exonym-atlas", 1
DATE = "20260101"


@dataclass(frozen=True, slots=True)
class AtlasReport:
    """What was written.

    Args:
        directory: where.
        languages: the dumps, in order.
        left_out: languages that were asked for and in which nothing has a name.
        counts: per language, and under ``"total"``; the keys are those of ``manifest.json``.
        groups: groups of facts by use (everywhere, told, control, unused).
        questions: counts of the cloze benchmark.
    """

    directory: Path
    languages: tuple[str, ...]
    left_out: tuple[str, ...]
    counts: Mapping[str, Mapping[str, int]]
    groups: Mapping[str, int]
    questions: Mapping[str, int]


def write_atlas(
    out: Path,
    *,
    table: Path | None = None,
    languages: Sequence[str] | None = None,
    entities: int | None = None,
    seed: int = 0,
    options: TellingOptions | None = None,
    pages: PageOptions | None = None,
    overwrite: bool = False,
    processes: int = 1,
) -> AtlasReport:
    """Tell a table of facts as MediaWiki dumps, a Wikidata dump and cloze questions.

    The same arguments give the same bytes.

    Args:
        out: the new directory; it appears only when it is whole.
        table: a table of facts (``docs/atlas.md``); None is the one that comes with Exonym.
        languages: which wikis to write; None is every language of the table.
        entities: only the first so many entities and the kinds that they need.
        seed: decides what is told where, in which words, and how pages look.
        options: how much is told.
        pages: how pages look.
        overwrite: replace ``out`` if it exists.
        processes: how many languages are written at a time. The processes are forks, which share
            the table's memory, so this is for scripts that have started no threads.

    Raises:
        ExistsError: ``out`` exists and is not empty.
        FormatError: a line of the table breaks a rule.
        InputError: no such table, or none of the languages has a name in it.
    """
    options, pages = options or TellingOptions(), pages or PageOptions()
    with atomic_directory(out, overwrite=overwrite) as partial:
        world = load_table(table)
        if entities is not None:
            world = world.first(entities)
        kept, left_out = _choose_languages(world, languages)
        ledger = tell(world, kept, options, seed)
        counts, questions = _write_files(partial, ledger, options, pages, seed, processes)
        report = AtlasReport(
            directory=out,
            languages=kept,
            left_out=left_out,
            counts=counts,
            groups={use.value: ledger.count(use) for use in Use},
            questions=questions,
        )
        _write_manifest(partial, report, world, options, pages, seed)
    return report


def _write_files(
    directory: Path,
    ledger: Ledger,
    options: TellingOptions,
    pages: PageOptions,
    seed: int,
    processes: int,
) -> tuple[dict[str, dict[str, int]], dict[str, int]]:
    """Write dumps, questions and ledger; returns the counts per language and of questions."""
    codes = ledger.languages
    titles = {code: make_titles(ledger.table, site_of(code)) for code in codes}
    counts: dict[str, dict[str, int]] = {}
    with stage("Telling Atlas", total=len(codes), unit="languages") as progress:

        def write(code: str) -> dict[str, int]:
            return _write_wiki(directory, ledger, code, titles, options, pages, seed)

        for code, figures in zip(codes, map_forked(write, codes, processes), strict=True):
            counts[code] = figures
            progress.note(code)
            progress.advance()
    total: Counter[str] = Counter()
    for figures in counts.values():
        total.update(figures)
    total["wikidata entities"] = write_wikidata(
        directory / f"wikidata-{DATE}-all.json.bz2", ledger, titles
    )
    questions = write_cloze(directory / "cloze", ledger)
    write_ledger(directory / "ledger.jsonl", ledger)
    return {**counts, "total": dict(total)}, dict(sorted(questions.items()))


def _write_manifest(
    directory: Path,
    report: AtlasReport,
    world: FactTable,
    options: TellingOptions,
    pages: PageOptions,
    seed: int,
) -> None:
    write_manifest(
        directory,
        format=FORMAT,
        version=VERSION,
        table={
            "name": world.name,
            "version": world.version,
            "licence": world.licence,
            "sources": world.sources,
            "sha256": world.digest,
        },
        seed=seed,
        entities=len(world.entities),
        date=DATE,
        options={"telling": asdict(options), "pages": asdict(pages)},
        languages=report.languages,
        left_out=report.left_out,
        counts=report.counts,
        groups=report.groups,
        questions=report.questions,
    )


def _choose_languages(
    world: FactTable, languages: Sequence[str] | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The languages to write, and those asked for in which nothing has a name."""
    known = world.languages()
    if languages is None:
        return known, ()
    asked = tuple(dict.fromkeys(languages))
    kept = tuple(code for code in asked if code in known)
    if not kept:
        raise InputError(
            f"none of the languages {', '.join(asked) or '(none given)'} has a name in the table",
            remedy=f"It has {', '.join(known)}",
        )
    return kept, tuple(code for code in asked if code not in known)


def _write_wiki(
    directory: Path,
    ledger: Ledger,
    language: str,
    titles: Mapping[str, Titles],
    options: TellingOptions,
    pages: PageOptions,
    seed: int,
) -> dict[str, int]:
    """Write one language's dump; returns its counts."""
    site, own = site_of(language), titles[language]
    layout = lay_out(ledger, language, list(own.pages), options, seed)
    writer = PageWriter(ledger.table, site, titles, layout, pages, seed)
    written = writer.pages()
    write_dump(directory / dump_name(site, DATE), site, written, seed)
    return {
        "pages": len(written),
        "articles": writer.counts["articles"],
        "redirects": writer.counts["redirects"],
        "list pages": sum(len(plans) for plans in layout.lists.values()),
        "sentences": writer.counts["sentences"],
        "links": writer.counts["links"],
        "red links": writer.counts["red links"],
        "facts told": sum(1 for _ in ledger.told(language, Use.TOLD)),
        "kinds told": sum(1 for _ in ledger.told(language, Use.EVERYWHERE)),
        "bytes of sentences": writer.counts["bytes of sentences"],
        "bytes of text": sum(len(page.text.encode()) for page in written),
        "entities without a name": len(ledger.table.entities) - len(own.pages),
        "aliases without a redirect": own.dropped_aliases,
    }
