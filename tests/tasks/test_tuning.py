"""Tuning: what is chosen, what is kept, and that no run is done twice."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from exonym.foundation.errors import ConfigError, ExistsError, FormatError
from exonym.tasks.recipes import GRIDS, RECIPES, SEEDS
from exonym.tasks.tuned import Tuned
from exonym.tasks.tuning import Grid, tune
from exonym.training.fine_tuning import FineTuning, LearnerLoss

RECIPE = FineTuning(batch_size=2, epochs=1, precision="float32")
GRID = Grid((1e-3, 2e-3), (2,), (1,), RECIPE)
IDENTITY = {"train": {"sha256": "aa"}, "model": "tiny"}


@dataclass(frozen=True)
class Number:
    value: float
    length: int = 1


class Line:
    """One weight and one step of AdamW, which moves it by the learning rate: so it knows that."""

    main = "f1"
    features: Sequence[Number] = (Number(1.0), Number(2.0))

    def __init__(self, seed: int, score: Callable[[float, int], float | None]) -> None:
        torch.manual_seed(seed)
        self.seed, self.score = seed, score
        self.model: nn.Module = nn.Linear(1, 1, bias=False)
        self.start = self.weight.detach().clone()

    @property
    def weight(self) -> Tensor:
        return next(self.model.parameters())

    def loss(self, features: Sequence[Number]) -> LearnerLoss:
        total = sum(one.value for one in features) * self.weight.sum()
        return LearnerLoss(total, len(features))

    def validate(self) -> Mapping[str, float]:
        score = self.score(1e-3 if abs(self.weight - self.start) < 1.5e-3 else 2e-3, self.seed)
        return {} if score is None else {"f1": score, "recall": score / 2}

    def save(self, directory: Path) -> None:
        directory.mkdir()
        (directory / "weight.json").write_text(json.dumps(self.weight.item()))


class Maker:
    """Makes learners whose score is given by learning rate and seed, and counts them."""

    def __init__(
        self, scores: Mapping[tuple[float, int], float] | None, *, stops_at: int | None = None
    ) -> None:
        self.scores, self.made, self.stops_at = scores, list[int](), stops_at

    def __call__(self, seed: int) -> Any:
        self.made.append(seed)
        if len(self.made) == self.stops_at:
            raise KeyboardInterrupt
        return Line(seed, self._score)

    def _score(self, rate: float, seed: int) -> float | None:
        return None if self.scores is None else self.scores[rate, seed]


SCORES = {
    (1e-3, 0): 0.5, (1e-3, 1): 0.1, (1e-3, 2): 0.9,
    (2e-3, 0): 0.6, (2e-3, 1): 0.8, (2e-3, 2): 0.4,
}  # fmt: skip


def tuned(
    folder: Path, make: Maker, grid: Grid = GRID, seeds: Sequence[int] = SEEDS, **more: Any
) -> Tuned:
    options = {"identity": IDENTITY, "progress": False, **more}
    return tune(make, grid, seeds, folder, **options)


def records(folder: Path) -> list[tuple[float, int, bool]]:
    """Learning rate, seed, and whether the model is there, of every finished run."""
    found = []
    for path in sorted(folder.glob("runs/*/run.json")):
        recipe = json.loads(path.read_text())["recipe"]
        there = (path.parent / "model").is_dir()
        found.append((recipe["learning_rate"], recipe["seed"], there))
    return sorted(found)


def plain(result: Tuned) -> Any:
    """Without what depends on the clock."""

    def bare(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: bare(v) for k, v in value.items() if "second" not in k}
        return [bare(item) for item in value] if isinstance(value, list) else value

    return bare(result.to_json())


def weight_of(folder: Path) -> float:
    return float(json.loads((folder / "weight.json").read_text()))


def test_the_validation_mean_chooses_and_every_seed_is_run(tmp_path: Path) -> None:
    make = Maker(SCORES)
    result = tuned(tmp_path / "t", make, card=lambda t: f"best seed {t.best.seed}\n")
    assert make.made == [0, 0, 1, 2]  # two settings with the first seed, then two more seeds
    assert result.recipe == replace(RECIPE, learning_rate=2e-3, seed=1)
    assert [run.scores["f1"] for run in result.runs] == [0.6, 0.8, 0.4]
    mean, deviation = result.validation["f1"]
    assert mean == pytest.approx(0.6)
    assert deviation == pytest.approx(0.2)
    assert result.validation["recall"] == pytest.approx((0.3, 0.1))
    # The models of the best settings stay, those of the others do not.
    assert records(tmp_path / "t") == [(1e-3, 0, False)] + [(2e-3, s, True) for s in SEEDS]
    assert list(result.models) == [0, 1, 2]
    assert weight_of(result.model) == weight_of(result.models[1])
    assert result.model == tmp_path / "t" / "model"
    assert (result.model / "README.md").read_text() == "best seed 1\n"
    assert not (result.models[1] / "README.md").exists()
    written = json.loads((tmp_path / "t" / "tuning.json").read_text())
    assert written["validation"]["f1"] == {"mean": mean, "standard_deviation": deviation}
    assert [run["scores"]["f1"] for run in written["searched"]] == [0.5, 0.6]
    assert [row["chosen"] for row in result.rows()] == ["no", "yes", "yes", "yes"]
    assert result.rows()[0]["f1"] == "0.5000"


def test_a_search_over_several_seeds_goes_by_their_mean(tmp_path: Path) -> None:
    make = Maker({**SCORES, (1e-3, 1): 0.7})
    result = tuned(tmp_path / "t", make, search_seeds=2, seeds=(0, 1))
    assert make.made == [0, 1, 0, 1]
    assert result.recipe.learning_rate == 2e-3  # 0.7 on average, against 0.6
    assert [run.value for run in result.searched] == [0.5, 0.7, 0.6, 0.8]


def test_of_equal_settings_and_seeds_the_first_is_taken(tmp_path: Path) -> None:
    result = tuned(tmp_path / "t", Maker(dict.fromkeys(SCORES, 0.5)))
    assert result.recipe == replace(RECIPE, learning_rate=1e-3, seed=0)


def test_a_score_that_is_no_number_is_the_lowest(tmp_path: Path) -> None:
    result = tuned(tmp_path / "t", Maker({**SCORES, (1e-3, 0): math.nan, (2e-3, 0): 0.0}))
    assert result.recipe.learning_rate == 2e-3


@pytest.mark.parametrize("stop", [1, 2, 3, 4])
def test_a_tuning_that_was_killed_goes_on(tmp_path: Path, stop: int) -> None:
    whole = tuned(tmp_path / "whole", Maker(SCORES))
    folder = tmp_path / "killed"
    with pytest.raises(KeyboardInterrupt):
        tuned(folder, Maker(SCORES, stops_at=stop))
    # A kill while a run is being written leaves this.
    partial = folder / "runs" / ".rate0.001.partial-1" / "model"
    partial.mkdir(parents=True)
    make = Maker(SCORES)
    result = tuned(folder, make)
    assert make.made == [0, 0, 1, 2][stop - 1 :]
    assert plain(result) == plain(whole)
    assert weight_of(result.model) == weight_of(whole.model)
    assert not list(folder.rglob(".*partial*"))
    again = Maker(SCORES)
    assert plain(tuned(folder, again)) == plain(whole)
    assert again.made == []


def test_more_seeds_and_settings_may_follow(tmp_path: Path) -> None:
    folder = tmp_path / "t"
    tuned(folder, Maker(SCORES), Grid.of(replace(RECIPE, learning_rate=1e-3)), (0, 1))
    make = Maker(SCORES)
    result = tuned(folder, make)
    assert make.made == [0, 1, 2]  # all of the new settings
    assert result.recipe.learning_rate == 2e-3
    assert records(folder) == [
        (1e-3, 0, False), (1e-3, 1, True), (2e-3, 0, True), (2e-3, 1, True), (2e-3, 2, True)
    ]  # fmt: skip


def test_a_model_that_was_deleted_is_made_again_when_it_is_wanted(tmp_path: Path) -> None:
    folder = tmp_path / "t"
    tuned(folder, Maker(SCORES))
    make = Maker(SCORES)
    result = tuned(folder, make, Grid.of(replace(RECIPE, learning_rate=1e-3)), (0,))
    assert make.made == [0]
    assert weight_of(result.model) == weight_of(result.models[0])


def test_only_the_best_model_may_be_kept(tmp_path: Path) -> None:
    for _ in range(2):  # also when nothing is left to do
        result = tuned(tmp_path / "t", Maker(SCORES), keep="best")
        assert list(result.models) == [1]
        assert records(tmp_path / "t") == [(1e-3, 0, False)] + [(2e-3, s, s == 1) for s in SEEDS]
        assert weight_of(result.model) == weight_of(result.models[1])


def test_pieces_at_once_may_change_within_a_tuning(tmp_path: Path) -> None:
    tuned(tmp_path / "t", Maker(SCORES))
    make = Maker(SCORES)
    tuned(tmp_path / "t", make, replace(GRID, base=replace(RECIPE, pieces_at_once=1)))
    assert make.made == []
    tuned(tmp_path / "t", make, replace(GRID, base=replace(RECIPE, weight_decay=0.1)))
    assert make.made == [0, 0, 1, 2]


def test_one_setting_needs_no_validation_set(tmp_path: Path) -> None:
    result = tuned(tmp_path / "t", Maker(None), Grid.of(RECIPE))
    assert result.best.seed == 0
    assert result.validation == {}
    with pytest.raises(ConfigError, match="2 settings, and no validation set"):
        tuned(tmp_path / "other", Maker(None))


def test_a_folder_of_other_data_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "t"
    tuned(folder, Maker(SCORES))
    other = {**IDENTITY, "train": {"sha256": "bb"}}
    with pytest.raises(ExistsError, match=r"manifest\.json: has runs of another train\.sha256"):
        tuned(folder, Maker(SCORES), identity=other)
    make = Maker(SCORES)
    tuned(folder, make, identity=other, overwrite=True)
    assert len(make.made) == 4


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ExistsError, match="already exists"):
        tuned(tmp_path, Maker(SCORES))
    assert (tmp_path / "notes.txt").is_file()


def test_a_damaged_record_names_its_file(tmp_path: Path) -> None:
    tuned(tmp_path / "t", Maker(SCORES))
    path = next((tmp_path / "t").glob("runs/*/run.json"))
    path.write_text('{"main": "f1"}')
    with pytest.raises(FormatError, match=r"run\.json: is no record of a run"):
        tuned(tmp_path / "t", Maker(SCORES))


@pytest.mark.parametrize(
    ("more", "said"),
    [({"seeds": ()}, "seeds"), ({"seeds": (1, 1)}, "seeds"), ({"search_seeds": 0}, "search_seeds")],
)
def test_impossible_calls_are_refused(tmp_path: Path, more: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        tuned(tmp_path / "t", Maker(SCORES), **more)
    assert not (tmp_path / "t").exists()


def test_an_impossible_grid_is_refused() -> None:
    with pytest.raises(ConfigError, match="batch_sizes"):
        Grid(batch_sizes=())
    with pytest.raises(ConfigError, match="learning_rates"):
        Grid(learning_rates=(1e-5, 1e-5))
    with pytest.raises(ConfigError, match="learning_rate must be above 0"):
        Grid(learning_rates=(1e-5, 0.0)).settings()


def test_a_grid_is_every_combination() -> None:
    grid = Grid((1e-5, 2e-5), (8, 16), (2, 3), RECIPE)
    tried = [(r.learning_rate, r.batch_size, r.epochs) for r in grid.settings()]
    assert len(set(tried)) == len(tried) == 8
    assert tried[:2] == [(1e-5, 8, 2), (1e-5, 8, 3)]


def test_each_tasks_grid_has_its_released_recipe() -> None:
    for task, recipe in RECIPES.items():
        assert recipe in GRIDS[task].settings()


def test_progress_tells_every_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tuned(tmp_path / "t", Maker(SCORES), progress=True)
    lines = [line for line in capsys.readouterr().err.splitlines() if "learning rate" in line]
    assert len(lines) == 4
    assert lines[1].startswith("learning rate 0.002, batch 2, seed 0: f1 0.6000 after 1 epochs")
