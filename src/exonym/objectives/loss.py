"""What every objective returns."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

IGNORED = -100
"""A target that is none: padding."""


@dataclass(frozen=True, slots=True)
class Loss:
    """The loss of some targets.

    Args:
        total: scalar, with gradient: nats summed over the targets. Zero, and still connected to the
            graph, when there was no target.
        nats: (targets,) of each, detached, float32; zero at `IGNORED`.
        correct: (targets,) bool, detached: the target had the highest logit. Of several highest the
            lowest row counts. False at `IGNORED`.
    """

    total: Tensor
    nats: Tensor
    correct: Tensor
