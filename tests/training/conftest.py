"""A corpus of a few hundred sequences and a recipe of three short stages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from exonym.training import Recipe, Stage
from tiny_models import SHAPE


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory, make_corpus: Callable[..., Path]) -> Path:
    directory = tmp_path_factory.mktemp("training") / "corpus"
    return make_corpus(directory, {"de": 60, "en": 160, "ja": 80})


@pytest.fixture
def recipe() -> Recipe:
    """Backbone, new parameters, all: the three stages of a model from scratch."""
    return Recipe(
        name="tiny",
        stages=(
            Stage("backbone", 14, 1e-2, 3, train="words", objectives=("words",)),
            Stage("new", 12, 1e-2, 2, train="new"),
            Stage("all", 15, 5e-3, 3),
        ),
        model=SHAPE,
        batch_sequences=4,
        seed=3,
        checkpoint_seconds=0.0,
    )


@pytest.fixture
def short(recipe: Recipe) -> Recipe:
    """One stage of three steps."""
    return replace(recipe, stages=(Stage("all", 3, 1e-2),))
