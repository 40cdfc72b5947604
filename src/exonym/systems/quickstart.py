"""The whole of Exonym in small: Atlas's dumps to a model that answers facts across languages.

Every step is the command a serious user runs, on a small world. A step whose result is there is
not done again, so a killed quickstart goes on where it stopped.
"""

from __future__ import annotations

import heapq
import shutil
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

import exonym
from exonym.corpus import Corpus
from exonym.foundation.errors import InputError
from exonym.foundation.files import JSON, read_json, remove_partials, write_json, write_manifest
from exonym.foundation.seeds import generator
from exonym.systems import mluke, world
from exonym.systems.steps import OVERWRITE, StepFolder, manifest_to_go_on, plain_options
from exonym.tasks import cloze
from exonym.training import Recipe
from exonym.training.run_folder import read_metrics

FORMAT, VERSION = "exonym-quickstart", 1
SUMMARY = "summary.json"
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
        return plain_options(self)


class Quickstart:
    """One quickstart in one directory.

    Args:
        out: the directory.
        options: what to run.
    """

    def __init__(self, out: Path, options: QuickstartOptions) -> None:
        self.out, self.options = out, options
        self.recipe = self._recipe()  # until there is a corpus from whose size steps follow

    def run(self, *, overwrite: bool = False) -> JSON:
        """Do every step that is not done yet; returns the summary, which is also written.

        A finished quickstart is deleted and begins anew.

        Args:
            overwrite: begin anew whatever quickstart the directory holds.

        Raises:
            InputError: the directory holds something else, or an unfinished quickstart of other
                options; or the world has nothing to ask.
        """
        folder, options = self._open(overwrite), self.options
        world.tell(folder, options)
        world.read(folder)
        world.encode(
            folder,
            options,
            max_sentences=options.max_sentences,
            min_languages=options.min_languages,
        )
        self.recipe = self._recipe(self.out / "corpus")
        world.pretrain_models(folder, self.recipe)
        folder.step("cloze.json", self._ask)
        return self._summarise(folder)

    def _recipe(self, corpus: Path | None = None) -> Recipe:
        options = self.options
        recipe = mluke.recipe(options.recipe, options.changes, corpus=corpus)
        return replace(recipe, seed=options.seed)

    def _open(self, overwrite: bool) -> StepFolder:
        if self._goes_on(overwrite):
            remove_partials(self.out)
            return StepFolder(self.out)
        self.out.mkdir(parents=True, exist_ok=True)
        write_manifest(
            self.out,
            format=FORMAT,
            version=VERSION,
            options=self.options.to_json(),
            recipe=self.recipe.to_json(),
        )
        return StepFolder(self.out)

    def _goes_on(self, overwrite: bool) -> bool:
        """Whether there is a quickstart to go on with; one that is finished is deleted."""
        manifest = manifest_to_go_on(self.out, format=FORMAT, version=VERSION, overwrite=overwrite)
        if manifest is None:
            return False
        begun, finished = (self.out / "atlas").is_dir(), (self.out / SUMMARY).is_file()
        if finished or not begun:
            shutil.rmtree(self.out)
            return False
        now = {"options": self.options.to_json(), "recipe": self.recipe.to_json()}
        if any(manifest.get(key) != value for key, value in now.items()):
            raise InputError(
                "holds a quickstart of other options", where=self.out, remedy=OVERWRITE
            )
        return True

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

    def _summarise(self, folder: StepFolder) -> JSON:
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
            **folder.spent(),
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
