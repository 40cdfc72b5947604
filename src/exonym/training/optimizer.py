"""What trains in a stage, and AdamW over it: what decays, and at which rate."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import torch
from torch import nn

from exonym.foundation.errors import ConfigError
from exonym.modeling import EntityMaskedLM
from exonym.training.recipe import TRAINED, Recipe, Stage

RATE_FACTOR, DECAY = "rate_factor", "decay"
"""What a group of parameters calls the factor on its learning rate, and its weight decay: PyTorch's
own names have what `set_rate` makes of them for a step."""


@dataclass(frozen=True, slots=True)
class Trained:
    """One parameter of a stage.

    Args:
        name: in the model, as in a checkpoint.
        decays: whether weight decay draws it to zero.
        rate_factor: on the stage's learning rate.
    """

    name: str
    decays: bool
    rate_factor: float = 1.0


def fits(name: str, patterns: Iterable[str]) -> bool:
    """Whether a parameter's name fits one of the patterns or names of sets (`recipe.TRAINED`)."""
    for pattern in patterns:
        if pattern in TRAINED:
            if pattern == "all" or EntityMaskedLM.is_new(name) == (pattern == "new"):
                return True
        elif fnmatchcase(name, pattern):
            return True
    return False


def decays(name: str) -> bool:
    """Weight decay spares biases and layer normalisation."""
    return not (name.endswith("bias") or "LayerNorm" in name or "layer_norm" in name)


def plan_training(names: Sequence[str], stage: Stage) -> list[Trained]:
    """Which of the model's parameters a stage trains, in the model's order.

    Raises:
        ConfigError: a pattern fits no parameter, or none trains.
    """
    for pattern in (*stage.trained, *stage.freeze, *stage.rate_factors):
        if not any(fits(name, (pattern,)) for name in names):
            raise ConfigError(
                f"stage {stage.name!r}: no parameter is called {pattern!r}",
                remedy=f"Give one of {', '.join(TRAINED)}, or a pattern of names such as "
                "'luke.encoder.layer.0.*' (exonym checkpoint show lists them)",
            )
    trained = [
        Trained(name, decays(name), _factor(name, stage.rate_factors))
        for name in names
        if fits(name, stage.trained) and not fits(name, stage.freeze)
    ]
    if not trained:
        raise ConfigError(f"stage {stage.name!r} freezes everything that it trains")
    return trained


def _factor(name: str, factors: Mapping[str, float]) -> float:
    return next((factor for pattern, factor in factors.items() if fits(name, (pattern,))), 1.0)


def make_optimizer(
    model: nn.Module, recipe: Recipe, stage: Stage, *, prefix: str = ""
) -> torch.optim.AdamW:
    """AdamW over what the stage trains; everything else is frozen (no gradient, no decay).

    Args:
        model: an `EntityMaskedLM`, or a module around it.
        recipe: AdamW's constants.
        stage: what trains.
        prefix: what the names of an `EntityMaskedLM` begin with in ``model``.
    """
    parameters = {
        name.removeprefix(prefix): parameter for name, parameter in model.named_parameters()
    }
    trained = plan_training(list(parameters), stage)
    for parameter in parameters.values():
        parameter.requires_grad_(False)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for one in trained:
        parameter = parameters[one.name]
        parameter.requires_grad_(True)
        decay = recipe.weight_decay if one.decays else 0.0
        groups.setdefault((decay, one.rate_factor), []).append(parameter)
    return torch.optim.AdamW(
        [
            {
                "params": members,
                "weight_decay": decay,
                DECAY: decay,
                RATE_FACTOR: factor,
            }
            for (decay, factor), members in groups.items()
        ],
        lr=stage.learning_rate,
        betas=(recipe.adam_beta1, recipe.adam_beta2),
        eps=recipe.adam_epsilon,
        fused=True,
    )


def set_rate(optimizer: torch.optim.Optimizer, rate: float, recipe: Recipe, step: int) -> None:
    """Give every group a learning rate, times its own factor.

    Without bias correction, rate, epsilon and decay undo PyTorch's: it divides the mean of
    gradients by 1 - β₁ᵗ and the root of the mean of squares by √(1 - β₂ᵗ) in step t.

    Args:
        optimizer: of `make_optimizer`.
        rate: of the step.
        recipe: AdamW's constants.
        step: its number in the stage, from 0.
    """
    means = squares = 1.0
    if not recipe.adam_bias_correction:
        means = 1 - recipe.adam_beta1 ** (step + 1)
        squares = math.sqrt(1 - recipe.adam_beta2 ** (step + 1))
    for group in optimizer.param_groups:
        group["lr"] = rate * group[RATE_FACTOR] * (means / squares)
        group["eps"] = recipe.adam_epsilon / squares
        group["weight_decay"] = group[DECAY] * (squares / means)


def describe(trained: Sequence[Trained], sizes: Mapping[str, int]) -> str:
    """One line that says what trains: modules with their numbers of parameters.

    Args:
        trained: of a stage.
        sizes: numbers in every parameter of the model, trained or not, by name.
    """
    names = {one.name for one in trained}
    modules: dict[str, list[str]] = {}
    for name in sizes:
        modules.setdefault(_module(name), []).append(name)
    parts, frozen = [], []
    for module, members in modules.items():
        moving = [name for name in members if name in names]
        if moving:
            count = sum(sizes[name] for name in moving)
            some = "" if len(moving) == len(members) else f", {len(moving)} of {len(members)}"
            parts.append(f"{module} ({count:,}{some})")
        else:
            frozen.append(module)
    total = sum(sizes[one.name] for one in trained)
    line = f"{total:,} of {sum(sizes.values()):,} parameters train: {', '.join(parts)}"
    return f"{line}; frozen: {', '.join(frozen)}" if frozen else line


def _module(name: str) -> str:
    """``luke.encoder.layer.3.output.dense.weight`` to ``luke.encoder``."""
    parts = name.split(".")
    return ".".join(parts[: 2 if parts[0] == "luke" else 1])
