"""What is compared: worlds, and variants of the recipe ``mluke-atlas``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from exonym.systems import mluke
from exonym.training import Recipe

LARGE_TO_SMALL = ("en", "de", "fr", "ru", "ja", "ar", "hi", "sw")
"""The small world's languages, from the one that tells most to the one that tells least."""

ENTITY_TABLE = "luke.entity_embeddings.entity_embeddings.weight"
BACKBONE = "backbone"
SEEDS = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class World:
    """A world to train in; every seed tells its facts anew.

    Args:
        name: its folder.
        entities: the first so many of Atlas; None takes all.
        languages: codes; None takes all of Atlas.
        vocabulary_size: most pieces.
        told_share: see `TellingOptions`.
    """

    name: str
    entities: int | None
    languages: tuple[str, ...] | None
    vocabulary_size: int = 8000
    told_share: float | None = None


@dataclass(frozen=True, slots=True)
class Size:
    """How long all runs of a study are; None leaves what the recipe takes for the corpus.

    Args:
        batch: sequences per step.
        backbone: steps of the stage that stands in for XLM-R.
        entities: steps of the paper's first stage.
        all: steps of its second.
        weight_decay: of AdamW.
        every: steps between two checkpoints that are asked; None asks the last only.
        questions: at most so many of a kind are asked, drawn at random; None asks all.
    """

    batch: int | None = None
    backbone: int | None = None
    entities: int | None = None
    all: int | None = None
    weight_decay: float | None = None
    every: int | None = None
    questions: int | None = None

    @property
    def changes(self) -> list[str]:
        """To the recipe."""
        found = {"batch_sequences": self.batch, "weight_decay": self.weight_decay}
        steps = {"backbone": self.backbone, "entities": self.entities, "all": self.all}
        for (name, count), part in zip(steps.items(), (10, 10, 18), strict=True):
            if count is not None:
                found[f"stages.{name}.steps"] = count
                found[f"stages.{name}.warmup_steps"] = max(count // part, 1)
        found |= {"keep_every": self.every, "checkpoint_seconds": 600, "held_out_sequences": 0}
        return [f"{name}={value}" for name, value in found.items() if value is not None]


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to train.

    Args:
        name: in files and tables.
        label: for readers.
        change: of the recipe's stages after the backbone.
        words_only: has no entities, so it is asked by words alone.
        told_share: of its world; None takes the study's.
        redrawn: is not trained: the model of the recipe, its entities' rows drawn anew.
    """

    name: str
    label: str
    change: Callable[[Recipe], Recipe] = lambda recipe: recipe
    words_only: bool = False
    told_share: float | None = None
    redrawn: bool = False


FULL = "full"


def _masking(**fields: Any) -> Callable[[Recipe], Recipe]:
    return lambda recipe: replace(recipe, masking=replace(recipe.masking, **fields))


def _alpha(alpha: float) -> Callable[[Recipe], Recipe]:
    return lambda recipe: replace(recipe, sampling=replace(recipe.sampling, alpha=alpha))


def _without_first_stage(recipe: Recipe) -> Recipe:
    first, second = recipe.stages
    longer = replace(second, steps=first.steps + second.steps)
    return replace(recipe, stages=(longer,), departures={})


def _frozen_table(recipe: Recipe) -> Recipe:
    first, second = recipe.stages
    return replace(recipe, stages=(first, replace(second, freeze=(ENTITY_TABLE,))))


def _strong_decay(recipe: Recipe) -> Recipe:
    return replace(recipe, weight_decay=1.0)


def _sum_pooling(recipe: Recipe) -> Recipe:
    return replace(recipe, model=replace(recipe.model, entity_position_pooling="sum"))


ABLATIONS = (
    Variant(FULL, "the reference"),
    Variant("words-only", "words only (“extra training”)", mluke.words_only, words_only=True),
    Variant("no-stage-1", "no first stage; its steps go to the second", _without_first_stage),
    Variant("frozen-table", "entity table frozen in the second stage", _frozen_table),
    Variant("random-table", "entity table drawn anew after training", redrawn=True),
    Variant("hidden-words-0", "words under a masked entity stay", _masking(hidden_words=0.0)),
    Variant("hidden-names-0", "names of other entities stay", _masking(hidden_names=0.0)),
    Variant("decay-1", "weight decay 1.0 instead of 0.01", _strong_decay),
    Variant("sum-pooling", "positions of a mention summed", _sum_pooling),
)
ALPHAS = (
    Variant("alpha-0", "α = 0", _alpha(0.0)),
    Variant("alpha-1", "α = 1", _alpha(1.0)),
)
SHARES = tuple(
    Variant(f"told-{share}", label, told_share=share)
    for share, label in ((0.0, "one language"), (0.25, "a quarter"), (0.5, "half"))
)
TABLE = (Variant(FULL, "mLUKE"), Variant("words-only", "words", mluke.words_only, words_only=True))


@dataclass(frozen=True, slots=True)
class Study:
    """Variants in one world."""

    name: str
    world: World
    size: Size
    variants: tuple[Variant, ...]


SMALL = World("small", entities=120, languages=LARGE_TO_SMALL)
SMALL_SIZE = Size(batch=64, backbone=200, entities=50, all=1200, weight_decay=0.01, every=300)
STUDIES = {
    study.name: study
    for study in (
        Study("ablations", SMALL, SMALL_SIZE, ABLATIONS),
        Study("alpha", SMALL, replace(SMALL_SIZE, every=None), ALPHAS),
        Study("shares", SMALL, replace(SMALL_SIZE, every=None), SHARES),
        Study("full", World("full", None, None), Size(questions=3000), TABLE),
    )
}
