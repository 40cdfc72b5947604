"""The benchmark of tasks runs, and reports what it says it does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "tasks.py"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it reads memory from /proc")
def test_the_benchmark_times_ner_without_an_oracle(tmp_path: Path) -> None:
    file, out = tmp_path / "some.txt", tmp_path / "tasks.json"
    words = [
        "Berlin B-LOC",
        "is O",
        "the O",
        "capital O",
        "of O",
        "Germany B-LOC",
        "",
        "Ruth B-PER",
    ]
    file.write_text("\n".join(words * 3) + "\n")
    options = ["--size", "tiny", "--rounds", "1", "--sentences", "3", "--pieces", "40"]
    done = subprocess.run(
        [
            sys.executable,
            str(SCRIPT),
            "ner",
            str(file),
            *options,
            "--threads",
            "1",
            "--out",
            str(out),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    report = json.loads(out.read_text())
    assert report["sentences"] == 3
    assert report["spans"] > 40
    assert [line["name"] for line in report["results"]] == [
        "exonym float32, one at a time",
        "exonym float32, predict",
    ]
    assert all(line["clock"]["seconds"] > 0 for line in report["results"])
    assert "exonym float32, predict" in done.stdout
