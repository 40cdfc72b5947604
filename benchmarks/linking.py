"""Finding names in text: megabytes a second and bytes a name, beside other libraries.

Makes names and texts of words that are as unevenly frequent as real ones, in a script with blanks
(English letters) and in one without (Han), and finds every occurrence of every name: with
`NameIndex`, and, where they are installed (``--peer`` names another Python that has them), with
marisa-trie (all prefixes at each border), pyahocorasick and daachorse (all overlapping matches,
then borders). What is timed is the whole step from a list of texts to four arrays: text, start and
end in characters, name. The others get text that is folded already. All must find the same.

Each library is a process of its own that builds once; then they take turns, round by round. Seconds
are those of the processor, the best of the rounds; megabytes are UTF-8. The time that a library
needs for its search alone, without borders and arrays, is given apart.

    python benchmarks/linking.py --peer PYTHON                       # about ten minutes, 3 GB
    python benchmarks/linking.py --names 10000000 --peers daachorse --peer PYTHON
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from occurrences import make

KINDS = ("spaced", "unspaced")
PEERS = {"spaced": ("marisa_trie", "ahocorasick"), "unspaced": ("daachorse",)}

# What every process does: build once, then find at each line that comes in.
WORKER = """
import hashlib, itertools, json, sys, time
import numpy as np
who, folder, kind = sys.argv[1:4]
def memory(what):
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) * 1024
names = open(folder + "/names", encoding="utf-8").read().split("\\n")[:-1]
texts = open(folder + "/texts", encoding="utf-8").read().split("\\n")[:-1]
spaced = kind == "spaced"
if who != "exonym":
    # These names and texts are all Han or ASCII, so this is what folding does.
    texts = [text.lower() for text in texts]
def table(rows, width):
    numbers = itertools.chain.from_iterable(rows)
    return np.fromiter(numbers, np.int64, width * len(rows)).reshape(-1, width).T
before, started = memory("VmRSS"), time.process_time()
"""

OF_EXONYM = """
from pathlib import Path
from exonym.linking.name_index import NameIndex
index = NameIndex.of(names)
index.find(["warm"])
def find():
    found = index.find(texts)
    return found.text, found.start, found.end, found.name
def rows(name):
    owners, found = index.surfaces_of(name)
    assert len(found) == len(name)  # the names are folded, so each is one
    return found
search = None
index._table.save(Path(folder))
size = sum(path.stat().st_size for path in Path(folder).glob("*.npy"))
"""

OF_MARISA_TRIE = """
import marisa_trie
trie = marisa_trie.Trie(names)
number = np.empty(len(names), np.int64)
for row, name in enumerate(names):
    number[trie[name]] = row
longest = max(map(len, names))
def borders(text):
    return [
        place for place in range(len(text))
        if not (place and text[place].isalnum() and text[place - 1].isalnum())
    ]
def find():
    found = []
    prefixes = trie.iter_prefixes_with_ids
    for count, text in enumerate(texts):
        starts = borders(text)
        ends = {*starts, len(text)}
        for start in starts:
            for name, row in prefixes(text[start:start + longest]):
                if start + len(name) in ends:
                    found.append((count, start, start + len(name), row))
    return table(found, 4)
def search():
    for text in texts:
        for start in borders(text):
            trie.prefixes(text[start:start + longest])
rows = number.__getitem__
size = len(trie.tobytes())
"""

OF_AHOCORASICK = """
import ahocorasick
automaton = ahocorasick.Automaton()
for row, name in enumerate(names):
    automaton.add_word(name, (row, len(name)))
automaton.make_automaton()
def find():
    found = []
    add = found.append
    for count, text in enumerate(texts):
        inside = [False, *map(str.isalnum, text), False]
        for last, (row, length) in automaton.iter(text):
            end = last + 1
            start = end - length
            # Between places p - 1 and p; `inside` has one more in front.
            if inside[start] and inside[start + 1] or inside[end] and inside[end + 1]:
                continue
            add((count, start, end, row))
    return table(found, 4)
def search():
    for text in texts:
        for match in automaton.iter(text):
            pass
rows = np.asarray
size = automaton.get_stats()["total_size"]
"""

OF_DAACHORSE = """
import daachorse
automaton = daachorse.CharwiseDoubleArrayAhoCorasick(names)
def find():
    counts, found = [], []
    for text in texts:
        here = automaton.find_overlapping(text)
        counts.append(len(here))
        found.extend(here)
    return np.repeat(np.arange(len(texts)), counts), *table(found, 3)
