"""The paper on Atlas, from dumps to tables: every step once, so that a stopped run goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

import exonym
from exonym.atlas import write_atlas
from exonym.atlas.benchmarks import write_benchmarks
from exonym.corpus import CorpusOptions, build_corpus
from exonym.foundation.errors import InputError
from exonym.foundation.files import JSON, read_json, write_json
from exonym.foundation.machine import peak_memory_mib
from exonym.knowledge import build_knowledge_base
from exonym.modeling.conversion import Changes, convert_checkpoint
from exonym.systems import mluke
from exonym.systems.beside import PlannedRun, pretrain_both
from exonym.systems.reproduction.folder import SUMMARY, Folder, seed_folder
from exonym.systems.reproduction.jobs import all_jobs, run_jobs
from exonym.systems.reproduction.outcome import outcome_of
from exonym.systems.reproduction.plan import TRAINING, ReproductionOptions
from exonym.systems.reproduction.questions import annotate
from exonym.training import Recipe, pretrain

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
        folder = Folder.open(self.out, self.options, overwrite=overwrite)
        self._make_data(folder)
        for seed in self.options.model_seeds:
            self._pretrain(folder, seed)
        jobs = all_jobs(self.out, self.options.model_seeds)
        done = all(job.result.is_file() for job in jobs)
        folder.step("fine-tuning and measuring", lambda: run_jobs(jobs), done=done)
        return self._summarise(folder)

    def _make_data(self, folder: Folder) -> None:
        out, options = self.out, self.options
        folder.step(
            "atlas",
            lambda: write_atlas(
                out / "atlas",
                table=options.table,
                languages=options.languages,
                entities=options.entities,
                seed=options.seed,
            ),
        )
        self._require_questions()
        folder.step(
            "benchmarks",
            lambda: write_benchmarks(
                out / "atlas", out / "benchmarks", table=options.table, options=options.benchmarks
            ),
        )
        self._require_tests()
        folder.step("kb", lambda: build_knowledge_base([out / "atlas"], out / "kb"))
        folder.step(
            "questions", lambda: annotate(out / "benchmarks", out / "kb", out / "questions")
        )
        folder.step("corpus", lambda: build_corpus(out / "kb", out / "corpus", self._corpus()))

    def _require_questions(self) -> None:
        if not read_json(self.out / "atlas" / "manifest.json")["questions"].get("untold here"):
            raise InputError(
                "this world has no fact that one language tells and another could be asked for",
                where=self.out / "atlas",
                remedy="Take more --languages or --entities, and pass --overwrite",
            )

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

    def _corpus(self) -> CorpusOptions:
        languages = read_json(self.out / "atlas" / "manifest.json")["languages"]
        return CorpusOptions(
            vocabulary_size=self.options.vocabulary_size,
            max_words=self.options.max_words,
            max_sentences=1,
            min_languages=min(_LEAST_LANGUAGES, len(languages)),
            seed=self.options.seed,
        )

    def _recipe(self, corpus: Path | None = None) -> Recipe:
        return mluke.recipe(self.options.recipe, self.options.changes, corpus=corpus)

    def _pretrain(self, folder: Folder, seed: int) -> None:
        """The backbone, mLUKE and the control of a seed, and mLUKE with random entities."""
        corpus, own = self.out / "corpus", seed_folder(self.out, seed)
        own.mkdir(exist_ok=True)
        recipe = replace(self._recipe(corpus), seed=seed)
        backbone = own / "backbone"
        folder.step(
            f"{own.name}/backbone",
            lambda: pretrain(
                corpus, backbone, recipe.only(mluke.BACKBONE), resume=backbone.exists()
            ),
            done=(backbone / "model").exists(),
        )
        rest = recipe.only(*mluke.STAGES)
        rest = replace(rest, model=replace(rest.model, backbone=backbone / "model"))
        here = PlannedRun(own / "mluke", rest)
        beside = PlannedRun(own / "words-only", mluke.words_only(rest))
        folder.step(
            f"{own.name}/mluke and words-only",
            lambda: pretrain_both(corpus, here, beside),
            done=all((run.out / "model").exists() for run in (here, beside)),
        )
        folder.step(
            f"{own.name}/random",
            lambda: convert_checkpoint(
                own / "mluke" / "model", own / "random", Changes(random_entities=seed)
            ),
        )

    def _summarise(self, folder: Folder) -> JSON:
        outcome = outcome_of(self.out, self.options.model_seeds)
        summary: JSON = {
            "exonym": exonym.__version__,
            "scale": "atlas",
            "options": self.options.to_json(),
            "seeds": list(self.options.model_seeds),
            "threads": torch.get_num_threads(),
            "seconds": sum(folder.seconds.values()),
            "seconds_by_step": folder.seconds,
            "peak_memory_mib": max(folder.memory_mib, peak_memory_mib()),
            "languages": read_json(self.out / "benchmarks" / "manifest.json")["languages"],
            "benchmarks": read_json(self.out / "benchmarks" / "manifest.json")["counts"],
            "questions": read_json(self.out / "questions" / "manifest.json")["languages"],
            "recipe": self._recipe(self.out / "corpus").to_json(),
            "training": {task: recipe.to_json() for task, recipe in TRAINING.items()},
            **outcome.to_json(),
        }
        write_json(self.out / SUMMARY, summary)
        return summary
