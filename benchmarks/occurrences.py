"""Counting names in text: megabytes a second, and bytes of memory a name; beside other libraries.

Makes names and texts of words that are as unevenly frequent as real ones, in a script with blanks
(English letters) and in one without (Han), and counts each name's occurrences: with
`OccurrenceCounter`, and, where they are installed (``--peer`` names another Python that has them),
with daachorse (all overlapping matches, then borders) and marisa-trie (all prefixes at each start).
Each run is a process of its own, all of a round in turn; the counts must be identical.

    python benchmarks/occurrences.py --peer PYTHON           # about five minutes
    python benchmarks/occurrences.py --names 5000000 --peer-most 0

The figures are best of the rounds, seconds those of the processor, megabytes UTF-8. The peers count
in Python, match by match; their search alone is given as well, where it is one call.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

WORDS = {"spaced": 60_000, "unspaced": 6_000}
LETTERS = "etaoinshrdlucmfwyp"
LONGEST = 6  # words (or Han characters) in a name, exclusive
PEERS = ("daachorse", "marisa_trie")


def make(folder: Path, kind: str, names: int, megabytes: float) -> None:
    """Write ``texts`` and ``names``, one a line, of one kind of script."""
    rng = np.random.default_rng([names, kind == "spaced"])
    different, join = min(WORDS[kind], 20 * names), ""
    words = [chr(0x4E00 + number) for number in range(different)]
    if kind == "spaced":
        join, sizes = " ", rng.integers(2, 10, 2 * different).tolist()
        letters = iter(rng.choice(list(LETTERS), sum(sizes)).tolist())
        made = ["".join(itertools.islice(letters, size)) for size in sizes]
        made = [word.capitalize() if n % 3 == 0 else word for n, word in enumerate(made)]
        words = list(dict.fromkeys(made))[:different]

    def draw(count: int) -> list[str]:
        ranks = np.minimum(rng.pareto(0.9, count) * 20, len(words) - 1).astype(int)
        return [words[rank] for rank in ranks.tolist()]

    written = 0
    with (folder / "texts").open("w", encoding="utf-8") as stream:
        while written < megabytes * 1e6:
            text = join.join(draw(80))
            written += len(text.encode()) + 1
            stream.write(text + "\n")
    found: set[str] = set()
    while len(found) < names:
        sizes = rng.integers(1, LONGEST, names - len(found)).tolist()
        picked = iter(draw(sum(sizes)))
        found.update(join.join([next(picked) for _ in range(size)]) for size in sizes)
    with (folder / "names").open("w", encoding="utf-8") as stream:
        stream.writelines(f"{name}\n" for name in sorted(found))


def count_here(folder: Path, kind: str) -> dict[str, float]:
    """Count with `OccurrenceCounter`; to be run in a fresh process."""
    from exonym.knowledge.occurrence_counting import OccurrenceCounter

    names = (folder / "names").read_bytes().splitlines()
    texts = (folder / "texts").read_text("utf-8").split("\n")[:-1]
    before, started = peak_memory(), time.process_time()
    counter = OccurrenceCounter(names, spaced=kind == "spaced")
    built = time.process_time() - started
    building = peak_memory() - before
    started = time.process_time()
    counter.add(texts)
    seconds = time.process_time() - started
    np.save(folder / "exonym.npy", counter.counts)
    counter.save(folder, "table")
    size = sum(path.stat().st_size for path in folder.glob("table.*"))
    return {
        "building_seconds": built,
        "building_bytes_a_name": building / len(names),
        "table_bytes_a_name": size / len(names),
        "counting_seconds": seconds,
    }


def peak_memory() -> int:
    """The most memory that this process has held, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    raise SystemExit("this system does not say how much memory a process has held")


