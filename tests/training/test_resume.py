"""A run that was stopped anywhere ends with the same bits as one that was not."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exonym.foundation.errors import ExistsError, InputError
from exonym.foundation.files import read_json, write_json
from exonym.tokenization import EntityTokenizer
from exonym.training import Recipe, pretrain
from exonym.training.checkpoints import Place
from exonym.training.run_folder import read_metrics


class StoppedError(Exception):
    pass


def stop_at(stage: int, step: int) -> Any:
    def on_step(place: Place) -> None:
        if place == Place(stage, step):
            raise StoppedError

    return on_step


def metrics(run: Path) -> list[dict[str, Any]]:
    """The log without the figures that are times, or memory."""
    measured = ("seconds", "data_seconds", "words_per_second", "entities_per_second", "memory_mib")
    return [
        {key: value for key, value in record.items() if key not in measured}
        for record in read_metrics(run)
    ]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the undisturbed run lies; it is made once."""
    return tmp_path_factory.mktemp("undisturbed")


@pytest.fixture
def reference(recipe: Recipe, corpus: Path, undisturbed: Path) -> Path:
    out = undisturbed / "run"
    if not out.exists():
        pretrain(corpus, out, recipe)
    return out


def same(run: Path, reference: Path) -> bool:
    weights = [(path / "model" / "model.safetensors").read_bytes() for path in (run, reference)]
    return weights[0] == weights[1] and metrics(run) == metrics(reference)


def test_the_same_recipe_gives_the_same_bits(
    recipe: Recipe, corpus: Path, reference: Path, tmp_path: Path
) -> None:
    pretrain(corpus, tmp_path / "run", recipe)
    assert same(tmp_path / "run", reference)
    pretrain(corpus, tmp_path / "other", replace(recipe, seed=4))
    assert not same(tmp_path / "other", reference)


@pytest.mark.parametrize(("stage", "step"), [(0, 1), (0, 13), (0, 14), (1, 1), (1, 11), (2, 15)])
def test_a_run_stopped_anywhere_goes_on_to_the_same_bits(
    stage: int, step: int, recipe: Recipe, corpus: Path, reference: Path, tmp_path: Path
) -> None:
    with pytest.raises(StoppedError):
        pretrain(corpus, tmp_path / "run", recipe, on_step=stop_at(stage, step))
    assert not (tmp_path / "run" / "model").exists()
    seen: list[Place] = []
    pretrain(corpus, tmp_path / "run", recipe, resume=True, on_step=seen.append)
    assert same(tmp_path / "run", reference)
    assert len(seen) < recipe.steps or (stage, step) < (0, 11)


def test_a_run_stopped_before_its_first_checkpoint_begins_anew_with_its_log(
    recipe: Recipe, corpus: Path, reference: Path, tmp_path: Path
) -> None:
    slow = replace(recipe, checkpoint_seconds=1e6)
    with pytest.raises(StoppedError):
        pretrain(corpus, tmp_path / "run", slow, on_step=stop_at(0, 12))
    assert [record["step"] for record in metrics(tmp_path / "run")] == [10]
    pretrain(corpus, tmp_path / "run", slow, resume=True)
    assert same(tmp_path / "run", reference)


def test_a_run_stopped_twice_goes_on_to_the_same_bits(
    recipe: Recipe, corpus: Path, reference: Path, tmp_path: Path
) -> None:
    with pytest.raises(StoppedError):
        pretrain(corpus, tmp_path / "run", recipe, on_step=stop_at(1, 12))
    with pytest.raises(StoppedError):
        pretrain(corpus, tmp_path / "run", recipe, resume=True, on_step=stop_at(2, 12))
    pretrain(corpus, tmp_path / "run", recipe, resume=True)
    assert same(tmp_path / "run", reference)


KILLED_RUN = """
import json, sys, time
from pathlib import Path
from exonym.training import pretrain
from exonym.training.recipe_files import recipe_from

recipe = recipe_from(json.loads(sys.argv[3]))

def on_step(place):
    if (place.stage, place.step) == (1, 6):
        print("there", flush=True)
        time.sleep(60)

pretrain(sys.argv[1], sys.argv[2], recipe, on_step=on_step)
"""


