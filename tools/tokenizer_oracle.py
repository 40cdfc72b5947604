"""Answers for the tokenizer's golden files and benchmark: what transformers' mLUKE tokenizer says.

Runs in an environment of its own with transformers (4.57.6 is the last version that is right),
sentencepiece and torch, and needs nothing of Exonym. It reads requests from standard input, one
JSON object a line, and answers each with one line:

    {"directory": DIR, "task": TASK or null, "cases": [CASE, ...]}
    {"directory": DIR, "task": TASK or null, "time": [CASE, ...], "batch": 32, "rounds": 3}
    {"directory": DIR, "task": TASK or null, "save": DIR}

A case has "text", "spans" (pairs of characters) and perhaps "entities", and for a second text
"pair", "pair_spans", "pair_entities", and "options" for the call. The answer to "cases" is a list
of the tokenizer's fields, or of {"error": ...}; to "time" the seconds of each round and what
opening took; "save" writes the tokenizer as its own version does.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from functools import cache
from typing import Any


@cache
def opened(directory: str, task: str | None) -> tuple[Any, float]:
    """The tokenizer of a directory, and the seconds that opening it took."""
    transformers = importlib.import_module("transformers")
    transformers.logging.set_verbosity_error()
    begun = time.perf_counter()
    options = {} if task is None else {"task": task}
    tokenizer = transformers.MLukeTokenizer.from_pretrained(directory, **options)
    return tokenizer, time.perf_counter() - begun


def arguments(case: dict[str, Any]) -> dict[str, Any]:
    """The tokenizer's arguments for a case."""
    found: dict[str, Any] = {"text": case["text"], **case.get("options", {})}
    for ours, theirs in (("pair", "text_pair"), ("entities", "entities")):
        if ours in case:
            found[theirs] = case[ours]
    if "pair_entities" in case:
        found["entities_pair"] = case["pair_entities"]
    for ours, theirs in (("spans", "entity_spans"), ("pair_spans", "entity_spans_pair")):
        if ours in case:
            found[theirs] = [tuple(span) for span in case[ours]]
    return found


def answer(tokenizer: Any, case: dict[str, Any]) -> dict[str, Any]:
    """The tokenizer's fields for a case."""
    try:
        return dict(tokenizer(**arguments(case)))
    except Exception as error:  # whatever it raises is the answer
        return {"error": f"{type(error).__name__}: {error}"}


def seconds(tokenizer: Any, cases: list[dict[str, Any]], batch: int) -> float:
    """How long the tokenizer takes over all cases in padded batches."""
    spans = [[tuple(span) for span in case["spans"]] for case in cases]
    texts = [case["text"] for case in cases]
    begun = time.perf_counter()
    for start in range(0, len(texts), batch):
        part = slice(start, start + batch)
        tokenizer(texts[part], entity_spans=spans[part], padding=True, return_tensors="np")
    return time.perf_counter() - begun


def main() -> int:
    """Answer requests until the input ends."""
    for line in sys.stdin:
        request = json.loads(line)
        tokenizer, opening = opened(request["directory"], request["task"])
        if "save" in request:
            reply: Any = tokenizer.save_pretrained(request["save"])
        elif "time" in request:
            rounds = [
                seconds(tokenizer, request["time"], request["batch"])
                for _ in range(request["rounds"])
            ]
            reply = {"seconds": rounds, "opening": opening}
        else:
            reply = [answer(tokenizer, case) for case in request["cases"]]
        print(json.dumps(reply), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