PEER = """
import json, sys, time, unicodedata
peer, folder, kind = sys.argv[1:4]
try:
    module = __import__(peer)
except ImportError:
    print("null")
    sys.exit()
def peak():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024
names = open(folder + "/names", encoding="utf-8").read().split("\\n")[:-1]
texts = open(folder + "/texts", encoding="utf-8").read().split("\\n")[:-1]
counts = [0] * len(names)
spaced = kind == "spaced"
word = lambda c: c.isalnum() or c == "_"  # these names and texts have no marks
result = {}
before, started = peak(), time.process_time()
if peer == "daachorse":
    automaton = module.DoubleArrayAhoCorasick([name.encode() for name in names])
else:
    trie = module.Trie(names)
    number = {trie.key_id(name): row for row, name in enumerate(names)}
result["building_seconds"] = time.process_time() - started
result["building_bytes_a_name"] = (peak() - before) / len(names)
if peer == "daachorse":
    encoded = [text.encode() for text in texts]
    started = time.process_time()
    for data in encoded:
        automaton.find_overlapping(data)
    result["searching_seconds"] = time.process_time() - started
started = time.process_time()
for text in texts:
    if peer == "daachorse":
        data = text.encode()
        for start, end, row in automaton.find_overlapping(data):
            if spaced:  # all ASCII, so places of bytes are those of characters
                if start and word(text[start - 1]) and word(text[start]):
                    continue
                if end < len(text) and word(text[end]) and word(text[end - 1]):
                    continue
            counts[row] += 1
    else:
        for start in range(len(text)):
            if spaced and start and word(text[start - 1]) and word(text[start]):
                continue
            for name in trie.prefixes(text[start:]):
                end = start + len(name)
                if spaced and end < len(text) and word(text[end]) and word(text[end - 1]):
                    continue
                counts[number[trie.key_id(name)]] += 1
result["counting_seconds"] = time.process_time() - started
open(folder + "/" + peer + ".json", "w").write(json.dumps(counts))
print(json.dumps(result))
"""


def measure(who: str, peer: str, folder: Path, kind: str) -> dict[str, float] | None:
    """One run in a fresh process; None where the library is not installed."""
    here = [sys.executable, __file__, "--count", str(folder), kind]
    command = here if who == "exonym" else [peer, "-c", PEER, who, str(folder), kind]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    result: dict[str, float] | None = json.loads(done.stdout)
    return result


def compare(kind: str, names: int, options: argparse.Namespace) -> dict[str, Any]:
    """All rounds of one kind of script and number of names."""
    runs: dict[str, list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make(folder, kind, names, options.megabytes)
        size = (folder / "texts").stat().st_size / 1e6
        for _ in range(options.rounds):
            for who in ("exonym", *(PEERS if names <= options.peer_most else ())):
                figures = measure(who, options.peer, folder, kind)
                if figures is not None:
                    runs.setdefault(who, []).append(figures)
        ours = np.load(folder / "exonym.npy")
        for who in set(runs) & set(PEERS):
            if ours.tolist() != json.loads((folder / f"{who}.json").read_text()):
                raise SystemExit(f"{who} counts otherwise ({kind}, {names:,} names)")
    result: dict[str, Any] = {
        "kind": kind, "names": names, "megabytes": size, "occurrences": int(ours.sum()),
    }  # fmt: skip
    for who, found in runs.items():
        result[who] = {key: min(run[key] for run in found) for key in found[0]}
        for work in ("counting", "searching"):
            if f"{work}_seconds" in result[who]:
                rate = size / result[who][f"{work}_seconds"]
                result[who][f"{work}_megabytes_per_second"] = rate
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--names", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--megabytes", type=float, default=16.0, help="of text")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer", default=sys.executable, help="the Python that has the others")
    parser.add_argument("--peer-most", type=int, default=1_000_000, help="names that peers get")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--count", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.count:
        print(json.dumps(count_here(Path(options.count[0]), options.count[1])))
        return
    results = [compare(kind, names, options) for names in options.names for kind in WORDS]
    text = json.dumps(results, indent=2)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
