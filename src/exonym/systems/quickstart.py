"""The whole of Exonym in small: Atlas's dumps to a model that answers facts across languages.

Every step is the command a serious user runs, on a small world. A step whose result is there is
not done again, so a killed quickstart goes on where it stopped.
"""

from __future__ import annotations

import heapq
import shutil
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

import exonym
from exonym.atlas import write_atlas
from exonym.corpus import Corpus, CorpusOptions, build_corpus
from exonym.foundation.errors import InputError, VersionError
from exonym.foundation.files import (
    JSON,
    read_json,
    read_manifest,
    remove_partials,
    write_json,
    write_manifest,
)
from exonym.foundation.machine import peak_memory_mib
from exonym.foundation.seeds import generator
from exonym.knowledge import build_knowledge_base
from exonym.systems import mluke
from exonym.systems.beside import PlannedRun, pretrain_both
from exonym.tasks import cloze
from exonym.training import Recipe, pretrain
from exonym.training.run_folder import read_metrics

FORMAT, VERSION = "exonym-quickstart", 1
SUMMARY = "summary.json"
SECONDS, MEMORY = "seconds.json", "peak_memory_mib.json"  # what all processes so far took
SAMPLES = 20


@dataclass(frozen=True, slots=True)
class QuickstartOptions:
    """What the quickstart runs.

    Args:
        entities: size of the world: the first entities of the table; None takes all.
        table: another table of facts; None takes Atlas's own.
        languages: codes; None takes all of the table's.
        recipe: name or path.
        changes: to the recipe, as ``field=value``.
        vocabulary_size: most pieces of the tokenizer.
        max_words: most pieces of a sequence.
        max_sentences: most sentences of a sequence; None packs as many as fit.
        min_languages: languages an entity must occur in to get a row; in a world of fewer
            languages, all of them.
        seed: of everything.
    """

    entities: int | None = 500
    table: Path | None = None
    languages: tuple[str, ...] | None = None
    recipe: str = "mluke-atlas"
    changes: tuple[str, ...] = ()
    vocabulary_size: int = 8000
    max_words: int = 64
    max_sentences: int | None = 1
    min_languages: int = 3
    seed: int = 0

    def to_json(self) -> JSON:
        """Plain values; two quickstarts with equal ones are the same."""
        return {
            **asdict(self),
            "table": None if self.table is None else str(self.table),
            "languages": None if self.languages is None else list(self.languages),
            "changes": list(self.changes),
        }


