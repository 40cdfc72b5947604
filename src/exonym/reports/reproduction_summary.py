"""A finished reproduction, read and checked: ``summary.json``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from exonym.foundation.errors import FormatError, InputError
from exonym.foundation.files import JSON, read_json

_REMEDY = "Run `exonym reproduce mluke` again"
_Counts = dict[str, int]


@dataclass(frozen=True, slots=True)
class Score:
    """A figure, or a difference, with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ScoredRow:
    """A row of a table.

    Args:
        row: its name.
        scores: by name, the one that decides first.
        by_language: the score that decides.
        seeds: of the runs.
    """

    row: str
    scores: dict[str, Score]
    by_language: dict[str, float]
    seeds: int


@dataclass(frozen=True, slots=True)
class ClaimOutcome:
    """A claim and what became of it; see `exonym.systems.reproduction.claims`."""

    table: str
    better: str
    worse: str
    text: str
    source: str | None
    sign: Literal[-1, 1]
    difference: Score | None
    outcome: Literal["comes out", "does not come out", "cannot be said"]


@dataclass(frozen=True, slots=True)
class ReproductionSummary:
    """``summary.json``; see `exonym.systems.reproduction.run`."""

    exonym: str
    options: JSON
    seeds: tuple[int, ...]
    threads: int
    seconds: float
    seconds_by_step: dict[str, float]
    peak_memory_mib: float
    languages: tuple[str, ...]
    benchmarks: dict[str, dict[str, dict[str, JSON]]]
    questions: dict[str, _Counts]
    recipe: JSON
    training: dict[str, JSON]
    tables: dict[str, tuple[ScoredRow, ...]]
    claims: tuple[ClaimOutcome, ...]


_ADAPTER = TypeAdapter(ReproductionSummary)


def read_reproduction(directory: Path) -> ReproductionSummary:
    """Read the summary of a finished reproduction.

    Raises:
        InputError: there is none.
        FormatError: it lacks a field, or one is of the wrong kind; names it.
    """
    path = directory / "summary.json"
    if not path.is_file():
        raise InputError("there is no finished reproduction", where=directory, remedy=_REMEDY)
    try:
        return _ADAPTER.validate_python(read_json(path))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise FormatError(f"{place}: {first['msg']}", where=path, remedy=_REMEDY) from error
