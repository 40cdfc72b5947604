"""Recipes, stages, the loop, run folders with exact resume."""

from exonym.training.pretrain import PretrainedRun, pretrain
from exonym.training.recipe import ModelShape, Recipe, Stage, load_recipe

__all__ = ["ModelShape", "PretrainedRun", "Recipe", "Stage", "load_recipe", "pretrain"]
