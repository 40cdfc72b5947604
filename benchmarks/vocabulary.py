"""An entity vocabulary of the released size: converting, opening, looking up; against json.load.

Writes a synthetic ``entity_vocab.json`` (8.4 million names of 1.2 million rows in 24 languages,
about 439 MB, as the released mLUKE has), then measures, each in a process of its own:

- converting it: seconds and peak memory;
- opening it afterwards, and opening the file as transformers 4.57.6 does, with `json.load`, in
  turn: seconds and private memory, and the ratio;
- look-ups a second: one by one, many at a time, by item, and back.

    python benchmarks/vocabulary.py                       # about four minutes, 1.5 GB of disk
    python benchmarks/vocabulary.py --rows 20000 --names 140000    # some seconds
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

LETTERS = {
    "latin": "aeioubcdfghjklmnprstvwz",
    "accents": "aeiouáéíóöüçñśłbcdfghklmnprstz",
    "cyrillic": "аеиоубвгдзклмнпрстхч",
    "greek": "αεηιοβγδκλμνπρστφχ",
    "arabic": "ابتثجحدرزسشعفقكلمنهوي",
    "devanagari": "कखगघचजटडतदनपबमयरलवसहािीुे",
    "bengali": "কখগঘচজটডতদনপবমযরলসহািীুে",
    "thai": "กขคงจชดตทนบปพมยรลวสหาิีุ",
    "han": "東京大学日本国中人山川上下田北南西海道市長家文化学",
    "hangul": "가나다라마바사아자차카타파하서울부산대한국",
    "kana": "アイウエオカキクケコサシスセソタチツテトナニマミラリルレロン",
}
SCRIPTS = {
    "ar": "arabic", "bn": "bengali", "de": "latin", "el": "greek", "en": "latin",
    "es": "accents", "fi": "accents", "fr": "accents", "hi": "devanagari", "id": "latin",
    "it": "latin", "ja": "kana", "ko": "hangul", "nl": "latin", "pl": "accents", "pt": "accents",
    "ru": "cyrillic", "sv": "accents", "sw": "latin", "te": "bengali", "th": "thai",
    "tr": "accents", "vi": "accents", "zh": "han",
}  # fmt: skip
SHARE = {"en": 4.0, "de": 3.0, "fr": 3.0, "sw": 0.2, "te": 0.3, "hi": 0.5, "bn": 0.5}
TRAPS = ('"Weird Al" 5,', "AC\\DC", "Wake Up, 5, ", ": Colon", 'Say "10", "20": 5')
WORDS = 4000


def make(path: Path, rows: int, names: int) -> None:
    """Write the file: sorted, two blanks of indentation, no escapes beyond JSON's."""
    rng = np.random.default_rng(0)
    total = sum(SHARE.get(code, 1.0) for code in SCRIPTS)
    with path.open("w", encoding="utf-8") as stream:
        stream.write(f'{{\n  "[MASK2]": {rows - 1},\n  "[MASK]": 2,\n')
        stream.write('  "[PAD]": 0,\n  "[UNK]": 1')
        for code, script in sorted(SCRIPTS.items()):
            count = min(int((names - 4) * SHARE.get(code, 1.0) / total), rows - 4)
            titles = sorted(make_titles(script, count, rng))
            chosen = rng.permutation(rows - 4)[:count] + 3
            stream.writelines(
                f",\n  {json.dumps(f'{code}:{title}', ensure_ascii=False)}: {row}"
                for title, row in zip(titles, chosen.tolist(), strict=True)
            )
        stream.write("\n}\n")


