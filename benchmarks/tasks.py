"""Tasks beside transformers' classes, used as their documentation shows, in the same run.

    python benchmarks/tasks.py ner FILE --oracle build/golden/bin/python --out tasks.json

NER: all spans of up to 16 pieces of the first sentences of FILE (which `tasks.ner` reads), by a
random model of base size with a tokenizer that is trained on the file. transformers takes one
sentence at a time; Exonym as well, and as `predict` takes them. Both do everything from the text to
labels of all spans; Exonym also chooses those that do not overlap. Each has a process of its own,
with the same number of threads, and they take turns. Before, all labels are compared, in float32.
Ratios are those within a round, of the time on the clock and of the processor's time: the latter
hardly depends on what else the machine does.
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

from beside_luke import Process, answer, status_bytes

SIZES = {"base": (12, 768), "tiny": (2, 32)}


# --- the workers --------------------------------------------------------------------------------


class Exonym:
    """NER by Exonym, one sentence at a time and all of them."""

    def __init__(self, order: dict[str, Any]) -> None:
        import torch

        from exonym.tasks import ner

        torch.set_num_threads(order["threads"])
        self.examples = [
            ner.NerExample(text, words=tuple((a, b) for a, b in words))
            for text, words in order["sentences"]
        ]
        self.order, self.models = order, {}

    def model(self, dtype: str) -> Any:
        import torch

        from exonym.tasks import ner

        if dtype not in self.models:
            self.models[dtype] = ner.load(self.order["directory"], dtype=getattr(torch, dtype))
        return self.models[dtype]

    def spans(self) -> list[list[list[int]]]:
        """Characters of the candidate spans of every sentence, for transformers to take."""
        from exonym.tasks.ner.features import encode

        model = self.model("float32").model
        features = encode(self.examples, model.tokenizer, model.settings)
        found: list[list[list[int]]] = [[] for _ in self.examples]
        for feature in features:
            found[feature.example] += feature.characters.tolist()
        return found

    def labels(self) -> list[list[int]]:
        from exonym.tasks.ner.features import encode

        model = self.model("float32").model
        features = encode(self.examples, model.tokenizer, model.settings)
        found: list[list[int]] = [[] for _ in self.examples]
        for feature, logits in zip(features, model.logits(features, batch_size=32), strict=True):
            found[feature.example] += logits.argmax(axis=1).tolist()
        return found

    def time(self, way: str, dtype: str) -> list[float]:
        recognizer = self.model(dtype)
        recognizer(self.examples[0])
        started = clocks()
        if way == "one at a time":
            for example in self.examples:
                recognizer(example)
        else:
            list(recognizer.predict(self.examples))
        return since(started)

    def memory(self) -> int:
        return status_bytes("VmHWM")


class Transformers:
    """NER by transformers, one sentence at a time."""

    def __init__(self, order: dict[str, Any]) -> None:
        import torch
        from transformers import LukeForEntitySpanClassification, MLukeTokenizer

        torch.set_num_threads(order["threads"])
        self.tokenizer = MLukeTokenizer.from_pretrained(
            order["directory"], task="entity_span_classification"
        )
        self.kind, self.order, self.models = LukeForEntitySpanClassification, order, {}

    def model(self, dtype: str) -> Any:
        import torch

        if dtype not in self.models:
            model = self.kind.from_pretrained(
                self.order["directory"], dtype=getattr(torch, dtype), attn_implementation="eager"
            )
            self.models[dtype] = model.eval()
        return self.models[dtype]

    def labels(self, spans: list[list[list[int]]], dtype: str = "float32") -> list[list[int]]:
        import torch

        model, found = self.model(dtype), []
        for (text, _), own in zip(self.order["sentences"], spans, strict=False):
            if not own:
                found.append([])
                continue
            pairs = [(start, end) for start, end in own]
            inputs = self.tokenizer(text, entity_spans=pairs, return_tensors="pt")
            with torch.no_grad():
                found.append(model(**inputs).logits[0].argmax(-1).tolist())
        return found

    def time(self, spans: list[list[list[int]]], dtype: str) -> list[float]:
        self.labels(spans[:1], dtype)
        started = clocks()
        self.labels(spans, dtype)
        return since(started)

    def memory(self) -> int:
        return status_bytes("VmHWM")


def clocks() -> list[float]:
    """Seconds on the clock, and of the processor."""
    return [time.perf_counter(), time.process_time()]


def since(started: list[float]) -> list[float]:
    return [now - before for now, before in zip(clocks(), started, strict=True)]


WORKERS = {"exonym": Exonym, "transformers": Transformers}


# --- the run ------------------------------------------------------------------------------------


def write_model(directory: Path, texts: list[str], size: str, pieces: int) -> None:
    """A random model of NER with a tokenizer, and the file that transformers' tokenizer needs."""
    import torch

    from exonym.knowledge import EntityVocabulary
    from exonym.knowledge.vocabulary import SPECIAL_ENTITIES, VocabularyRow
    from exonym.modeling import EncoderConfig, EntitySpanClassifier
    from exonym.tokenization import EntityTokenizer, train_word_tokenizer

    words = train_word_tokenizer(texts, directory, vocabulary_size=pieces)
    rows = [VocabularyRow(name, {}, 0) for name in SPECIAL_ENTITIES]
    EntityVocabulary.write(directory / "entities", rows)
    entities = EntityVocabulary.open(directory / "entities")
    EntityTokenizer(words, entities, task="entity_span_classification").save_pretrained(directory)
    layers, hidden = SIZES[size]
    config = EncoderConfig(
        vocab_size=len(words),
        entity_vocab_size=len(rows),
        hidden_size=hidden,
        intermediate_size=4 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=max(2, hidden // 64),
        labels=("NIL", "LOC", "PER", "ORG", "MISC"),
    )
    torch.manual_seed(0)
    model = EntitySpanClassifier(config)
    torch.nn.init.normal_(model.classifier.weight, std=0.5)  # so that labels are not all the same
    model.save_pretrained(directory)


def measure(options: argparse.Namespace, directory: Path) -> dict[str, Any]:
    from exonym.tasks import ner

    examples = ner.read_examples(options.file).examples
    write_model(directory, [one.text for one in examples], options.size, options.pieces)
    chosen = [example for example in examples if example.words][: options.sentences]
    order = {
        "directory": str(directory),
        "threads": options.threads,
        "sentences": [[example.text, example.words] for example in chosen],
    }
    ours = Process(sys.executable, __file__, "exonym", order)
    theirs = Process(options.oracle, __file__, "transformers", order) if options.oracle else None
    spans = ours.ask("spans")
    report: dict[str, Any] = {
        "task": "ner",
        "sentences": len(chosen),
        "spans": sum(map(len, spans)),
        "threads": options.threads,
        "rounds": options.rounds,
    }
    if theirs is not None:
        pairs = zip(ours.ask("labels"), theirs.ask("labels", spans), strict=True)
        report["other labels"] = sum(
            a != b for mine, other in pairs for a, b in zip(mine, other, strict=True)
        )
    seconds: dict[str, list[list[float]]] = {}
    for number in range(options.rounds):
        for dtype in options.dtypes:
            if theirs is not None:
                taken = theirs.ask("time", spans, dtype)
                seconds.setdefault(f"transformers {dtype}", []).append(taken)
            for way in ("one at a time", "predict"):
                taken = ours.ask("time", way, dtype)
                seconds.setdefault(f"exonym {dtype}, {way}", []).append(taken)
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
    report["megabytes"] = {"exonym": ours.ask("memory") / 1e6}
    if theirs is not None:
        report["megabytes"]["transformers"] = theirs.ask("memory") / 1e6
        theirs.close()
    ours.close()
    base = seconds.get("transformers float32")
    report["results"] = [
        {
            "name": name,
            **{
                kind: {
                    "seconds": statistics.median(t[place] for t in times),
                    "ratios": sorted(
                        b[place] / t[place] for b, t in zip(base or [], times, strict=False)
                    ),
                }
                for place, kind in enumerate(("clock", "processor"))
            },
        }
        for name, times in seconds.items()
    ]
    return report


def show(report: dict[str, Any]) -> None:
    print(
        f"{report['sentences']} sentences, {report['spans']:,} spans, {report['threads']} threads"
    )
    if "other labels" in report:
        print(f"{report['other labels']} labels differ from transformers'")
    for line in report["results"]:
        for kind in ("clock", "processor"):
            seconds, ratios = line[kind]["seconds"], line[kind]["ratios"]
            ratio = ""
            if ratios:
                ratio = f"{statistics.median(ratios):6.2f} x ({ratios[0]:.2f} to {ratios[-1]:.2f})"
            print(f"{line['name']:<32}{kind:<10}{seconds:9.1f} s {ratio}")
    for name, megabytes in report["megabytes"].items():
        print(f"largest memory, {name}: {megabytes:,.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("task", choices=["ner"], nargs="?", default="ner")
    parser.add_argument("file", type=Path, nargs="?", help="sentences")
    parser.add_argument("--oracle", help="a Python with transformers 4.57.6")
    parser.add_argument("--out", type=Path, help="where to write everything as JSON")
    parser.add_argument("--sentences", type=int, default=200)
    parser.add_argument("--size", choices=list(SIZES), default="base")
    parser.add_argument("--pieces", type=int, default=8000, help="of the tokenizer")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2, help="of each side")
    parser.add_argument("--dtypes", nargs="+", default=["float32"], choices=["float32", "bfloat16"])
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--order", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        answer(lambda: WORKERS[options.worker](options.order))
        return
    if options.file is None:
        parser.error("give a file with sentences")
    with tempfile.TemporaryDirectory() as folder:
        report = measure(options, Path(folder))
    show(report)
    if options.out:
        options.out.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
