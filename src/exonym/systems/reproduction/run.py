"""The paper on Atlas, from dumps to tables: every step once, so that a stopped run goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

import exonym
from exonym.atlas.benchmarks import write_benchmarks
from exonym.foundation.errors import InputError
from exonym.foundation.files import JSON, read_json, write_json
from exonym.modeling.conversion import Changes, convert_checkpoint
from exonym.systems import mluke, world
from exonym.systems.reproduction.folder import SUMMARY, open_folder, seed_folder
from exonym.systems.reproduction.jobs import all_jobs, run_jobs
from exonym.systems.reproduction.outcome import outcome_of
from exonym.systems.reproduction.plan import TRAINING, ReproductionOptions
from exonym.systems.reproduction.questions import annotate
from exonym.systems.steps import StepFolder
from exonym.training import Recipe

_LEAST_LANGUAGES = 3  # that an entity must occur in to get a vector


class Reproduction:
    """The paper on Atlas in one directory.

    Args:
        out: the directory.
        options: what to run.
    """

    def __init__(self, out: Path, options: ReproductionOptions) -> None:
        self.out, self.options = out, options
        self._recipe()  # refuses an impossible one before anything is written

    def run(self, *, overwrite: bool = False) -> JSON:
        """Do every step that is not done yet; returns the summary, which is also written.

        Args:
            overwrite: begin anew whatever reproduction the directory holds.

        Raises:
            InputError: the directory holds something else, or a reproduction of other options;
                or the world has nothing to ask.
            ResourceError: a process was ended from outside; the same call goes on.
        """
        folder = open_folder(self.out, self.options, overwrite=overwrite)
        self._make_data(folder)
        for seed in self.options.model_seeds:
            self._pretrain(folder, seed)
        jobs = all_jobs(self.out, self.options.model_seeds)
        done = all(job.result.is_file() for job in jobs)
        folder.step("fine-tuning and measuring", lambda: run_jobs(jobs), done=done)
        return self._summarise(folder)

    def _make_data(self, folder: StepFolder) -> None:
        out, options = self.out, self.options
        world.tell(folder, options)
        folder.step(
            "benchmarks",
            lambda: write_benchmarks(
                out / "atlas", out / "benchmarks", table=options.table, options=options.benchmarks
            ),
        )
        self._require_tests()
        world.read(folder)
        folder.step(
            "questions", lambda: annotate(out / "benchmarks", out / "kb", out / "questions")
        )
        world.encode(folder, options, max_sentences=1, min_languages=_LEAST_LANGUAGES)

    def _require_tests(self) -> None:
        """Every task needs examples to train with, to validate with, and a second language."""
        counts = read_json(self.out / "benchmarks" / "manifest.json")["counts"]
        for task, splits in counts.items():
            for split, files in splits.items():
                least = 2 if split == "test" else 1
                if sum(one["examples"] > 0 for one in files.values()) < least:
                    raise InputError(
                        f"this world is too small: {task} has too few {split} examples",
                        where=self.out / "benchmarks",
                        remedy="Take more --languages or --entities, and pass --overwrite",
                    )

    def _recipe(self, corpus: Path | None = None) -> Recipe:
        return mluke.recipe(self.options.recipe, self.options.changes, corpus=corpus)

    def _pretrain(self, folder: StepFolder, seed: int) -> None:
        """The backbone, mLUKE and the control of a seed, and mLUKE with random entities."""
        own = seed_folder(self.out, seed)
        recipe = replace(self._recipe(self.out / "corpus"), seed=seed)
        world.pretrain_models(folder, recipe, inside=own.name)
        folder.step(
            f"{own.name}/random",
            lambda: convert_checkpoint(
                own / "mluke" / "model", own / "random", Changes(random_entities=seed)
            ),
        )

    def _summarise(self, folder: StepFolder) -> JSON:
        outcome = outcome_of(self.out, self.options.model_seeds)
        summary: JSON = {
            "exonym": exonym.__version__,
            "scale": "atlas",
            "options": self.options.to_json(),
            "seeds": list(self.options.model_seeds),
            "threads": torch.get_num_threads(),
            **folder.spent(),
            "languages": read_json(self.out / "benchmarks" / "manifest.json")["languages"],
            "benchmarks": read_json(self.out / "benchmarks" / "manifest.json")["counts"],
            "questions": read_json(self.out / "questions" / "manifest.json")["languages"],
            "recipe": self._recipe(self.out / "corpus").to_json(),
            "training": {task: recipe.to_json() for task, recipe in TRAINING.items()},
            **outcome.to_json(),
        }
        write_json(self.out / SUMMARY, summary)
        return summary
