"""Sums of losses, the view on the terminal, trackers."""

from __future__ import annotations

import io
import math
import os
import pty
import re
import signal
import subprocess
import sys
import time
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from exonym.foundation import progress as plain_progress
from exonym.foundation.errors import ConfigError, ResourceError
from exonym.training.engine import Engine
from exonym.training.watching import Meter, live, open_tracker
from exonym.training.watching.trackers import scalars

LANGUAGES = ("de", "en", "sw")
TARGETS = st.lists(
    st.tuples(st.integers(-1, 2), st.floats(0, 20, width=32), st.booleans()), max_size=40
)


def record(kind: str = "train", **changes: object) -> dict[str, Any]:
    return {
        "kind": kind,
        "stage": "all",
        "stage_index": 1,
        "step": 1230,
        "learning_rate": 0.0005,
        "words": 3.21,
        "words_accuracy": 0.412,
        "words_targets": 900,
        "entities": 2.13,
        "entities_accuracy": 0.613,
        "entities_targets": 80,
        "gradient_norm": 1.75,
        "words_per_second": 12345.6,
        "entities_per_second": 678.9,
        "memory_mib": 2048.0,
        "languages": {"en": {"words": 3.0, "entities_accuracy": 0.7}},
        **changes,
    }


# --- the meter ------------------------------------------------------------------------------


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(("words", "entities")), TARGETS), max_size=6))
def test_a_record_is_the_mean_of_what_was_added_in_all_and_by_language(
    passes: list[tuple[str, list[tuple[int, float, bool]]]],
) -> None:
    meter = Meter(("words", "entities"), LANGUAGES)
    for name, targets in passes:
        columns = list(zip(*targets, strict=True)) if targets else [(), (), ()]
        meter.add(name, np.array(columns[0], np.int32), columns[1], np.array(columns[2], bool))
    taken = meter.take()

    def expected(language: int | None) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for objective in ("words", "entities"):
            chosen = [
                (nats, correct)
                for name, targets in passes
                for of, nats, correct in targets
                if name == objective and of >= 0 and language in (None, of)
            ]
            if chosen:
                fields[objective] = math.fsum(n for n, _ in chosen) / len(chosen)
                fields[f"{objective}_accuracy"] = sum(c for _, c in chosen) / len(chosen)
                fields[f"{objective}_targets"] = len(chosen)
        return fields

    by_language = taken.pop("languages")
    assert taken == pytest.approx(expected(None))
    seen = {code: fields for place, code in enumerate(LANGUAGES) if (fields := expected(place))}
    assert set(by_language) == set(seen)
    for code, fields in seen.items():
        assert by_language[code] == pytest.approx(fields)
    assert meter.take() == {"languages": {}}


def test_the_states_of_several_processes_add_up_to_one_meter_of_all() -> None:
    rng = np.random.default_rng(0)
    whole = Meter(("words", "entities"), LANGUAGES)
    parts = [Meter(("words", "entities"), LANGUAGES) for _ in range(3)]
    for part in parts:
        for name in ("words", "entities"):
            added = (rng.integers(0, 3, 50), rng.random(50), rng.random(50) < 0.3)
            part.add(name, *added)
            whole.add(name, *added)
    states = [part.state() for part in parts]
    assert {state.shape for state in states} == {(2, 3, 3)}
    assert {state.dtype for state in states} == {np.dtype(np.float64)}
    assert parts[0].take(sum(states)) == whole.take()
    assert not parts[0].state().any(), "taking starts anew"


def test_sums_do_not_lose_small_losses_among_many_targets() -> None:
    meter = Meter(("words",), ("en",))
    targets = 100_000
    for _ in range(200):
        nats = np.full(targets, 0.1, np.float32)
        meter.add("words", np.zeros(targets, np.int32), nats, np.zeros(targets, bool))
    assert meter.take()["words"] == pytest.approx(float(np.float32(0.1)), rel=1e-12)


