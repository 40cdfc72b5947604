"""Recipes, stages, the loop, run folders with exact resume, one process or many."""

from exonym.training.checkpoints import Place
from exonym.training.estimate import Estimate, estimate
from exonym.training.pretrain import PretrainedRun, pretrain
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
