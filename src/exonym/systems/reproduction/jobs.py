"""The jobs after pretraining, several at a time in processes of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from exonym.foundation.progress import stage
from exonym.foundation.workers import run_tasks
from exonym.systems.reproduction import measuring
from exonym.systems.reproduction.folder import measured_file
from exonym.systems.reproduction.plan import ROWS, TASK_ROWS
from exonym.systems.reproduction.tables import ASKED, BASELINES


@dataclass(frozen=True, slots=True)
class Job:
    """Something that a process does alone.

    Args:
        name: for people.
        result: the file that it writes last.
        work: does it; picklable.
    """

    name: str
    result: Path
    work: Callable[[], None]


def all_jobs(work: Path, seeds: Sequence[int]) -> list[Job]:
    """Everything that is measured, the longest jobs first.

    Args:
        work: the folder of the reproduction.
        seeds: of the pretrained models.
    """
    measured: list[tuple[str, str, Iterable[str], Callable[..., None]]] = [
        *(
            (task, task, TASK_ROWS[task], partial(measuring.tuned_model, work, task))
            for task in ("ner", "qa", "relation")
        ),
        ("cloze", "cloze", ASKED, partial(measuring.asked_facts, work)),
        ("vectors", "retrieval", ROWS, partial(measuring.compared_vectors, work)),
    ]
    jobs = [
        Job(
            f"{what}: {row}, seed {seed}",
            measured_file(work, table, row, seed),
            partial(measure, row, seed),
        )
        for what, table, rows, measure in measured
        for seed in seeds
        for row in rows
    ]
    jobs += [
        Job(
            f"cloze: {row}",
            measured_file(work, "cloze", row, seeds[0]),
            partial(measuring.asked_facts, work, row, seeds[0]),
        )
        for row in BASELINES
    ]
    return jobs


def run_jobs(jobs: Sequence[Job]) -> None:
    """Do the jobs whose results are not there yet: one for each thread, or in turn on a GPU.

    Raises:
        ExonymError: a job failed; what is finished stays.
        ResourceError: a process was ended from outside.
    """
    left = [job for job in jobs if not job.result.is_file()]
    if not left:
        return
    with stage("Fine-tuning and measuring", total=len(left), unit="models") as shown:
        processes = min(torch.get_num_threads(), len(left))
        if processes == 1 or torch.cuda.is_available():
            for job in left:
                shown.note(job.name)
                job.work()
                shown.advance()
            return
        tasks = [partial(_alone, job) for job in left]
        for number, _ in run_tasks(tasks, processes):
            shown.note(left[number].name)
            shown.advance()


def _alone(job: Job) -> None:
    """Do a job in a process of its own, with one thread."""
    torch.set_num_threads(1)
    job.work()
