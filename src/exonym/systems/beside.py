"""Two runs at the same time, each in its own process with half of the threads.

A small model leaves much of a second thread idle: on two cores, two single-threaded runs of the
quickstart's size see 1.6 times the words per second of one run with two threads
(benchmarks/threads.py).
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from exonym.foundation.errors import ExonymError
from exonym.foundation.progress import stage
from exonym.training import Recipe, pretrain
from exonym.training.checkpoints import Place
from exonym.training.run_folder import read_metrics

_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A run to be done or gone on with: where, and by which recipe."""

    out: Path
    recipe: Recipe

    def go(self, corpus: Path, on_step: Callable[[Place], None] | None = None) -> None:
        """Do it, in this process; ``on_step`` is `pretrain`'s."""
        pretrain(corpus, self.out, self.recipe, resume=self.out.exists(), on_step=on_step)


def pretrain_both(corpus: Path, here: PlannedRun, beside: PlannedRun) -> None:
    """Do two runs that do not depend on each other.

    Where this process has a single thread or a GPU, they are done one after the other.

    Args:
        corpus: what both train on.
        here: done in this process, with its progress shown.
        beside: done in a process of its own; what that prints goes to ``<out>.log``.

    Raises:
        ExonymError: one of them failed; both can be gone on with.
    """
    threads = torch.get_num_threads()
    if threads == 1 or torch.cuda.is_available():
        here.go(corpus)
        beside.go(corpus)
        return
    share = threads // 2
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(
        target=_work, args=(corpus, beside, share, os.getpid(), theirs)
    )
    process.start()
    theirs.close()
    torch.set_num_threads(share)
    try:
        here.go(corpus)
        with stage(f"{beside.recipe.name}: beside", total=beside.recipe.steps, unit="steps") as bar:
            done = 0
            while process.is_alive():
                steps = _steps(beside)
                bar.advance(steps - done)
                done = steps
                time.sleep(_POLL_SECONDS)
            bar.advance(_steps(beside) - done)
        process.join()
        if process.exitcode != 0:
            message = ours.recv() if ours.poll() else f"it ended with status {process.exitcode}"
            raise ExonymError(f"the run beside this one failed: {message}", where=beside.out)
    finally:
        torch.set_num_threads(threads)
        if process.is_alive():
            process.terminate()
        process.join()


def _steps(run: PlannedRun) -> int:
    """How many steps a run has logged."""
    before = [0]
    for planned in run.recipe.stages:
        before.append(before[-1] + planned.steps)
    logged = [before[r["stage_index"]] + r["step"] for r in read_metrics(run.out)]
    return max(logged, default=0)


def _work(corpus: Path, run: PlannedRun, threads: int, parent: int, errors: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C is the parent's to report

    def stop_with_the_parent(_: Place) -> None:
        if os.getppid() != parent:
            os._exit(1)  # killed, so nobody waits for this run; it can be gone on with

    with run.out.with_name(f"{run.out.name}.log").open("w", buffering=1) as log:
        sys.stderr = log
        torch.set_num_threads(threads)
        try:
            run.go(corpus, stop_with_the_parent)
        except ExonymError as error:
            errors.send(str(error))
            sys.exit(error.exit_status)
