"""Batches of texts linked in several processes, in order, a few ahead of what is asked for."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import Any, TypeVar

from exonym.foundation.workers import follow, worker_ended

Batch = TypeVar("Batch")
Result = TypeVar("Result")

_AHEAD = 2  # batches for each process that are under way or wait to be taken

_work: Callable[[Any], list[Any]] | None = None


def link_in_processes(
    work: Callable[[Batch], list[Result]], batches: Iterable[Batch], processes: int
) -> Iterator[Result]:
    """Work on batches in several processes; the results in the order of the batches.

    Args:
        work: a picklable call; each process unpickles it once.
        batches: picklable; read as they are needed.
        processes: how many work at a time.

    Raises:
        ResourceError: a process was ended from outside.
    """
    pool = ProcessPoolExecutor(
        processes,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=partial(_start, work, processes, os.getpid()),
    )
    waiting: deque[Future[list[Result]]] = deque()
    try:
        for batch in batches:
            waiting.append(pool.submit(_call, batch))
            if len(waiting) >= _AHEAD * processes:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    except BrokenProcessPool as error:
        raise worker_ended() from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _start(work: Callable[[Any], list[Any]], processes: int, parent: int) -> None:
    """Make a fresh process ready; processors are shared."""
    global _work
    if torch := sys.modules.get("torch"):  # there is a model
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // processes))
    follow(parent)
    _work = work


def _call(batch: Any) -> list[Any]:
    assert _work is not None, "the process has been made ready"
    return _work(batch)
