"""Making items ahead: the same items in the same order, and an end that comes at once."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator

import pytest

from exonym.foundation import prefetch as module
from exonym.foundation.prefetch import prefetch


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() == before


@pytest.mark.parametrize("depth", [1, 2, 50])
def test_order_and_content_are_those_without_it(depth: int) -> None:
    with prefetch(lambda step: step * step, range(20), depth=depth) as items:
        assert list(items) == [step * step for step in range(20)]
        assert list(items) == []


def test_items_are_made_in_another_thread_while_one_is_worked_on() -> None:
    made = threading.Event()

    def make(step: int) -> str:
        if step == 1:
            made.set()
        return threading.current_thread().name

    with prefetch(make, range(2)) as items:
        assert next(items) == "prefetch"
        assert made.wait(5)  # without anyone asking for it


@pytest.mark.parametrize("depth", [1, 3])
def test_only_so_many_items_are_made_ahead(depth: int) -> None:
    made: list[int] = []
    with prefetch(lambda step: made.append(step), range(100), depth=depth) as items:
        for taken in range(5):
            deadline = time.monotonic() + 5
            while len(made) < taken + depth and time.monotonic() < deadline:
                time.sleep(0.001)
            time.sleep(0.01)
            assert len(made) == taken + depth
            next(items)


def test_an_error_comes_where_the_item_would_have_come() -> None:
    def make(step: int) -> int:
        if step == 3:
            raise KeyError("three")
        return step

    with prefetch(make, range(9), depth=2) as items:
        assert [next(items) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(KeyError, match="three") as caught:
            next(items)
        assert "make" in [entry.name for entry in caught.traceback]
        assert list(items) == []


def test_an_error_of_the_steps_comes_too() -> None:
    def steps() -> Iterator[int]:
        yield 1
        raise OSError("no more")

    with prefetch(str, steps()) as items:
        assert next(items) == "1"
        with pytest.raises(OSError, match="no more"):
            next(items)


def test_closing_ends_the_thread_at_once_and_drops_what_was_made() -> None:
    items = prefetch(str, iter(int, 1))  # endless
    assert next(items) == "0"
    started = time.monotonic()
    items.close()
    assert time.monotonic() - started < 0.5
    assert list(items) == []
    items.close()


def test_closing_does_not_wait_for_an_item_that_takes_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_SECONDS_TO_END", 0.05)
    release = threading.Event()
    with prefetch(lambda _: release.wait(20), range(3)) as items:
        started = time.monotonic()
    assert time.monotonic() - started < 5
    assert items.thread.is_alive()
    release.set()
    items.thread.join(5)


def test_an_interrupt_reaches_who_waits_for_an_item() -> None:
    release = threading.Event()
    main = threading.main_thread()
    assert threading.current_thread() is main
    interrupt = threading.Timer(0.05, lambda: signal.pthread_kill(main.ident, signal.SIGINT))

    def make(step: int) -> int:
        if step:
            release.wait(20)
        return step

    started = time.monotonic()
    items = prefetch(make, range(3))
    assert next(items) == 0
    interrupt.start()
    with pytest.raises(KeyboardInterrupt):
        next(items)
    release.set()
    items.close()
    interrupt.join()
    assert time.monotonic() - started < 5


def test_waiting_is_counted_in_seconds() -> None:
    with prefetch(lambda _: time.sleep(0.05), range(4)) as items:
        assert len(list(items)) == 4
        assert 0.1 < items.waited < 5
    with prefetch(str, range(3), depth=3) as items:
        time.sleep(0.1)
        for _ in items:
            pass
        assert items.waited < 0.05


def test_a_depth_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="depth must be at least 1, got 0"):
        prefetch(str, range(3), depth=0)
