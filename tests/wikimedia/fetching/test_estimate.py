"""The estimate grows with the bytes and shrinks with the processes, whatever its coefficients."""

from __future__ import annotations

import pytest

from exonym.wikimedia.estimate import estimate_build

GIGABYTE = 1_000_000_000


def test_twice_the_dumps_take_twice_the_time_and_disk() -> None:
    once = estimate_build(10 * GIGABYTE, 20 * GIGABYTE, 2)
    twice = estimate_build(20 * GIGABYTE, 40 * GIGABYTE, 2)
    assert twice.seconds == pytest.approx(2 * once.seconds)
    assert twice.disk_bytes == pytest.approx(2 * once.disk_bytes)
    assert once.memory_bytes < twice.memory_bytes < 2 * once.memory_bytes


def test_more_processes_save_time_and_cost_memory() -> None:
    one, four = (estimate_build(10 * GIGABYTE, 0, processes) for processes in (1, 4))
    assert four.seconds == pytest.approx(one.seconds / 4)
    assert four.memory_bytes > one.memory_bytes
    assert four.disk_bytes == one.disk_bytes


def test_wikidata_counts() -> None:
    without, beside = (estimate_build(GIGABYTE, size, 1) for size in (0, GIGABYTE))
    assert beside.seconds > without.seconds
    assert beside.disk_bytes > without.disk_bytes
