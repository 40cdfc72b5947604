"""AdamW groups: what trains in a stage, and what decays."""

from __future__ import annotations

import torch
from torch import nn

from exonym.modeling import EntityMaskedLM
from exonym.training.recipe import Recipe, Stage, Trained


def trains(name: str, trained: Trained) -> bool:
    """Whether a parameter trains when a stage's ``train`` is ``trained``."""
    return trained == "all" or EntityMaskedLM.is_new(name) == (trained == "new")


def decays(name: str) -> bool:
    """Weight decay spares biases and layer normalisation."""
    return not (name.endswith("bias") or "LayerNorm" in name or "layer_norm" in name)


def make_optimizer(model: EntityMaskedLM, recipe: Recipe, stage: Stage) -> torch.optim.AdamW:
    """AdamW over what the stage trains; everything else is frozen (no gradient, no decay)."""
    with_decay: list[nn.Parameter] = []
    without: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(trains(name, stage.train))
        if parameter.requires_grad:
            (with_decay if decays(name) else without).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": with_decay, "weight_decay": recipe.weight_decay},
            {"params": without, "weight_decay": 0.0},
        ],
        lr=stage.learning_rate,
        betas=(recipe.adam_beta1, recipe.adam_beta2),
        eps=recipe.adam_epsilon,
        fused=True,
    )
