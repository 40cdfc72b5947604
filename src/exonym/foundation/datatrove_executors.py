"""The steps of a job as datatrove pipelines. Imported only when something is run."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from datatrove.executor.base import PipelineExecutor
from datatrove.executor.local import LocalPipelineExecutor
from datatrove.executor.slurm import SlurmPipelineExecutor
from loguru import logger

from exonym.foundation.errors import MissingExtraError, ResourceError, StoppedError
from exonym.foundation.executors import Executor, Step
from exonym.foundation.files import read_json, write_json
from exonym.foundation.progress import stage
from exonym.foundation.workers import run_tasks

SECONDS_BETWEEN_LOOKS = 10.0


@dataclass(frozen=True)
class _Block:
    """A step's work as datatrove calls it."""

    step: Step

    def __call__(self, _data: Any, rank: int, _world_size: int) -> None:
        self.step.work(rank)


def run_locally(step: Step, folder: Path, executor: Executor) -> Iterator[int]:
    """Run a step in processes of this machine; yields the ranks as they are finished.

    datatrove's own pool waits for ever when a worker is killed, so the processes are ours; ranks,
    marks and logs are datatrove's.
    """
    local = LocalPipelineExecutor(
        [_Block(step)], tasks=step.tasks, workers=executor.workers, logging_dir=str(folder)
    )
    waiting = local.get_incomplete_ranks()
    yield from sorted(set(range(step.tasks)) - set(waiting))
    if executor.workers == 1 or len(waiting) == 1:
        for rank in waiting:
            _run_rank(local, rank)
            yield rank
    elif waiting:
        tasks = [partial(_run_rank, local, rank) for rank in waiting]
        for number, _ in run_tasks(tasks, executor.workers):
            yield waiting[number]


def _run_rank(executor: PipelineExecutor, rank: int) -> None:
    logger.disable("datatrove")  # errors reach the user as errors, not as a log on the screen
    executor._run_for_rank(rank, local_rank=1)


def run_on_ray(step: Step, folder: Path, executor: Executor) -> Iterator[int]:
    """Run a step on the Ray cluster of this machine or of ``RAY_ADDRESS``; yields the ranks.

    Raises:
        MissingExtraError: ray is not installed.
        ResourceError: some tasks were not finished.
    """
    try:
        import ray
        from datatrove.executor.ray import RayPipelineExecutor
    except ImportError as error:
        raise MissingExtraError(
            f"the executor 'ray' needs a package that is not installed ({error.name})",
            remedy="Install it: pip install 'ray[default]'",
        ) from error
    logger.disable("datatrove")
    if not ray.is_initialized():
        ray.init(log_to_driver=False, logging_level="ERROR")
    remote = RayPipelineExecutor(
        [_Block(step)],
        tasks=step.tasks,
        workers=executor.workers,
        mem_per_cpu_gb=executor.memory_gb,
        logging_dir=str(folder),
    )
    remote.run()
    if unfinished := remote.get_incomplete_ranks(skip_completed=True):
        raise _unfinished(step.name, len(unfinished), folder)
    yield from range(step.tasks)


def run_under_slurm(steps: Sequence[Step], folder: Path, executor: Executor) -> None:
    """Submit all steps as job arrays that wait for each other, and wait for them.

    Jobs that an earlier call submitted and that still run are waited for, not submitted again.

    Raises:
        MissingExtraError: there is no ``sbatch`` here.
        ResourceError: ``sbatch`` refuses, or jobs ended with tasks unfinished.
        StoppedError: Ctrl-C; the jobs go on.
    """
    if shutil.which("sbatch") is None:
        raise MissingExtraError(
            "there is no Slurm on this machine (no `sbatch`)",
            remedy="Run it on a login node of the cluster, or with --executor local",
        )
    logger.disable("datatrove")
    jobs = _slurm_jobs(steps, folder, executor)
    record = folder / "slurm_jobs.json"
    submitted: list[str] = read_json(record) if record.exists() else []
    if not (submitted and _queued(submitted)):
        submitted = _submit(jobs)
        write_json(record, submitted)
    try:
        _wait(jobs, submitted, folder)
    except KeyboardInterrupt as stop:
        raise StoppedError(
            f"the Slurm jobs {', '.join(submitted)} go on",
            remedy="Run the same command again to wait for them",
        ) from stop


def _slurm_jobs(
    steps: Sequence[Step], folder: Path, executor: Executor
) -> list[SlurmPipelineExecutor]:
    activate = Path(sys.prefix) / "bin" / "activate"
    jobs: list[SlurmPipelineExecutor] = []
    for step in steps:
        job = SlurmPipelineExecutor(
            [_Block(step)],
            tasks=step.tasks,
            time=executor.time,
            partition=executor.partition,
            mem_per_cpu_gb=executor.memory_gb,
            workers=executor.workers,
            job_name=f"exonym-{step.name}",
            qos=None,
            venv_path=str(activate) if activate.is_file() else None,
            sbatch_args=dict(executor.options),
            depends=jobs[-1] if jobs else None,
            logging_dir=str(folder / step.name),
        )
        jobs.append(job)
    return jobs


def _submit(jobs: Sequence[SlurmPipelineExecutor]) -> list[str]:
    try:
        jobs[-1].run()  # and with it all that it depends on
    except subprocess.CalledProcessError as error:
        raise ResourceError(
            f"sbatch refused the job (exit status {error.returncode}); its message is above"
        ) from error
    submitted = [str(job.job_id) for job in jobs if job.job_id not in (None, -1)]
    print(f"Slurm jobs: {', '.join(submitted) or 'none, all is done'}", file=sys.stderr)
    return submitted


def _wait(jobs: Sequence[SlurmPipelineExecutor], submitted: list[str], folder: Path) -> None:
    total = sum(job.tasks for job in jobs)
    with stage("Slurm", total=total, unit="tasks") as progress:
        done = 0
        while True:
            running = bool(submitted) and _queued(submitted)  # before the marks are looked at
            left = [len(job.get_incomplete_ranks(skip_completed=True)) for job in jobs]
            progress.advance(total - sum(left) - done)
            done = total - sum(left)
            if done == total:
                return
            if not running:
                job, count = next((job, n) for job, n in zip(jobs, left, strict=True) if n)
                raise _unfinished(job.job_name, count, folder)
            time.sleep(SECONDS_BETWEEN_LOOKS)


def _queued(jobs: Sequence[str]) -> bool:
    """Whether one of the jobs runs, or waits for more than a job that failed."""
    answer = subprocess.run(
        ["squeue", "--noheader", "--jobs", ",".join(jobs), "--format", "%T %r"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = [line for line in answer.stdout.splitlines() if line.strip()]
    return any("DependencyNeverSatisfied" not in line for line in lines)


def _unfinished(name: str, count: int, folder: Path) -> ResourceError:
    return ResourceError(
        f"{count:,} tasks of the step {name!r} ended unfinished",
        where=folder,
        remedy="Read the logs there; the same command again repeats only those tasks",
    )
