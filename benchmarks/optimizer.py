"""A step of AdamW on an entity table: torch's default against ``fused=True``, which Exonym uses.

Runs both in turn and prints the ratio within each round. A step reads table, gradient and both
moments once and writes all but the gradient once: 28 bytes a parameter, so it says also how many
gigabytes a second that is.

    python benchmarks/optimizer.py --rows 1200000 --width 256
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch

BYTES = 28


def seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_200_000)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    table = torch.nn.Parameter(torch.randn(options.rows, options.width))
    table.grad = torch.randn_like(table)
    optimizers = {
        "default": torch.optim.AdamW([table], lr=1e-4),
        "fused": torch.optim.AdamW([table], lr=1e-4, fused=True),
    }
    times: dict[str, list[float]] = {name: [] for name in optimizers}
    for optimizer in optimizers.values():
        optimizer.step()  # makes the moments
    for _ in range(options.rounds):
        for name, optimizer in optimizers.items():
            times[name].append(seconds(optimizer.step))
    print(f"{table.numel():,} parameters, {torch.get_num_threads()} threads")
    for name in optimizers:
        best = min(times[name])
        print(f"  {name:<8} {best:6.3f} s, {BYTES * table.numel() / best / 1e9:5.1f} GB/s")
    ratio = statistics.median(
        one / other for one, other in zip(times["default"], times["fused"], strict=True)
    )
    print(f"fused is {ratio:.2f} x as fast as the default")


if __name__ == "__main__":
    main()
