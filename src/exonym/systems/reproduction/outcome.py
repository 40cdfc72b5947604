"""The tables and claims of a reproduction, from what was measured item by item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from exonym.analysis.resampling import Interval
from exonym.foundation.files import JSON
from exonym.foundation.progress import stage
from exonym.systems.reproduction.claims import CLAIMS, Claim, Judged, judge
from exonym.systems.reproduction.comparing import (
    by_language,
    difference_of_halves,
    difference_over_seeds,
    mean_of_halves,
    mean_over_seeds,
)
from exonym.systems.reproduction.folder import measured_file
from exonym.systems.reproduction.items import Halves, Items
from exonym.systems.reproduction.tables import BASELINES, TABLES, Table

Runs = Sequence[Items] | Sequence[Halves]


@dataclass(frozen=True)
class RowOutcome:
    """A row of a table.

    Args:
        name: of the row.
        scores: by name, the mean over languages and seeds with its interval.
        by_language: of the score that decides.
        seeds: of the runs.
    """

    name: str
    scores: Mapping[str, Interval]
    by_language: Mapping[str, float]
    seeds: int


@dataclass(frozen=True)
class Outcome:
    """What came out.

    Args:
        tables: by name, the rows that were measured; tables without any are not there.
        claims: in the order of the paper's tables.
    """

    tables: Mapping[str, tuple[RowOutcome, ...]]
    claims: tuple[Judged, ...]

    def to_json(self) -> JSON:
        """As plain values."""
        return {
            "tables": {
                name: [
                    {
                        "row": row.name,
                        "scores": {key: asdict(one) for key, one in row.scores.items()},
                        "by_language": dict(row.by_language),
                        "seeds": row.seeds,
                    }
                    for row in rows
                ]
                for name, rows in self.tables.items()
            },
            "claims": [
                {
                    **asdict(one.claim),
                    "sign": one.claim.sign,
                    "difference": None if one.difference is None else asdict(one.difference),
                    "outcome": one.outcome,
                }
                for one in self.claims
            ],
        }


def outcome_of(work: Path, seeds: Sequence[int]) -> Outcome:
    """Tables and claims of a reproduction whose jobs are done.

    Args:
        work: its folder.
        seeds: of the models.

    Raises:
        FormatError: a file of what was measured is damaged.
        InputError: models were measured on different items.
    """
    tables: dict[str, tuple[RowOutcome, ...]] = {}
    judged: list[Judged] = []
    with stage("Intervals", total=len(TABLES), unit="tables") as shown:
        for table in TABLES.values():
            shown.note(table.name)
            runs = {row: _runs(work, table, row, seeds) for row in table.rows}
            there = {row: own for row, own in runs.items() if own}
            if there:
                tables[table.name] = tuple(_row(table, row, own) for row, own in there.items())
            judged += [_judged(claim, there) for claim in CLAIMS if claim.table == table.name]
            shown.advance()
    order = {claim: place for place, claim in enumerate(CLAIMS)}
    return Outcome(tables, tuple(sorted(judged, key=lambda one: order[one.claim])))


def _runs(work: Path, table: Table, row: str, seeds: Sequence[int]) -> Runs:
    """What was measured; nothing where the world has nothing to measure by."""
    own = seeds[:1] if row in BASELINES else seeds
    paths = [measured_file(work, table.name, row, seed) for seed in own]
    if not all(path.is_file() for path in paths):
        return ()
    if table.measures:
        return [Items.read(path) for path in paths]
    return [Halves.read(path) for path in paths]


def _row(table: Table, name: str, runs: Runs) -> RowOutcome:
    items = [run for run in runs if isinstance(run, Items)]
    if not items:
        halves = [run for run in runs if isinstance(run, Halves)]
        codes = halves[0].by_language
        means = {
            code: sum(run.by_language.get(code, 0.0) for run in halves) / len(halves)
            for code in codes
        }
        return RowOutcome(name, {table.score: mean_of_halves(halves)}, means, len(halves))
    return RowOutcome(
        name,
        {key: mean_over_seeds(items, measure) for key, measure in table.measures.items()},
        by_language(items, table.measures[table.score]),
        len(items),
    )


def _judged(claim: Claim, runs: Mapping[str, Runs]) -> Judged:
    table = TABLES[claim.table]
    if claim.better not in runs or claim.worse not in runs:
        return judge(claim, None)
    ours, theirs = runs[claim.better], runs[claim.worse]
    if table.measures:
        found = difference_over_seeds(
            [run for run in ours if isinstance(run, Items)],
            [run for run in theirs if isinstance(run, Items)],
            table.measures[table.score],
        )
    else:
        found = difference_of_halves(
            [run for run in ours if isinstance(run, Halves)],
            [run for run in theirs if isinstance(run, Halves)],
        )
    return judge(claim, found)
