"""Several processes learn what one learns: DDP and FSDP2 on CPUs, by torchrun and by accelerate."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from exonym.modeling import EntityMaskedLM
from exonym.modeling.checkpoint import read_weights
from exonym.training import ModelShape, Recipe, Stage, pretrain, to_toml
from exonym.training.run_folder import read_metrics

DRIVER = Path(__file__).with_name("distributed_run.py")
STEPS = 200
TOLERANCE = 1e-4  # of losses in nats: what sums in another order may differ by

pytestmark = pytest.mark.slow


def python(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        timeout=300,
        check=False,
    )
    assert not check or done.returncode == 0, done.stderr[-3000:]
    return done


def torchrun(
    processes: int, *arguments: str, check: bool = True
) -> subprocess.CompletedProcess[str]:
    options = f"--nproc-per-node {processes} --rdzv-backend c10d --rdzv-endpoint localhost:0"
    return python("torch.distributed.run", *options.split(), *arguments, check=check)


def run_processes(
    processes: int, corpus: Path, out: Path, recipe: Recipe, *, check: bool = True, **options: Any
) -> subprocess.CompletedProcess[str]:
    plain = json.dumps(recipe.to_json()), json.dumps(options)
    return torchrun(processes, str(DRIVER), str(corpus), str(out), *plain, check=check)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, make_corpus: Callable[..., Path]) -> Path:
    directory = tmp_path_factory.mktemp("distributed") / "corpus"
    return make_corpus(directory, {"de": 150, "en": 400, "ja": 210})


RECIPE = Recipe(
    name="distributed",
    stages=(
        Stage("words", 20, 1e-3, 5, train="words", objectives=("words",)),
        Stage("all", STEPS - 20, 2e-3, 10, freeze=("luke.embeddings.position_embeddings.*",)),
    ),
    model=ModelShape(
        hidden_size=16,
        entity_emb_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        max_position_embeddings=28,
        dropout=0.0,  # every process would draw its own
    ),
    batch_sequences=14,  # not a multiple of the numbers of processes
    seed=5,
    evaluate_steps=40,
    checkpoint_seconds=1e6,
    keep_every=40,
)


@pytest.fixture(scope="module")
def single(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of one process."""
    return pretrain(corpus, tmp_path_factory.mktemp("single") / "run", RECIPE).path


def curve(run: Path) -> dict[tuple[str, str, int, str], float]:
    """Every loss of a run's log."""
    return {
        (record["kind"], record["stage"], record["step"], name): record[name]
        for record in read_metrics(run)
        for name in ("words", "entities")
        if name in record
    }


def furthest(run: Path, single: Path) -> float:
    """The largest difference of a loss of one run from that of another."""
    one, other = curve(run), curve(single)
    assert one.keys() == other.keys()
    assert len(one) == 20 // 10 + 2 * (STEPS - 20) // 10 + 1 + 2 * 5
    return max(abs(one[key] - other[key]) for key in one)


def weights(run: Path) -> dict[str, Tensor]:
    return EntityMaskedLM.from_pretrained(run / "model").state_dict()


@pytest.mark.parametrize(("processes", "shard"), [(2, False), (4, True)])
def test_several_processes_have_the_losses_of_one(
    processes: int, shard: bool, corpus: Path, single: Path, tmp_path: Path
) -> None:
    recipe = replace(RECIPE, sequences_at_once=3 if processes == 2 else None)
    slow = [1, 0.05]
    run_processes(processes, corpus, tmp_path / "run", recipe, shard=shard, slow=slow)
    assert furthest(tmp_path / "run", single) < TOLERANCE
    expected = weights(single)
    for name, tensor in weights(tmp_path / "run").items():
        torch.testing.assert_close(tensor, expected[name], atol=2e-3, rtol=0)
    frozen = "luke.embeddings.position_embeddings.weight"
    before = read_weights(tmp_path / "run" / "model")[frozen]
    assert before.shape == expected[frozen].shape


@pytest.mark.parametrize(("first", "then"), [((4, False), (2, True)), ((2, True), (1, False))])
def test_a_run_whose_process_was_killed_goes_on_with_another_number_of_them(
    first: tuple[int, bool], then: tuple[int, bool], corpus: Path, single: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    (processes, shard), (number, sharded) = first, then
    killed = run_processes(processes, corpus, out, RECIPE, shard=shard, kill=[1, 87], check=False)
    assert killed.returncode != 0
    assert not (out / "model").exists()
    assert max(path.name for path in (out / "checkpoints").glob("[0-9]*")) == "01-00000080"
    again = run_processes(number, corpus, out, RECIPE, shard=sharded, resume=True)
    assert f"machine.processes was {processes}, is now {number}" in again.stderr
    assert furthest(out, single) < TOLERANCE


def test_the_command_runs_under_torchrun_and_accelerate(
    corpus: Path, single: Path, tmp_path: Path
) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(to_toml(RECIPE), encoding="utf-8")
    command = ["-m", "exonym", "pretrain", "--corpus", str(corpus), "--recipe", str(path), "--json"]
    done = torchrun(2, *command, "--out", str(tmp_path / "torchrun"), "--shard")
    assert json.loads(done.stdout)["model"] == str(tmp_path / "torchrun" / "model")  # said once
    assert furthest(tmp_path / "torchrun", single) < TOLERANCE
    options = "--cpu --num_processes 2 --num_machines 1 --mixed_precision no --dynamo_backend no"
    place = ["--main_process_port", "0", *command, "--out", str(tmp_path / "accelerate")]
    python("accelerate.commands.launch", *options.split(), *place)
    assert furthest(tmp_path / "accelerate", single) < TOLERANCE
