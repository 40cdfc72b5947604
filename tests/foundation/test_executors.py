"""Steps of tasks: each done once, whatever runs them and however often they are interrupted."""

from __future__ import annotations

import importlib.util
import os
import signal
from functools import partial
from pathlib import Path

import fake_slurm
import pytest

from exonym.foundation import datatrove_executors
from exonym.foundation.errors import (
    ConfigError,
    InputError,
    MissingExtraError,
    ResourceError,
)
from exonym.foundation.executors import Executor, Step, run_steps


def _note(folder: Path, name: str, rank: int) -> None:
    with (folder / f"{name}-{rank}").open("a") as stream:
        stream.write("done\n")


def _fail_without(folder: Path, name: str, rank: int) -> None:
    if rank == 1 and not (folder / "repaired").exists():
        raise InputError("the second file is damaged", where="b.xml")
    _note(folder, name, rank)


def _be_killed(_rank: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _steps(folder: Path, work=_note) -> list[Step]:
    return [
        Step("first", "First", 3, partial(work, folder, "first"), [5, 1, 1], "MiB"),
        Step("second", "Second", 2, partial(_note, folder, "second")),
    ]


def _done(folder: Path) -> dict[str, int]:
    """How often each task was done."""
    names = ("first-0", "first-1", "first-2", "second-0", "second-1")
    return {
        name: len((folder / name).read_text().splitlines())
        for name in names
        if (folder / name).exists()
    }


_ALL_ONCE = {"first-0": 1, "first-1": 1, "first-2": 1, "second-0": 1, "second-1": 1}


@pytest.mark.parametrize("workers", [1, 2])
def test_every_task_is_done_once_also_when_the_steps_run_again(tmp_path, workers):
    for _ in range(2):
        run_steps(_steps(tmp_path), tmp_path / "steps", Executor(workers=workers))
    assert _done(tmp_path) == _ALL_ONCE


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_a_task_is_raised_as_it_is_and_only_the_rest_is_repeated(
    tmp_path, workers, capfd
):
    steps = _steps(tmp_path, _fail_without)
    with pytest.raises(InputError, match="the second file is damaged"):
        run_steps(steps, tmp_path / "steps", Executor(workers=workers))
    assert "Traceback" not in capfd.readouterr().err
    assert "second-0" not in _done(tmp_path)
    (tmp_path / "repaired").touch()
    run_steps(steps, tmp_path / "steps", Executor(workers=workers))
    assert _done(tmp_path) == _ALL_ONCE


def test_a_killed_worker_ends_the_steps_with_an_error_instead_of_hanging(tmp_path):
    with pytest.raises(ResourceError, match="ended before its work was done"):
        run_steps([Step("a", "A", 2, _be_killed)], tmp_path / "steps", Executor(workers=2))


def test_impossible_executors_are_refused_with_what_would_do():
    with pytest.raises(ConfigError, match="Choose one of local, slurm, ray"):
        Executor(kind="cloud")
    with pytest.raises(ConfigError, match="at least 1"):
        Executor(workers=0)
    with pytest.raises(ConfigError, match="--partition NAME"):
        Executor(kind="slurm")


def test_slurm_runs_the_same_steps_as_job_arrays_that_depend_on_each_other(tmp_path, monkeypatch):
    slurm = fake_slurm.install(tmp_path / "slurm")
    monkeypatch.setenv("PATH", f"{slurm}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    monkeypatch.setattr(datatrove_executors, "SECONDS_BETWEEN_LOOKS", 0.01)
    executor = Executor("slurm", workers=2, partition="cpu", options={"account": "nlp"})
    run_steps(_steps(tmp_path), tmp_path / "steps", executor)
    assert _done(tmp_path) == _ALL_ONCE
    first = (slurm / "jobs" / "1").read_text()
    for line in ("--partition=cpu", "--account=nlp", "--array=0-2%2", "--mem-per-cpu=8G"):
        assert f"#SBATCH {line}" in first
    assert "--dependency=afterok:1" in (slurm / "jobs" / "3").read_text()


def test_slurm_jobs_that_end_unfinished_are_an_error_that_names_step_and_logs(
    tmp_path, monkeypatch
):
    slurm = fake_slurm.install(tmp_path / "slurm")
    monkeypatch.setenv("PATH", f"{slurm}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    monkeypatch.setattr(datatrove_executors, "SECONDS_BETWEEN_LOOKS", 0.01)
    steps = _steps(tmp_path, _fail_without)
    executor = Executor("slurm", partition="cpu")
    with pytest.raises(ResourceError, match="'exonym-first' ended unfinished") as caught:
        run_steps(steps, tmp_path / "steps", executor)
    assert "repeats only those tasks" in str(caught.value)
    (tmp_path / "repaired").touch()
    run_steps(steps, tmp_path / "steps", executor)
    assert _done(tmp_path)["first-0"] == 1


def test_without_slurm_the_error_says_where_to_run_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingExtraError, match="login node"):
        run_steps(_steps(tmp_path), tmp_path / "steps", Executor("slurm", partition="cpu"))


@pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="ray is installed")
def test_without_ray_the_error_says_how_to_install_it(tmp_path):
    with pytest.raises(MissingExtraError, match="pip install"):
        run_steps(_steps(tmp_path), tmp_path / "steps", Executor("ray"))
