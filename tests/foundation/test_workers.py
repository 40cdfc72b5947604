"""Work in several processes ends in order, or with one clear line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial

import pytest

from exonym.foundation.errors import FormatError, InputError, ResourceError
from exonym.foundation.workers import run_tasks


def _square(number: int) -> int:
    return number * number


def _fail() -> int:
    raise FormatError("is damaged", where="file.xml", remedy="Pass --keep-going")


def _be_killed() -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def test_results_carry_the_numbers_of_their_tasks() -> None:
    tasks = [partial(_square, number) for number in range(5)]
    assert dict(run_tasks(tasks, 2)) == {number: number * number for number in range(5)}


def test_an_error_in_a_worker_is_the_error_of_the_caller_with_all_its_parts() -> None:
    with pytest.raises(InputError, match=r"file\.xml: is damaged\. Pass --keep-going") as caught:
        dict(run_tasks([_fail, partial(_square, 1)], 2))
    assert caught.value.remedy == "Pass --keep-going"


def test_a_worker_that_is_killed_is_reported() -> None:
    with pytest.raises(ResourceError, match="--processes 1"):
        dict(run_tasks([_be_killed], 1))


_CHILD = (
    "import os, sys, time\n"
    "from exonym.foundation.workers import follow\n"
    "follow(int(sys.argv[1]))\n"
    "print(os.getpid(), flush=True)\n"
    "time.sleep(60)\n"
)
_PARENT = (
    "import os, subprocess, sys\n"
    "subprocess.run([sys.executable, '-c', sys.argv[1], str(os.getpid())])\n"
)


def test_a_worker_ends_when_the_one_that_started_it_is_killed() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, _CHILD], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    os.kill(child, 0)  # it is there
    parent.kill()
    parent.wait()
    assert parent.stdout.read() == "", "the child held the other end until it ended"
    parent.stdout.close()
