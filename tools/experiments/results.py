"""Results of single runs put together: means over seeds with intervals, curves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean

from exonym.analysis import Estimate, macro_average
from exonym.foundation.errors import InputError
from exonym.foundation.files import JSON, read_json
from experiments.plan import Study, Variant


def collect(studies: Iterable[Study], work: Path) -> JSON:
    """Everything that the page shows, of the results that are there.

    Raises:
        InputError: there are none.
    """
    found: JSON = {}
    for study in studies:
        variants = {
            variant.name: _variant(variant, runs)
            for variant in study.variants
            if (runs := _runs(work, study, variant))
        }
        if variants:
            found[study.name] = {
                "world": asdict(study.world),
                "size": asdict(study.size),
                "variants": variants,
            }
    if not found:
        raise InputError("no results here", where=work, remedy="Run the experiments first")
    return found


def _runs(work: Path, study: Study, variant: Variant) -> dict[int, JSON]:
    """A variant's results by seed."""
    pattern = f"{study.name}-{variant.name}-[0-9].json"
    paths = sorted((work / "results").glob(pattern))
    return {int(path.stem.rpartition("-")[2]): read_json(path) for path in paths}


def _variant(variant: Variant, runs: dict[int, JSON]) -> JSON:
    results = list(runs.values())
    steps = sorted({asked["step"] for run in results for asked in run["asked"]})
    curve = []
    for step in steps:
        there = [a["kinds"]["untold"] for r in results for a in r["asked"] if a["step"] == step]
        if len(there) == len(results):
            curve.append({"step": step, "ways": _ways(there)})
    last = [run["asked"][-1]["kinds"] for run in results]
    return {
        "label": variant.label,
        "seeds": list(runs),
        "seconds": [round(run["seconds"], 1) for run in results],
        "sequences": [run["corpus"]["totals"]["sequences"] for run in results],
        "questions": [run["questions"] for run in results],
        "corpus_languages": _mean_sequences(results),
        "curve": curve,
        "last": {
            kind: _ways([kinds[kind] for kinds in last if kind in kinds], by_language=True)
            for kind in ("untold", "control")
        },
    }


def _mean_sequences(results: Sequence[JSON]) -> dict[str, float]:
    languages = results[0]["corpus"]["languages"]
    return {
        code: fmean(run["corpus"]["languages"][code]["sequences"] for run in results)
        for code in languages
    }


def _ways(runs: Sequence[JSON], *, by_language: bool = False) -> JSON:
    """By way of asking: the mean over seeds, its interval, and every seed's accuracy."""
    ways: JSON = {}
    for way in runs[0] if runs else ():
        both = estimate([row for run in runs for row in run[way]])
        ways[way] = {
            "accuracy": round(both.accuracy, 4),
            "low": round(both.low, 4),
            "high": round(both.high, 4),
            "seeds": [round(estimate(run[way]).accuracy, 4) for run in runs],
        }
        if by_language:
            shown = {code: round(mean, 4) for code, mean in both.by_language.items()}
            ways[way] |= {"questions": both.questions, "by_language": shown}
    return ways


def estimate(rows: Iterable[Sequence[object]]) -> Estimate:
    """The mean over languages; whole facts are redrawn, in all languages and seeds together."""
    return macro_average((str(r[0]), str(r[1]), float(str(r[2]))) for r in rows)
