"""The recipes: the paper's figures, the small ones' reasons, and what a size of corpus asks for."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

from exonym.foundation.errors import ConfigError, InputError
from exonym.systems import mluke
from exonym.systems.recipes import (
    RECIPES,
    mluke_atlas,
    mluke_base,
    mluke_large,
    mluke_mini,
)
from exonym.training import Recipe, Stage, load_recipe, to_toml


def flat(value: object, path: str = "") -> dict[str, object]:
    """Fields by dotted path; a stage goes by its name."""
    if isinstance(value, tuple) and value and all(isinstance(item, Stage) for item in value):
        return {k: v for s in value for k, v in flat(s, f"{path}.{s.name}").items()}
    if not is_dataclass(value) or isinstance(value, type):
        return {path.removeprefix("."): value}
    found: dict[str, object] = {}
    for field in fields(value):
        found |= flat(getattr(value, field.name), f"{path}.{field.name}")
    return found


def test_base_is_as_published() -> None:
    recipe = mluke_base()
    assert [(s.name, s.train, s.steps, s.learning_rate) for s in recipe.stages] == [
        ("entities", "new", 540_326, 5e-4),
        ("all", "all", 540_326, 1e-4),
    ]
    assert {stage.warmup_steps for stage in recipe.stages} == {2500}
    assert (recipe.batch_sequences, recipe.sampling.alpha) == (2048, 0.7)
    assert (recipe.adam_beta1, recipe.adam_beta2) == (0.9, 0.999)
    assert (recipe.adam_epsilon, recipe.weight_decay) == (1e-6, 0.01)
    assert recipe.max_gradient_norm is None
    assert (recipe.masking.word_rate, recipe.masking.entity_rate) == (0.15, 0.15)
    assert recipe.masking.hidden_words == recipe.masking.hidden_names == 0
    assert (recipe.model.hidden_size, recipe.model.entity_emb_size) == (768, 256)
    assert recipe.departures == {}


def test_large_differs_from_base_by_its_shape_and_the_second_rate_only() -> None:
    base, large = flat(mluke_base()), flat(mluke_large())
    assert {name: large[name] for name in large if large[name] != base[name]} == {
        "name": "mluke-large",
        "stages.all.learning_rate": 5e-5,
        "model.hidden_size": 1024,
        "model.num_hidden_layers": 24,
        "model.num_attention_heads": 16,
        "model.intermediate_size": 4096,
    }
    assert mluke_large().departures == {}


def test_arguments_reach_the_recipe() -> None:
    for recipe in (mluke_base, mluke_large, mluke_mini):
        made = recipe(backbone=Path("xlmr"), sequences_at_once=7)
        assert (made.model.backbone, made.sequences_at_once) == (Path("xlmr"), 7)


def test_mini_fits_a_day_of_one_gpu() -> None:
    """The reckoning of its docstring, from the shape."""
    recipe = mluke_mini()
    shape, length, entities, masked = recipe.model, 512, 35, 77
    hidden, layers = shape.hidden_size, shape.num_hidden_layers
    weights = layers * (4 * hidden**2 + 2 * hidden * shape.intermediate_size)
    tokens = length + entities
    forward = 2 * weights * tokens + 4 * layers * tokens**2 * hidden
    forward += 2 * masked * hidden * (250_002 + hidden)  # the word head
    forward += 2 * 6 * shape.entity_emb_size * 300_000  # and the entity head
    whole = 3 * forward
    assert whole == pytest.approx(0.4e12, rel=0.1)
    first, second = (stage.steps * recipe.batch_sequences for stage in recipe.stages)
    total = first * 2 * forward + second * whole
    assert total == pytest.approx(6.5e18, rel=0.05)
    hours = total / 312e12 / 3600
    assert hours / 0.40 == pytest.approx(15, abs=1)
    assert hours / 0.25 < 24


@pytest.mark.parametrize("recipe", [mluke_mini(), mluke_atlas()], ids=lambda recipe: recipe.name)
def test_every_departure_from_the_paper_has_a_reason(recipe: Recipe) -> None:
    ours, papers = flat(recipe), flat(mluke_base())
    means = {  # fields that do not change what is learnt
        "name", "departures", "sequences_at_once", "checkpoint_seconds", "seed",
        *(name for name in ours if name.startswith("stages.backbone.")),
    }  # fmt: skip
    departs = {n for n in ours if n not in means and ours[n] != papers.get(n)}
    departs = {n for n in departs if not n.endswith(".name")}
    assert {n for n in recipe.departures if n != "stages.backbone"} == departs
    assert all(why.strip().endswith(".") for why in recipe.departures.values())


def test_the_steps_of_atlas_follow_from_the_corpus() -> None:
    steps = [
        mluke_atlas(sequences=n).stages[-1].steps
        for n in (1, 1_000, 60_000, 120_000, 600_000, 10**9)
    ]
    assert steps == sorted(steps)
    assert steps[0] == steps[1] > 0, "a floor"
    assert steps[-2] == steps[-1], "a ceiling"
    assert steps[3] == pytest.approx(11 * 120_000 / 192, rel=0.01), "passes between them"
    for n in (1, 60_000, 10**9):
        for stage in mluke_atlas(sequences=n).stages:
            assert 0 < stage.warmup_steps < stage.steps / 4
    with pytest.raises(ConfigError, match="at least one sequence, got 0"):
        mluke_atlas(sequences=0)


def test_a_recipe_by_name_is_made_for_its_corpus_and_changed_afterwards(
    make_corpus: Callable[..., Path], tmp_path: Path
) -> None:
    corpus = make_corpus(tmp_path / "corpus", {"en": 40, "ja": 20})
    made = mluke.recipe("mluke-atlas", corpus=corpus)
    assert made == mluke_atlas(sequences=60)
    assert made != mluke.recipe("mluke-atlas")
    assert mluke.recipe("mluke-atlas", ["stages.all.steps=3"], corpus=corpus).stages[-1].steps == 3
    assert mluke.recipe("mluke-base", corpus=corpus) == mluke_base()
    with pytest.raises(InputError):
        mluke.recipe("mluke-atlas", corpus=tmp_path / "none")


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_printed_as_a_file_reads_back(name: str, tmp_path: Path) -> None:
    recipe = mluke.recipe(name)
    assert recipe.name == name
    assert set(mluke.STAGES) <= {stage.name for stage in recipe.stages}
    path = tmp_path / "recipe.toml"
    path.write_text(to_toml(recipe), encoding="utf-8")
    assert load_recipe(path) == recipe
    assert mluke.recipe(str(path)) == recipe
    assert "stages" in tomllib.loads(path.read_text(encoding="utf-8"))


def test_an_unknown_name_or_field_says_what_there_is(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('name = "own"\n[[stages]]\nname = "all"\nsteps = 3\nlearning_rate = 1e-3\n')
    assert mluke.recipe(str(own), ["stages.all.steps=5", "seed=7"]).steps == 5
    assert mluke.recipe("mluke-atlas", ["seed=7"]).seed == 7
    known = "mluke-base, mluke-large, mluke-mini, mluke-atlas"
    with pytest.raises(InputError, match=f"no recipe 'huge'. Give one of {known}, or the path"):
        mluke.recipe("huge")
    with pytest.raises(ConfigError, match="stages"):
        mluke.recipe("mluke-atlas", ["stages.all.colour=red"])
