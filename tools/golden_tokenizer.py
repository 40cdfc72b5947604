"""Golden files of the tokenizer, and comparisons with transformers 4.57.6 on any number of texts.

    python tools/golden_tokenizer.py --oracle PYTHON --write tests/tokenization/golden
    python tools/golden_tokenizer.py --oracle PYTHON --texts 5000 --directory CHECKPOINT

PYTHON is the interpreter of an environment with transformers==4.57.6, sentencepiece and torch. The
first form trains a small tokenizer on Atlas's sentences, writes it in the style of 2021, lets the
oracle save it in its own style, and keeps requests with the oracle's answers for all tasks. The
second compares without writing; a directory of XLM-R's real tokenizer needs ``entity_vocab.json``
beside it. Either ends with status 1 if an answer differs.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from exonym.text import AnnotatedText, Mention
from exonym.tokenization import EntityTokenizer, train_word_tokenizer
from exonym.tokenization.markers import TASKS
from exonym.tokenization.tokenizer import ENTITY_DIRECTORY
from exonym.tokenization.words import SENTENCEPIECE_FILE
from oracle import Oracle
from tokenizer_cases import all_texts, cases

ENTITIES = {
    "[MASK]": 0, "[UNK]": 1, "[PAD]": 2, "[MASK2]": 3,
    "en:Tokyo": 4, "ja:東京都": 4, "de:Berlin": 5, "sw:Kenya": 6,
}  # fmt: skip
KEYS = [*(key for key in ENTITIES if ":" in key), "en:Nowhere", "[MASK]"]
PIECES = 1500


def write_2021(directory: Path) -> None:
    """A small tokenizer as the repositories of 2021 hold it."""
    texts = all_texts(random.Random(0), odd=0, per_language=60)
    with tempfile.TemporaryDirectory() as folder:
        words = train_word_tokenizer(texts, Path(folder), vocabulary_size=PIECES)
        shutil.copy(Path(folder) / SENTENCEPIECE_FILE, directory)
    first, second = words.added.markers
    mask = {"content": "<mask>", "single_word": False, "lstrip": True, "rstrip": False}
    mask["normalized"] = True
    roles = {"bos": "<s>", "eos": "</s>", "sep": "</s>", "cls": "<s>", "unk": "<unk>"}
    named = {**{f"{role}_token": piece for role, piece in roles.items()}, "pad_token": "<pad>"}
    marker = {"lstrip": False, "rstrip": False, "normalized": True, "single_word": False}
    files: dict[str, Any] = {
        "entity_vocab.json": ENTITIES,
        "added_tokens.json": {"<ent>": first, "<ent2>": second},
        "special_tokens_map.json": {
            **named,
            "mask_token": mask,
            "additional_special_tokens": ["<ent>", "<ent2>", "<ent>", "<ent2>"],
        },
        "tokenizer_config.json": {
            **named,
            "mask_token": {**mask, "__type": "AddedToken"},
            "task": None,
            "max_entity_length": 32,
            "max_mention_length": 30,
            "entity_token_1": {**marker, "content": "<ent>", "__type": "AddedToken"},
            "entity_token_2": {**marker, "content": "<ent2>", "__type": "AddedToken"},
            "additional_special_tokens": ["<ent>", "<ent2>"],
            "tokenizer_class": "MLukeTokenizer",
        },
    }
    for name, content in files.items():
        (directory / name).write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def annotated(text: str, places: list[list[int]], keys: list[str] | None) -> AnnotatedText:
    """A request's text in our terms."""
    given: list[str | None] = [None] * len(places) if keys is None else list(keys)
    mentions = zip(places, given, strict=True)
    return AnnotatedText(text, "und", tuple(Mention(a, b, key) for (a, b), key in mentions))


def ours(tokenizer: EntityTokenizer, case: dict[str, Any]) -> dict[str, Any]:
    """What our tokenizer says to a request, in the oracle's form."""
    text = annotated(case["text"], case.get("spans", []), case.get("entities"))
    pair = None
    if "pair" in case:
        pair = annotated(case["pair"], case.get("pair_spans", []), case.get("pair_entities"))
    most = case.get("options", {}).get("max_length", 10**9)
    batch = tokenizer(text, pair, max_length=most, overflow="cut")
    return {name: np.asarray(batch[name][0], dtype=int).tolist() for name in batch}


def differences(directory: Path, task: str | None, asked: list[Any], answers: list[Any]) -> int:
    """Compare and print the first few that differ; returns their number."""
    tokenizer = EntityTokenizer.from_pretrained(directory, boundary="hf", task=task)  # type: ignore[arg-type]
    count = 0
    for case, answer in zip(asked, answers, strict=True):
        if not answer.get("entity_ids", True):  # no mention is left
            answer = {name: answer[name] for name in ("input_ids", "attention_mask")}
        found = ours(tokenizer, case)
        if found != answer:
            count += 1
            if count <= 3:
                print(f"{task}: {case}\n  ours   {found}\n  oracle {answer}", file=sys.stderr)
    return count


def main() -> int:
    """Write golden files or compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--oracle", required=True, help="python with transformers==4.57.6")
    parser.add_argument("--write", type=Path, help="folder to write, tests/tokenization/golden")
    parser.add_argument("--directory", type=Path, help="tokenizer to compare on")
    parser.add_argument("--texts", type=int, default=250, help="odd texts for each task")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if (options.write is None) == (options.directory is None):
        parser.error("give either --write or --directory")
    oracle, rng, directory = (
        Oracle(options.oracle, "tokenizer_oracle.py"),
        random.Random(options.seed),
        options.directory,
    )
    if options.write:
        directory = options.write / "style2021"
        shutil.rmtree(options.write, ignore_errors=True)
        directory.mkdir(parents=True)
        write_2021(directory)
    golden, total, wrong = [], 0, 0
    for task in (None, *TASKS):
        asked = cases(all_texts(rng, options.texts, per_language=4), task, KEYS, rng)
        answers = oracle.ask(directory=str(directory), task=task, cases=asked)
        if failed := [answer["error"] for answer in answers if "error" in answer]:
            raise RuntimeError(f"the oracle failed on {len(failed)} requests: {failed[0]}")
        different = differences(directory, task, asked, answers)
        print(f"{task or 'no task'}: {len(asked):,} texts, {different} differ")
        total, wrong = total + len(asked), wrong + different
        golden.append({"task": task, "cases": asked, "answers": answers})
    if options.write:
        with gzip.GzipFile(options.write / "answers.json.gz", "wb", mtime=0) as stream:
            stream.write(json.dumps(golden, ensure_ascii=False, separators=(",", ":")).encode())
        oracle.ask(directory=str(directory), task=None, save=str(options.write / "style457"))
        shutil.rmtree(directory / ENTITY_DIRECTORY)  # what opening it made
    print(f"{total:,} texts, {wrong} differ")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
