"""`build_knowledge_base`: the plan, the steps in their order, and the result under its name."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import get_args

from exonym.foundation.errors import ConfigError
from exonym.foundation.executors import Executor, Step, run_steps
from exonym.foundation.files import JSON
from exonym.foundation.spans import TASK_BYTES
from exonym.knowledge.base import KnowledgeBase
from exonym.knowledge.building.joining import join_items
from exonym.knowledge.building.links import write_links
from exonym.knowledge.building.manifest import NothingFoundError, files_of, finish, write_digest
from exonym.knowledge.building.occurrences import count_occurrences
from exonym.knowledge.building.plan import Plan, make_plan, publish, was_published, working_folder
from exonym.knowledge.building.reading import read_part
from exonym.knowledge.building.sources import find_sources
from exonym.knowledge.building.titles import write_titles
from exonym.wikimedia.wikidata import Ranks


def build_knowledge_base(
    dumps: Sequence[Path | str],
    out: Path | str,
    *,
    languages: Sequence[str] | None = None,
    keep_going: bool = False,
    any_language: bool = False,
    ranks: Ranks = "best",
    overwrite: bool = False,
    processes: int = 1,
    executor: Executor | None = None,
    task_bytes: int = TASK_BYTES,
) -> KnowledgeBase:
    """Build a knowledge base from Wikipedia dumps and, if there is one, a Wikidata dump.

    The same dumps give the same bytes, whatever their order, the executor and the number of
    processes, and however often the build was interrupted. Until everything is done there is
    only ``OUT.building``; the same call goes on with what is finished there.

    Args:
        dumps: files, or directories whose dump files are taken. Several files of one Wikipedia
            are joined. Without a Wikidata dump languages are joined by the tables of page
            properties or language links if they are there, else by the language links in the
            text; a page that nothing is joined to is an entity of its own.
        out: the directory to make.
        languages: Wikipedia's codes of the languages to keep; None keeps all.
        keep_going: count what is damaged instead of raising an error.
        any_language: accept wikis whose language is not one of Wikipedia's.
        ranks: which of Wikidata's statements are facts: of each subject and property the
            ``"best"``, or ``"all"`` but the deprecated.
        overwrite: replace ``out`` if it exists, and an unfinished build of something else.
        processes: how many tasks run at a time on this machine.
        executor: where tasks run, if not here; it has its own number of workers.
        task_bytes: about how much of a compressed file one task reads; does not change the
            result.

    Raises:
        InputError: no usable dump, an unknown language, or a wrong option.
        FormatError: a dump is damaged and ``keep_going`` is false.
        ExistsError: ``out`` exists and ``overwrite`` is false.
        ResourceError: a worker was killed.
    """
    plan = plan_build(
        dumps,
        out,
        languages=languages,
        keep_going=keep_going,
        any_language=any_language,
        ranks=ranks,
        task_bytes=task_bytes,
    )
    return carry_out(plan, executor or Executor(workers=processes), overwrite=overwrite)


def carry_out(plan: Plan, executor: Executor, *, overwrite: bool = False) -> KnowledgeBase:
    """Build what was planned; see `build_knowledge_base`, which plans and carries out.

    Args:
        plan: from `plan_build`.
        executor: where tasks run.
        overwrite: replace what is there.
    """
    if was_published(plan):
        return KnowledgeBase.open(plan.out)
    with working_folder(plan, overwrite=overwrite) as plan_file:
        try:
            run_steps(_steps(plan, plan_file), plan.work / "steps", executor)
        except NothingFoundError:
            shutil.rmtree(plan.work)
            raise
        publish(plan)
    return KnowledgeBase.open(plan.out)


def plan_build(
    dumps: Sequence[Path | str],
    out: Path | str,
    *,
    languages: Sequence[str] | None = None,
    keep_going: bool = False,
    any_language: bool = False,
    ranks: Ranks = "best",
    task_bytes: int = TASK_BYTES,
) -> Plan:
    """What `build_knowledge_base` is going to do with the same arguments; writes nothing.

    Raises:
        InputError, FormatError: as there.
    """
    if ranks not in get_args(Ranks):
        raise ConfigError(f"no ranks {ranks!r}", remedy="Choose 'best' or 'all'")
    sources = find_sources(
        [Path(path) for path in dumps],
        languages=languages,
        keep_going=keep_going,
        any_language=any_language,
    )
    options: JSON = {
        "languages": sorted(languages) if languages is not None else None,
        "keep_going": keep_going,
        "any_language": any_language,
        "ranks": ranks,
    }
    return make_plan(
        Path(out),
        sources,
        keep_going=keep_going,
        ranks=ranks,
        options=options,
        task_bytes=task_bytes,
    )


def _steps(plan: Plan, plan_file: Path) -> list[Step]:
    def step(
        name: str, title: str, work: Callable[[Path, int], None], tasks: int | None = None
    ) -> Step:
        return Step(name, title, tasks or len(plan.languages), partial(work, plan_file))

    sizes = [max(1, reading.size >> 20) for reading in plan.readings]
    reading = Step("read", "Reading dumps", len(sizes), partial(read_part, plan_file), sizes, "MiB")
    return [
        reading,
        step("digests", "Checksums of the dumps", write_digest, len(files_of(plan))),
        step("items", "Joining languages", join_items, 1),
        step("titles", "Resolving titles", write_titles),
        step("links", "Resolving links", write_links),
        step("occurrences", "Counting names in the text", count_occurrences),
        step("finish", "Writing tables", finish, 1),
    ]
