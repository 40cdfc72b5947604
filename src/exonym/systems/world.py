"""A world of Atlas in a folder, from its dumps to mLUKE and the words-only control.

atlas/ kb/ corpus/            the world
backbone/ mluke/ words-only/  runs on it; here, or in a folder for each seed
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Protocol

from exonym.atlas import write_atlas
from exonym.corpus import CorpusOptions, build_corpus
from exonym.foundation.errors import InputError
from exonym.foundation.files import JSON, read_json
from exonym.knowledge import build_knowledge_base
from exonym.systems import mluke
from exonym.systems.beside import PlannedRun, pretrain_both
from exonym.systems.steps import StepFolder
from exonym.training import Recipe


class WorldOptions(Protocol):
    """What decides a world; the options of the systems that make one have it."""

    @property
    def table(self) -> Path | None:
        """Another table of facts; None takes Atlas's own."""

    @property
    def entities(self) -> int | None:
        """The first entities of the table; None takes all."""

    @property
    def languages(self) -> tuple[str, ...] | None:
        """Codes; None takes all of the table's."""

    @property
    def vocabulary_size(self) -> int:
        """Most pieces of the tokenizer."""

    @property
    def max_words(self) -> int:
        """Most pieces of a sequence."""

    @property
    def seed(self) -> int:
        """Of dumps and corpus."""


def tell(folder: StepFolder, options: WorldOptions) -> None:
    """Write dumps and questions to ``atlas/``.

    Raises:
        InputError: the world has nothing to ask.
    """
    atlas = folder.path / "atlas"
    folder.step(
        "atlas",
        lambda: write_atlas(
            atlas,
            table=options.table,
            languages=options.languages,
            entities=options.entities,
            seed=options.seed,
        ),
    )
    if not _manifest(folder)["questions"].get("untold here"):
        raise InputError(
            "this world has no fact that one language tells and another could be asked for",
            where=atlas,
            remedy="Take more --languages or --entities, and pass --overwrite",
        )


def read(folder: StepFolder) -> None:
    """Make the knowledge base ``kb/`` of the dumps."""
    atlas, kb = folder.path / "atlas", folder.path / "kb"
    folder.step("kb", lambda: build_knowledge_base([atlas], kb))


def encode(
    folder: StepFolder, options: WorldOptions, *, max_sentences: int | None, min_languages: int
) -> None:
    """Make ``corpus/`` of the knowledge base.

    Args:
        folder: of the world.
        options: of the world.
        max_sentences: most sentences of a sequence; None packs as many as fit.
        min_languages: languages an entity must occur in to get a row; in a world of fewer
            languages, all of them.
    """
    chosen = CorpusOptions(
        vocabulary_size=options.vocabulary_size,
        max_words=options.max_words,
        max_sentences=max_sentences,
        min_languages=min(min_languages, len(_manifest(folder)["languages"])),
        seed=options.seed,
    )
    kb, corpus = folder.path / "kb", folder.path / "corpus"
    folder.step("corpus", lambda: build_corpus(kb, corpus, chosen))


def pretrain_models(folder: StepFolder, recipe: Recipe, inside: str = "") -> None:
    """Train a backbone on the corpus, then mLUKE and the words-only control beside each other.

    Args:
        folder: of the world.
        recipe: of mLUKE, its stage of the backbone among the others.
        inside: folder in ``folder`` for the three runs; ``""``: ``folder`` itself.
    """
    corpus, own = folder.path / "corpus", folder.path / inside
    own.mkdir(exist_ok=True)
    backbone = PlannedRun(own / "backbone", recipe.only(mluke.BACKBONE))
    folder.step(
        str(PurePosixPath(inside, "backbone")),
        lambda: backbone.go(corpus),
        done=_finished(backbone),
    )
    rest = recipe.only(*mluke.STAGES)
    rest = replace(rest, model=replace(rest.model, backbone=backbone.out / "model"))
    here = PlannedRun(own / "mluke", rest)
    beside = PlannedRun(own / "words-only", mluke.words_only(rest))
    folder.step(
        str(PurePosixPath(inside, "mluke and words-only")),
        lambda: pretrain_both(corpus, here, beside),
        done=_finished(here) and _finished(beside),
    )


def _finished(run: PlannedRun) -> bool:
    return (run.out / "model").exists()


def _manifest(folder: StepFolder) -> JSON:
    manifest: JSON = read_json(folder.path / "atlas" / "manifest.json")
    return manifest
