"""Tokenising texts with mentions: Exonym against transformers' mLUKE tokenizers, as ratios.

    python benchmarks/tokenizer.py --directory mluke-base/ --oracle PY457 --oracle5 PY5 --out r.json

PY457 and PY5 are interpreters of environments with transformers 4.57.6 and 5.x, sentencepiece and
torch. The rounds alternate; a ratio is their seconds by ours in one round. Texts are Atlas's
sentences in 24 languages, joined to passages, every name a mention; padded batches of numpy arrays
come out on both sides. ``--offsets`` also reads our offsets, which the others do not have. Without
``--oracle`` only our seconds are printed. Opening the entity vocabulary is timed by
benchmarks/vocabulary.py.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from exonym.atlas.table import load_table
from exonym.text import AnnotatedText, Mention
from exonym.tokenization import EntityTokenizer
from exonym.tokenization.borders import Boundary

BOUNDARIES: tuple[Boundary, ...] = ("hf", "faithful")
ORACLE = Path(__file__).parents[1] / "tools" / "tokenizer_oracle.py"


def passages(count: int, sentences: int, seed: int) -> list[AnnotatedText]:
    """Passages of several sentences about Atlas's facts, the languages in turn."""
    table, rng = load_table(), random.Random(seed)
    languages = table.languages()
    tellable = {
        code: [fact for fact in table.facts if table.can_tell(fact, code)] for code in languages
    }
    made = []
    for number in range(count):
        code = languages[number % len(languages)]
        text, mentions = "", []
        for fact in rng.sample(tellable[code], sentences):
            wording = rng.choice(table.relations[fact.relation].templates[code])
            slots = sorted(("[X]", "[Y]"), key=wording.index)
            for slot in slots:
                entity = fact.subject if slot == "[X]" else fact.object
                before, wording = wording.split(slot, 1)
                name = str(table.entities[entity].name(code))
                start = len(text) + len(before)
                text += before + name
                mentions.append(Mention(start, start + len(name)))
            text += wording + " "
        made.append(AnnotatedText(text.strip(), code, tuple(mentions)))
    return made


class Oracle:
    """Another environment's tokenizer, timed in its own process."""

    def __init__(self, python: str, directory: Path, texts: list[AnnotatedText], batch: int):
        self._process = subprocess.Popen(
            [python, str(ORACLE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        cases = [{"text": t.text, "spans": [[m.start, m.end] for m in t.mentions]} for t in texts]
        self._request = json.dumps(
            {"directory": str(directory), "task": None, "time": cases, "batch": batch, "rounds": 1}
        )

    def seconds(self) -> float:
        """One round."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(self._request, file=self._process.stdin, flush=True)
        return float(json.loads(self._process.stdout.readline())["seconds"][0])


def our_seconds(
    tokenizer: EntityTokenizer, texts: list[AnnotatedText], batch: int, *, offsets: bool
) -> float:
    begun = time.perf_counter()
    for start in range(0, len(texts), batch):
        encoded = tokenizer(texts[start : start + batch], max_length=10**6)
        if offsets:
            for text in encoded.texts:
                assert len(text.offsets) == len(text.input_ids)
    return time.perf_counter() - begun


def spread(values: list[float]) -> dict[str, float]:
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--directory", type=Path, required=True, help="a tokenizer's directory")
    parser.add_argument("--oracle", help="python with transformers==4.57.6")
    parser.add_argument("--oracle5", help="python with transformers 5")
    parser.add_argument("--texts", type=int, default=960)
    parser.add_argument("--sentences", type=int, default=6, help="of each text")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--offsets", action="store_true", help="read our offsets, too")
    parser.add_argument("--out", type=Path, help="JSON with all rounds")
    options = parser.parse_args()
    texts = passages(options.texts, options.sentences, seed=0)
    characters, mentions = sum(len(t.text) for t in texts), sum(len(t.mentions) for t in texts)
    print(f"{len(texts):,} texts, {characters:,} characters, {mentions:,} mentions")
    named = {"transformers 4.57.6": options.oracle, "transformers 5": options.oracle5}
    oracles = {
        name: Oracle(python, options.directory, texts, options.batch)
        for name, python in named.items()
        if python
    }
    ours = {
        boundary: EntityTokenizer.from_pretrained(options.directory, boundary=boundary)
        for boundary in BOUNDARIES
    }
    rounds: list[dict[str, float]] = []
    for number in range(options.rounds + 1):
        row = {name: oracle.seconds() for name, oracle in oracles.items()}
        for name, tokenizer in ours.items():
            row[name] = our_seconds(tokenizer, texts, options.batch, offsets=options.offsets)
        if number:  # the first round warms up
            rounds.append(row)
    report: dict[str, Any] = {"texts": len(texts), "characters": characters, "rounds": rounds}
    report["seconds"] = {name: spread([row[name] for row in rounds]) for name in rounds[0]}
    report["ratios"] = {
        f"{name} by {boundary}": spread([row[name] / row[boundary] for row in rounds])
        for name in oracles
        for boundary in BOUNDARIES
    }
    for title in ("seconds", "ratios"):
        for name, found in report[title].items():
            low, middle, high = (f"{found[key]:.3f}" for key in ("min", "median", "max"))
            print(f"{title:8} {name:32} {middle} ({low} to {high})")
    if options.out:
        options.out.write_text(json.dumps(report, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