def search():
    for text in texts:
        automaton.find_overlapping(text)
rows = np.asarray
size = len(automaton.serialize())
"""

ROUNDS = """
print(json.dumps({
    "building_seconds": time.process_time() - started,
    "building_bytes_a_name": (memory("VmHWM") - before) / len(names),
    "bytes_a_name": size / len(names),
}), flush=True)
digest = None
for line in sys.stdin:
    result = {}
    started = time.process_time()
    text, start, end, name = find()
    result["seconds"] = time.process_time() - started
    if search is not None:
        started = time.process_time()
        search()
        result["searching_seconds"] = time.process_time() - started
    if digest is None:
        found = np.stack([text, start, end, rows(name)]).astype(np.int64)
        found = found[:, np.lexsort((found[2], found[1], found[0]))]
        digest = hashlib.sha256(np.ascontiguousarray(found).tobytes()).hexdigest()
    print(json.dumps({**result, "found": len(text), "digest": digest}), flush=True)
"""
PROGRAMS = {
    "exonym": OF_EXONYM,
    "marisa_trie": OF_MARISA_TRIE,
    "ahocorasick": OF_AHOCORASICK,
    "daachorse": OF_DAACHORSE,
}


class Library:
    """A process that has built its index of the names and waits."""

    def __init__(self, who: str, python: str, folder: Path, kind: str) -> None:
        self.who, self.rounds = who, list[dict[str, Any]]()
        program = WORKER + PROGRAMS[who] + ROUNDS
        command = [sys.executable if who == "exonym" else python, "-c", program]
        self._process = subprocess.Popen(
            [*command, who, str(folder), kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def answer(self) -> dict[str, Any] | None:
        """The next line of figures; None where the library is not installed."""
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        line = self._process.stdout.readline()
        if line:
            return dict(json.loads(line))
        errors = self._process.stderr.read()
        if "ModuleNotFoundError" in errors and self.who != "exonym":
            return None
        raise SystemExit(f"{self.who} failed: {errors}")

    def round(self) -> None:
        """Find everything once more."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        figures = self.answer()
        assert figures is not None
        self.rounds.append(figures)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def fold_names(folder: Path) -> int:
    """Leave each name once as folded; returns how many there are."""
    names = (folder / "names").read_text("utf-8").split("\n")[:-1]
    folded = sorted({name.lower() for name in names})
    (folder / "names").write_text("".join(f"{name}\n" for name in folded), encoding="utf-8")
    return len(folded)


def compare(kind: str, names: int, options: argparse.Namespace) -> dict[str, Any]:
    """All rounds of one kind of script and number of names."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make(folder, kind, names, options.megabytes)
        different = fold_names(folder)
        megabytes = (folder / "texts").stat().st_size / 1e6
        result: dict[str, Any] = {"kind": kind, "names": different, "megabytes": megabytes}
        libraries = []
        for who in ("exonym", *(peer for peer in PEERS[kind] if peer in options.peers)):
            library = Library(who, options.peer, folder, kind)
            built = library.answer()  # one after the other: building is timed as well
            if built is not None:
                result[who] = built
                libraries.append(library)
        for _ in range(options.rounds):
            for library in libraries:
                library.round()
        for library in libraries:
            library.close()
            if library.rounds[0]["digest"] != libraries[0].rounds[0]["digest"]:
                raise SystemExit(f"{library.who} finds something else ({kind}, {names:,} names)")
            result["found"] = library.rounds[0]["found"]
            for field in ("seconds", "searching_seconds"):
                if field in library.rounds[0]:
                    best = min(figures[field] for figures in library.rounds)
                    result[library.who][field] = best
                    rate = field.replace("seconds", "megabytes_a_second")
                    result[library.who][rate] = megabytes / best
        for library in libraries[1:]:
            ratios = [
                theirs["seconds"] / ours["seconds"]
                for theirs, ours in zip(library.rounds, libraries[0].rounds, strict=True)
            ]
            result[library.who]["times_slower_by_round"] = ratios
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--names", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--megabytes", type=float, default=8.0, help="of text")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer", default=sys.executable, help="the Python that has the others")
    parser.add_argument("--peers", nargs="*", default=["marisa_trie", "ahocorasick", "daachorse"])
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    results = [compare(kind, names, options) for names in options.names for kind in options.kinds]
    text = json.dumps(results, indent=2)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
