"""The benchmark of vocabularies runs, and its file is as large as asked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "vocabulary.py"


def test_the_benchmark_measures_a_small_file(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    small = ["--rows", "500", "--names", "3000", "--rounds", "1", "--json", str(figures)]
    command = [sys.executable, str(SCRIPT), "--folder", str(tmp_path / "files"), *small]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(figures.read_text())
    names = json.loads((tmp_path / "files" / "entity_vocab.json").read_text("utf-8"))
    assert 2500 < len(names) <= 3000
    assert len({name.partition(":")[0] for name in names}) == 24 + 4
    assert found["open"]["single"]["median"] > 0
    assert found["ratio_of_opening"]["median"] > 0
