"""Making the next items in the background while the present one is worked on."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Generic, TypeVar

Step = TypeVar("Step")
Item = TypeVar("Item")

_SECONDS_TO_END = 1.0  # how long `close` waits for an item in the making


class Prefetcher(Generic[Item]):
    """An iterator over items that a thread makes ahead; made by `prefetch`.

    Use it in a ``with`` statement, or call `close`: the thread then ends.

    Args:
        items: what the thread goes through.
        depth: how many finished items may wait.

    Attributes:
        waited: seconds that the consumer has waited for items so far.
        thread: makes them.
    """

    def __init__(self, items: Iterator[Item], depth: int) -> None:
        self.waited = 0.0
        self._items, self._depth = items, depth
        self._ready: deque[Item] = deque()
        self._error: BaseException | None = None
        self._ended = self._closed = False
        self._changed = threading.Condition()
        # A daemon: an interpreter that ends does not wait for items that nobody wants.
        self.thread = threading.Thread(target=self._work, name="prefetch", daemon=True)
        self.thread.start()

    def _work(self) -> None:
        try:
            for item in self._items:
                with self._changed:
                    self._ready.append(item)
                    self._changed.notify_all()
                    self._changed.wait_for(lambda: self._closed or len(self._ready) < self._depth)
                    if self._closed:
                        return
        except BaseException as error:  # the consumer raises it, after the items before it
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def __iter__(self) -> Prefetcher[Item]:
        return self

    def __next__(self) -> Item:
        with self._changed:
            started = time.monotonic()
            self._changed.wait_for(lambda: self._ready or self._ended or self._closed)
            self.waited += time.monotonic() - started
            if self._ready and not self._closed:
                self._changed.notify_all()
                return self._ready.popleft()
            error, self._error = self._error, None
        if error is not None:
            raise error
        raise StopIteration

    def close(self) -> None:
        """End the thread; items that were made and not taken are dropped."""
        with self._changed:
            self._closed = True
            self._ready.clear()
            self._changed.notify_all()
        self.thread.join(_SECONDS_TO_END)

    def __enter__(self) -> Prefetcher[Item]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def prefetch(
    make: Callable[[Step], Item], steps: Iterable[Step], depth: int = 2
) -> Prefetcher[Item]:
    """Make items in a background thread, a few ahead of who takes them.

        with prefetch(data.share, range(100)) as shares:
            for share in shares:
                ...
        print(shares.waited)

    Order and content are those of ``map(make, steps)``. What ``make`` raises is raised where the
    item would have come.

    Args:
        make: called with one step after the other, in the thread.
        steps: what to make.
        depth: how many finished items may wait.
    """
    if depth < 1:
        raise ValueError(f"depth must be at least 1, got {depth}")
    return Prefetcher(map(make, steps), depth)