def test_a_loss_that_is_no_number_is_not_hidden() -> None:
    meter = Meter(("words",), LANGUAGES)
    meter.add("words", [0, 1], [math.nan, 1.0], [False, True])
    taken = meter.take()
    assert math.isnan(taken["words"])
    assert taken["languages"]["en"]["words"] == 1.0
    assert orjson.loads(orjson.dumps(taken))["words"] is None


# --- the live view --------------------------------------------------------------------------


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)


def terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=110, height=30)


def written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_terminal_shows_the_bar_and_the_figures_of_the_last_records() -> None:
    console, clock = terminal(), iter(range(0, 10**6, 30))
    with live("tiny: all", 4500, done=1200, console=console, now=lambda: next(clock)) as view:
        view.advance(30)
        view.show(record())
        view.show(record("held_out", words=3.5, words_accuracy=0.389, entities=None))
        view.saved(1200)
    shown = plain(written(console))
    last = shown[shown.rindex("tiny: all") :]
    assert "1230/4500" in last
    assert re.search(r"masked words +3\.210 +0\.412 +3\.500 +0\.389", last)
    assert re.search(r"masked entities +2\.130 +0\.613 +- +0\.613", last)
    for figure in ("learning rate 0.0005", "gradient norm 1.75", "pieces/s 12,346",
                   "masked entities/s 679", "memory 2,048 MiB"):  # fmt: skip
        assert figure in last
    assert re.search(r"checkpoint of step 1,200 saved \d+ (s|min) ago", last)


def test_a_stage_without_entities_has_no_row_for_them() -> None:
    console = terminal()
    with live("tiny: backbone", 10, console=console) as view:
        view.show({"stage": "backbone", "stage_index": 0, "step": 10, "words": 9.1})
    shown = plain(written(console))
    assert "masked words" in shown
    assert "masked entities" not in shown


def test_records_of_a_kind_or_with_keys_unknown_do_no_harm() -> None:
    console = terminal()
    with live("[b]t[/b]", 10, console=console) as view:
        view.show({"kind": "of tomorrow", "words": 1.0})
        view.show(record(new_key={"deep": []}, words=None))
    assert "[b]t[/b]" in plain(written(console)), "a name is no markup"


def stopped(console: Console, error: type[BaseException]) -> None:
    with live("tiny: all", 10, console=console) as view:
        view.advance(3)
        raise error


def test_the_cursor_is_there_again_after_ctrl_c_or_an_error() -> None:
    for error in (KeyboardInterrupt, RuntimeError):
        console = terminal()
        with pytest.raises(error):
            stopped(console, error)
        text = written(console)
        assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1
        assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")
        assert text.endswith("\n") or text.endswith("\x1b[?25h")


# The room's other modules would load torch, which takes seconds.
_PROGRAM = """
import sys, time, types
import exonym
room = sys.modules["exonym.training"] = types.ModuleType("exonym.training")
room.__path__ = [f"{path}/training" for path in exonym.__path__]
from exonym.training.watching import live
with live("tiny: all", 100) as view:
    view.advance(3)
    view.show({"kind": "train", "words": 2.5, "words_accuracy": 0.25})
    print("ready", flush=True)
    time.sleep(60)
"""


def test_ctrl_c_in_a_real_terminal_leaves_it_clean() -> None:
    outer, inner = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM],
        stdin=inner, stdout=subprocess.PIPE, stderr=inner, start_new_session=True,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    os.close(inner)
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    child.send_signal(signal.SIGINT)
    shown = b""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            part = os.read(outer, 65536)
        except OSError:  # Linux's way to say that the other end is closed
            break
        if not part:
            break
        shown += part
    child.wait(timeout=20)
    child.stdout.close()
    os.close(outer)
    text = shown.decode()
    assert "masked words" in plain(text)
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1
    assert text.index("\x1b[?25h") < text.index("KeyboardInterrupt")


