"""A training step, beside the same step with transformers' LUKE in the same run.

    python benchmarks/pretraining.py --oracle build/golden/bin/python --out pretraining.json

Both start with the same random weights and see the same batches: sequences of mixed lengths,
masked words and masked entities, both losses, backward, fused AdamW (which is transformers'
default, too). transformers gets the batch padded, with labels. Each has a process of its own, with
the same number of threads; in every round one works after the other, and the first step of each
warms up. Ratios are those within a round. Peak memory is each process's own, and counts all of it.

Where memory is too small for transformers' step, the section takes fewer sequences; it says how
many. Without ``--oracle`` only Exonym's step is measured, on eight.

Ceiling: the share of the products per second that this machine reaches in large matrix products of
the same type, in the same rounds. The products counted are those of the real rows and the targets,
each once forward and twice backward; what is computed again is not counted.
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

BASE = {"vocab_size": 250_002, "hidden_size": 768, "entity_emb_size": 256, "num_hidden_layers": 12}
BASE |= {"num_attention_heads": 12, "intermediate_size": 3072, "max_position_embeddings": 514}
SMALL = {"vocab_size": 8_000, "hidden_size": 128, "entity_emb_size": 64, "num_hidden_layers": 4}
SMALL |= {"num_attention_heads": 4, "intermediate_size": 512, "max_position_embeddings": 130}
LONG, SHORT = [510, 344, 496, 262, 508, 430, 510, 170], [48, 44, 40, 36, 32, 28, 24, 16] * 12
SECTIONS: dict[str, tuple[dict[str, int], list[int]]] = {
    "base, 100,000 entities": (BASE | {"entity_vocab_size": 100_000}, LONG),
    "base, 1,200,000 entities": (BASE | {"entity_vocab_size": 1_200_000}, LONG),
    "small": (SMALL | {"entity_vocab_size": 2_000}, SHORT),
}
PER_ENTITY, MASKED = 16, 0.15
"""Words for each entity, share of both that is masked."""
NAMES = ("input_ids", "attention_mask", "entity_ids", "entity_attention_mask")
NAMES += ("entity_position_ids",)


def entity_counts(lengths: list[int]) -> list[int]:
    return [max(1, length // PER_ENTITY) for length in lengths]


def make_batch(shape: dict[str, int], lengths: list[int]) -> dict[str, Any]:
    """A masked batch, the same in every process: inputs, places of targets, targets."""
    import torch

    batch = draw_batch(shape, lengths, entity_counts(lengths))
    generator = torch.Generator().manual_seed(len(lengths))
    for kind, ids in (("words", "input_ids"), ("entities", "entity_ids")):
        real = batch["attention_mask" if kind == "words" else "entity_attention_mask"]
        places = real.flatten().nonzero()[:, 0]
        chosen = torch.randperm(len(places), generator=generator)[: round(MASKED * len(places)) + 1]
        places = places[chosen.sort().values]
        batch[f"{kind}_positions"] = places
        batch[f"{kind}_targets"] = batch[ids].flatten()[places]
        batch[ids].view(-1)[places] = 3 if kind == "words" else 2
    return batch


def products(shape: dict[str, int], lengths: list[int]) -> int:
    """Multiplications and additions of a step, over real rows and targets."""
    hidden, inner = shape["hidden_size"], shape["intermediate_size"]
    counts = entity_counts(lengths)
    total = 0
    for rows in (length + count for length, count in zip(lengths, counts, strict=True)):
        of_layer = rows * (4 * hidden**2 + 2 * hidden * inner) + 2 * rows**2 * hidden
        total += of_layer * shape["num_hidden_layers"]
    words, entities = round(MASKED * sum(lengths)) + 1, round(MASKED * sum(counts)) + 1
    width = shape["entity_emb_size"]
    total += words * hidden * (hidden + shape["vocab_size"]) + sum(counts) * hidden * width
    return 6 * (total + entities * width * (hidden + shape["entity_vocab_size"]))


def parameters(shape: dict[str, int]) -> int:
    hidden, inner = shape["hidden_size"], shape["intermediate_size"]
    tables = shape["vocab_size"] * hidden + shape["entity_vocab_size"] * shape["entity_emb_size"]
    return tables + shape["num_hidden_layers"] * (4 * hidden**2 + 2 * hidden * inner)


def bytes_of_padded_step(shape: dict[str, int], lengths: list[int]) -> int:
    """About what transformers' step holds at once, in float32."""
    words, items = max(lengths), len(lengths)
    entities = max(1, words // PER_ENTITY)
    logits = items * (words * shape["vocab_size"] + entities * shape["entity_vocab_size"])
    states = (
        items * (words + entities) * (15 * shape["hidden_size"] + 2 * shape["intermediate_size"])
    )
    weights = 4 * items * shape["num_attention_heads"] * (words + entities) ** 2
    layers = shape["num_hidden_layers"] * (states + weights)
    return 4 * (4 * parameters(shape) + 4 * logits + layers)


# --- the workers --------------------------------------------------------------------------------


class Worker:
    """Runs in a process of its own: Exonym's or transformers' step."""

    def __init__(self, kind: str, order: dict[str, Any]) -> None:
        import torch

        torch.set_num_threads(order["threads"])
        torch.manual_seed(0)
        self.kind, self.bfloat16 = kind, order["dtype"] == "bfloat16"
        self.batch = make_batch(order["shape"], order["lengths"])
        self.model = self._ours(order) if kind == "exonym" else self._theirs(order)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-5, fused=True)

    def _ours(self, order: dict[str, Any]) -> Any:
        from exonym.modeling import EntityMaskedLM
        from exonym.training.model import PretrainingModel

        model = EntityMaskedLM.from_pretrained(order["directory"])
        if order["compile"]:
            model.luke.compile(dynamic=False)
        return PretrainingModel(model, bfloat16=self.bfloat16)

    def _theirs(self, order: dict[str, Any]) -> Any:
        from transformers import LukeForMaskedLM

        return LukeForMaskedLM.from_pretrained(order["directory"], attn_implementation="eager")

    def _loss(self) -> Any:
        """The mean over masked words plus the mean over masked entities."""
        import torch

        batch, kinds = self.batch, ("words", "entities")
        if self.kind == "exonym":
            weights = {kind: 1 / len(batch[f"{kind}_targets"]) for kind in kinds}
            return self.model(batch, weights)[0]
        labels = {}
        for kind, name, of in (
            ("words", "labels", "input_ids"),
            ("entities", "entity_labels", "entity_ids"),
        ):
            labels[name] = torch.full_like(batch[of], -100)
            labels[name].view(-1)[batch[f"{kind}_positions"]] = batch[f"{kind}_targets"]
        inputs = {name: batch[name] for name in NAMES}
        inputs["entity_position_ids"] = inputs["entity_position_ids"].clone()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.bfloat16):
            return self.model(**inputs, **labels).loss

    def loss(self) -> float:
        """Without dropout."""
        import torch

        self.model.eval()
        with torch.no_grad():
            return float(self._loss())

    def step(self) -> tuple[float, float]:
        """Seconds, and seconds of processors."""
        self.model.train()
        started, worked = time.perf_counter(), time.process_time()
        self.optimizer.zero_grad(set_to_none=True)  # before the loss, as training does
        loss = self._loss()
        loss.backward()
        self.optimizer.step()
        del loss
        return time.perf_counter() - started, time.process_time() - worked

    def peak(self) -> int:
        """Bytes (Linux)."""
        return status_bytes("VmHWM")


