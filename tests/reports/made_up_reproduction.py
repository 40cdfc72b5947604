"""A reproduction's summary with made-up figures: nothing in it was measured."""

from __future__ import annotations

from typing import Any

ROWS = ("words_only", "mluke_w", "mluke_e", "mluke_e_random")


def score(value: float, half: float) -> dict[str, float]:
    return {"value": value, "low": value - half, "high": value + half, "clusters": 97}


def row(name: str, place: int, keys: tuple[str, ...], codes: tuple[str, ...]) -> dict[str, Any]:
    return {
        "row": name,
        "scores": {key: score(0.4 + 0.05 * place, 0.02) for key in keys},
        "by_language": dict.fromkeys(codes, 0.4 + 0.01 * place),
        "seeds": 3,
    }


def claim(table: str, sign: int, difference: float | None, outcome: str) -> dict[str, Any]:
    return {
        "table": table,
        "better": "mluke_e",
        "worse": "words_only",
        "text": f"Made up <{outcome}>, {table}",
        "source": None if outcome == "cannot be said" else "abstract",
        "sign": sign,
        "difference": None if difference is None else score(difference, 0.01),
        "outcome": outcome,
    }


def summary() -> dict[str, Any]:
    """A whole ``summary.json`` of made-up figures."""
    recipe = {
        "learning_rate": 1e-3, "batch_size": 32, "epochs": 8, "warmup_share": 0.1,
        "weight_decay": 0.01,
    }  # fmt: skip
    files = {code: {"examples": 150 + at} for at, code in enumerate(("de", "en", "ja"))}
    return {
        "exonym": "0.1.0",
        "scale": "atlas",
        "options": {
            "seeds": 3, "entities": 321, "table": None, "languages": ["de", "en", "ja"],
            "recipe": "mluke-atlas", "changes": ["seed=1"], "vocabulary_size": 900,
            "max_words": 64, "train": 50, "validation": 10, "test": 20, "seed": 4,
        },
        "seeds": [4, 5, 6],
        "threads": 2,
        "seconds": 5025.0,
        "seconds_by_step": {"atlas": 5.0, "seed-4/mluke and words-only": 5020.0},
        "peak_memory_mib": 1999.6,
        "languages": ["de", "en", "ja"],
        "benchmarks": {"qa": {"train": {"en": {"examples": 900}}, "test": files}},
        "questions": {"de": {"questions": 12}},
        "recipe": {"name": "mluke-atlas"},
        "training": {"qa": recipe},
        "tables": {
            "qa": [
                row(name, at, ("F1", "exact match"), ("de", "en", "ja"))
                for at, name in enumerate(ROWS)
            ],
            "xqa": [row("mluke_e", 2, ("F1", "exact match"), ("ar, asked in de",))],
            "modularity": [row(name, at, ("modularity",), ()) for at, name in enumerate(ROWS)],
        },
        "claims": [
            claim("qa", 1, 0.1, "comes out"),
            claim("modularity", -1, 0.1, "does not come out"),
            claim("qa", 1, 0.002, "cannot be said"),
            claim("bias", -1, None, "cannot be said"),
        ],
    }  # fmt: skip