def test_elsewhere_plain_lines_look_as_they_did(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain_progress, "PLAIN_LINE_SECONDS", 0.0)
    with live("tiny: all", 4500, done=1229) as view:
        view.show(record("held_out", words=9.0))
        view.show(record())
        view.saved(1229)
        view.advance()
    lines = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"tiny: all: 1,229/4,500 steps \(\d+ s\)", lines[0])
    for line in lines[1:]:
        assert re.fullmatch(
            r"tiny: all: 1,230/4,500 steps \(\d+ s\) words 3\.210 entities 2\.130", line
        )


def test_other_processes_show_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with live("tiny: all", 10, silent=True) as view:
        view.advance()
        view.show(record())
        view.saved(1)
    assert capsys.readouterr() == ("", "")


# --- trackers -------------------------------------------------------------------------------

CONFIG = {
    "name": "tiny",
    "seed": 7,
    "stages": [{"name": "new", "steps": 100}, {"name": "all", "steps": 5000}],
    "model": {"backbone": None, "hidden_size": 16},
}


def test_a_record_becomes_scalars_by_path() -> None:
    found = scalars(record("held_out", learning_rate=None))
    assert found == {
        "held_out/words": 3.21,
        "held_out/words_accuracy": 0.412,
        "held_out/words_targets": 900,
        "held_out/entities": 2.13,
        "held_out/entities_accuracy": 0.613,
        "held_out/entities_targets": 80,
        "held_out/gradient_norm": 1.75,
        "held_out/words_per_second": 12345.6,
        "held_out/entities_per_second": 678.9,
        "held_out/memory_mib": 2048.0,
        "held_out/en/words": 3.0,
        "held_out/en/entities_accuracy": 0.7,
    }


def tensorboard_events(folder: Path) -> Iterator[tuple[int, str, float]]:
    """(step, tag, value) of every scalar in the event files below a folder."""
    from tensorboardX import proto

    for path in sorted(folder.rglob("events.out.tfevents.*")):
        data, place = path.read_bytes(), 0
        while place < len(data):
            length = int.from_bytes(data[place : place + 8], "little")
            event = proto.event_pb2.Event.FromString(data[place + 12 : place + 12 + length])
            place += 12 + length + 4
            for value in event.summary.value:
                if value.HasField("simple_value"):
                    yield event.step, value.tag, value.simple_value


def test_tensorboard_has_the_figures_at_steps_counted_over_all_stages(tmp_path: Path) -> None:
    tracker = open_tracker("tensorboard", tmp_path, "tiny/1", CONFIG)
    tracker.log(record(stage="new", stage_index=0, step=100, words=4.0))
    tracker.log(record())
    tracker.log(record("held_out", words=3.5))
    tracker.close()
    assert [path.name for path in tmp_path.iterdir()] == ["tracker"]
    found = {(step, tag): value for step, tag, value in tensorboard_events(tmp_path)}
    assert found[100, "train/words"] == 4.0
    assert found[1330, "train/words"] == pytest.approx(3.21)
    assert found[1330, "train/en/entities_accuracy"] == pytest.approx(0.7)
    assert found[1330, "held_out/words"] == 3.5


def test_settings_of_the_run_reach_the_tracker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeTracker.registered(monkeypatch)
    open_tracker("fake", tmp_path, "tiny", CONFIG)
    assert fake.told == [
        ("start", "exonym"),
        ("config", {
            "name": "tiny", "seed": 7, "stages.new.name": "new", "stages.new.steps": 100,
            "stages.all.name": "all", "stages.all.steps": 5000, "model.backbone": "None",
            "model.hidden_size": 16,
        }),
    ]  # fmt: skip


