"""Recipes, stages, the loop, run folders with exact resume, one process or many; fine-tuning."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

# Loaded when first used: who fine-tunes or only predicts needs none of the engine's libraries.
_PUBLIC = {
    "Estimate": "estimating",
    "ModelShape": "recipe",
    "Place": "checkpoints",
    "PretrainedRun": "pretraining",
    "Recipe": "recipe",
    "Stage": "recipe",
    "changed": "recipe_files",
    "estimate": "estimating",
    "load_recipe": "recipe_files",
    "pretrain": "pretraining",
    "to_toml": "recipe_files",
}

if TYPE_CHECKING:
    from exonym.training.checkpoints import Place
    from exonym.training.estimating import Estimate, estimate
    from exonym.training.pretraining import PretrainedRun, pretrain
    from exonym.training.recipe import ModelShape, Recipe, Stage
    from exonym.training.recipe_files import changed, load_recipe, to_toml

__all__ = [
    "Estimate",
    "ModelShape",
    "Place",
    "PretrainedRun",
    "Recipe",
    "Stage",
    "changed",
    "estimate",
    "load_recipe",
    "pretrain",
    "to_toml",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_PUBLIC[name]}"), name)
    globals()[name] = value
    return value
