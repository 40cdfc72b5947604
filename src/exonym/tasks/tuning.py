"""Fine-tuning over grids of settings and several seeds; the validation set alone chooses.

FOLDER/manifest.json       what was tuned: model and data, as the caller names them
FOLDER/runs/NAME/run.json  a finished run: recipe, seed, history; it is never done again
FOLDER/runs/NAME/model/    its model, unless its settings lost
FOLDER/model/              the model of the best seed of the best settings, with a README.md
FOLDER/tuning.json         the choice: all runs, mean and standard deviation over the seeds
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Generic, Literal

from exonym.foundation.errors import ConfigError
from exonym.foundation.files import JSON, write_json
from exonym.tasks.tuned import Run, Tuned
from exonym.tasks.tuning_folder import TuningFolder
from exonym.training.fine_tuning import FeatureT, FineTuning, Learner, fine_tune

Keep = Literal["seeds", "best"]


@dataclass(frozen=True, slots=True)
class Grid:
    """The settings that are tried: every combination.

    Args:
        learning_rates: peaks.
        batch_sizes: examples per step.
        epochs: passes over the examples.
        base: everything else.
    """

    learning_rates: tuple[float, ...] = (1e-5,)
    batch_sizes: tuple[int, ...] = (8,)
    epochs: tuple[int, ...] = (5,)
    base: FineTuning = field(default_factory=FineTuning)

    def __post_init__(self) -> None:
        for name in ("learning_rates", "batch_sizes", "epochs"):
            values = getattr(self, name)
            if not values or len(set(values)) < len(values):
                raise ConfigError(f"{name} must be different values, at least one, got {values}")

    @classmethod
    def of(cls, recipe: FineTuning) -> Grid:
        """A recipe alone."""
        return cls((recipe.learning_rate,), (recipe.batch_size,), (recipe.epochs,), recipe)

    def settings(self) -> tuple[FineTuning, ...]:
        """The recipes, in the order of the fields."""
        return tuple(
            replace(self.base, learning_rate=rate, batch_size=size, epochs=epochs)
            for rate, size, epochs in itertools.product(
                self.learning_rates, self.batch_sizes, self.epochs
            )
        )


def tune(
    make_learner: Callable[[int], Learner[FeatureT]],
    grid: Grid,
    seeds: Sequence[int],
    folder: Path,
    *,
    identity: JSON,
    search_seeds: int = 1,
    keep: Keep = "seeds",
    card: Callable[[Tuned], str] | None = None,
    overwrite: bool = False,
    progress: bool = True,
) -> Tuned:
    """Find the best settings of a grid on the validation set, and run them with every seed.

    Every setting is run with the first ``search_seeds`` seeds; the one with the highest mean of
    the learner's main score (the first of several) is run with the others as well. A run that is
    finished is kept in the folder, so the same call goes on where a killed one was; more seeds and
    more settings may be asked for later.

    Args:
        make_learner: makes model and data anew; is called with the seed, from which a new head is
            to be drawn.
        grid: settings; one alone is not searched for.
        seeds: different numbers, at least one.
        folder: for runs and results.
        identity: what decides the results beside grid and seeds, such as digests of model and
            data (`CardFacts.identity`). A folder of another identity is refused.
        search_seeds: how many seeds the search takes.
        keep: whose models stay: of every seed of the best settings, or of the best seed only.
        card: makes the README.md of the model.
        overwrite: delete what is in the folder.
        progress: show each run on standard error.

    Raises:
        ConfigError: no seeds, or several settings and no validation scores to choose by.
        ExistsError: the folder is of another identity.
        VersionError: it was written by another version of Exonym.
    """
    _require_seeds(seeds, search_seeds)
    work = _Tuning(
        make_learner, TuningFolder.start(folder, identity, overwrite=overwrite), progress
    )
    settings, searched = grid.settings(), list[Run]()
    best = settings[0]
    if len(settings) > 1:
        best = work.search(settings, seeds[:search_seeds], searched)
    runs = [work.run(replace(best, seed=seed)) for seed in seeds]
    kept = {max(runs, key=lambda run: run.value).seed} if keep == "best" else set(seeds)
    for index, run in enumerate(runs):
        if run.seed not in kept:
            work.folder.drop_model(run)
            runs[index] = replace(run, model=None)
        elif run.model is None:  # in an earlier call, with other settings or seeds, it had lost
            runs[index] = work.run(run.recipe, again=True)
    tuned = Tuned(tuple(runs), tuple(searched), work.folder.model)
    work.folder.publish(tuned.best, None if card is None else card(tuned))
    write_json(folder / "tuning.json", tuned.to_json())
    return tuned


def _require_seeds(seeds: Sequence[int], search_seeds: int) -> None:
    if not seeds or len(set(seeds)) < len(seeds):
        raise ConfigError(f"seeds must be different numbers, at least one, got {list(seeds)}")
    if search_seeds < 1:
        raise ConfigError(f"search_seeds must be at least 1, got {search_seeds}")


class _Tuning(Generic[FeatureT]):
    """Runs, each done once."""

    def __init__(
        self,
        make_learner: Callable[[int], Learner[FeatureT]],
        folder: TuningFolder,
        progress: bool,
    ) -> None:
        self.folder = folder
        self._make_learner, self._progress = make_learner, progress

    def run(self, recipe: FineTuning, *, again: bool = False) -> Run:
        """The run of a recipe, from the folder if it is there."""
        run = None if again else self.folder.find(recipe)
        if run is None:
            learner = self._make_learner(recipe.seed)
            history = fine_tune(learner, recipe, progress=self._progress)
            run = self.folder.save(recipe, history, learner)
            self._tell(run)
        return run

    def search(
        self, settings: Sequence[FineTuning], seeds: Sequence[int], searched: list[Run]
    ) -> FineTuning:
        """The best of several settings; its runs keep their models, others lose them."""
        best: tuple[float, list[Run]] | None = None
        for recipe in settings:
            runs = [self.run(replace(recipe, seed=seed)) for seed in seeds]
            if not all(run.scores for run in runs):
                raise ConfigError(
                    f"{len(settings)} settings, and no validation set to choose among them by",
                    remedy="Give a validation set, or one setting",
                )
            searched += [replace(run, model=None) for run in runs]
            value = fmean(run.value for run in runs)
            if best is None or value > best[0]:
                lost, best = [] if best is None else best[1], (value, runs)
            else:
                lost = runs
            for run in lost:
                self.folder.drop_model(run)
        assert best is not None, "settings are given"
        return best[1][0].recipe

    def _tell(self, run: Run) -> None:
        if self._progress:
            recipe = run.recipe
            score = f"{run.main} {run.scores[run.main]:.4f}" if run.scores else "no validation set"
            print(
                f"learning rate {recipe.learning_rate:g}, batch {recipe.batch_size}, "
                f"seed {recipe.seed}: {score} after {run.best_epoch:g} epochs, "
                f"{run.tokens_per_second:,.0f} tokens/s",
                file=sys.stderr,
            )