# --- the run ------------------------------------------------------------------------------------


def write_model(directory: Path, shape: dict[str, int], dropout: float) -> None:
    import torch

    from exonym.modeling import EncoderConfig, EntityMaskedLM

    torch.manual_seed(0)
    rates = {"hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout}
    EntityMaskedLM(EncoderConfig(**shape, **rates)).save_pretrained(directory)


def lengths_that_fit(shape: dict[str, int], lengths: list[int]) -> list[int]:
    """As many of the sequences as transformers' step has memory for."""
    from exonym.foundation.machine import available_memory

    free = available_memory()
    free = None if free is None else int(0.8 * free)
    while free is not None and len(lengths) > 1 and bytes_of_padded_step(shape, lengths) > free:
        lengths = lengths[:-1]
    return lengths


def measure(options: argparse.Namespace, name: str, dtype: str, directory: Path) -> dict[str, Any]:
    shape, lengths = SECTIONS[name]
    shape = shape | ({"num_hidden_layers": options.layers} if options.layers else {})
    if options.quick:
        shape, lengths = shape | {"vocab_size": 500, "entity_vocab_size": 100}, lengths[:8]
    lengths = lengths[: options.sequences] if options.sequences else lengths
    if options.oracle and not options.sequences:
        lengths = lengths_that_fit(shape, lengths)
    write_model(directory, shape, options.dropout)
    order = {"directory": str(directory), "shape": shape, "lengths": lengths, "dtype": dtype}
    order |= {"threads": options.threads, "compile": False}
    sides: dict[str, tuple[str, str, dict[str, Any]]] = {
        "exonym": (sys.executable, "exonym", order)
    }
    if options.compile:
        sides["exonym compiled"] = (sys.executable, "exonym", order | {"compile": True})
    if options.oracle:
        sides["transformers"] = (options.oracle, "transformers", order)
    losses: dict[str, float] = {}
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    worked: dict[str, list[float]] = {side: [] for side in sides}
    peaks: dict[str, int] = {}
    ceilings = []
    for number in range(options.rounds):
        ceilings.append(measure_ceiling(shape["hidden_size"], dtype))
        for side, start in sides.items():
            process = Process(
                start[0], __file__, *start[1:]
            )  # one at a time: two might not fit into memory
            if side not in losses:
                losses[side] = process.ask("loss")
            process.ask("step")  # warms up, and makes the moments
            times = [process.ask("step") for _ in range(options.steps)]
            seconds[side].append(statistics.median(time for time, _ in times))
            worked[side].append(statistics.median(time for _, time in times))
            peaks[side] = max(process.ask("peak"), peaks.get(side, 0))
            process.close()
        print(f"{name}: round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
    step = statistics.median(seconds["exonym"])
    entities = sum(entity_counts(lengths))
    report = {
        "section": name,
        "dtype": dtype,
        "shape": shape,
        "lengths": lengths,
        "losses without dropout": losses,
        "seconds": seconds,
        "processor seconds": worked,
        "peak bytes": peaks,
        "bytes of parameters, gradients and moments": 16 * parameters(shape),
        "ceiling": ceilings,
        "share of the ceiling": statistics.median(
            products(shape, lengths) / taken / most
            for taken, most in zip(seconds["exonym"], ceilings, strict=True)
        ),
        "words a second": sum(lengths) / step,
        "masked entities a second": (round(MASKED * entities) + 1) / step,
    }
    for side in sides:
        if side != "exonym":
            report[f"ratio to {side}"] = ratios(seconds[side], seconds["exonym"])
            report[f"ratio to {side} in processor time"] = ratios(worked[side], worked["exonym"])
            report[f"memory, of {side}'s"] = peaks["exonym"] / peaks[side]
    if options.corpus:
        report["share of data loading"] = data_seconds(options.corpus, sum(lengths)) / step
    return report


def ratios(theirs: list[float], ours: list[float]) -> dict[str, float]:
    values = [a / b for a, b in zip(theirs, ours, strict=True)]
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def data_seconds(corpus: Path, words: int, batches: int = 20) -> float:
    """Seconds to draw and mask as many words of a corpus as a step sees."""
    from exonym.corpus import Corpus, LanguageSampling, Masking, PretrainingData

    opened = Corpus.open(corpus)
    data = PretrainingData(
        opened,
        opened.tokenizer(),
        masking=Masking(),
        sampling=LanguageSampling(),
        batch_sequences=32,
        seed=0,
    )
    data.share(0)
    started, pieces = time.perf_counter(), 0
    for step in range(1, batches + 1):
        pieces += data.share(step).pieces
    return (time.perf_counter() - started) * words / pieces


def show(report: dict[str, Any]) -> None:
    layers, lengths = report["shape"]["num_hidden_layers"], report["lengths"]
    print(
        f"\n{report['section']}, {report['dtype']}, {layers} layers, {len(lengths)} sequences "
        f"of {min(lengths)} to {max(lengths)} pieces ({sum(lengths):,})"
    )
    for side, times in report["seconds"].items():
        busy = statistics.median(report["processor seconds"][side])
        print(
            f"  {side:<18}{statistics.median(times):9.3f} s{busy:9.3f} s of processors"
            f"{report['peak bytes'][side] / 2**30:8.2f} GiB"
            f"   loss {report['losses without dropout'][side]:.5f}"
        )
    for key, value in report.items():
        if key.startswith("ratio"):
            spread = f"({value['least']:.2f} to {value['most']:.2f})"
            print(f"  {key}: {value['median']:.2f} x {spread}")
        elif key.startswith(("memory", "share")):
            print(f"  {key}: {value:.1%}")
        elif key.endswith("a second"):
            print(f"  {key}: {value:,.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--oracle", help="a Python that has transformers 4.57.6")
    parser.add_argument("--section", action="append", choices=list(SECTIONS), help="only this one")
    parser.add_argument("--layers", type=int, help="instead of the section's own")
    parser.add_argument("--sequences", type=int, help="at most so many of the section's")
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=2, help="of each in a round")
    parser.add_argument("--threads", type=int, default=0, help="0: as many as PyTorch takes")
    parser.add_argument("--compile", action="store_true", help="also with torch.compile")
    parser.add_argument("--corpus", type=Path, help="for the share of data loading")
    parser.add_argument("--quick", action="store_true", help="small tables and few sequences")
    parser.add_argument("--out", type=Path, help="write the report as JSON")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--order", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return answer(lambda: Worker(options.worker, options.order))
    import torch

    from exonym.foundation.machine import multiplies_bfloat16

    options.threads = options.threads or torch.get_num_threads()
    torch.set_num_threads(options.threads)
    dtypes = ["float32"]
    if multiplies_bfloat16():
        dtypes.append("bfloat16")
    else:
        print("bfloat16 is left out: this processor does not multiply it")
    sections = []
    for name in options.section or SECTIONS:
        for dtype in dtypes:
            with tempfile.TemporaryDirectory() as directory:
                sections.append(measure(options, name, dtype, Path(directory)))
            show(sections[-1])
    if options.out:
        report = {"torch": torch.__version__, "threads": options.threads, "sections": sections}
        report["dropout"] = options.dropout
        options.out.write_text(json.dumps(report, indent=1) + "\n")
    return None


if __name__ == "__main__":
    main()
