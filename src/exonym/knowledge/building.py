"""`build_knowledge_base`: from dump files to a `KnowledgeBase` directory."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from exonym.foundation.errors import ConfigError, InputError
from exonym.foundation.files import JSON, atomic_directory, sha256, write_manifest
from exonym.foundation.progress import Progress, stage
from exonym.knowledge.base import FORMAT, VERSION, KnowledgeBase
from exonym.knowledge.finishing import write_tables
from exonym.knowledge.joining import Joiner
from exonym.knowledge.reading import Part, read_wiki, read_wikidata
from exonym.knowledge.sites import write_sites
from exonym.knowledge.sources import Sources, dump_date, find_sources
from exonym.knowledge.workers import run_tasks

_PAGES = ("articles", "redirects")


def build_knowledge_base(
    dumps: Sequence[Path | str],
    out: Path | str,
    *,
    languages: Sequence[str] | None = None,
    keep_going: bool = False,
    any_language: bool = False,
    overwrite: bool = False,
    processes: int = 1,
) -> KnowledgeBase:
    """Build a knowledge base from Wikipedia dumps and, if there is one, a Wikidata dump.

    The same dumps give the same bytes, whatever their order and the number of processes.
    Nothing appears under ``out`` until everything is done.

    Args:
        dumps: files, or directories whose dump files are taken. Several files of one Wikipedia
            are joined. Without a Wikidata dump every page is an entity of its own, and
            languages are not joined.
        out: the directory to make.
        languages: Wikipedia's codes of the languages to keep; None keeps all.
        keep_going: count what is damaged instead of raising an error.
        any_language: accept wikis whose language is not one of Wikipedia's.
        overwrite: replace ``out`` if it exists.
        processes: how many dump files are read at a time.

    Raises:
        InputError: no usable dump, an unknown language, or a wrong option.
        FormatError: a dump is damaged and ``keep_going`` is false.
        ExistsError: ``out`` exists and ``overwrite`` is false.
    """
    if processes < 1:
        raise ConfigError(f"processes must be at least 1, got {processes}")
    options: JSON = {
        "languages": sorted(languages) if languages is not None else None,
        "keep_going": keep_going,
        "any_language": any_language,
    }
    with atomic_directory(Path(out), overwrite=overwrite) as directory:
        sources = find_sources(
            [Path(path) for path in dumps],
            languages=languages,
            keep_going=keep_going,
            any_language=any_language,
        )
        work = directory / "work"
        work.mkdir()
        parts = _read(sources, work, keep_going=keep_going, processes=processes)
        joiner, totals = _join(sources, parts, directory, work)
        shutil.rmtree(work)
        if not totals["entities"]:
            raise _nothing_found(parts)
        _write_manifest(directory, sources, parts, joiner, totals, options)
    return KnowledgeBase.open(out)


def _nothing_found(parts: Sequence[Part]) -> InputError:
    left_out = sum((part.skipped for part in parts), Counter[str]())
    reasons = ", ".join(f"{reason}: {count:,}" for reason, count in sorted(left_out.items()))
    return InputError(
        f"no article in the dumps (left out: {reasons or 'nothing'})",
        where=", ".join(part.name for part in parts),
        remedy="Give a dump of the articles, such as swwiki-20260101-pages-articles.xml.bz2",
    )


def _read(sources: Sources, work: Path, *, keep_going: bool, processes: int) -> list[Part]:
    """Read every dump into a part; the parts are in the order of the sources, wikis first."""
    sites = sources.sites
    tasks: list[Callable[..., Part]] = [
        partial(read_wiki, wiki, work / f"wiki-{number:05}", keep_going=keep_going)
        for number, wiki in enumerate(sources.wikis)
    ]
    tasks += [
        partial(read_wikidata, path, work / f"data-{number:05}", sites, keep_going=keep_going)
        for number, path in enumerate(sources.wikidata)
    ]
    with stage("Reading dumps", unit="pages") as progress:
        if processes == 1 or len(tasks) == 1:
            return [_read_here(task, progress) for task in tasks]
        parts: dict[int, Part] = {}
        silent = [partial(task, advance=_ignore) for task in tasks]
        for number, part in run_tasks(silent, processes):
            parts[number] = part
            progress.note(part.name)
            progress.advance(sum(part.counts[kind] for kind in (*_PAGES, "items", "properties")))
        return [parts[number] for number in sorted(parts)]


def _read_here(task: Callable[..., Part], progress: Progress) -> Part:
    part = task(advance=progress.advance)
    progress.note(part.name)
    return part


def _ignore(_amount: int) -> None:
    """A worker process has no progress bar: the parent counts when a file is done."""


def _join(
    sources: Sources, parts: Sequence[Part], directory: Path, work: Path
) -> tuple[Joiner, Counter[str]]:
    languages = sorted(sources.sites)
    write_sites(directory, sources.sites)
    joiner = Joiner(directory, work, languages)
    items = [part for part in parts if part.language is None]
    with stage("Joining languages", total=len(languages) + 2, unit="steps") as progress:
        joiner.join_items(items)
        joiner.join_claims(items)
        progress.advance()
        for language in languages:
            progress.note(language)
            joiner.join_language(language, [part for part in parts if part.language == language])
            progress.advance()
        totals = write_tables(joiner)
        progress.advance()
    return joiner, totals


def _write_manifest(
    directory: Path,
    sources: Sources,
    parts: Sequence[Part],
    joiner: Joiner,
    totals: Counter[str],
    options: JSON,
) -> None:
    heads = [(wiki.path, wiki.warnings) for wiki in sources.wikis]
    heads += [(path, ()) for path in sources.wikidata]
    files = [_file_report(part, *head) for part, head in zip(parts, heads, strict=True)]
    pages = ("articles", "redirects", "paragraphs", "links")
    sums = {key: sum(counts[key] for counts in joiner.by_language.values()) for key in pages}
    write_manifest(
        directory,
        format=FORMAT,
        version=VERSION,
        languages={code: _sorted(counts) for code, counts in joiner.by_language.items()},
        totals=_sorted(Counter({**totals, **sums})),
        files=files,
        ignored=[{"name": name, "reason": reason} for name, reason in sources.ignored],
        options=options,
    )


def _file_report(part: Part, path: Path, warnings: tuple[str, ...]) -> JSON:
    return {
        "name": part.name,
        "language": part.language,
        "date": dump_date(path),
        "bytes": path.stat().st_size,
        "sha256": sha256(path),
        "counts": _sorted(part.counts),
        "skipped": _sorted(part.skipped),
        "warnings": list(warnings),
    }


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return {key: counts[key] for key in sorted(counts)}
