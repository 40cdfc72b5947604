"""transformers' NER, as the documentation of its class shows it; see golden_ner.py.

Runs in the Python of an environment with transformers 4.57.6. Answers requests, one JSON object a
line:

    {"make": DIR, "seed": 7, "config": {…}}          a random model, into DIR with its tokenizer
    {"load": DIR}
    {"text": "…", "words": [[0, 6], …], "limit": 16}  spans of words of at most so many pieces, and
                                                      their logits
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

import torch

transformers: Any = importlib.import_module("transformers")

VERSION = "4.57.6"


class Oracle:
    """A model with its tokenizer."""

    def __init__(self, directory: str) -> None:
        self.tokenizer = transformers.MLukeTokenizer.from_pretrained(
            directory, task="entity_span_classification"
        )
        kind = transformers.LukeForEntitySpanClassification
        self.model = kind.from_pretrained(directory, dtype=torch.float32).eval()

    @torch.no_grad()
    def answer(self, text: str, words: list[list[int]], limit: int) -> dict[str, Any]:
        """Spans and logits."""
        every = [(a, d) for i, (a, _) in enumerate(words) for _, d in words[i:]]
        found = self.tokenizer(text, entity_spans=every)
        ends = zip(found["entity_start_positions"], found["entity_end_positions"], strict=True)
        pairs = zip(every, ends, strict=True)
        spans = [span for span, (first, last) in pairs if last - first < limit]
        inputs = self.tokenizer(text, entity_spans=spans, return_tensors="pt")
        logits = self.model(**inputs).logits[0].tolist()
        return {"spans": spans, "logits": logits}


def make(directory: str, seed: int, config: dict[str, Any]) -> dict[str, Any]:
    """Write a model with random weights, none of which is 0 or 1, beside its tokenizer."""
    words = len(transformers.MLukeTokenizer.from_pretrained(directory))
    torch.manual_seed(seed)
    luke = transformers.LukeConfig(**{**config, "vocab_size": words})
    model = transformers.LukeForEntitySpanClassification(luke)
    noise = torch.Generator().manual_seed(seed + 1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=noise) * 0.1)
    model.save_pretrained(directory)
    return {"made": directory}


def main() -> None:
    """Answer until the input ends."""
    if transformers.__version__ != VERSION:
        sys.exit(f"expected transformers {VERSION}, found {transformers.__version__}")
    transformers.logging.set_verbosity_error()
    oracle: Oracle | None = None
    for line in sys.stdin:
        request = json.loads(line)
        answer: dict[str, Any] = {}
        if "make" in request:
            answer = make(request["make"], request["seed"], request["config"])
        elif "load" in request:
            oracle = Oracle(request["load"])
        elif oracle is not None:
            answer = oracle.answer(**request)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