def test_a_killed_process_leaves_a_run_that_goes_on_to_the_same_bits(
    recipe: Recipe, corpus: Path, reference: Path, tmp_path: Path
) -> None:
    import orjson

    run = tmp_path / "run"
    arguments = [str(corpus), str(run), orjson.dumps(recipe.to_json()).decode()]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", KILLED_RUN, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"there\n"
        process.send_signal(signal.SIGKILL)
        process.wait()
    # What a process may leave that dies while it writes.
    (run / "checkpoints" / ".01-00000010.partial-1").mkdir()
    (run / ".metrics.jsonl.partial-1").write_bytes(b"half")
    with (run / "metrics.jsonl").open("ab") as stream:
        stream.write(b'{"stage": "new", "stage_ind')
    pretrain(corpus, run, recipe, resume=True)
    assert same(run, reference)
    assert sorted(file.name for file in run.iterdir()) == [
        "manifest.json",
        "metrics.jsonl",
        "model",
    ]


def test_a_finished_run_is_not_done_again(recipe: Recipe, corpus: Path, reference: Path) -> None:
    before = (reference / "model" / "model.safetensors").stat().st_mtime_ns
    run = pretrain(corpus, reference, recipe, resume=True, on_step=stop_at(0, 1))
    assert run.words == 0
    assert (reference / "model" / "model.safetensors").stat().st_mtime_ns == before


def test_an_existing_run_needs_resume_or_overwrite(
    short: Recipe, corpus: Path, tmp_path: Path
) -> None:
    pretrain(corpus, tmp_path / "run", short)
    with pytest.raises(ExistsError, match=r"--resume .* --overwrite .* --out"):
        pretrain(corpus, tmp_path / "run", short)
    pretrain(corpus, tmp_path / "run", replace(short, seed=9), overwrite=True)
    assert read_json(tmp_path / "run" / "manifest.json")["recipe"]["seed"] == 9


def test_overwrite_deletes_runs_only(short: Recipe, corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").touch()
    with pytest.raises(InputError, match="holds something that is no run"):
        pretrain(corpus, tmp_path / "thesis", short, overwrite=True)
    assert (tmp_path / "thesis" / "chapter.txt").exists()
    with pytest.raises(InputError, match="is a file, not a run folder"):
        pretrain(corpus, tmp_path / "thesis" / "chapter.txt", short)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 4}, r"recipe\.seed was 3, is now 4"),
        ({"weight_decay": 0.1}, r"recipe\.weight_decay was 0\.01, is now 0\.1"),
    ],
)
def test_another_recipe_cannot_go_on_and_the_field_is_named(
    change: dict[str, Any], message: str, short: Recipe, corpus: Path, tmp_path: Path
) -> None:
    with pytest.raises(StoppedError):
        pretrain(corpus, tmp_path / "run", short, on_step=stop_at(0, 1))
    with pytest.raises(InputError, match=f"cannot go on: {message}"):
        pretrain(corpus, tmp_path / "run", replace(short, **change), resume=True)
    stages = (replace(short.stages[0], steps=9),)
    with pytest.raises(InputError, match=r"recipe\.stages\[0\]\.steps was 3, is now 9"):
        pretrain(corpus, tmp_path / "run", replace(short, stages=stages), resume=True)


@contextlib.contextmanager
def stopped_run(corpus: Path, run: Path, recipe: Recipe) -> Iterator[dict[str, Any]]:
    """Begin a run, stop it, and change its manifest."""
    with pytest.raises(StoppedError):
        pretrain(corpus, run, recipe, on_step=stop_at(0, 1))
    manifest = read_json(run / "manifest.json")
    yield manifest
    write_json(run / "manifest.json", manifest)


def test_a_field_that_the_run_was_too_old_to_have_is_its_default(
    short: Recipe, corpus: Path, tmp_path: Path
) -> None:
    with stopped_run(corpus, tmp_path / "run", short) as manifest:
        del manifest["recipe"]["adam_bias_correction"]
        del manifest["recipe"]["masking"]["unlinked_names"]
    with pytest.raises(InputError, match=r"adam_bias_correction was True, is now False"):
        pretrain(corpus, tmp_path / "run", replace(short, adam_bias_correction=False), resume=True)
    assert pretrain(corpus, tmp_path / "run", short, resume=True).model.is_dir()


