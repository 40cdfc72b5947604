"""Doing independent tasks in several processes, with their results in the order of the tasks."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import Any, TypeVar

from exonym.foundation.errors import ResourceError

T = TypeVar("T")
Argument = TypeVar("Argument")

_POLL_SECONDS = 0.5


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
        initializer=partial(follow, os.getpid()),
    )
    try:
        numbers = {pool.submit(task): number for number, task in enumerate(tasks)}
        for future in as_completed(numbers):
            yield numbers[future], future.result()
        pool.shutdown()
    except BrokenProcessPool as error:
        raise worker_ended() from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in set(multiprocessing.active_children()) - before:
            worker.terminate()


def worker_ended() -> ResourceError:
    """What to raise where a pool of fresh interpreters has lost one of them."""
    return ResourceError(
        "a worker process ended before its work was done: out of memory, or the calling "
        'script lacks `if __name__ == "__main__":`',
        remedy="Try again with --processes 1",
    )


_shared: Callable[[Any], Any] | None = None


def map_forked(
    work: Callable[[Argument], T], arguments: Sequence[Argument], processes: int
) -> Iterator[T]:
    """Call a function with each argument, in forks of this process; results in order.

    What the function knows is shared with the forks and need not be picklable, its arguments and
    results must be.

    Raises:
        ResourceError: a process was ended from outside.
    """
    global _shared
    if processes == 1:
        yield from map(work, arguments)
        return
    _shared = work
    try:
        context = multiprocessing.get_context("fork")
        with ProcessPoolExecutor(
            processes, mp_context=context, initializer=partial(follow, os.getpid())
        ) as pool:
            yield from pool.map(_call_shared, arguments)
    except BrokenProcessPool as error:
        raise ResourceError("a process ended before its work was done: out of memory?") from error
    finally:
        _shared = None


def _call_shared(argument: Any) -> Any:
    assert _shared is not None
    return _shared(argument)


def follow(parent: int) -> None:
    """Make a worker process one that leaves Ctrl-C to its parent, and ends soon after it.

    A worker that outlives a killed parent would write where the next call writes.

    Args:
        parent: the process that started this one.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_POLL_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
