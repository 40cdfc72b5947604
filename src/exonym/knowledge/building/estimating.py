"""What a build is going to take, in plain numbers, before it starts."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from exonym.foundation.errors import ResourceError
from exonym.knowledge.building.plan import Plan
from exonym.wikimedia.estimate import estimate_build

_GB = 1e9


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a build takes.

    Args:
        files: name, language (None: all), compressed bytes and tasks of each dump.
        processes: how many tasks run at a time.
        hours: about how long it takes.
        disk_gb: how much disk it needs, in 10^9 bytes; what an earlier run left is counted.
        free_gb: how much of it is free there.
        memory_gb: about how much memory all processes take together.
    """

    files: list[tuple[str, str | None, int, int]]
    processes: int
    hours: float
    disk_gb: float
    free_gb: float
    memory_gb: float


def expect(plan: Plan, *, processes: int) -> Expectation:
    """Estimate a build from the sizes of its dumps; the constants are those of `estimate`."""
    tasks: dict[Path, list[str | None]] = {}
    for reading in plan.readings:
        tasks.setdefault(reading.path, []).append(reading.language)
    sizes = {path: path.stat().st_size for path in tasks}
    wikidata = sum(sizes[path] for path in plan.sources.wikidata)
    estimate = estimate_build(sum(sizes.values()) - wikidata, wikidata, processes)
    return Expectation(
        files=[(p.name, found[0], sizes[p], len(found)) for p, found in tasks.items()],
        processes=processes,
        hours=estimate.seconds / 3600,
        disk_gb=estimate.disk_bytes / _GB,
        free_gb=_free(plan) / _GB,
        memory_gb=estimate.memory_bytes / _GB,
    )


def require_disk(plan: Plan, expected: Expectation) -> None:
    """Check that there is enough room before a build starts.

    Raises:
        ResourceError: there is not.
    """
    if expected.free_gb < expected.disk_gb:
        raise ResourceError(
            f"the build needs about {expected.disk_gb:.1f} GB of disk, "
            f"{expected.free_gb:.1f} GB are free",
            where=plan.out.parent,
            remedy="Make room, or give another --out",
        )


def _free(plan: Plan) -> int:
    """Free bytes, and those that an unfinished build already takes."""
    folder = plan.out.absolute().parent
    while not folder.exists():
        folder = folder.parent
    taken = sum(path.stat().st_size for path in plan.work.rglob("*") if path.is_file())
    return shutil.disk_usage(folder).free + taken