def test_another_corpus_or_a_folder_that_is_no_run_cannot_go_on(
    short: Recipe, corpus: Path, tmp_path: Path
) -> None:
    with stopped_run(corpus, tmp_path / "run", short) as manifest:
        manifest["corpus"]["sha256"] = "0"
    with pytest.raises(InputError, match=r"corpus\.sha256 was '0', is now"):
        pretrain(corpus, tmp_path / "run", short, resume=True)
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "file").touch()
    with pytest.raises(InputError, match="not a directory of format 'exonym-run'"):
        pretrain(corpus, tmp_path / "none", short, resume=True)


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("optimizer.safetensors", "optimizer.safetensors is damaged"),
        ("model/model.safetensors", "model/model.safetensors is damaged"),
        ("state.json", "is not whole"),
    ],
)
def test_a_damaged_checkpoint_is_told_of_and_the_one_before_it_is_taken(
    file: str,
    told: str,
    recipe: Recipe,
    corpus: Path,
    reference: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(StoppedError):
        pretrain(corpus, tmp_path / "run", recipe, on_step=stop_at(1, 12))
    newest = max((tmp_path / "run" / "checkpoints").iterdir())
    assert newest.name == "01-00000010"
    (newest / file).write_bytes((newest / file).read_bytes()[:100])
    capsys.readouterr()
    pretrain(corpus, tmp_path / "run", recipe, resume=True)
    assert f"{newest}: {told}; the one before it is taken" in capsys.readouterr().err
    assert same(tmp_path / "run", reference)


def test_a_checkpoint_whose_file_was_deleted_or_changed_in_place_is_passed_over(
    recipe: Recipe, corpus: Path, reference: Path, tmp_path: Path
) -> None:
    with pytest.raises(StoppedError):
        pretrain(corpus, tmp_path / "run", recipe, on_step=stop_at(1, 12))
    before, newest = sorted((tmp_path / "run" / "checkpoints").iterdir())
    (newest / "optimizer.safetensors").unlink()
    weights = bytearray((before / "model" / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (before / "model" / "model.safetensors").write_bytes(weights)
    pretrain(corpus, tmp_path / "run", recipe, resume=True)  # from the very start
    assert same(tmp_path / "run", reference)


def test_another_number_of_sequences_at_once_may_go_on(
    recipe: Recipe, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(StoppedError):
        pretrain(corpus, tmp_path / "run", recipe, on_step=stop_at(1, 12))
    fewer = replace(recipe, sequences_at_once=2, keep_checkpoints=1, checkpoint_seconds=9.0)
    pretrain(corpus, tmp_path / "run", fewer, resume=True)
    assert "machine.sequences_at_once was None, is now 2" in capsys.readouterr().err
    machines = read_json(tmp_path / "run" / "manifest.json")["machines"]
    assert [machine["sequences_at_once"] for machine in machines] == [None, 2]


def test_only_the_newest_checkpoints_are_kept(recipe: Recipe, corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        pretrain(corpus, tmp_path / "run", recipe, on_step=stop_at(2, 2))
    names = sorted(path.name for path in (tmp_path / "run" / "checkpoints").iterdir())
    assert names == ["01-00000010", "01-00000012"]


def test_checkpoints_that_a_rule_keeps_outlive_the_run(
    recipe: Recipe, corpus: Path, tmp_path: Path
) -> None:
    kept = replace(recipe, keep_every=5, keep_best=True, evaluate_steps=4, log_steps=3)
    pretrain(corpus, tmp_path / "run", kept)
    names = {path.name for path in (tmp_path / "run" / "checkpoints").iterdir()}
    every = {
        f"{i:02d}-{step:08d}" for i, n in enumerate((14, 12, 15)) for step in range(5, n + 1, 5)
    }
    measured = {
        f"02-{record['step']:08d}": record["words"] + record["entities"]
        for record in read_metrics(tmp_path / "run", "held_out")
        if record["stage"] == "all"
    }
    assert set(measured) == {f"02-{step:08d}" for step in (4, 8, 12, 15)}
    assert names == every | {min(measured, key=measured.__getitem__)}
    for name in names:  # each is a model that any command takes
        EntityTokenizer.from_pretrained(tmp_path / "run" / "checkpoints" / name / "model")


def test_checkpoints_within_a_stage_wait_for_their_time(
    recipe: Recipe, corpus: Path, tmp_path: Path
) -> None:
    slow = replace(recipe, checkpoint_seconds=1e6, keep_checkpoints=9)
    started = time.monotonic()
    with pytest.raises(StoppedError):
        pretrain(corpus, tmp_path / "run", slow, on_step=stop_at(2, 12))
    assert time.monotonic() - started < 1e5
    names = sorted(path.name for path in (tmp_path / "run" / "checkpoints").iterdir())
    assert names == ["00-00000014", "01-00000012"]
