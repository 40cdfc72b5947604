"""Doing independent tasks in several processes, with their results in the order of the tasks."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from exonym.foundation.errors import ResourceError

T = TypeVar("T")


def run_tasks(tasks: Sequence[Callable[[], T]], processes: int) -> Iterator[tuple[int, T]]:
    """Run tasks in worker processes; yield (number of the task, result) as they finish.

    Args:
        tasks: picklable calls without arguments (`functools.partial` of a module's function).
        processes: how many run at a time. The workers start as fresh interpreters, so a script
            that calls this needs ``if __name__ == "__main__":``.

    Raises:
        ResourceError: a worker process was ended from outside.
    """
    before = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(
        min(processes, len(tasks)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_leave_interrupts_to_the_parent,
    )
    try:
        numbers = {pool.submit(task): number for number, task in enumerate(tasks)}
        for future in as_completed(numbers):
            yield numbers[future], future.result()
        pool.shutdown()
    except BrokenProcessPool as error:
        raise ResourceError(
            "a worker process ended before its work was done: out of memory, or the calling "
            'script lacks `if __name__ == "__main__":`',
            remedy="Try again with --processes 1",
        ) from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in set(multiprocessing.active_children()) - before:
            worker.terminate()


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
