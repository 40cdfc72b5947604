"""transformers' relation classifier, as the documentation of its class uses it; see
golden_relation.py.

Runs in the Python of an environment with transformers 4.57.6. Reads one JSON object from standard
input and answers with one:

    {"directory": DIR, "make": {…} or null, "cases": [{"text", "head": [0, 6], "tail": [10, 15]}]}

"make" is a configuration with which a random model is first written into DIR, beside its tokenizer.
The answer is a list of {"ids", "logits"}; null for a text that is longer than the model takes.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

import torch

transformers: Any = importlib.import_module("transformers")
TASK = "entity_pair_classification"


def make(directory: str, config: dict[str, Any]) -> None:
    """Write a model with random weights, none of which is 0 or 1."""
    words = len(transformers.MLukeTokenizer.from_pretrained(directory, task=TASK))
    torch.manual_seed(5)
    luke = transformers.LukeConfig(**{**config, "vocab_size": words})
    model = transformers.LukeForEntityPairClassification(luke)
    noise = torch.Generator().manual_seed(6)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=noise) * 0.4)
    model.save_pretrained(directory)


@torch.no_grad()
def answers(directory: str, cases: list[dict[str, Any]]) -> list[dict[str, Any] | None]:
    """Ids and logits of each case."""
    tokenizer = transformers.MLukeTokenizer.from_pretrained(directory, task=TASK)
    kind = transformers.LukeForEntityPairClassification
    model = kind.from_pretrained(directory, dtype=torch.float32).eval()
    longest = model.config.max_position_embeddings - 2
    found: list[dict[str, Any] | None] = []
    for case in cases:
        spans = [tuple(case["head"]), tuple(case["tail"])]
        inputs = tokenizer(case["text"], entity_spans=spans, return_tensors="pt")
        ids = inputs["input_ids"][0].tolist()
        fits = len(ids) <= longest
        logits = model(**inputs).logits[0].tolist() if fits else None
        found.append({"ids": ids, "logits": logits} if fits else None)
    return found


def main() -> None:
    """Answer one request."""
    request = json.load(sys.stdin)
    transformers.logging.set_verbosity_error()
    if request["make"] is not None:
        make(request["directory"], request["make"])
    json.dump(answers(request["directory"], request["cases"]), sys.stdout)


if __name__ == "__main__":
    main()
