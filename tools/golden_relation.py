"""Golden files of relation extraction, and comparisons with transformers 4.57.6 on any examples.

    python tools/golden_relation.py --oracle PYTHON --write tests/tasks/golden/relation
    python tools/golden_relation.py --oracle PYTHON --checkpoint DIR --examples FILE

PYTHON is the interpreter of an environment with transformers==4.57.6, sentencepiece and torch. The
first form writes a tiny random `LukeForEntityPairClassification` for the tokenizer of
tests/tokenization/golden, and its logits for pairs of mentions in texts of several scripts, empty
and overlapping ones among them. The second compares a checkpoint on the examples of a file that
`tasks.relation` reads. Both end with status 1 if a piece differs, or a probability by more than
1e-5.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from exonym.tasks.relation import RelationExample, Span, load, read_examples
from exonym.tasks.relation.features import encode
from exonym.text import AnnotatedText
from oracle import TOKENIZER, tiny_config

ORACLE = Path(__file__).parent / "relation_oracle.py"
DIFFERENCE = 1e-5
NAMES = ("no_relation", "capital(e1,e2)", "capital(e2,e1)")
CONFIG = tiny_config(NAMES)
CASES: tuple[tuple[str, tuple[int, int], tuple[int, int]], ...] = (
    ("Tokyo is the capital of Japan, and its largest city.", (0, 5), (24, 29)),
    ("Tokyo is the capital of Japan, and its largest city.", (24, 29), (0, 5)),
    ("Kanadas Umweltminister John Baird (CDU)", (0, 6), (34, 38)),
    ("東京都は日本の首都である。", (0, 3), (4, 6)),
    ("北京是中华人民共和国的首都", (3, 10), (0, 2)),
    ("กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย", (0, 13), (29, 38)),
    ("القاهرة هي عاصمة مصر وأكبر مدنها", (17, 20), (0, 7)),
    ("दिल्ली भारत की राजधानी है", (0, 6), (7, 11)),
    ("Kent Station ( ) is an  railway station in Cork Ireland.", (23, 23), (49, 56)),
    ("In 2005  was purchased by SBC.", (8, 8), (3, 7)),
    ("The University of Tokyo in Tokyo", (0, 23), (18, 23)),
)


def ask(python: str, **request: Any) -> Any:
    """The oracle's answer."""
    done = subprocess.run(
        [python, str(ORACLE)],
        input=json.dumps(request),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def cases_of(examples: Sequence[RelationExample]) -> list[dict[str, Any]]:
    """Examples as the oracle takes them."""
    return [{"text": one.text.text, "head": one.head, "tail": one.tail} for one in examples]


def compare(directory: Path, examples: Sequence[RelationExample], theirs: Sequence[Any]) -> int:
    """Print how far both are apart; returns 1 if too far."""
    model = load(directory).model
    features = encode(examples, model.tokenizer, model.settings)
    ours = model.probabilities(features)
    largest, compared = 0.0, 0
    for example, feature, row, given in zip(examples, features, ours, theirs, strict=True):
        if given is None:
            continue
        if feature.text.input_ids.tolist() != given["ids"]:
            print(f"other pieces: {example.text.text!r}")
            return 1
        shares = np.exp(np.array(given["logits"], dtype=np.float64))
        largest = max(largest, float(np.abs(shares / shares.sum() - row).max()))
        compared += 1
    print(f"{compared} of {len(examples)} examples compared, largest difference {largest:.1e}")
    return int(largest > DIFFERENCE or not compared)


def write(python: str, out: Path) -> int:
    """Make the golden files, and compare."""
    examples = [
        RelationExample(str(number), AnnotatedText(text, "und"), Span(*head), Span(*tail))
        for number, (text, head, tail) in enumerate(CASES)
    ]
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "model"
        shutil.copytree(TOKENIZER, directory)
        cases = cases_of(examples)
        theirs = ask(python, directory=str(directory), make=CONFIG, cases=cases)
        out.mkdir(parents=True, exist_ok=True)
        for name in ("config.json", "model.safetensors"):
            (out / name).write_bytes((directory / name).read_bytes())
        kept = [{**case, **given} for case, given in zip(cases, theirs, strict=True)]
        content = json.dumps(kept, ensure_ascii=False).encode()
        (out / "expected.json.gz").write_bytes(gzip.compress(content, mtime=0))
        return compare(directory, examples, theirs)


def main() -> int:
    """Write golden files, or compare."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else None)
    parser.add_argument("--oracle", required=True, help="python of the other environment")
    parser.add_argument("--write", type=Path, help="directory of the golden files")
    parser.add_argument("--checkpoint", type=Path, help="a checkpoint to compare")
    parser.add_argument("--examples", type=Path, help="a file of examples")
    given = parser.parse_args()
    if given.write is not None:
        return write(given.oracle, given.write)
    if given.checkpoint is None or given.examples is None:
        parser.error("give --write, or --checkpoint and --examples")
    examples = read_examples(given.examples).examples
    directory = str(given.checkpoint)
    theirs = ask(given.oracle, directory=directory, make=None, cases=cases_of(examples))
    return compare(given.checkpoint, examples, theirs)


if __name__ == "__main__":
    sys.exit(main())
