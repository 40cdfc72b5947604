"""What every objective returns."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

IGNORED = -100
"""A target that is none: padding."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A mean loss and what it was taken over.

    Args:
        mean: scalar, with gradient; in nats per target. Zero when there was no target.
        correct: how many targets had the highest logit.
        targets: how many there were.
    """

    mean: Tensor
    correct: int
    targets: int


def cross_entropy(logits: Tensor, targets: Tensor) -> Loss:
    """Mean negative log-likelihood of (targets,) classes under (targets, classes) logits.

    Targets that are `IGNORED` take no part.
    """
    count = int((targets != IGNORED).sum())
    if count == 0:
        return Loss(logits.sum() * 0.0, 0, 0)
    logits = logits.float()
    mean = F.cross_entropy(logits, targets, ignore_index=IGNORED)
    with torch.no_grad():
        correct = int((logits.argmax(dim=-1) == targets).sum())
    return Loss(mean, correct, count)
