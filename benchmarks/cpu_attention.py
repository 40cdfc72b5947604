"""Attention on a CPU under bfloat16 autocast: which form of the same computation is fastest.

Alternates the candidates in one run and prints each one's time per forward and backward as a
ratio to the fused kernel in float32, which `exonym.modeling.encoder` uses.

    python benchmarks/cpu_attention.py --batch 96 --length 48
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F

HEADS, WIDTH = 4, 32
Attention = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


def fused_float32(q, k, v, mask):
    return F.scaled_dot_product_attention(q.float(), k.float(), v.float(), attn_mask=mask)


def fused_bfloat16(q, k, v, mask):
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def written_out(q, k, v, mask):
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    weights = scores.float().masked_fill(~mask, float("-inf")).softmax(dim=-1)
    return weights.to(v.dtype) @ v


def seconds(attention: Attention, q, k, v, mask) -> float:
    started = time.perf_counter()
    attention(q, k, v, mask).float().sum().backward()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=96)
    parser.add_argument("--length", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    shape = (options.batch, HEADS, options.length, WIDTH)
    q, k, v = (torch.randn(shape, dtype=torch.bfloat16, requires_grad=True) for _ in range(3))
    mask = torch.ones(options.batch, 1, 1, options.length, dtype=torch.bool)
    mask[:, :, :, -options.length // 8 :] = False
    candidates = (fused_float32, fused_bfloat16, written_out)
    times: dict[str, list[float]] = {candidate.__name__: [] for candidate in candidates}
    for _ in range(options.rounds):
        for candidate in candidates:
            times[candidate.__name__].append(seconds(candidate, q, k, v, mask))
    base = statistics.median(times["fused_float32"])
    print(f"batch {options.batch}, length {options.length}, {torch.get_num_threads()} threads")
    for name, taken in times.items():
        median = statistics.median(taken)
        print(f"{name:<16} {median * 1e3:7.2f} ms   {median / base:5.2f} x fused_float32")


if __name__ == "__main__":
    main()
