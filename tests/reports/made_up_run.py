"""Run folders with made-up figures: nothing in them was measured."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

LANGUAGES = ("en", "ja", "sw")
TARGETS = {"en": 600, "ja": 300, "sw": 30}


def recipe(name: str = "made-up") -> dict[str, Any]:
    return {
        "name": name,
        "stages": [
            {
                "name": "entities",
                "steps": 100,
                "learning_rate": 5e-3,
                "warmup_steps": 10,
                "train": "new",
                "freeze": [],
                "rate_factors": {},
                "objectives": ["words", "entities"],
            },
            {
                "name": "all",
                "steps": 400,
                "learning_rate": 1e-3,
                "warmup_steps": 20,
                "train": ["luke.encoder.layer.1*", "new"],
                "freeze": ["*.bias"],
                "rate_factors": {"new": 0.5},
                "objectives": ["words", "entities"],
            },
        ],
        "model": {"hidden_size": 64, "backbone": None},
        "batch_sequences": 96,
        "seed": 7,
        "departures": {"batch_sequences": "a small corpus"},
    }


def losses(share: float, targets: int, *, worse: float = 0.0) -> dict[str, Any]:
    """Fields of a loss record ``share`` of the way through."""
    return {
        "words": 9.0 - 6.0 * share + worse,
        "words_accuracy": 0.1 + 0.5 * share,
        "words_targets": targets,
        "entities": 6.0 - 4.0 * share + worse,
        "entities_accuracy": 0.8 * share,
        "entities_targets": targets // 10,
    }


def records(last: int, *, old: bool = False, worse: float = 0.0) -> Iterator[dict[str, Any]]:
    """Lines of the first ``last`` steps: training every ten steps, held out every fifty.

    Ten steps take five seconds. Old runs have neither kinds nor
    languages nor times.
    """
    done = 0
    for index, stage in enumerate(recipe()["stages"]):
        for step in range(10, stage["steps"] + 1, 10):
            done += 10
            if done > last:
                return
            place = {"stage": stage["name"], "stage_index": index, "step": step}
            share = done / 500
            if old:
                yield {**place, "learning_rate": 1e-3, "words": 9 - share, "words_accuracy": 0.1,
                       "words_per_second": 25000.0}  # fmt: skip
                continue
            yield {
                "kind": "train",
                **place,
                "learning_rate": stage["learning_rate"] * (1 - step / stage["steps"]),
                **losses(share, sum(TARGETS.values()), worse=worse),
                "gradient_norm": 1.0 + 2 * (1 - share),
                "seconds": 5.0,
                "data_seconds": 0.1,
                "words_per_second": 20000.0 + step,
                "entities_per_second": 900.0 + step,
                "memory_mib": 1500.0,
                "languages": {
                    code: losses(share, n, worse=worse + place_ / 10)
                    for place_, (code, n) in enumerate(TARGETS.items())
                },
            }
            if step % 50 == 0:
                yield {
                    "kind": "held_out",
                    **place,
                    **losses(share, 60, worse=worse + 0.25),
                    "seconds": 3.0,
                    "languages": {code: losses(share, 20, worse=worse + 0.25) for code in TARGETS},
                }


def write_run(
    directory: Path,
    *,
    steps: int = 500,
    finished: bool = False,
    old: bool = False,
    worse: float = 0.0,
    checkpoints: tuple[str, ...] = (),
    **manifest: object,
) -> Path:
    """Write a run folder as `exonym pretrain` leaves it, as far as a report reads it."""
    directory.mkdir(parents=True)
    identity = {
        "format": "exonym-run",
        "version": 1,
        "recipe": recipe(),
        "machines": [{"exonym": "0.1.0", "torch": "2.13.0", "threads": 2}],
        "corpus": {"path": "corpus", "sha256": "0" * 64},
        **manifest,
    }
    (directory / "manifest.json").write_bytes(orjson.dumps(identity))
    lines = [
        orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
        for record in records(steps, old=old, worse=worse)
    ]
    if lines:
        (directory / "metrics.jsonl").write_bytes(b"".join(lines))
    if finished:
        (directory / "model").mkdir()
    for name in checkpoints:
        saved = directory / "checkpoints" / name
        (saved / "model").mkdir(parents=True)
        (saved / "model" / "model.safetensors").write_bytes(bytes(3 * 2**20))
        (saved / "state.json").write_bytes(orjson.dumps({"held_out": 4.125}))
    return directory