class FakeTracker:
    """Stands for a tracker whose network comes and goes."""

    name = "fake"
    requires_logging_directory = False
    told: list[Any]
    fails: set[str]

    def __init__(self, run_name: str) -> None:
        self.run_name = run_name

    @classmethod
    def registered(cls, monkeypatch: pytest.MonkeyPatch, *fails: str) -> type[FakeTracker]:
        from accelerate import tracking

        cls.told, cls.fails = [], set(fails)
        monkeypatch.setitem(tracking.LOGGER_TYPE_TO_CLASS, "fake", cls)
        return cls

    def _do(self, what: str, value: object) -> None:
        self.told.append((what, value))
        if what in self.fails:
            raise ConnectionError("no route\nto host")

    def start(self) -> None:
        self._do("start", self.run_name)

    def store_init_configuration(self, values: object) -> None:
        self._do("config", values)

    def log(self, values: dict[str, float], step: int) -> None:  # noqa: ARG002 - theirs
        self._do("log", step)

    def finish(self) -> None:
        self._do("finish", None)


def test_a_tracker_that_fails_later_is_told_of_once_and_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = FakeTracker.registered(monkeypatch, "log")
    tracker = open_tracker("fake", tmp_path, "tiny", CONFIG)
    tracker.log(record(step=1))
    assert capsys.readouterr().err == (
        "the tracker fake failed (ConnectionError: no route to host); the run goes on\n"
    )
    fake.fails = set()
    tracker.log(record(step=2))
    fake.fails = {"log", "finish"}
    for step in range(3, 9):
        tracker.log(record(step=step))
    assert capsys.readouterr().err == ""
    logged = [step - 100 for what, step in fake.told if what == "log"]
    assert logged == [1, 2, 3, 4, 5], "three failures in a row are enough"
    tracker.close()
    ended, lost = capsys.readouterr().err.splitlines()
    assert ended.startswith("the tracker fake did not end well (ConnectionError")
    assert lost == "the tracker fake lacks 7 records; metrics.jsonl has them all"


def test_a_tracker_that_does_not_start_is_an_error_before_the_first_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeTracker.registered(monkeypatch, "start")
    with pytest.raises(ResourceError, match=r"fake does not start \(ConnectionError: no route to"):
        open_tracker("fake", tmp_path, "tiny", CONFIG)


def test_an_unknown_tracker_and_one_that_is_not_installed_say_what_to_do(tmp_path: Path) -> None:
    from accelerate import tracking

    with pytest.raises(ConfigError, match=r"no tracker 'tensorbord'\. Give one of .*tensorboard"):
        open_tracker("tensorbord", tmp_path, "tiny", CONFIG)
    here = {str(kind) for kind in tracking.get_available_trackers()}
    absent = sorted(set(tracking.LOGGER_TYPE_TO_CLASS) - here)
    assert absent
    for name in absent:
        with pytest.raises(ConfigError, match=rf"not installed here\. Run pip install {name}$"):
            open_tracker(name, tmp_path, "tiny", CONFIG)
    assert list(tmp_path.iterdir()) == []


def test_weights_and_biases_gets_project_name_and_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from accelerate import tracking
    from accelerate.utils import LoggerType

    told: list[tuple[str, Any]] = []

    class Run:
        def log(self, values: dict[str, float], step: int) -> None:
            told.append(("log", (step, values["train/words"])))

        def finish(self) -> None:
            told.append(("finish", None))

    def init(**given: object) -> Run:
        told.append(("init", given))
        return Run()

    package: Any = types.ModuleType("wandb")
    package.init = init
    package.config = types.SimpleNamespace(update=lambda *_, **__: None)
    monkeypatch.setitem(sys.modules, "wandb", package)
    monkeypatch.setattr(tracking, "_available_trackers", [LoggerType.WANDB])
    with Engine():  # trackers log through it
        tracker = open_tracker("wandb", tmp_path, "tiny", CONFIG)
    tracker.log(record())
    tracker.close()
    where = tmp_path / "tracker"
    assert told == [
        ("init", {"project": "exonym", "name": "tiny", "dir": str(where)}),
        ("log", (1330, 3.21)),
        ("finish", None),
    ]
    assert where.is_dir()
