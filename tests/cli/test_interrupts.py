"""Ctrl-C anywhere: one line, status 130, nothing half-written under a final name."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
from commands import TABLE, World, run_command, start

# Runs a command, and stops in the middle of it until Ctrl-C comes.
PROGRAM = """
import importlib, sys, time

module, function = sys.argv.pop(1).split(":")
calls = int(sys.argv.pop(1))
owner = importlib.import_module(module)
original = getattr(owner, function)

def waiting(*arguments, **options):
    global calls
    calls -= 1
    if calls < 0:
        print("there", flush=True)
        time.sleep(60)
    return original(*arguments, **options)

setattr(owner, function, waiting)
from exonym.cli import main
main()
"""


def interrupt(where: str, calls: int, *arguments: object) -> str:
    """Send Ctrl-C when a function is called after ``calls`` calls; returns the one line."""
    process = start(where, calls, *arguments, program=PROGRAM)
    assert process.stdout is not None
    seen = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert seen == "there\n", err
    assert process.returncode == 130, err
    assert out == ""
    assert "Traceback" not in err
    lines = [line for line in err.splitlines() if line.startswith("exonym: ")]
    assert len(lines) == 1, err
    assert err.splitlines()[-1] == lines[0], err
    return lines[0]


@pytest.mark.parametrize(
    ("command", "where"),
    [
        ("atlas write --out {out} --entities 40", "exonym.atlas.writing:write_wikidata"),
        ("corpus build --kb {kb} --out {out} --vocabulary-size 400",
         "exonym.corpus.sequences:pack_pages"),
        ("evaluate cloze --model {run}/model --questions {atlas}/cloze --out {out}",
         "exonym.tasks.cloze.predict:encode_queries"),
    ],
    ids=["atlas write", "corpus build", "evaluate cloze"],
)  # fmt: skip
def test_an_interrupted_command_leaves_nothing(
    command: str, where: str, world: World, tmp_path: Path
) -> None:
    places = {name: getattr(world, name) for name in ("atlas", "kb", "run")}
    arguments = command.format(out=tmp_path / "out", **places).split()
    assert "interrupted" in interrupt(where, 1 if "cloze" in command else 0, *arguments)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_kb_build_says_how_to_go_on(world: World, tmp_path: Path) -> None:
    arguments = ("kb", "build", "--dumps", world.atlas, "--out", tmp_path / "kb")
    said = interrupt("exonym.knowledge.building.manifest:write_tables", 0, *arguments)
    assert "Run the same command again" in said
    assert [path.name for path in tmp_path.iterdir()] == ["kb.building"]
    assert run_command(*arguments) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["kb"]


def test_an_interrupted_pretraining_has_no_model_and_says_how_to_go_on(
    world: World, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    arguments = ("pretrain", "--corpus", world.corpus, "--out", out, *world.small)
    said = interrupt("exonym.corpus.data:mask_sequences", 3, *arguments)
    assert "--resume" in said
    assert not (out / "model").exists()
    assert not list(out.rglob(".*.partial-*"))
    assert run_command(*arguments, "--resume") == 0
    weights = [(path / "model" / "model.safetensors").read_bytes() for path in (out, world.run)]
    assert weights[0] == weights[1]


def test_an_interrupted_quickstart_keeps_the_steps_that_are_done_and_says_how_to_go_on(
    tmp_path: Path,
) -> None:
    out = tmp_path / "quickstart"
    said = interrupt(
        "exonym.knowledge.building.manifest:write_tables", 0,
        "quickstart", "--out", out, "--table", TABLE, "--languages", "en,de",
    )  # fmt: skip
    assert "The same command" in said
    assert sorted(path.name for path in out.iterdir()) == [
        "atlas", "kb.building", "manifest.json", "peak_memory_mib.json", "seconds.json",
    ]  # fmt: skip


def test_control_c_at_any_time_while_atlas_is_written(tmp_path: Path) -> None:
    process = start("atlas", "write", "--out", tmp_path / "atlas")
    deadline = time.monotonic() + 30
    while not list(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert err.splitlines()[-1].startswith("exonym: interrupted")
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []
