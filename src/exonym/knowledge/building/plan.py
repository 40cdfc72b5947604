"""What a build is going to do: its sources, cut into tasks, and the folder it works in."""

from __future__ import annotations

import fcntl
import os
import pickle
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from exonym.foundation.errors import ExistsError, InputError
from exonym.foundation.files import JSON, atomic_file, read_json, remove_partials, write_json
from exonym.foundation.spans import TASK_BYTES, Span, cut_file
from exonym.knowledge.building.sources import Sources
from exonym.wikimedia.siteinfo import SiteInfo
from exonym.wikimedia.wikidata import Ranks


@dataclass(frozen=True, slots=True)
class Reading:
    """One task of reading: a part of a dump file.

    Args:
        path: the file.
        span: which part of it.
        language: the Wikipedia's language; None for Wikidata.
        size: compressed bytes, for progress.
    """

    path: Path
    span: Span
    language: str | None
    size: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A build, as every task of it reads it.

    Args:
        out: where the knowledge base goes.
        sources: the dumps.
        languages: the languages, sorted; a task of a language is known by its number.
        sites: each language's wiki.
        readings: the tasks of reading, wikis first, each file's parts in order.
        keep_going: count what is damaged instead of raising an error.
        ranks: ``"best"`` or ``"all"`` statements of Wikidata.
        options: what else the manifest tells of the call.
    """

    out: Path
    sources: Sources
    languages: tuple[str, ...]
    sites: dict[str, SiteInfo]
    readings: tuple[Reading, ...]
    keep_going: bool
    ranks: Ranks
    options: JSON = field(default_factory=dict)

    @property
    def work(self) -> Path:
        """The folder of everything that is not finished."""
        return self.out.with_name(f"{self.out.name}.building")

    @property
    def tables(self) -> Path:
        """The knowledge base while it is being built."""
        return self.work / "kb"

    def part(self, rank: int) -> Path:
        """The folder that a task of reading fills."""
        return self.work / "parts" / f"{rank:05}"

    def parts_of(self, language: str | None) -> list[int]:
        """The ranks of the tasks that read a language's dumps, or Wikidata's."""
        return [n for n, reading in enumerate(self.readings) if reading.language == language]

    def of_language(self, step: str, language: str) -> Path:
        """The folder that a step fills for a language."""
        return self.work / step / language

    def identity(self) -> JSON:
        """What must not change when a build goes on: sources, cuts and options, as JSON."""
        files = sorted({*(wiki.path for wiki in self.sources.wikis), *self.sources.others})
        return {
            "exonym": version("exonym"),
            "files": [[str(f.resolve()), f.stat().st_size, f.stat().st_mtime_ns] for f in files],
            "tasks": len(self.readings),
            "languages": list(self.languages),
            "ranks": self.ranks,
            "options": {k: v for k, v in sorted(self.options.items()) if k != "keep_going"},
        }


def make_plan(
    out: Path,
    sources: Sources,
    *,
    keep_going: bool,
    ranks: Ranks,
    options: JSON,
    task_bytes: int = TASK_BYTES,
) -> Plan:
    """Cut the sources into tasks. A pure function of the files and ``task_bytes``.

    The cuts decide nothing in the result but the time it takes.
    """
    readings: list[Reading] = []
    given = [(wiki.path, wiki.language) for wiki in sources.wikis]
    for path, language in [*given, *((path, None) for path in sources.wikidata)]:
        spans = cut_file(path, task_bytes, lines=language is None)
        size = path.stat().st_size // len(spans)
        readings += [Reading(path, span, language, size) for span in spans]
    sites = sources.sites
    return Plan(
        out, sources, tuple(sorted(sites)), sites, tuple(readings), keep_going, ranks, options
    )


@contextmanager
def working_folder(plan: Plan, *, overwrite: bool) -> Iterator[Path]:
    """Open the plan's folder for one process: a fresh one, or an unfinished one of this plan.

    Yields:
        The file that tasks read the plan from.

    Raises:
        ExistsError: ``plan.out`` is there and ``overwrite`` is false.
        InputError: the folder holds an unfinished build of something else, or another process
            is building there.
    """
    out = plan.out
    if out.exists() and not overwrite and not (out.is_dir() and not any(out.iterdir())):
        raise ExistsError(
            "already exists", where=out, remedy="Choose another --out, or pass --overwrite"
        )
    plan.work.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(plan.work / "lock", os.O_CREAT | os.O_RDWR)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(
                "another process is building here",
                where=plan.work,
                remedy="Wait for it, or choose another --out",
            ) from error
        _settle(plan, overwrite=overwrite)
        with atomic_file(plan.work / "plan.pickle") as stream:
            stream.write(pickle.dumps(plan))
        yield plan.work / "plan.pickle"
    finally:
        os.close(descriptor)


def _settle(plan: Plan, *, overwrite: bool) -> None:
    """Keep what an earlier run of this plan has finished."""
    path, identity = plan.work / "plan.json", plan.identity()
    if path.exists() and read_json(path) != identity:
        if not overwrite:
            raise InputError(
                "holds an unfinished build of other dumps or options",
                where=plan.work,
                remedy="Pass the same dumps and options to go on, or --overwrite to start anew",
            )
        for entry in plan.work.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
            elif entry.name != "lock":
                entry.unlink()
    remove_partials(plan.work)
    if not path.exists():
        write_json(path, identity)
    for folder in (plan.tables, plan.work / "parts"):
        folder.mkdir(exist_ok=True)


def read_plan(path: Path) -> Plan:
    """The plan of the build whose folder holds this file."""
    plan = pickle.loads(path.read_bytes())
    assert isinstance(plan, Plan)
    return plan


def publish(plan: Plan) -> None:
    """Give the finished tables their final name and remove everything else."""
    if plan.out.is_dir():
        shutil.rmtree(plan.out)
    elif plan.out.exists():
        plan.out.unlink()
    plan.tables.replace(plan.out)
    _remove_work(plan)


def _remove_work(plan: Plan) -> None:
    """Remove the folder, last the file that tells whose it is (`was_published`)."""
    for entry in plan.work.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        elif entry.name != "plan.json":
            entry.unlink()
    shutil.rmtree(plan.work)


def was_published(plan: Plan) -> bool:
    """Whether an earlier run of this plan was killed while it cleaned up; the rest is removed."""
    path = plan.work / "plan.json"
    if plan.tables.exists() or not path.exists() or not (plan.out / "manifest.json").exists():
        return False
    if read_json(path) != plan.identity():
        return False
    _remove_work(plan)
    return True