class Quickstart:
    """One quickstart in one directory.

    Args:
        out: the directory.
        options: what to run.
    """

    def __init__(self, out: Path, options: QuickstartOptions) -> None:
        self.out, self.options = out, options
        self.recipe = self._recipe()  # until there is a corpus from whose size steps follow
        self._seconds: dict[str, float] = {}
        self._memory = 0.0

    def run(self, *, overwrite: bool = False) -> JSON:
        """Do every step that is not done yet; returns the summary, which is also written.

        A finished quickstart is deleted and begins anew.

        Args:
            overwrite: begin anew whatever quickstart the directory holds.

        Raises:
            InputError: the directory holds something else, or an unfinished quickstart of other
                options; or the world has nothing to ask.
        """
        self._open(overwrite)
        out, options, seed = self.out, self.options, self.options.seed
        self._step(
            "atlas",
            lambda: write_atlas(
                out / "atlas",
                table=options.table,
                languages=options.languages,
                entities=options.entities,
                seed=seed,
            ),
        )
        self._require_questions()
        self._step("kb", lambda: build_knowledge_base([out / "atlas"], out / "kb"))
        self._step("corpus", lambda: build_corpus(out / "kb", out / "corpus", self._corpus()))
        self.recipe = self._recipe(out / "corpus")
        self._pretrain("backbone", self.recipe.only(mluke.BACKBONE))
        rest = self.recipe.only(*mluke.STAGES)
        rest = replace(rest, model=replace(rest.model, backbone=out / "backbone" / "model"))
        self._pretrain_both(rest, mluke.words_only(rest))
        self._step("cloze.json", self._ask)
        return self._summarise()

    def _recipe(self, corpus: Path | None = None) -> Recipe:
        options = self.options
        recipe = mluke.recipe(options.recipe, options.changes, corpus=corpus)
        return replace(recipe, seed=options.seed)

    def _open(self, overwrite: bool) -> None:
        if self.out.exists() and not self.out.is_dir():
            raise InputError(
                "is a file, not a directory", where=self.out, remedy="Choose another --out"
            )
        if self.out.is_dir() and any(self.out.iterdir()) and self._goes_on(overwrite):
            remove_partials(self.out)
            self._seconds, self._memory = self._spent()
            return
        self.out.mkdir(parents=True, exist_ok=True)
        write_manifest(
            self.out,
            format=FORMAT,
            version=VERSION,
            options=self.options.to_json(),
            recipe=self.recipe.to_json(),
        )

    def _goes_on(self, overwrite: bool) -> bool:
        """Whether the quickstart in the directory goes on; one that does not is deleted."""
        other, remedy = "Choose another --out", "Choose another --out, or pass --overwrite"
        try:
            manifest = read_manifest(self.out, format=FORMAT, version=VERSION, remedy=other)
        except VersionError as error:
            if not overwrite:
                raise VersionError(error.what, where=error.where, remedy=remedy) from error
        begun, finished = (self.out / "atlas").is_dir(), (self.out / SUMMARY).is_file()
        if overwrite or finished or not begun:
            shutil.rmtree(self.out)
            return False
        now = {"options": self.options.to_json(), "recipe": self.recipe.to_json()}
        if any(manifest.get(key) != value for key, value in now.items()):
            raise InputError("holds a quickstart of other options", where=self.out, remedy=remedy)
        return True

    def _require_questions(self) -> None:
        asked = read_json(self.out / "atlas" / "manifest.json")["questions"]
        if not asked.get("untold here"):
            raise InputError(
                "this world has no fact that one language tells and another could be asked for",
                where=self.out / "atlas",
                remedy="Take more --languages or --entities, and pass --overwrite",
            )

    def _corpus(self) -> CorpusOptions:
        languages = read_json(self.out / "atlas" / "manifest.json")["languages"]
        return CorpusOptions(
            vocabulary_size=self.options.vocabulary_size,
            max_words=self.options.max_words,
            max_sentences=self.options.max_sentences,
            min_languages=min(self.options.min_languages, len(languages)),
            seed=self.options.seed,
        )

    def _step(self, name: str, work: Callable[[], object], *, done: Path | None = None) -> None:
        """Do one step unless its result is there, and remember what it took."""
        if (done or self.out / name).exists():
            return
        started = time.monotonic()
        try:
            work()
        finally:
            elapsed = time.monotonic() - started
            self._seconds[name] = self._seconds.get(name, 0.0) + elapsed
            self._memory = max(self._memory, peak_memory_mib())
            write_json(self.out / SECONDS, self._seconds)
            write_json(self.out / MEMORY, self._memory)

    def _spent(self) -> tuple[dict[str, float], float]:
        """Seconds by step and peak memory of the processes before this one."""
        seconds, memory = self.out / SECONDS, self.out / MEMORY
        return (
            read_json(seconds) if seconds.is_file() else {},
            read_json(memory) if memory.is_file() else 0.0,
        )

    def _pretrain(self, name: str, recipe: Recipe) -> None:
        run = self.out / name
        self._step(
            name,
            lambda: pretrain(self.out / "corpus", run, recipe, resume=run.exists()),
            done=run / "model",
        )

    def _pretrain_both(self, recipe: Recipe, control: Recipe) -> None:
        runs = PlannedRun(self.out / "mluke", recipe), PlannedRun(self.out / "words-only", control)
        if not all((run.out / "model").exists() for run in runs):
            self._step("mluke and words-only", lambda: pretrain_both(self.out / "corpus", *runs))

    def _ask(self) -> None:
        """Ask both models everything; writes accuracies, biases and samples.

        A small world may have no control questions; there is no block for them then.
        """
        questions = cloze.load_questions(self.out / "atlas" / "cloze")
        model = cloze.load(self.out / "mluke" / "model")
        control = cloze.load(self.out / "words-only" / "model")
        there = {question.told for question in questions.questions}
        rows = {
            kind: mluke.compare(questions, model, control, [kind])
            for kind in ("untold", "control")
            if kind in there
        }
        write_json(
            self.out / "cloze.json",
            {
                "cloze": {
                    kind: mluke.accuracy_block(asked, seed=self.options.seed)
                    for kind, asked in rows.items()
                },
                "language_bias": mluke.bias_block(rows["untold"]),
                "samples": self._samples(questions, rows["untold"]),
            },
        )

    def _samples(self, questions: cloze.ClozeSet, rows: list[mluke.Asked]) -> list[JSON]:
        """Questions drawn at random, languages in turn, with every row's answer."""
        answers = {
            row.name: {
                (a.question.language, a.question.relation, a.question.subject): a
                for a in row.answers
            }
            for row in rows
            if row.answers is not None
        }
        asked = [given.question for given in rows[-1].answers or ()]
        rng = generator(self.options.seed, "samples")
        seen: Counter[str] = Counter()  # languages take turns
        turns = []
        for index in rng.permutation(len(asked)):
            language = asked[index].language
            turns.append((seen[language], index))
            seen[language] += 1
        samples = []
        for _, index in heapq.nsmallest(SAMPLES, turns, key=lambda turn: turn[0]):
            question = asked[index]
            key = question.language, question.relation
            labels = {c.entity: c.label for c in questions.candidates[key]}
            place = *key, question.subject
            samples.append(
                {
                    "language": question.language,
                    "question": questions.templates[key].replace("[X]", question.subject_label),
                    "right": [labels[entity] for entity in question.answers],
                    "answers": {
                        name: {"label": given[place].label, "correct": given[place].correct}
                        for name, given in answers.items()
                    },
                }
            )
        return samples

    def _summarise(self) -> JSON:
        out = self.out
        corpus = Corpus.open(out / "corpus")
        runs = {
            name: list(read_metrics(out / name, "train"))
            for name in ("backbone", "mluke", "words-only")
        }
        summary: JSON = {
            "exonym": exonym.__version__,
            "seed": self.options.seed,
            "options": self.options.to_json(),
            "threads": torch.get_num_threads(),
            "seconds": sum(self._seconds.values()),
            "seconds_by_step": self._seconds,
            "peak_memory_mib": max(self._memory, peak_memory_mib()),
            "atlas": _plain(read_json(out / "atlas" / "manifest.json")),
            "knowledge_base": _plain(read_json(out / "kb" / "manifest.json")),
            "corpus": _plain(corpus.manifest),
            "recipe": self.recipe.to_json(),
            "words_per_second": {
                name: float(np.mean([record["words_per_second"] for record in records]))
                for name, records in runs.items()
            },
            **read_json(out / "cloze.json"),
        }
        write_json(out / SUMMARY, summary)
        return summary


def _plain(manifest: JSON) -> JSON:
    return {key: value for key, value in manifest.items() if key not in ("format", "version")}
