"""Two runs at once: the same models as one after the other, and failures that reach the user."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from exonym.foundation.errors import ExonymError
from exonym.systems import mluke
from exonym.systems.beside import PlannedRun, pretrain_both
from exonym.training import Recipe, Stage, pretrain

SIZES = ["model.hidden_size=16", "model.entity_emb_size=8", "model.num_hidden_layers=1"]
SIZES += ["model.num_attention_heads=2", "model.intermediate_size=24", "batch_sequences=4"]


@pytest.fixture
def recipe() -> Recipe:
    recipe = mluke.recipe("mluke-atlas", SIZES).only("all")
    return replace(recipe, stages=(Stage("all", 12, 1e-3),), departures={})


@pytest.fixture
def two_threads() -> Iterator[None]:
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


@pytest.fixture
def corpus(make_corpus: Callable[..., Path], tmp_path: Path) -> Path:
    return make_corpus(tmp_path / "corpus", {"en": 40, "ja": 20})


def weights(run: Path) -> bytes:
    return (run / "model" / "model.safetensors").read_bytes()


@pytest.mark.usefixtures("two_threads")
def test_both_models_are_those_of_two_runs_on_one_thread(
    recipe: Recipe, corpus: Path, tmp_path: Path
) -> None:
    control = mluke.words_only(recipe)
    here, beside = PlannedRun(tmp_path / "a", recipe), PlannedRun(tmp_path / "b", control)
    pretrain_both(corpus, here, beside)
    assert torch.get_num_threads() == 2
    torch.set_num_threads(1)
    pretrain(corpus, tmp_path / "c", recipe)
    pretrain(corpus, tmp_path / "d", control)
    assert weights(tmp_path / "a") == weights(tmp_path / "c")
    assert weights(tmp_path / "b") == weights(tmp_path / "d")
    assert "12/12 steps" in (tmp_path / "b.log").read_text()


@pytest.mark.usefixtures("two_threads")
def test_a_failure_beside_is_told_in_its_own_words(
    recipe: Recipe, corpus: Path, tmp_path: Path
) -> None:
    impossible = replace(recipe, model=replace(recipe.model, max_position_embeddings=4))
    with pytest.raises(ExonymError, match=r"run beside this one failed: .*positions for 2"):
        pretrain_both(
            corpus, PlannedRun(tmp_path / "a", recipe), PlannedRun(tmp_path / "b", impossible)
        )
    assert weights(tmp_path / "a")


@pytest.mark.usefixtures("two_threads")
def test_a_failure_here_ends_the_run_beside(recipe: Recipe, corpus: Path, tmp_path: Path) -> None:
    impossible = replace(recipe, model=replace(recipe.model, max_position_embeddings=4))
    endless = replace(recipe, stages=(Stage("all", 10_000_000, 1e-3),))
    with pytest.raises(ExonymError, match="positions for 2"):
        pretrain_both(
            corpus, PlannedRun(tmp_path / "a", impossible), PlannedRun(tmp_path / "b", endless)
        )
    assert not (tmp_path / "b" / "model").exists()
