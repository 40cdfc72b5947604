"""A quickstart directory with made-up figures: nothing in it was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

LANGUAGES = ("en", "de", "fr", "ru", "ja", "ar", "sw")
ROWS = {
    "chance": 0.0213,
    "most_frequent": 0.2047,
    "words_only": 0.1842,
    "mluke_w": 0.2239,
    "mluke_e_y": 0.4318,
    "mluke_e_xy": 0.8853,
}
QUESTIONS = {
    "en": "The capital of Kenya is [Y].",
    "ja": "日本の首都は[Y]である。",
    "ar": "عاصمة مصر هي [Y].",
    "ru": "Столица Греции — [Y].",
}
ANSWERS = {"en": "Nairobi", "ja": "東京都", "ar": "القاهرة", "ru": "Афины"}


def estimates(accuracies: dict[str, float], questions: int, half: float) -> dict[str, Any]:
    """A block of accuracies; the languages lie around each mean."""
    return {
        name: {
            "accuracy": accuracy,
            "low": max(accuracy - half, 0.0),
            "high": accuracy + half,
            "questions": questions,
            "by_language": {
                code: accuracy + 0.0011 * (place - 3) for place, code in enumerate(LANGUAGES)
            },
        }
        for name, accuracy in accuracies.items()
    }


def made_up_samples() -> list[dict[str, Any]]:
    codes = [code for _ in range(5) for code in QUESTIONS]
    return [
        {
            "language": code,
            "question": QUESTIONS[code],
            "right": [ANSWERS[code]],
            "answers": {
                "most_frequent": {"label": None, "correct": False},
                "words_only": {"label": "Rejkjavik", "correct": False},
                "mluke_w": {"label": "Ulaanbaatar", "correct": False},
                "mluke_e_y": {"label": ANSWERS[code], "correct": True},
                "mluke_e_xy": {"label": ANSWERS[code], "correct": True},
            },
        }
        for code in codes
    ]


def atlas() -> dict[str, Any]:
    keys = ("pages", "sentences", "links", "facts told")
    counts = {
        code: {key: 1000 - 97 * place + 13 * n for n, key in enumerate(keys)}
        for place, code in enumerate(LANGUAGES)
    }
    counts["total"] = {key: sum(c[key] for c in counts.values()) for key in keys}
    return {
        "entities": 613,
        "counts": counts,
        "groups": {"everywhere": 588, "told": 1010, "control": 10, "unused": 1},
        "questions": {"control": 240, "questions": 30992, "left out: no language can tell it": 7},
    }


def recipe() -> dict[str, Any]:
    return {
        "name": "made-up",
        "stages": [
            {"name": "backbone", "steps": 600, "learning_rate": 2e-3, "objectives": ["words"]},
            {"name": "all", "steps": 900, "learning_rate": 1e-3, "objectives": ["words"]},
        ],
        "model": {"hidden_size": 128, "backbone": None},
        "masking": {"hidden_words": 0.6},
        "batch_sequences": 96,
        "departures": {
            "stages.backbone": "nothing to download",
            "masking.hidden_words": "names would give the answers away",
            "batch_sequences": "a small corpus",
        },
    }


def summary() -> dict[str, Any]:
    """A whole ``summary.json`` of made-up figures."""
    seconds = {"atlas": 4.2, "kb": 3.1, "corpus": 8.8, "backbone": 101.0, "mluke": 201.0}
    return {
        "exonym": "0.1.0",
        "seed": 7,
        "options": {"entities": 613, "table": None, "languages": None, "seed": 7, "changes": []},
        "threads": 2,
        "seconds": sum(seconds.values()),
        "seconds_by_step": seconds,
        "peak_memory_mib": 1234.5,
        "atlas": atlas(),
        "knowledge_base": {
            "languages": {code: {"articles": 555, "links resolved": 4444} for code in LANGUAGES},
            "totals": {"articles": 3885, "links resolved": 31108, "triples": 1965},
            "files": [{"name": "enwiki.xml", "skipped": {"other namespace": 43}}],
        },
        "corpus": {
            "languages": {
                code: {"sequences": 596, "words": 22047, "entities": 3368} for code in LANGUAGES
            },
            "totals": {"sequences": 4172, "words": 154329, "entities": 23576, "pieces cut": 17},
            "word_vocabulary": 8000,
            "entity_vocabulary": 617,
        },
        "recipe": recipe(),
        "words_per_second": {"backbone": 31234.0, "mluke": 21234.0, "words-only": 29876.0},
        "cloze": {
            "untold": estimates(ROWS, 19970, 0.0123),
            "control": estimates(
                {**ROWS, "mluke_e_y": 0.1414, "mluke_e_xy": 0.1515, "words_only": 0.1616}, 240, 0.06
            ),
        },
        "language_bias": {
            name: {"share": share, "wrong": 1500, "by_language": {"en": share, "sw": share / 2}}
            for name, share in (("most_frequent", 1.0), ("words_only", 0.532), ("mluke_w", 0.411))
        },
        "samples": made_up_samples(),
    }


def metrics(stages: dict[str, int], *, entities: bool) -> list[dict[str, Any]]:
    """Losses that fall, a line every ten steps."""
    records = []
    for index, (stage, steps) in enumerate(stages.items()):
        for step in range(10, steps + 1, 10):
            place = {"stage": stage, "stage_index": index, "step": step}
            record = {
                "kind": "train",
                **place,
                "learning_rate": 1e-3,
                "words": 9.0 / (1 + step / 50) ** 0.5,
                "words_accuracy": 0.1 + 0.4 * step / steps,
                "words_per_second": 25000.0 + step,
            }
            if entities:
                record["entities"] = 6.4 / (1 + step / 30)
                record["entities_accuracy"] = 0.9 * step / steps
            records.append(record)
        # Held-out lines lack what only training has, and are no part of its curves.
        records.append({"kind": "held_out", **place, "words": 99.0, "languages": {}})
    return records


def write_quickstart(directory: Path, values: dict[str, Any]) -> Path:
    """Write a directory as `exonym quickstart` leaves it, as far as the report reads it."""
    runs = {
        "backbone": metrics({"backbone": 300}, entities=False),
        "mluke": metrics({"entities": 60, "all": 400}, entities=True),
        "words-only": metrics({"entities": 60, "all": 400}, entities=False),
    }
    manifest = {"machines": [{"exonym": "0.1.0", "torch": "2.13.0", "threads": 2}]}
    for name, records in runs.items():
        run = directory / name
        run.mkdir(parents=True)
        lines = [orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE) for record in records]
        (run / "metrics.jsonl").write_bytes(b"".join(lines))
        (run / "manifest.json").write_bytes(orjson.dumps(manifest))
    (directory / "summary.json").write_bytes(orjson.dumps(values))
    return directory
