"""Grids by name and from files; settings by name, with errors that say what there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from exonym.foundation.errors import ConfigError, InputError
from exonym.tasks.grid_files import (
    changed,
    load_grid,
    named_grid,
    parse_changes,
    split_changes,
    with_changes,
)
from exonym.tasks.qa.settings import QaSettings
from exonym.tasks.recipes import GRIDS, RECIPES
from exonym.tasks.tuning import Grid
from exonym.training.fine_tuning import FineTuning


def test_named_grids_are_those_of_the_recipes() -> None:
    assert named_grid("qa", "around") == GRIDS["qa"]
    assert named_grid("ner", "released") == Grid.of(RECIPES["ner"])


def test_a_file_has_lists_and_single_values(tmp_path: Path) -> None:
    path = tmp_path / "grid.toml"
    path.write_text("learning_rates = [1e-4, 1]\nepochs = [2]\npatience = 7\n")
    grid = named_grid("relation", str(path))
    assert (grid.learning_rates, grid.epochs) == ((1e-4, 1.0), (2,))
    assert grid.batch_sizes == (RECIPES["relation"].batch_size,)
    assert {recipe.patience for recipe in grid.settings()} == {7}
    assert grid.base.max_gradient_norm == RECIPES["relation"].max_gradient_norm


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("learning_rates = 1", "learning_rates must be a list of numbers, got 1"),
        ("batch_sizes = [1.5]", "batch_sizes must be a list of whole numbers"),
        ("batch_sizes = [true]", "batch_sizes must be a list of whole numbers"),
        ("epochs = []", "epochs must be different values"),
        ("learning_rate = 1e-5", "unknown setting 'learning_rate'. Did you mean learning_rates?"),
        ("patience = 'x'", "patience: Input should be a valid integer"),
        ("patience = 0", "patience must be at least 1, got 0"),
        ("a = ", "not TOML"),
    ],
)
def test_a_wrong_file_is_refused_by_name_and_field(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "grid.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"grid\.toml: ") as error:
        load_grid(path, FineTuning())
    assert message in str(error.value)
    assert str(error.value).startswith(str(path))


def test_a_grid_that_is_nowhere_is_refused() -> None:
    with pytest.raises(InputError, match="no grid and no file 'none'"):
        named_grid("ner", "none")


def test_changes_are_parsed_and_shared_out() -> None:
    changes = parse_changes(["patience=none", "precision=float32", "window = 100"])
    assert changes == {"patience": None, "precision": "float32", "window": 100}
    training, inputs = split_changes(changes, FineTuning(), QaSettings())
    assert with_changes(Grid(), training).base == FineTuning(patience=None, precision="float32")
    assert changed(QaSettings(overlap=10, most_question=20), inputs).window == 100


@pytest.mark.parametrize("change", ["patience", "=3", "a=1 a=2"])
def test_a_change_without_name_or_value_is_refused(change: str) -> None:
    with pytest.raises(ConfigError, match="expected name=value"):
        parse_changes(change.split())


def test_unknown_and_impossible_changes_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"unknown setting 'windows'. Did you mean window\?"):
        split_changes({"windows": 1}, FineTuning(), QaSettings())
    with pytest.raises(ConfigError, match="window: Input should be a valid integer"):
        changed(QaSettings(), {"window": "wide"})
    with pytest.raises(ConfigError, match="Give --batch"):
        with_changes(Grid(), {"batch_size": 3})
