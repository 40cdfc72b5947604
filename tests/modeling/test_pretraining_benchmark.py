"""The benchmark of a training step runs, and reports what it says it does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "pretraining.py"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it reads memory from /proc")
def test_the_benchmark_reports_a_step_without_an_oracle(tmp_path: Path) -> None:
    out = tmp_path / "pretraining.json"
    options = ["--section", "small", "--quick", "--layers", "1", "--rounds", "1", "--steps", "1"]
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *options, "--threads", "1", "--out", str(out)],
        capture_output=True,
        text=True,
        check=True,
    )
    sections = json.loads(out.read_text())["sections"]
    assert sections[0]["dtype"] == "float32"
    for section in sections:
        assert set(section["seconds"]) == {"exonym"}
        assert len(section["seconds"]["exonym"]) == 1
        assert 0 < section["share of the ceiling"] < 1.5
        assert (
            section["peak bytes"]["exonym"] > section["bytes of parameters, gradients and moments"]
        )
        assert section["words a second"] > section["masked entities a second"] > 0
    assert "of the ceiling" in done.stdout
    assert len(sections) == 2 or "bfloat16 is left out" in done.stdout
