"""Recipes: read from TOML, changed on the command line, wrong fields named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from exonym.foundation.errors import ConfigError, InputError
from exonym.training import Recipe, Stage, load_recipe
from exonym.training.recipe_files import recipe_from

TOML = """
name = "two"
batch_sequences = 16
seed = 5

[[stages]]
name = "new"
steps = 10
learning_rate = 5e-4
train = "new"

[[stages]]
name = "all"
steps = 20
learning_rate = 1e-4
warmup_steps = 3

[model]
hidden_size = 32

[masking]
hidden_words = 0.5

[departures]
"masking.hidden_words" = "a small corpus tells each fact once"
"stages.all.steps" = "minutes, not weeks"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.toml"
    path.write_text(TOML, encoding="utf-8")
    return path


def test_a_recipe_is_read_with_the_papers_defaults(path: Path) -> None:
    recipe = load_recipe(path)
    assert recipe.stages[0] == Stage("new", 10, 5e-4, train="new")
    assert recipe.stages[1].warmup_steps == 3
    assert recipe.steps == 30
    assert recipe.model.hidden_size == 32
    assert recipe.masking.hidden_words == 0.5
    assert (recipe.masking.word_rate, recipe.masking.entity_rate) == (0.15, 0.15)
    assert recipe.sampling.alpha == 0.7
    assert (recipe.adam_beta1, recipe.adam_beta2, recipe.adam_epsilon) == (0.9, 0.999, 1e-6)
    assert recipe.weight_decay == 0.01
    assert Recipe("paper", recipe.stages).batch_sequences == 2048


def test_the_plain_form_of_a_recipe_is_the_recipe(path: Path) -> None:
    recipe = replace(load_recipe(path), model=replace(load_recipe(path).model, backbone=Path("x")))
    assert recipe_from(recipe.to_json()) == recipe


def test_changes_reach_fields_stages_and_strings(path: Path) -> None:
    changes = [
        "seed=9",
        "stages.all.steps=7",
        "masking.hidden_words=0.25",
        "name=other",
        "sampling.alpha = 1.0",
        "precision=bfloat16",
        'model.backbone="a b"',
    ]
    recipe = load_recipe(path, changes)
    assert (recipe.seed, recipe.name, recipe.precision) == (9, "other", "bfloat16")
    assert [stage.steps for stage in recipe.stages] == [10, 7]
    assert recipe.masking.hidden_words == 0.25
    assert recipe.sampling.alpha == 1.0
    assert recipe.model.backbone == Path("a b")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("seed", r"expected field=value, got 'seed'\. For example --set seed=1"),
        ("=3", "expected field=value"),
        ("a..b=3", "expected field=value"),
        ("sed=1", r"recipe\.toml: sed: "),
        ("seed=abc", r"recipe\.toml: seed: .*integer"),
        ("seed.x=1", r"'seed\.x' is no field"),
        ("seed.x.y=1", r"'seed\.x\.y' is no field"),
        ("stages.none.steps=1", "there is no stage 'none'"),
        ("stages.steps=1", r"'stages\.steps' is no field"),
        ("stages.all.steps=0", "stage 'all' needs steps >= 1"),
        ("stages.all.train=3", r"stages\.1\.train"),
        ("stages.all.objectives=[]", "stage 'all' has no objective"),
        ("stages.all.name=new", "every stage its own name"),
        ("stages=[]", "at least one stage"),
        ("stages=[1]", r"stages\.0"),
        ("masking.word_rate=2", r"word_rate must lie in \[0, 1\], got 2"),
        ("masking.with_entities=false", "stage 'new' predicts entities, but masking.with_entities"),
        ('stages.new.objectives=["words"]', "stage 'new' trains only the entity side"),
        ("model.width=3", r"model\.width: "),
        ("batch_sequences=0", "batch_sequences must be at least 1, got 0"),
        ("departures.sead=why", "departures names 'sead', which is no field"),
    ],
)
def test_a_wrong_change_names_its_field(change: str, message: str, path: Path) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        load_recipe(path, [change])
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "name", ["model.wide", "stages.first.steps", "stages.all.rate", "seed.x", "", "masking.x"]
)
def test_a_departure_names_a_real_field(name: str, path: Path) -> None:
    recipe = load_recipe(path)
    with pytest.raises(ConfigError, match=f"departures names {name!r}, which is no field"):
        replace(recipe, departures={name: "because"})


def test_a_file_that_is_no_recipe_is_named(path: Path) -> None:
    path.write_text("name = ", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"recipe\.toml: not TOML"):
        load_recipe(path)
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=r"recipe\.toml: not TOML"):
        load_recipe(path)
    path.write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"recipe\.toml: name: "):
        load_recipe(path)
    with pytest.raises(InputError, match=r"none\.toml: cannot be read"):
        load_recipe(path.with_name("none.toml"))
