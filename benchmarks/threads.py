"""A training step of the quickstart: one process with all threads against two with half each.

Prints words per second of one run with T threads, and of two runs at once with T/2 each, in turn,
and the ratio of their sums. `exonym.systems.beside` rests on it.

    python benchmarks/threads.py --corpus runs/quickstart/corpus
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import tempfile
import time
from pathlib import Path

import torch

from exonym.systems import mluke
from exonym.training import pretrain


def words_per_second(corpus: Path, threads: int, steps: int) -> float:
    torch.set_num_threads(threads)
    changes = [f"stages.{name}.steps={steps}" for name in ("backbone", "entities", "all")]
    recipe = mluke.recipe("mluke-atlas", changes)
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        run = pretrain(corpus, Path(folder) / "run", recipe)
        return run.words / (time.monotonic() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=100, help="of each of the three stages")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    threads = torch.get_num_threads()
    context = multiprocessing.get_context("spawn")
    ratios = []
    for number in range(options.rounds):
        with context.Pool(1) as pool:
            one = pool.apply(words_per_second, (options.corpus, threads, options.steps))
        with context.Pool(2) as pool:
            arguments = [(options.corpus, max(threads // 2, 1), options.steps)] * 2
            two = sum(pool.starmap(words_per_second, arguments, chunksize=1))
        ratios.append(two / one)
        print(f"round {number + 1}: one run {one:,.0f}, two runs {two:,.0f} words a second")
    print(f"two runs at once see {statistics.median(ratios):.2f} x the words of one")


if __name__ == "__main__":
    main()
