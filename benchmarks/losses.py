"""The exact entity loss, streamed, against a full softmax: time and memory of forward and backward.

Runs both in turn and prints the ratio within each round, which other load on the machine shifts
little. Memory is the most that was resident during the call beyond what was there before it (the
table, the states), and with the table.

    python benchmarks/losses.py --rows 1200000 --width 256 --targets 64 256 1024
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F

from exonym.objectives import streamed_cross_entropy, sweeps

Inputs = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


def full(states, table, bias, targets) -> torch.Tensor:
    return F.cross_entropy(F.linear(states, table, bias), targets, reduction="sum")


def streamed(states, table, bias, targets) -> torch.Tensor:
    return streamed_cross_entropy(states, table, bias, targets).total


def resident(field: str) -> float:
    """MiB: VmRSS now, or VmHWM, the most since `forget_peak`."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    raise SystemExit("memory can be measured on Linux only")


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def measure(loss: Callable[..., torch.Tensor], inputs: Inputs, bfloat16: bool) -> tuple[float, ...]:
    """Seconds on the clock, seconds of processors, MiB beyond what was there before."""
    for tensor in inputs[:3]:
        tensor.grad = None
    forget_peak()
    before = resident("VmRSS")
    started, used = time.perf_counter(), time.process_time()
    with torch.autocast("cpu", enabled=bfloat16):
        value = loss(*inputs)
    value.backward()
    taken, cpu = time.perf_counter() - started, time.process_time() - used
    return taken, cpu, resident("VmHWM") - before


def make_inputs(targets: int, rows: int, width: int) -> Inputs:
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(targets, width, generator=generator)
    table = torch.randn(rows, width, generator=generator).mul_(0.1)
    bias = torch.randn(rows, generator=generator)
    for tensor in (states, table, bias):
        tensor.requires_grad_()
    return states, table, bias, torch.randint(rows, (targets,), generator=generator)


def compare(inputs: Inputs, rounds: int, bfloat16: bool) -> None:
    measured: dict[str, list[tuple[float, ...]]] = {"full": [], "streamed": []}
    for _ in range(rounds):
        for loss in (full, streamed):
            measured[loss.__name__].append(measure(loss, inputs, bfloat16))
    table = inputs[1].numel() * 4 / 2**20
    for name, values in measured.items():
        seconds, cpu, memory = (min(column) for column in zip(*values, strict=True))
        products = 3 * 2 * len(inputs[0]) * inputs[1].numel() / 1e9 / seconds
        print(
            f"  {name:<9} {seconds:6.2f} s, {cpu:6.2f} s of processors, {memory:6,.0f} MiB "
            f"({memory + table:6,.0f} with the table), {products:4.0f} GFLOP/s"
        )
    pairs = list(zip(measured["full"], measured["streamed"], strict=True))
    speed = statistics.median(one[0] / other[0] for one, other in pairs)
    cpu = statistics.median(one[1] / other[1] for one, other in pairs)
    most, least = (max(values[2] for values in measured[name]) for name in ("full", "streamed"))
    print(
        f"  streamed is {speed:.2f} x as fast ({cpu:.2f} x by time of processors), with "
        f"{least / most:.2f} x the memory ({(least + table) / (most + table):.2f} x with the table)"
    )


def ceiling(rows: int, width: int, targets: int) -> float:
    """GFLOP/s of the loss's products alone, on blocks that stay in the cache."""
    rows = min(rows, sweeps.BLOCK_ROWS)
    block, states = torch.randn(rows, width), torch.randn(width, targets)
    out = torch.empty(rows, targets)
    best = 0.0
    for _ in range(20):
        started = time.perf_counter()
        for _ in range(4):
            torch.mm(block, states, out=out)
        best = max(best, 4 * 2e-9 * rows * width * targets / (time.perf_counter() - started))
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_200_000)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--targets", type=int, nargs="+", default=[64, 256, 1024])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--bfloat16", action="store_true", help="under autocast")
    parser.add_argument("--block", type=int, help="rows of a block")
    parser.add_argument("--kept", type=int, help="MiB of exponentials")
    options = parser.parse_args()
    if options.block:
        sweeps.BLOCK_ROWS = options.block
    if options.kept:
        sweeps.KEPT_BYTES["cpu"] = options.kept << 20
    for targets in options.targets:
        print(
            f"{targets} targets, {options.rows:,} rows of {options.width}, "
            f"{torch.get_num_threads()} threads; products reach "
            f"{ceiling(options.rows, options.width, targets):.0f} GFLOP/s"
        )
        inputs = make_inputs(targets, options.rows, options.width)
        compare(inputs, options.rounds, options.bfloat16)


if __name__ == "__main__":
    main()
