"""Building worlds, training variants and asking them; every result is a file, and done once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from exonym.atlas import TellingOptions, write_atlas
from exonym.corpus import Corpus, CorpusOptions, build_corpus
from exonym.foundation.files import JSON, read_json, write_json
from exonym.foundation.seeds import generator
from exonym.knowledge import build_knowledge_base
from exonym.modeling.conversion import Changes, convert_checkpoint
from exonym.systems import mluke
from exonym.tasks import cloze
from exonym.tasks.cloze.metrics import chance, most_frequent
from exonym.training import Recipe, pretrain
from exonym.training.run_folder import read_metrics
from experiments.plan import BACKBONE, Study, Variant, World

Scores = list[list[Any]]
"""Language, subject and relation, and score of every question; what JSON has for `cloze.Scores`."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One variant with one seed."""

    study: Study
    variant: Variant
    seed: int

    @property
    def name(self) -> str:
        """Of its files."""
        return f"{self.study.name}-{self.variant.name}-{self.seed}"

    @property
    def world(self) -> World:
        """The study's, as the variant changes it."""
        share = self.variant.told_share
        return self.study.world if share is None else replace(self.study.world, told_share=share)

    @property
    def place(self) -> str:
        """The folder of its world."""
        share = "" if self.world.told_share is None else f"-told-{self.world.told_share}"
        return f"{self.world.name}{share}-{self.seed}"


def planned(studies: Iterable[Study], seeds: Sequence[int]) -> Iterator[Planned]:
    """All runs, seed by seed, so that what is there early has every variant."""
    chosen = list(studies)
    for seed in seeds:
        for study in chosen:
            for variant in study.variants:
                yield Planned(study, variant, seed)


def run(one: Planned, work: Path) -> None:
    """Build what is missing, train, ask, and write ``WORK/results/NAME.json``."""
    result = work / "results" / f"{one.name}.json"
    if result.is_file():
        return
    world = build_world(one.world, one.seed, work / "worlds" / one.place)
    recipe = mluke.recipe("mluke-atlas", one.study.size.changes, corpus=world / "corpus")
    recipe = replace(recipe, seed=one.seed)
    rest = recipe.only(*mluke.STAGES)
    rest = replace(rest, model=replace(rest.model, backbone=_backbone(one, recipe, world, work)))
    trained = replace(one, variant=one.study.variants[0]) if one.variant.redrawn else one
    out = work / "runs" / trained.name
    changed = trained.variant.change(rest)
    done = pretrain(world / "corpus", out, changed, resume=out.exists())
    questions = _questions(world / "atlas" / "cloze", one.study.size.questions, one.seed)
    if one.variant.redrawn:
        kinds = _ask(questions, _redraw(done.model, work, one.seed), one, all_ways=True)
        asked = [{"step": changed.steps, "kinds": kinds}]
    else:
        asked = [
            {
                "step": step,
                "kinds": _ask(questions, directory, one, all_ways=directory == done.model),
            }
            for step, directory in _checkpoints(out, changed, done.model)
        ]
    result.parent.mkdir(parents=True, exist_ok=True)
    write_json(result, {"recipe": changed.to_json(), **_facts(world, out), "asked": asked})


def build_world(world: World, seed: int, out: Path) -> Path:
    """Write a world's dumps, knowledge base and corpus; each only if it is not there."""
    out.mkdir(parents=True, exist_ok=True)
    if not (out / "atlas").exists():
        write_atlas(
            out / "atlas",
            entities=world.entities,
            languages=world.languages,
            seed=seed,
            options=TellingOptions(told_share=world.told_share),
        )
    if not (out / "kb").exists():
        build_knowledge_base([out / "atlas"], out / "kb")
    if not (out / "corpus").exists():
        languages = read_json(out / "atlas" / "manifest.json")["languages"]
        options = CorpusOptions(
            vocabulary_size=world.vocabulary_size,
            max_words=64,
            max_sentences=1,
            min_languages=min(3, len(languages)),
            seed=seed,
        )
        build_corpus(out / "kb", out / "corpus", options)
    return out


def _backbone(one: Planned, recipe: Recipe, world: Path, work: Path) -> Path:
    """The stand-in for XLM-R, one for all variants of a world and a seed."""
    out = work / "runs" / f"{BACKBONE}-{one.place}"
    only = replace(recipe.only(BACKBONE), keep_every=None)
    return pretrain(world / "corpus", out, only, resume=out.exists()).model


def _redraw(model: Path, work: Path, seed: int) -> Path:
    """A copy of a model whose entities have random rows."""
    out = work / "runs" / f"random-table-{seed}"
    convert_checkpoint(model, out, Changes(random_entities=seed), overwrite=True)
    return out


def _checkpoints(out: Path, recipe: Recipe, model: Path) -> Iterator[tuple[int, Path]]:
    """Checkpoints of the last stage with their steps, counted from the first stage on."""
    last = len(recipe.stages) - 1
    before = sum(stage.steps for stage in recipe.stages[:-1])
    for directory in sorted((out / "checkpoints").glob(f"{last:02d}-*")):
        step = int(directory.name.partition("-")[2])
        if step < recipe.stages[-1].steps:
            yield before + step, directory / "model"
    yield recipe.steps, model


def _questions(directory: Path, most: int | None, seed: int) -> cloze.ClozeSet:
    """The questions of a world, of untold and of control facts at most so many."""
    found = cloze.load_questions(directory)
    if most is None:
        return found
    kept = []
    for kind in ("told", "untold", "control"):
        asked = [question for question in found.questions if question.told == kind]
        if kind != "told":
            drawn = generator(seed, "questions", kind).permutation(len(asked))[:most]
            asked = [asked[index] for index in sorted(drawn)]
        kept += asked
    return replace(found, questions=tuple(kept))


def _ask(questions: cloze.ClozeSet, directory: Path, one: Planned, *, all_ways: bool) -> JSON:
    """Scores by kind of question and way; between checkpoints only the quick ways."""
    model = cloze.load(directory)
    words_only = one.variant.words_only
    kinds: JSON = {}
    for kind in ("untold", "control") if all_ways else ("untold",):
        asked = [question for question in questions.questions if question.told == kind]
        ways: JSON = {}
        if not asked:
            continue
        if all_ways:
            ways["chance"] = _plain(chance(asked, questions))
            answers = most_frequent(asked, questions)
            ways["most_frequent"] = _plain(cloze.score(answers))
        for way in mluke.WAYS:
            slow = way.asking is cloze.Asking.WORDS and not way.control
            if way.control is not words_only or (slow and not all_ways):
                continue
            given = cloze.answer(model, asked, questions, way.asking)
            ways[way.name] = _plain(cloze.score(given))
        kinds[kind] = ways
    return kinds


def _plain(scores: cloze.Scores) -> Scores:
    return [[language, " ".join(fact), round(score, 4)] for language, fact, score in scores]


def _facts(world: Path, out: Path) -> JSON:
    """What a reader wants to know of a run beside its accuracies."""
    corpus = Corpus.open(world / "corpus").manifest
    questions = read_json(world / "atlas" / "manifest.json")["questions"]
    train = list(read_metrics(out, "train"))
    return {
        "corpus": {"totals": corpus["totals"], "languages": corpus["languages"]},
        "questions": questions,
        "seconds": sum(record["seconds"] for record in train),
        "last": {name: train[-1].get(name) for name in ("words", "entities")},
    }
