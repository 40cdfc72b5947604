"""Golden files of NER, and comparisons with transformers 4.57.6 on any sentences.

    python tools/golden_ner.py --oracle PYTHON --write tests/tasks/golden/ner
    python tools/golden_ner.py --oracle PYTHON --checkpoint DIR --texts FILE

PYTHON is the interpreter of an environment with transformers==4.57.6, sentencepiece and torch. The
first form writes a tiny random `LukeForEntitySpanClassification` for the tokenizer of
tests/tokenization/golden, and its logits for all spans of a few texts in several scripts. The
second compares a checkpoint's logits on the sentences of a file that `tasks.ner` reads. Both end
with status 1 if a label differs, or a logit by more than 1e-4.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from exonym.tasks import ner
from exonym.tasks.ner.features import encode
from oracle import TOKENIZER, Oracle, tiny_config

DIFFERENCE = 1e-4
NAMES = ("NIL", "LOC", "PER", "ORG")
CONFIG = tiny_config(NAMES)
TEXTS = (
    "Tokyo is the capital of Japan, and its largest city.",
    "O'Brien flew from Jean-Pierre's Berlin-based firm (1,234.5 km).",
    "Berlin ist die Hauptstadt von Deutschland, München die von Bayern.",
    "東京都は日本の首都である。",
    "北京是中华人民共和国的首都",
    "กรุงเทพมหานคร เป็นเมืองหลวง ของ ประเทศไทย",
    "القاهرة هي عاصمة مصر وأكبر مدنها",
    "दिल्ली भारत की राजधानी है",
    "서울은  대한민국의 수도이다 .",
    "x",
)
_WORD = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]|[^\W\u3040-\u30ff\u4e00-\u9fff]+|[^\w\s]")


def words_of(text: str) -> tuple[tuple[int, int], ...]:
    """Some way to split a text; single characters where there are no blanks."""
    return tuple(match.span() for match in _WORD.finditer(text))


def our_logits(
    recognizer: ner.EntityRecognizer, example: ner.NerExample
) -> dict[tuple[int, int], Any]:
    """The logits of each span, by its characters."""
    model = recognizer.model
    features = encode([example], model.tokenizer, model.settings)
    found: dict[tuple[int, int], Any] = {}
    for feature, logits in zip(features, model.logits(features, batch_size=1), strict=True):
        spans = [(int(start), int(end)) for start, end in feature.characters]
        found |= dict(zip(spans, logits, strict=True))
    return found


def compare(directory: Path, oracle: Oracle, examples: Sequence[ner.NerExample]) -> int:
    """Print how far both are apart; returns 1 if too far."""
    recognizer = ner.load(directory)
    limit = recognizer.model.settings.span_limit
    oracle.ask(load=str(directory))
    largest, labels, spans = 0.0, 0, 0
    for example in examples:
        ours = our_logits(recognizer, example)
        theirs = oracle.ask(text=example.text, words=example.words, limit=limit)
        asked = [(start, end) for start, end in theirs["spans"]]
        if set(asked) != set(ours):
            print(f"other spans: {example.text!r}: {sorted(set(asked) ^ set(ours))[:5]}")
            return 1
        wanted = np.array(theirs["logits"])
        found = np.stack([ours[span] for span in asked])
        largest = max(largest, float(np.abs(found - wanted).max()))
        labels += int((found.argmax(1) != wanted.argmax(1)).sum())
        spans += len(asked)
    print(f"{spans} spans: logits differ by at most {largest:.1e}, {labels} labels differ")
    return int(labels > 0 or largest > DIFFERENCE)


def write(oracle: Oracle, out: Path, folder: Path) -> None:
    """The committed files: the model, and what the oracle says; model and tokenizer to a folder."""
    shutil.copytree(TOKENIZER, folder, dirs_exist_ok=True)
    oracle.ask(make=str(folder), seed=7, config=CONFIG)
    oracle.ask(load=str(folder))
    answers = []
    for text in TEXTS:
        words = words_of(text)
        answer = oracle.ask(text=text, words=words, limit=16)
        answer["logits"] = np.array(answer["logits"]).round(6).tolist()
        answers.append({"text": text, "words": words, **answer})
    out.mkdir(parents=True, exist_ok=True)
    for name in ("config.json", "model.safetensors"):
        shutil.copy(folder / name, out / name)
    content = json.dumps(answers, ensure_ascii=False).encode()
    (out / "expected.json.gz").write_bytes(gzip.compress(content, mtime=0))


def main() -> int:
    """Write the files, or compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--oracle", required=True, help="python with transformers==4.57.6")
    parser.add_argument("--write", type=Path, help="folder to write, tests/tasks/golden/ner")
    parser.add_argument("--checkpoint", type=Path, help="directory with model and tokenizer")
    parser.add_argument("--texts", type=Path, help="a file that tasks.ner reads")
    parser.add_argument("--most", type=int, default=200, help="sentences to compare")
    options = parser.parse_args()
    oracle = Oracle(options.oracle, "ner_oracle.py")
    if options.write is not None:
        with tempfile.TemporaryDirectory() as folder:
            write(oracle, options.write, Path(folder))
            examples = [ner.NerExample(text, words=words_of(text)) for text in TEXTS]
            return compare(Path(folder), oracle, examples)
    if options.checkpoint is None or options.texts is None:
        parser.error("give --write, or --checkpoint and --texts")
    dataset = ner.read_examples(options.texts)
    return compare(options.checkpoint, oracle, dataset.examples[: options.most])


if __name__ == "__main__":
    sys.exit(main())
