"""The quickstart from nothing to a report, disturbed and undisturbed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from exonym.foundation.errors import ExonymError, InputError, VersionError
from exonym.systems import mluke, quickstart
from exonym.systems.quickstart import Quickstart, QuickstartOptions
from exonym.systems.steps import StepFolder

TABLE = Path(__file__).resolve().parents[1] / "data" / "tiny_table.jsonl"
CHANGES = (
    "batch_sequences=8", "checkpoint_seconds=0", "model.hidden_size=16", "model.entity_emb_size=8",
    "model.num_hidden_layers=1", "model.num_attention_heads=2", "model.intermediate_size=24",
    "stages.backbone.steps=5", "stages.entities.steps=10", "stages.all.steps=40",
)  # fmt: skip
ROWS = ["chance", "most_frequent", "words_only", "mluke_w", "mluke_e_y", "mluke_e_xy"]
OPTIONS = QuickstartOptions(table=TABLE, changes=CHANGES, vocabulary_size=500)


def start(out: Path) -> subprocess.Popen[str]:
    """`OPTIONS` on the command line."""
    changes = [part for change in CHANGES for part in ("--set", change)]
    return subprocess.Popen(
        [sys.executable, "-m", "exonym", "quickstart", "--out", str(out), "--table", str(TABLE),
         "--vocabulary-size", "500", *changes],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def finish(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out


def summary(out: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((out / "summary.json").read_bytes())
    return value


def figures(out: Path) -> tuple[Any, list[bytes]]:
    """What must not depend on interruptions."""
    value = summary(out)
    runs = ("backbone", "mluke", "words-only")
    weights = [(out / run / "model" / "model.safetensors").read_bytes() for run in runs]
    return [value[key] for key in ("cloze", "language_bias", "samples", "corpus")], weights


def test_from_nothing_to_a_report_and_on_after_a_kill(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    shown = finish(start(whole))
    _check_summary(whole)
    assert "mluke_e_xy" in shown
    assert str(whole / "report.html") in shown

    process = start(killed)
    deadline = time.monotonic() + 60
    while not list(killed.glob("mluke/checkpoints/01-*")):
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (killed / "mluke" / "model").exists()
    assert not (killed / "summary.json").exists()
    (killed / ".kb.partial-1").mkdir()  # what a process may leave that dies while it writes
    (killed / "peak_memory_mib.json").write_text("123456.5")
    before = (killed / "corpus" / "manifest.json").stat().st_mtime_ns

    with pytest.raises(InputError, match=r"holds a quickstart of other options.*--overwrite"):
        Quickstart(killed, QuickstartOptions(table=TABLE)).run()
    finish(start(killed))
    assert figures(killed) == figures(whole)
    assert (killed / "corpus" / "manifest.json").stat().st_mtime_ns == before, "not done again"
    assert summary(killed)["peak_memory_mib"] == 123456.5, "of the process that was killed"
    assert not list(killed.glob(".*"))


def _check_summary(out: Path) -> None:
    """The documented keys of issue 2, point 5."""
    value = summary(out)
    assert value["seconds"] == pytest.approx(sum(value["seconds_by_step"].values()))
    assert 50 < value["peak_memory_mib"] < 4096
    assert list(value["cloze"]) == ["untold", "control"]
    for block in value["cloze"].values():
        assert list(block) == ROWS
        for row in block.values():
            assert 0 <= row["low"] <= row["accuracy"] + 1e-9
            assert row["accuracy"] <= row["high"] + 1e-9 <= 1 + 2e-9
            assert row["questions"] > 0
            assert row["by_language"]
    assert 0 < len(value["samples"]) <= 20
    for sample in value["samples"]:
        assert "[Y]" in sample["question"]
        assert "[X]" not in sample["question"]
        assert sample["right"]
    report = (out / "report.html").read_text(encoding="utf-8")
    assert "<html" in report
    for source in ('src="http', 'href="http', "url(http"):
        assert source not in report


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Quickstarts that do no work but remember which steps they would do."""
    done: list[str] = []

    def step(self: StepFolder, name: str, _work: object, **_: object) -> None:
        done.append(name)
        if name == "atlas":
            (self.path / "atlas").mkdir()
            questions = json.dumps({"questions": {"untold here": 1}, "languages": ["en", "de"]})
            (self.path / "atlas" / "manifest.json").write_text(questions)

    monkeypatch.setattr(StepFolder, "step", step)
    monkeypatch.setattr(mluke, "_sequences", lambda _: 1000)
    monkeypatch.setattr(
        Quickstart, "_summarise", lambda self, _: (self.out / "summary.json").touch()
    )
    return done


