"""What benchmarks beside transformers' LUKE share: batches, processes, the machine's ceiling.

No benchmark itself. It is imported by the workers of `encoder.py` and `pretraining.py` too, one of
which runs in a Python that has transformers and no Exonym.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

POSITIONS = 30
"""Pieces that the tokenizer leaves room for in each mention."""


def draw_batch(shape: dict[str, Any], lengths: list[int], counts: list[int]) -> dict[str, Any]:
    """A padded batch, the same in every process.

    Args:
        shape: has ``vocab_size`` and ``entity_vocab_size``.
        lengths: words of each item.
        counts: entities of each item.
    """
    import torch

    generator = torch.Generator().manual_seed(len(lengths))

    def draw(low: int, high: int, *size: int) -> Any:
        return torch.randint(low, high, size, generator=generator)

    words, entities = (len(lengths), max(lengths)), (len(lengths), max(counts))
    mask = torch.arange(words[1])[None] < torch.tensor(lengths)[:, None]
    entity_mask = torch.arange(entities[1])[None] < torch.tensor(counts)[:, None]
    positions = torch.full((*entities, POSITIONS), -1)
    for item, length in enumerate(lengths):
        for entity in range(counts[item]):
            start, pieces = int(draw(0, length - 4, 1)), int(draw(1, 5, 1))
            positions[item, entity, :pieces] = torch.arange(start, start + pieces)
    return {
        "input_ids": torch.where(mask, draw(5, shape["vocab_size"], *words), 1),
        "attention_mask": mask.long(),
        "entity_ids": torch.where(entity_mask, draw(4, shape["entity_vocab_size"], *entities), 0),
        "entity_attention_mask": entity_mask.long(),
        "entity_position_ids": positions,
    }


def measure_ceiling(hidden: int, dtype: str, device: str = "cpu") -> float:
    """Multiplications and additions a second in large matrix products."""
    import torch

    best, kind = 0.0, getattr(torch, dtype)
    for rows, inner, columns in ((3 * hidden, hidden, 4 * hidden), (3 * hidden,) * 3):
        left = torch.randn(rows, inner, device=device).to(kind)
        right = torch.randn(inner, columns, device=device).to(kind)
        for _ in range(6):
            started = time.perf_counter()
            left @ right
            if torch.device(device).type == "cuda":
                torch.cuda.synchronize()
            best = max(best, 2 * rows * inner * columns / (time.perf_counter() - started))
    return best


def status_bytes(field: str) -> int:
    """Bytes of a field of this process's status (Linux): ``VmRSS`` now, ``VmHWM`` at the peak."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise LookupError(field)


def answer(make_worker: Callable[[], Any]) -> None:
    """Be a worker: one JSON request a line, one JSON answer a line."""
    answers = sys.stdout
    sys.stdout = sys.stderr  # what libraries print is no answer
    worker = make_worker()
    for line in sys.stdin:
        name, arguments = json.loads(line)
        answers.write(json.dumps(getattr(worker, name)(*arguments)) + "\n")
        answers.flush()


class Process:
    """A worker, from the outside: a script called with ``--worker`` and ``--order``."""

    def __init__(self, python: str, script: str, kind: str, order: dict[str, Any]) -> None:
        self.process = subprocess.Popen(
            [python, script, "--worker", kind, "--order", json.dumps(order)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, name: str, *arguments: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([name, arguments]) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"a worker ended with status {self.process.wait()}; see above")
        return json.loads(line)

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()
