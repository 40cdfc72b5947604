"""A knowledge base of a million entities: what building it takes, and what it gives then.

Makes a table of facts (`scale_world`), has Atlas tell it as dumps in 24 languages, builds a
knowledge base from them, and measures, each in processes of its own:

- telling (without control facts, which cost memory) and building: seconds, seconds of the
  processors, the most memory that the command and its children held at one time (their resident
  sets, in which shared pages count once for each of them, and the private part), and the most that
  one of them held;
- opening it: seconds and private memory, before and after looking up;
- look-ups of names and records of entities per second of one core.

    python benchmarks/knowledge_scale.py                               # some minutes
    python benchmarks/knowledge_scale.py --entities 1000000 --folder DIR --json FILE

At a million entities there are about ten million names (entity, language, surface) and twenty
million links; telling it takes longer than building it, and more memory. ``--folder`` keeps the
dumps, and uses them again. Linux only: memory is read from /proc.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from exonym.foundation.json_lines import read_json_lines
from scale_world import write_table

POLL_SECONDS = 0.1
QUERIES = 200_000
TELL = """
import sys
from pathlib import Path
from exonym.atlas import TellingOptions, write_atlas
table, out = map(Path, sys.argv[1:])
write_atlas(out, table=table, options=TellingOptions(control_share=0.0), processes=2)
"""


def watch(command: list[str]) -> dict[str, float]:
    """Run a command and watch the memory of all processes that it starts."""
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak, private, largest, processes = 0, 0, 0, 0
    while process.poll() is None:
        sizes = [memory(pid) for pid in family(process.pid)]
        peak = max(peak, sum(size["VmRSS"] for size in sizes))
        private = max(private, sum(size["RssAnon"] for size in sizes))
        largest = max([largest, *(size["VmRSS"] for size in sizes)])
        processes = max(processes, len(sizes))
        time.sleep(POLL_SECONDS)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with status {process.returncode}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "seconds": time.monotonic() - started,
        "processor_seconds": used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime,
        "peak_mib": peak / 1024,
        "peak_private_mib": private / 1024,
        "largest_process_mib": largest / 1024,
        "processes": processes,
    }


def family(pid: int) -> list[int]:
    """A process, its children, their children."""
    found = [pid]
    for parent in found:  # grows while it is read
        for thread in _listed(Path(f"/proc/{parent}/task")):
            try:
                found.extend(map(int, (thread / "children").read_text().split()))
            except OSError:
                continue  # it has ended meanwhile
    return found


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:  # the process has ended meanwhile
        return []


def memory(pid: int | str) -> dict[str, int]:
    """Kibibytes of resident memory, and of the private part of it."""
    sizes = {"VmRSS": 0, "RssAnon": 0}
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:  # it has ended meanwhile
        return sizes
    for line in lines:
        name, _, value = line.partition(":")
        if name in sizes:
            sizes[name] = int(value.split()[0])
    return sizes


def names_of(table: Path, entities: int, count: int) -> list[tuple[str, str, str]]:
    """Names of the table, evenly spread and in no order: (entity, language, name)."""
    draw = random.Random(1)
    chosen = Counter(draw.randrange(entities) for _ in range(count))
    found, number = [], 0
    for _, value in read_json_lines(table):
        if value["type"] == "entity":
            for _ in range(chosen[number]):
                language = draw.choice(list(value["names"]))
                found.append((value["id"], language, draw.choice(value["names"][language])))
            number += 1
    draw.shuffle(found)
    return found


def query(folder: Path, queries: Path) -> dict[str, float]:
    """Open the knowledge base and ask; to be run in a fresh process."""
    from exonym.knowledge import KnowledgeBase

    asked = [line.split("\t") for line in queries.read_text("utf-8").splitlines()]
    pairs = [(name, language) for _, language, name in asked]
    keys = [key for key, _, _ in asked]
    before, started = memory("self")["RssAnon"], time.perf_counter()
    kb = KnowledgeBase.open(folder)
    result = {"open_seconds": time.perf_counter() - started}
    result["private_mib"] = (memory("self")["RssAnon"] - before) / 1024
    started = time.process_time()
    found = sum(1 for name, language in pairs if kb.candidates(name, language))
    result["lookups_per_second"] = len(pairs) / (time.process_time() - started)
    started = time.process_time()
    links = sum(kb.entity(key).link_count > 0 for key in keys)
    result["records_per_second"] = len(keys) / (time.process_time() - started)
    started = time.process_time()
    unknown = sum(1 for name, language in pairs if kb.candidates(f"{name}?", language))
    result["unknown_names_per_second"] = len(pairs) / (time.process_time() - started)
    result["private_after_queries_mib"] = (memory("self")["RssAnon"] - before) / 1024
    result["names_found"] = found / len(pairs)
    result["entities_linked"] = links / len(keys)
    result["unknown_names_found"] = unknown / len(pairs)
    return result


def ask(folder: Path, queries: Path, rounds: int) -> dict[str, Any]:
    command = [sys.executable, __file__, "--query", str(folder), str(queries)]
    runs = []
    for _ in range(rounds):
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
        runs.append(json.loads(done.stdout))
    return {
        name: {
            "median": statistics.median(run[name] for run in runs),
            "least": min(run[name] for run in runs),
            "most": max(run[name] for run in runs),
        }
        for name in runs[0]
    }


def run(folder: Path, entities: int, processes: int, rounds: int, seed: int) -> dict[str, Any]:
    exonym = [sys.executable, "-m", "exonym"]
    table, dumps, out = folder / "table.jsonl.zst", folder / "dumps", folder / "kb"
    result: dict[str, Any] = {
        "machine": {"cores": os.cpu_count(), "python": sys.version.split()[0]}
    }
    result["machine"]["processor"] = platform.processor() or platform.machine()
    if not table.is_file():
        result["table"] = write_table(table, entities, seed)
        note(f"table: {result['table']}")
    if not dumps.is_dir():
        result["telling"] = watch([sys.executable, "-c", TELL, str(table), str(dumps)])
        note(f"telling: {result['telling']}")
    told = json.loads((dumps / "manifest.json").read_text("utf-8"))
    if told["entities"] != entities:
        raise SystemExit(f"{dumps} tells {told['entities']:,} entities, not {entities:,}")
    result["told"] = {"entities": told["entities"], **told["counts"]["total"]}
    result["dump_bytes"] = sum(path.stat().st_size for path in dumps.glob("*-2*.bz2"))
    build = [*exonym, "kb", "build", "--dumps", str(dumps), "--out", str(out), "--overwrite"]
    result["building"] = watch([*build, "--processes", str(processes)])
    note(f"building: {result['building']}")
    result["knowledge_base"] = describe(out)
    queries = folder / "queries.tsv"
    with queries.open("w", encoding="utf-8") as stream:
        asked = names_of(table, entities, min(QUERIES, 20 * entities))
        stream.writelines("\t".join(line) + "\n" for line in asked)
    result["asking"] = ask(out, queries, rounds)
    return result


def describe(out: Path) -> dict[str, Any]:
    """What the knowledge base holds, as its manifest and its columns say."""
    import numpy as np

    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    names = np.load(out / "names.count.npy", mmap_mode="r")
    return {
        "totals": manifest["totals"],
        "names": len(names),
        "bytes": sum(path.stat().st_size for path in out.rglob("*") if path.is_file()),
    }


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--entities", type=int, default=20_000)
    parser.add_argument("--processes", type=int, default=2, help="of kb build")
    parser.add_argument("--rounds", type=int, default=5, help="of opening and asking")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="keep the files here, and use them again")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--query", type=Path, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.query:
        print(json.dumps(query(*options.query)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder: Path = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        result = run(folder, options.entities, options.processes, options.rounds, options.seed)
    text = json.dumps(result, indent=2)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
