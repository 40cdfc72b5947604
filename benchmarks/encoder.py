"""The encoder's speed, beside transformers' LUKE in the same run.

    python benchmarks/encoder.py --oracle build/golden/bin/python --out encoder.json

Both have the same random weights (base size, unless told otherwise) and the same batches. Each has
a process of its own, with the same number of threads; in every round each does every row once, one
after the other, so that what else the machine does meets both. Ratios are those within a round, to
transformers in float32, whose attention is the eager one, the only one it has. Without ``--oracle``
only Exonym's times are measured.

Ceiling: the share of the products per second that this machine reaches in large matrix products of
the same type, in the same rounds. The products counted are those of the real rows.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from beside_luke import Process, answer, draw_batch, measure_ceiling, status_bytes

ROWS: dict[str, tuple[list[int], int]] = {
    # name: words of each item; entities are one per 16 words
    "one item": ([128], 16),
    "eight items": ([128] * 8, 16),
    "eight long items": ([256] * 8, 16),
    "mixed lengths": (
        [256, 208, 176, 144, 128, 112, 96, 88, 80, 64, 56, 48, 40, 32, 24, 16],
        16,
    ),
}
EXONYM = ("float32", "float32 compiled", "bfloat16", "bfloat16 compiled")
TRANSFORMERS = ("float32", "bfloat16")


def make_batch(row: str, shape: dict[str, Any]) -> dict[str, Any]:
    """The batch of a row, the same in every process."""
    lengths, per_entity = ROWS[row]
    lengths = [min(length, shape["most_words"]) for length in lengths]
    return draw_batch(shape, lengths, [max(1, length // per_entity) for length in lengths])


def products(row: str, shape: dict[str, Any]) -> int:
    """Multiplications and additions in the layers, over real rows."""
    hidden, inner = shape["hidden_size"], shape["intermediate_size"]
    total, (lengths, per_entity) = 0, ROWS[row]
    for words in (min(length, shape["most_words"]) for length in lengths):
        length = words + max(1, words // per_entity)
        total += length * (4 * hidden * hidden + 2 * hidden * inner) + 2 * length**2 * hidden
    return 2 * total * shape["num_hidden_layers"]


# --- the workers --------------------------------------------------------------------------------


class Worker:
    """Runs in a process of its own: Exonym's or transformers' encoder."""

    def __init__(self, kind: str, order: dict[str, Any]) -> None:
        import torch

        torch.set_num_threads(order["threads"])
        self.kind, self.order, self.models = kind, order, {}
        self.device = torch.device(order["device"])

    def model(self, variant: str) -> Any:
        import torch

        if variant not in self.models:
            dtype = getattr(torch, variant.split()[0])
            model = self._load(dtype).eval().to(self.device)
            if "compiled" in variant:
                model = torch.compile(model, dynamic=False)
            self.models[variant] = model
        return self.models[variant]

    def _load(self, dtype: Any) -> Any:
        if self.kind == "exonym":
            from exonym.modeling import EntityEncoder

            return EntityEncoder.from_pretrained(self.order["directory"]).to(dtype)
        from transformers import LukeModel

        model = LukeModel.from_pretrained(self.order["directory"], attn_implementation="eager")
        return model.to(dtype)

    def states(self, row: str, variant: str) -> Any:
        """The call that makes the states of a row."""
        batch = make_batch(row, self.order["shape"])
        batch = {name: tensor.to(self.device) for name, tensor in batch.items()}
        model = self.model(variant)
        return lambda: model(**batch)

    def time(self, row: str, variant: str, passes: int) -> list[float]:
        import torch

        run, times = self.states(row, variant), []
        with torch.no_grad():
            for number in range(passes + 1):
                started = time.perf_counter()
                run()
                if self.device.type == "cuda":
                    torch.cuda.synchronize()
                if number:  # the first warms up
                    times.append(time.perf_counter() - started)
        return times

    def save(self, row: str, path: str) -> None:
        """The states of a row in float32, real words and then real entities."""
        import torch

        batch = make_batch(row, self.order["shape"])
        with torch.no_grad():
            output = self.states(row, "float32")()
        words = output.last_hidden_state.cpu()[batch["attention_mask"].bool()]
        entities = output.entity_last_hidden_state.cpu()[batch["entity_attention_mask"].bool()]
        torch.save(torch.cat([words, entities]), path)

    def ceiling(self, dtype: str) -> float:
        """Products a second in large matrix products."""
        return measure_ceiling(self.order["shape"]["hidden_size"], dtype, self.order["device"])

    def scoring(self, rows: int, width: int, mentions: int, candidates: int, k: int) -> Any:
        """Milliseconds and megabytes of scoring entities, ours and the straightforward way."""
        import torch

        from exonym.modeling import EncoderConfig, EntityMaskedLM
        from exonym.modeling.scoring import score_candidates, top_entities

        torch.manual_seed(0)
        model = EntityMaskedLM(
            EncoderConfig(
                vocab_size=10,
                entity_vocab_size=rows,
                entity_emb_size=width,
                num_hidden_layers=1,
            )
        ).eval()
        states = torch.randn(mentions, 768)
        asked = torch.randint(0, rows, (mentions, candidates))
        ways = {
            "candidates": lambda: score_candidates(model, states, asked),
            "all logits, then candidates": lambda: model.entity_logits(states).gather(1, asked),
            "best": lambda: top_entities(model, states, k),
            "all logits, then best": lambda: model.entity_logits(states).topk(k),
        }
        results = {}
        for name, way in ways.items():
            with torch.no_grad():
                way()
                before = reset_peak()
                started = time.perf_counter()
                way()
                taken = time.perf_counter() - started
            results[name] = {"seconds": taken, "megabytes": (status_bytes("VmHWM") - before) / 1e6}
        return results


def reset_peak() -> int:
    """Bytes in memory now, from which ``VmHWM`` counts (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")
    return status_bytes("VmRSS")


# --- the run ------------------------------------------------------------------------------------


def write_model(directory: Path, shape: dict[str, Any]) -> None:
    import torch

    from exonym.modeling import EncoderConfig, EntityEncoder

    torch.manual_seed(0)
    encoder = EntityEncoder(
        EncoderConfig(**{name: size for name, size in shape.items() if name != "most_words"})
    )
    for name, parameter in encoder.named_parameters():  # as LUKE starts, so that states are tame
        if "LayerNorm" not in name:
            torch.nn.init.normal_(parameter, std=0.02)
    encoder.save_pretrained(directory)


def measure(options: argparse.Namespace, shape: dict[str, Any], directory: Path) -> dict[str, Any]:
    import torch

    order = {
        "directory": str(directory),
        "shape": shape,
        "threads": options.threads,
        "device": options.device,
    }
    ours = Process(sys.executable, __file__, "exonym", order)
    sides = [(ours, "exonym", [v for v in EXONYM if options.compile or "compiled" not in v])]
    for name, python in (("transformers", options.oracle), ("transformers 5", options.oracle5)):
        if python:
            sides.insert(
                0, (Process(python, __file__, "transformers", order), name, list(TRANSFORMERS))
            )
    sides.sort(key=lambda side: side[1] != "transformers")
    differences = {}
    if options.oracle:
        for row in ROWS:
            files = [str(directory / f"{number}.pt") for number in range(2)]
            sides[0][0].ask("save", row, files[0])
            ours.ask("save", row, files[1])
            one, other = (torch.load(file) for file in files)
            differences[row] = float((one - other).abs().max())
    seconds: dict[str, list[float]] = {}
    ceilings: dict[str, list[float]] = {"float32": [], "bfloat16": []}
    for number in range(options.rounds):
        for dtype, values in ceilings.items():
            values.append(ours.ask("ceiling", dtype))
        for row in ROWS:
            for process, name, variants in sides:
                for variant in variants:
                    times = process.ask("time", row, variant, options.passes)
                    key = f"{row} | {name} {variant}"
                    seconds.setdefault(key, []).append(statistics.median(times))
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
    for process, *_ in sides:
        process.close()
    scorer = Process(sys.executable, __file__, "exonym", order)
    scoring = scorer.ask("scoring", options.entities, shape["entity_emb_size"], 64, 30, 100)
    scorer.close()
    return {
        "shape": shape,
        "threads": options.threads,
        "device": options.device,
        "torch": torch.__version__,
        "rounds": options.rounds,
        "rows": {row: ROWS[row][0] for row in ROWS},
        "largest difference to transformers": differences,
        "ceiling": ceilings,
        "seconds": seconds,
        "results": results(seconds, ceilings, shape),
        "scoring": {"entities": options.entities, "mentions": 64, "k": 100, **scoring},
    }


def results(
    seconds: dict[str, list[float]], ceilings: dict[str, list[float]], shape: dict[str, Any]
) -> list[dict[str, Any]]:
    """A line for each row and variant: time, ratio to transformers, share of the ceiling."""
    lines = []
    for key, times in seconds.items():
        row, name = key.split(" | ")
        base = seconds.get(f"{row} | transformers float32")
        ratios = sorted(b / t for b, t in zip(base, times, strict=True)) if base else []
        ceiling = statistics.median(ceilings[name.removesuffix(" compiled").split()[-1]])
        lines.append(
            {
                "row": row,
                "name": name,
                "milliseconds": statistics.median(times) * 1e3,
                "ratio": statistics.median(ratios) if ratios else None,
                "least": ratios[0] if ratios else None,
                "most": ratios[-1] if ratios else None,
                "ceiling": products(row, shape) / statistics.median(times) / ceiling,
            }
        )
    return lines


def show(report: dict[str, Any]) -> None:
    print(f"{report['threads']} threads, {report['rounds']} rounds, torch {report['torch']}")
    for dtype, values in report["ceiling"].items():
        print(f"ceiling {dtype}: {statistics.median(values) / 1e12:.2f} TFLOP/s")
    print(f"\n{'':44}{'ms':>9}{'ratio':>8}{'(least to most)':>18}{'ceiling':>9}")
    for line in report["results"]:
        ratio = spread = ""
        if line["ratio"] is not None:
            ratio = f"{line['ratio']:.2f} x"
            spread = f"({line['least']:.2f} to {line['most']:.2f})"
        print(
            f"{line['row']:<18}{line['name']:<26}{line['milliseconds']:9.1f}{ratio:>8}{spread:>18}"
            f"{line['ceiling']:9.0%}"
        )
    for row, difference in report["largest difference to transformers"].items():
        print(f"largest difference to transformers in float32, {row}: {difference:.1e}")
    scoring = report["scoring"]
    print(f"\n{scoring['mentions']} mentions, {scoring['entities']:,} entities:")
    for name, result in scoring.items():
        if isinstance(result, dict):
            milliseconds, megabytes = result["seconds"] * 1e3, result["megabytes"]
            print(f"{name:<44}{milliseconds:9.1f} ms{megabytes:9.1f} MB more memory")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--oracle", help="a Python with transformers 4.57.6")
    parser.add_argument("--oracle5", help="a Python with transformers 5")
    parser.add_argument("--out", type=Path, help="where to write everything as JSON")
    parser.add_argument("--size", choices=["base", "large", "tiny"], default="base")
    parser.add_argument("--entities", type=int, default=1_200_000, help="rows for scoring")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--passes", type=int, default=3, help="of each row in a round")
    parser.add_argument("--threads", type=int, help="of each side; default: all")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--order", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        answer(lambda: Worker(options.worker, options.order))
        return
    import torch

    options.threads = options.threads or torch.get_num_threads()
    layers, hidden = {"base": (12, 768), "large": (24, 1024), "tiny": (2, 32)}[options.size]
    tiny = options.size == "tiny"
    shape = {
        "vocab_size": 1000 if tiny else 250_004,
        "entity_vocab_size": 1000 if tiny else 100_000,
        "entity_emb_size": 16 if tiny else 256,
        "hidden_size": hidden,
        "intermediate_size": 4 * hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": max(2, hidden // 64),
        "most_words": 32 if tiny else 512,
    }
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "model"
        write_model(directory, shape)
        report = measure(options, shape, directory)
    if options.out:
        options.out.write_text(json.dumps(report, indent=1) + "\n")
    show(report)


if __name__ == "__main__":
    main()
