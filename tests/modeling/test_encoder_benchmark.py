"""The encoder's benchmark runs, and reports what it says it does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "encoder.py"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it reads memory from /proc")
def test_the_benchmark_reports_every_row_without_an_oracle(tmp_path: Path) -> None:
    out = tmp_path / "encoder.json"
    options = ["--size", "tiny", "--entities", "500", "--rounds", "1", "--passes", "1"]
    done = subprocess.run(
        [
            sys.executable,
            str(SCRIPT),
            *options,
            "--threads",
            "1",
            "--no-compile",
            "--out",
            str(out),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    report = json.loads(out.read_text())
    assert {(line["row"], line["name"]) for line in report["results"]} == {
        (row, f"exonym {dtype}") for row in report["rows"] for dtype in ("float32", "bfloat16")
    }
    assert all(line["ratio"] is None and line["milliseconds"] > 0 for line in report["results"])
    assert {"candidates", "best"} < set(report["scoring"])
    assert "mixed lengths" in done.stdout
