"""Finished runs of fine-tuning, and the choice among them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev

from exonym.foundation.files import JSON
from exonym.training.fine_tuning import FineTuning


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run.

    Args:
        recipe: with its seed.
        main: the name of the score that decides.
        scores: of the validation set; empty where there was none.
        best_epoch: of the weights that were kept.
        seconds: of training.
        tokens_per_second: pieces and entities trained on in a second.
        model: the model's directory; None once it is deleted.
    """

    recipe: FineTuning
    main: str
    scores: Mapping[str, float]
    best_epoch: float
    seconds: float
    tokens_per_second: float
    model: Path | None

    @property
    def seed(self) -> int:
        """Of the recipe."""
        return self.recipe.seed

    @property
    def value(self) -> float:
        """The score that decides; the lowest of all where it is missing or not a number."""
        value = self.scores.get(self.main, math.nan)
        return -math.inf if math.isnan(value) else value

    def to_json(self) -> JSON:
        """As plain values, without the directory."""
        return {
            "recipe": self.recipe.to_json(),
            "main": self.main,
            "scores": dict(self.scores),
            "best_epoch": self.best_epoch,
            "seconds": self.seconds,
            "tokens_per_second": self.tokens_per_second,
        }


def mean_and_deviation(runs: Sequence[Run]) -> dict[str, tuple[float, float | None]]:
    """Mean and standard deviation (of the sample: n - 1) of each score over runs.

    One run has no standard deviation: None.
    """
    names = runs[0].scores
    values = {name: [run.scores[name] for run in runs] for name in names}
    return {name: (fmean(of), stdev(of) if len(of) > 1 else None) for name, of in values.items()}


@dataclass(frozen=True, slots=True)
class Tuned:
    """The best settings of a search, run with every seed.

    Args:
        runs: of the best settings, a seed each.
        searched: of the search; the best settings are among them, too.
        model: the directory of the best seed's model.
    """

    runs: tuple[Run, ...]
    searched: tuple[Run, ...]
    model: Path

    @property
    def best(self) -> Run:
        """The run with the highest main score, the first of several."""
        return max(self.runs, key=lambda run: run.value)

    @property
    def recipe(self) -> FineTuning:
        """The best settings, with the best seed."""
        return self.best.recipe

    @property
    def main(self) -> str:
        """The name of the score that decided."""
        return self.best.main

    @property
    def models(self) -> Mapping[int, Path]:
        """By seed, the models that are still there."""
        return {run.seed: run.model for run in self.runs if run.model is not None}

    @property
    def validation(self) -> Mapping[str, tuple[float, float | None]]:
        """Mean and standard deviation over the seeds of each validation score."""
        return mean_and_deviation(self.runs)

    def rows(self) -> list[dict[str, str]]:
        """For a table: the runs of the search that lost, then the seeds of the best settings."""
        chosen = [run.recipe for run in self.runs]
        lost = [run for run in self.searched if run.recipe not in chosen]
        return [
            {
                "learning rate": f"{run.recipe.learning_rate:g}",
                "batch": str(run.recipe.batch_size),
                "best epoch": f"{run.best_epoch:g}",
                "seed": str(run.seed),
                **{name: f"{value:.4f}" for name, value in run.scores.items()},
                "chosen": "yes" if run.recipe in chosen else "no",
            }
            for run in (*lost, *self.runs)
        ]

    def to_json(self) -> JSON:
        """Everything but directories as plain values."""
        return {
            "main": self.main,
            "recipe": self.recipe.to_json(),
            "validation": {
                name: {"mean": mean, "standard_deviation": deviation}
                for name, (mean, deviation) in self.validation.items()
            },
            "runs": [run.to_json() for run in self.runs],
            "searched": [run.to_json() for run in self.searched],
        }