def test_a_finished_quickstart_begins_anew(steps: list[str], tmp_path: Path) -> None:
    Quickstart(tmp_path / "q", OPTIONS).run()
    (tmp_path / "q" / "mark").touch()
    assert (tmp_path / "q" / "summary.json").exists()
    Quickstart(tmp_path / "q", QuickstartOptions(seed=3)).run()
    assert not (tmp_path / "q" / "mark").exists()
    assert steps.count("atlas") == 2
    assert json.loads((tmp_path / "q" / "manifest.json").read_bytes())["options"]["seed"] == 3


def test_an_unfinished_one_goes_on_or_is_overwritten_if_one_says_so(
    steps: list[str], tmp_path: Path
) -> None:
    Quickstart(tmp_path / "q", OPTIONS).run()
    (tmp_path / "q" / "summary.json").unlink()
    (tmp_path / "q" / "mark").touch()
    Quickstart(tmp_path / "q", OPTIONS)._open(overwrite=False)
    assert (tmp_path / "q" / "mark").exists()
    with pytest.raises(InputError, match="other options"):
        Quickstart(tmp_path / "q", QuickstartOptions(seed=3))._open(overwrite=False)
    Quickstart(tmp_path / "q", QuickstartOptions(seed=3))._open(overwrite=True)
    assert not (tmp_path / "q" / "mark").exists()
    assert steps


def test_one_that_has_done_nothing_does_not_stand_in_the_way(tmp_path: Path) -> None:
    with pytest.raises(ExonymError, match="no such table"):
        Quickstart(tmp_path / "q", QuickstartOptions(table=tmp_path / "none")).run()
    Quickstart(tmp_path / "q", OPTIONS)._open(overwrite=False)


def test_only_quickstarts_are_ever_deleted(tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "summary.json").write_text("my summary")
    for overwrite in (False, True):
        with pytest.raises(InputError, match=r"no manifest\.json in it.*another --out"):
            Quickstart(tmp_path / "thesis", OPTIONS).run(overwrite=overwrite)
    assert (tmp_path / "thesis" / "summary.json").read_text() == "my summary"
    with pytest.raises(InputError, match="is a file"):
        Quickstart(tmp_path / "thesis" / "summary.json", OPTIONS).run(overwrite=True)


def test_a_quickstart_of_another_version_is_named_or_overwritten(
    steps: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(quickstart, "VERSION", 99)
        Quickstart(tmp_path / "q", OPTIONS).run()
    with pytest.raises(VersionError, match=r"version 99.*--overwrite"):
        Quickstart(tmp_path / "q", OPTIONS).run()
    Quickstart(tmp_path / "q", OPTIONS).run(overwrite=True)
    assert steps.count("atlas") == 2


def test_a_world_with_nothing_to_ask_is_refused_before_hours_of_training(tmp_path: Path) -> None:
    options = QuickstartOptions(table=TABLE, languages=("en",), changes=CHANGES)
    with pytest.raises(InputError, match=r"no fact that one language tells.*--languages"):
        Quickstart(tmp_path / "q", options).run()
    assert not (tmp_path / "q" / "kb").exists()


def test_a_world_of_two_languages_without_control_facts_runs_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from exonym.cli.app import run

    table = tmp_path / "few.jsonl"
    table.write_text(_without_control(), encoding="utf-8")
    changes = [part for change in CHANGES for part in ("--set", change)]
    changes += ["--set", "stages.all.steps=2", "--set", "stages.entities.steps=2"]
    arguments = ["quickstart", "--out", str(tmp_path / "q"), "--table", str(table),
                 "--languages", "en, de, xx", "--vocabulary-size", "300", *changes]  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["exonym", *arguments])
    with pytest.raises(SystemExit) as done:
        run()
    shown = capsys.readouterr()
    assert done.value.code in (None, 0), shown.err
    assert "too small for control facts" in shown.out
    assert "Left out, having no names in the table: xx" in shown.out
    assert list(summary(tmp_path / "q")["cloze"]) == ["untold"]
    assert (tmp_path / "q" / "report.html").is_file()


def _without_control() -> str:
    """The tiny table with too few objects in each relation for control facts."""
    kept, seen = [], dict[str, set[str]]()
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        value = json.loads(line)
        if value["type"] == "fact":
            objects = seen.setdefault(value["relation"], set())
            if len(objects) >= 9 and value["object"] not in objects:
                continue
            objects.add(value["object"])
        kept.append(line)
    return "\n".join(kept) + "\n"
