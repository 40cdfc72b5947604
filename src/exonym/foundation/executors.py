"""Long work in steps of independent tasks: in processes of this machine, under Slurm, on Ray.

The tasks run on datatrove's executors. A finished task leaves a mark in its step's folder and is
never repeated, so a job that was killed goes on where it was, whatever runs it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from exonym.foundation.errors import ConfigError
from exonym.foundation.progress import stage

KINDS = ("local", "slurm", "ray")


@dataclass(frozen=True, slots=True)
class Step:
    """Tasks that may run in any order and at the same time.

    Args:
        name: the name of the step's folder and of its jobs.
        title: what is being done, in the user's words.
        tasks: how many there are.
        work: does task number ``rank``, counted from 0; picklable (a module's function, or a
            `functools.partial` of one). It writes its results so that they appear whole, and
            doing it twice does no harm: a task may be killed before it is marked as finished.
        sizes: how much each task has to do, in ``unit``; None counts every task as 1.
        unit: what ``sizes`` count.
    """

    name: str
    title: str
    tasks: int
    work: Callable[[int], None]
    sizes: Sequence[int] | None = None
    unit: str = "tasks"


@dataclass(frozen=True, slots=True)
class Executor:
    """Where tasks run.

    Args:
        kind: ``"local"``, ``"slurm"`` or ``"ray"``. The last two need a file system that all
            nodes share.
        workers: most tasks at a time.
        memory_gb: what a Slurm or Ray task may use.
        time: what a Slurm task may take, as Slurm writes it.
        partition: Slurm's partition.
        options: further options of ``sbatch``, by name (``{"account": "nlp"}``).
    """

    kind: str = "local"
    workers: int = 1
    memory_gb: int = 8
    time: str = "24:00:00"
    partition: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError(
                f"no executor {self.kind!r}", remedy=f"Choose one of {', '.join(KINDS)}"
            )
        if self.workers < 1:
            raise ConfigError(f"the number of processes must be at least 1, got {self.workers}")
        if self.kind == "slurm" and not self.partition:
            raise ConfigError(
                "Slurm needs the name of a partition",
                remedy="Give one: --partition NAME; `sinfo` lists them",
            )


def run_steps(steps: Sequence[Step], folder: Path, executor: Executor) -> None:
    """Run steps one after the other; what is already finished is skipped.

    Args:
        steps: in order; each starts when the one before it is finished.
        folder: where logs and marks of finished tasks go, a folder for each step.
        executor: what runs them.

    Raises:
        ExonymError: whatever a task raised.
        ResourceError: a worker was killed, or Slurm's jobs ended without finishing.
        MissingExtraError: the executor's package is not installed.
    """
    from exonym.foundation import datatrove_executors as datatrove

    folder = folder.absolute()  # datatrove remembers folders by name, wherever they were
    if executor.kind == "slurm":
        datatrove.run_under_slurm(steps, folder, executor)
        return
    for step in steps:
        sizes = step.sizes or [1] * step.tasks
        with stage(step.title, total=sum(sizes), unit=step.unit) as progress:
            run = datatrove.run_on_ray if executor.kind == "ray" else datatrove.run_locally
            for rank in run(step, folder / step.name, executor):
                progress.advance(sizes[rank])