def make_titles(script: str, count: int, rng: np.random.Generator) -> set[str]:
    letters = LETTERS[script]
    draw = random.Random(int(rng.integers(2**32)))
    wide = len(letters[-1].encode())
    words = [
        "".join(draw.choices(letters, k=draw.randint(3, 12 if wide == 1 else 6))).capitalize()
        for _ in range(WORDS)
    ]
    join = "" if script in ("han", "kana", "thai") else " "
    titles = set(TRAPS[: count // 100])
    while len(titles) < count:
        need = count - len(titles)
        numbers = rng.integers(0, WORDS, (need, 5)).tolist()
        lengths = rng.integers(2, 6, need).tolist()
        titles.update(
            join.join([words[i] for i in line[:length]])
            for line, length in zip(numbers, lengths, strict=True)
        )
    return titles


MEASURE = """
import json, sys, time
def memory(kind):
    lines = open("/proc/self/status").read().splitlines()
    return next(int(l.split()[1]) for l in lines if l.startswith(kind)) / 1024
def private():
    return memory("RssAnon")
kind, source, folder = sys.argv[1:4]
result = {}
if kind != "json":
    from pathlib import Path
    from exonym.knowledge import EntityVocabulary
before, started = private(), time.perf_counter()
if kind == "json":
    with open(source, encoding="utf-8") as stream:
        vocabulary = json.load(stream)
elif kind == "import":
    vocabulary = EntityVocabulary.import_json(source, folder, overwrite=True)
else:
    vocabulary = EntityVocabulary.from_json(source)
result["seconds"] = time.perf_counter() - started
result["private_mib"] = private() - before
result["peak_mib"] = memory("VmHWM")
if kind == "open":
    for row in range(0, len(vocabulary), max(len(vocabulary) // 1000, 1)):
        vocabulary.row(vocabulary.names(row)[0]) if vocabulary.names(row) else None
    result["private_after_1000_lookups_mib"] = private() - before
    import random
    draw = random.Random(1)
    rows = [draw.randrange(len(vocabulary)) for _ in range(min(100_000, 10 * len(vocabulary)))]
    def rate(name, count, work):
        started = time.perf_counter()
        work()
        result[name] = count / (time.perf_counter() - started)
    names = []
    rate("rows_to_names", len(rows), lambda: names.extend(map(vocabulary.names, rows)))
    rate("rows_to_keys", len(rows), lambda: list(map(vocabulary.key, rows)))
    keys = [name for group in names for name in group]
    draw.shuffle(keys)
    keys = keys[:200_000]
    pairs = [key.partition(":")[::2] for key in keys if ":" in key]
    rate("single", len(keys), lambda: [vocabulary.row(key) for key in keys])
    rate("by_title", len(pairs), lambda: [vocabulary.row_of_title(*pair) for pair in pairs])
    rate("batched", len(keys), lambda: vocabulary.rows(keys))
    unknown = [key + "?" for key in keys]
    rate("unknown", len(keys), lambda: [vocabulary.row(key) for key in unknown])
print(json.dumps(result))
"""


def measure(kind: str, source: Path, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-c", MEASURE, kind, str(source), str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    value: dict[str, float] = json.loads(done.stdout)
    return value


def spread(runs: list[dict[str, float]], name: str) -> dict[str, float]:
    values = [run[name] for run in runs]
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def run(folder: Path, rows: int, names: int, rounds: int) -> dict[str, Any]:
    source = folder / "entity_vocab.json"
    started = time.monotonic()
    if not source.is_file():
        make(source, rows, names)
        print(f"made in {time.monotonic() - started:.0f} s", file=sys.stderr)
    imported = measure("import", source, folder / "imported")
    measure("open", source, folder)  # converts it where it is found again
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(measure("open", source, folder))
        theirs.append(measure("json", source, folder))
    ratios = [b["seconds"] / a["seconds"] for a, b in zip(ours, theirs, strict=True)]
    return {
        "file": {"bytes": source.stat().st_size, "rows": rows, "names": names},
        "import": imported,
        "open": {name: spread(ours, name) for name in ours[0]},
        "json_load": {name: spread(theirs, name) for name in theirs[0]},
        "ratio_of_opening": {
            "median": statistics.median(ratios), "least": min(ratios), "most": max(ratios),
        },
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_200_000)
    parser.add_argument("--names", type=int, default=8_400_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="keep the files here, and use them again")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder: Path = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        result = run(folder, options.rows, options.names, options.rounds)
    text = json.dumps(result, indent=2)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
