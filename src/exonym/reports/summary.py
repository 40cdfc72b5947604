"""A finished quickstart, read and checked: ``summary.json`` and the runs' metrics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from exonym.analysis.bootstrap import Estimate
from exonym.analysis.language_bias import BiasEstimate
from exonym.foundation.errors import FormatError, InputError
from exonym.foundation.files import JSON, read_json
from exonym.foundation.json_lines import read_json_lines

RUNS = ("backbone", "mluke", "words-only")
_REMEDY = "Run `exonym quickstart` again"
_Checked = TypeVar("_Checked")
_Counts = dict[str, int]


@dataclass(frozen=True, slots=True)
class Rows:
    """The six ways to answer, in the order of the table.

    Args:
        chance: a candidate drawn at random.
        most_frequent: always the relation's most frequent object.
        words_only: the control trained without entities, asked by word [MASK]s.
        mluke_w: mLUKE asked by word [MASK]s.
        mluke_e_y: mLUKE asked by an entity [MASK] over [Y].
        mluke_e_xy: the same, with the entity of [X] given as well.
    """

    chance: Estimate
    most_frequent: Estimate
    words_only: Estimate
    mluke_w: Estimate
    mluke_e_y: Estimate
    mluke_e_xy: Estimate

    def items(self) -> Iterator[tuple[str, Estimate]]:
        """Name and estimate of each row, in order."""
        for name in self.__slots__:
            yield name, getattr(self, name)


@dataclass(frozen=True, slots=True)
class Cloze:
    """Accuracies by kind of question.

    Args:
        untold: facts that the language of the question never told, but another one did.
        control: facts that no language told; None where the world has none.
    """

    untold: Rows
    control: Rows | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """One answer to a sampled question; ``label`` is None where there was no name to give."""

    label: str | None
    correct: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """A sampled question with every row's answer.

    Args:
        language: code of the language it is asked in.
        question: its text, with ``[Y]`` where the answer goes.
        right: the right answers.
        answers: by row.
    """

    language: str
    question: str
    right: tuple[str, ...]
    answers: dict[str, Given]


@dataclass(frozen=True, slots=True)
class AtlasCounts:
    """What the world holds: counts by language (and ``"total"``), groups of facts, questions."""

    counts: dict[str, _Counts]
    groups: _Counts
    questions: _Counts
    entities: int


@dataclass(frozen=True, slots=True)
class DumpCounts:
    """What was skipped in one dump, by reason."""

    name: str
    skipped: _Counts


@dataclass(frozen=True, slots=True)
class KnowledgeCounts:
    """Counts of the knowledge base, by language and in all, and what each dump gave."""

    languages: dict[str, _Counts]
    totals: _Counts
    files: tuple[DumpCounts, ...]


@dataclass(frozen=True, slots=True)
class CorpusCounts:
    """Counts of the corpus, by language and in all, and the sizes of its vocabularies."""

    languages: dict[str, _Counts]
    totals: _Counts
    word_vocabulary: int
    entity_vocabulary: int


class RecipeRecord(BaseModel):
    """A recipe as it was run; fields beside these are kept as they are."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str
    stages: list[dict[str, Any]]
    departures: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Summary:
    """``summary.json``; see `exonym.systems.quickstart`."""

    exonym: str
    seed: int
    options: JSON
    threads: int
    seconds: float
    seconds_by_step: dict[str, float]
    peak_memory_mib: float
    atlas: AtlasCounts
    knowledge_base: KnowledgeCounts
    corpus: CorpusCounts
    recipe: RecipeRecord
    words_per_second: dict[str, float]
    cloze: Cloze
    language_bias: dict[str, BiasEstimate]
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Metrics:
    """One line of ``metrics.jsonl`` about training: means since the line before it.

    Args:
        stage: its name.
        stage_index: its place in the recipe that the run was given.
        step: steps of this stage done.
        words: loss of masked language modelling (nats); None where it is no objective.
        words_accuracy: share of masked pieces predicted right.
        entities: loss of masked entity prediction (nats); None where it is no objective.
        entities_accuracy: share of masked entities predicted right.
        words_per_second: pieces a second.
    """

    stage: str
    stage_index: int
    step: int
    words_per_second: float
    words: float | None = None
    words_accuracy: float | None = None
    entities: float | None = None
    entities_accuracy: float | None = None


@dataclass(frozen=True, slots=True)
class RunManifest:
    """What a run was made with.

    Args:
        machines: versions of packages and what decides the last bits, of every machine that the
            run was on.
    """

    machines: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Quickstart:
    """A finished quickstart.

    Args:
        summary: its figures.
        metrics: by run, in the order of the steps.
        manifest: of the mLUKE run.
    """

    summary: Summary
    metrics: dict[str, tuple[Metrics, ...]]
    manifest: RunManifest


_SUMMARY = TypeAdapter(Summary)
_METRICS = TypeAdapter(Metrics)
_MANIFEST = TypeAdapter(RunManifest)


def read_quickstart(directory: Path) -> Quickstart:
    """Read a finished quickstart's figures.

    Raises:
        InputError: the directory holds no finished quickstart.
        FormatError: a file is damaged, or lacks a field; the message names both.
    """
    path = directory / "summary.json"
    if not path.is_file():
        raise InputError(
            "no finished quickstart here (no summary.json in it)",
            where=directory,
            remedy=f"Run `exonym quickstart --out {directory}`",
        )
    return Quickstart(
        check(_SUMMARY, read_json(path), path),
        {name: tuple(_read_metrics(directory / name)) for name in RUNS},
        check(_MANIFEST, *_with_path(directory / "mluke" / "manifest.json")),
    )


def _with_path(path: Path) -> tuple[object, Path]:
    return read_json(path), path


def _read_metrics(run: Path) -> Iterator[Metrics]:
    path = run / "metrics.jsonl"
    for number, record in read_json_lines(path):
        if record.get("kind", "train") == "train":
            yield check(_METRICS, record, f"{path}:{number}")


def check(
    adapter: TypeAdapter[_Checked], value: object, where: object, *, remedy: str = _REMEDY
) -> _Checked:
    """A value of a file as what it should be.

    Raises:
        FormatError: it is not; the message names the field.
    """
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole file"
        seen = "it is missing" if first["type"] == "missing" else f"found {first['input']!r:.60}"
        raise FormatError(
            f"field {place}: {first['msg'][:1].lower()}{first['msg'][1:]}; {seen}",
            where=where,
            remedy=remedy,
        ) from error
