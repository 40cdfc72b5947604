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
    """How long all runs of a world are.

    Args:
        batch: sequences per step.
        backbone: steps of the stage that stands in for XLM-R.
        entities: steps of the paper's first stage.
        all: steps of its second.
        every: steps between two checkpoints that are asked; None asks the last only.
        questions: at most so many of a kind are asked, drawn at random; None asks all.
    """

    batch: int
    backbone: int
    entities: int
    all: int
    every: int | None = None
    questions: int | None = None

    @property
    def changes(self) -> list[str]:
        """To the recipe."""
        return [
            f"batch_sequences={self.batch}",
            f"stages.backbone.steps={self.backbone}",
            f"stages.backbone.warmup_steps={max(self.backbone // 10, 1)}",
            f"stages.entities.steps={self.entities}",
            f"stages.entities.warmup_steps={max(self.entities // 10, 1)}",
            f"stages.all.steps={self.all}",
            f"stages.all.warmup_steps={max(self.all // 18, 1)}",
            f"keep_every={self.every if self.every else 'none'}",
            "checkpoint_seconds=600",
            "held_out_sequences=0",
        ]


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


def _sum_pooling(recipe: Recipe) -> Recipe:
    return replace(recipe, model=replace(recipe.model, entity_position_pooling="sum"))


ABLATIONS = (
    Variant(FULL, "as the recipe has it"),
    Variant("words-only", "words only (“extra training”)", mluke.words_only, words_only=True),
    Variant("no-stage-1", "no first stage; its steps go to the second", _without_first_stage),
    Variant("frozen-table", "entity table frozen in the second stage", _frozen_table),
    Variant("random-table", "entity table drawn anew after training", redrawn=True),
    Variant("hidden-words-0", "words under a masked entity stay", _masking(hidden_words=0.0)),
    Variant("hidden-names-0", "names of other entities stay", _masking(hidden_names=0.0)),
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
SMALL_SIZE = Size(batch=64, backbone=200, entities=50, all=1200, every=300)
STUDIES = {
    "ablations": Study("ablations", SMALL, SMALL_SIZE, ABLATIONS),
    "alpha": Study("alpha", SMALL, replace(SMALL_SIZE, every=None), ALPHAS),
    "shares": Study("shares", SMALL, replace(SMALL_SIZE, every=None), SHARES),
    "full": Study(
        "full",
        World("full", entities=None, languages=None),
        Size(batch=192, backbone=150, entities=50, all=3000, questions=3000),
        TABLE,
    ),
}
