"""From a compressed dump to text and links on disk: Exonym against wikipedia2vec, and scaling.

    python benchmarks/dumps.py enwiki-minidump.xml.bz2 elwiki-truncated.xml.xz --peer PYTHON

PYTHON is the interpreter of an environment with wikipedia2vec 2.0. For each dump:

- *end to end*: decompress, parse, scan, write. Ours is the step ``read`` of `exonym kb build`, on
  one process; theirs `DumpDB.build` with a pool of one. A ratio is the processor time of theirs by
  ours in one round, reader and worker process together: what a core can do. Wall time is shown too.
- *where the time goes*: the parts of ours, each timed alone on the same pages.
- *two processes*: the pages per second of two processes by twice those of one, several tasks each.
- *memory*: the largest resident size of a process that reads, after one and after all tasks.

The samples are small, so their pages are written several times, with other titles and ids, into a
.bz2 of about ``--megabytes`` (of XML). The scanner alone is timed by benchmarks/wikitext.py.
"""

from __future__ import annotations

import argparse
import bz2
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from exonym.foundation.compression import open_binary
from exonym.knowledge.building.build import plan_build
from exonym.knowledge.building.plan import working_folder
from exonym.knowledge.building.reading import article_line
from exonym.wikimedia import Page, open_dump
from exonym.wikimedia.articles import scan_pages

_PEER = """
import json, resource, sys, time
from wikipedia2vec.dump_db import DumpDB
from wikipedia2vec.utils.wiki_dump_reader import WikiDumpReader

if __name__ == "__main__":
    dump, out = sys.argv[1:]
    begun, used = time.perf_counter(), sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    DumpDB.build(
        WikiDumpReader(dump), out, pool_size=1, chunk_size=100, buffer_size=3000,
        init_map_size=500_000_000,
    )
    wall = time.perf_counter() - begun
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2]) - used
    used += sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    print(json.dumps([wall, used]))
"""
_OURS = """
import json, resource, sys, time
from pathlib import Path
from exonym.knowledge.building.plan import read_plan
from exonym.knowledge.building.reading import read_part

if __name__ == "__main__":
    plan, ranks = Path(sys.argv[1]), json.loads(sys.argv[2])
    read_plan(plan)
    begun, used = time.perf_counter(), sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    peaks = []
    for rank in ranks:
        read_part(plan, rank)
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    wall = time.perf_counter() - begun
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2]) - used
    print(json.dumps([wall, used, peaks[0], peaks[-1]]))
"""


def enlarged(source: Path, folder: Path, megabytes: float) -> tuple[Path, int]:
    """A .bz2 dump of about so many megabytes of XML: the pages of a dump, again and again."""
    with open_dump(source, keep_going=True) as reader:
        pages = list(reader)
        database, language = reader.siteinfo.database, reader.siteinfo.language
    with open_binary(source) as stream:
        head = stream.read(1 << 16).partition(b"<page>")[0].decode()
    written = [head]
    size = number = 0
    while size < megabytes * 1e6:
        for page in pages:
            number += 1
            written.append(_page(page, number))
            size += len(written[-1].encode())
    xml = "".join([*written, "</mediawiki>\n"]).encode()
    path = folder / f"{database}-20260101-pages-articles.xml.bz2"
    path.write_bytes(bz2.compress(xml))
    assert language
    return path, len(xml)


def _page(page: Page, number: int) -> str:
    redirect = f"    <redirect title={quoteattr(page.redirect)} />\n" if page.redirect else ""
    return (
        f"  <page>\n    <title>{escape(page.title)} {number}</title>\n"
        f"    <ns>{page.namespace}</ns>\n    <id>{number}</id>\n{redirect}"
        f"    <revision>\n      <id>{number}</id>\n"
        "      <model>wikitext</model>\n      <format>text/x-wiki</format>\n"
        f'      <text bytes="1" xml:space="preserve">{escape(page.text)}</text>\n'
        "    </revision>\n  </page>\n"
    )


def _run(python: str, script: str, *arguments: object) -> list[float]:
    command = [python, "-c", script, *map(str, arguments)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    return [float(figure) for figure in json.loads(answer.stdout.splitlines()[-1])]


def _plan(dump: Path, folder: Path, task_bytes: int) -> tuple[Path, int]:
    """The file of a plan whose tasks of reading can be run one by one, and how many there are."""
    plan = plan_build([dump], folder / "kb", keep_going=True, task_bytes=task_bytes)
    with working_folder(plan, overwrite=True) as plan_file:
        return plan_file, len(plan.readings)


def end_to_end(dump: Path, size: int, folder: Path, peer: str, rounds: int) -> dict[str, Any]:
    """Alternating rounds of both; seconds are of the processor."""
    plan, tasks = _plan(dump, folder, 1 << 40)
    assert tasks == 1
    ours, theirs = [], []
    script = folder / "peer.py"
    script.write_text(_PEER)
    for number in range(rounds):
        ours.append(_run(sys.executable, _OURS, plan, "[0]"))
        if peer:
            database = folder / f"{number}.db"
            answer = subprocess.run(
                [peer, script, dump, database], capture_output=True, text=True, check=True
            )
            theirs.append(json.loads(answer.stdout.splitlines()[-1]))
            database.unlink()
    figures: dict[str, Any] = {
        "megabytes": size / 1e6,
        "ours MB/s": size / 1e6 / min(run[1] for run in ours),
        "memory MiB": ours[-1][3],
    }
    if theirs:
        ratios = [their[1] / our[1] for their, our in zip(theirs, ours, strict=True)]
        figures["theirs MB/s"] = size / 1e6 / min(run[1] for run in theirs)
        figures["ratio"] = statistics.median(ratios)
        figures["least"], figures["most"] = min(ratios), max(ratios)
        figures["ratio of wall time"] = statistics.median(
            their[0] / our[0] for their, our in zip(theirs, ours, strict=True)
        )
    return figures


def parts(dump: Path) -> dict[str, float]:
    """Seconds of each part of ours, one after the other on all pages."""
    begun = time.perf_counter()
    with open_binary(dump) as stream:
        while stream.read(1 << 20):
            pass
    decompressed = time.perf_counter()
    with open_dump(dump, keep_going=True) as reader:
        for _ in reader:
            pass
    parsed = time.perf_counter()
    with open_dump(dump, keep_going=True) as reader:
        articles = list(scan_pages(reader))
    scanned = time.perf_counter()
    lines = [article_line(article) for article in articles if hasattr(article, "paragraphs")]
    packed = time.perf_counter()
    assert lines
    decompressing = decompressed - begun
    return {
        "decompress": decompressing,
        "parse XML": parsed - decompressed - decompressing,
        "scan": scanned - parsed - (parsed - decompressed),
        "JSON": packed - scanned,
    }


def scaling(dump: Path, size: int, folder: Path, rounds: int, tasks: int = 8) -> dict[str, float]:
    """How much of twice the speed two processes reach, each with half of the tasks."""
    plan, count = _plan(dump, folder, max(1, dump.stat().st_size // tasks))
    ranks = list(range(count))
    efficiencies, first, last = [], 0.0, 0.0
    for _ in range(rounds):
        alone = _run(sys.executable, _OURS, plan, json.dumps(ranks))
        first, last = alone[2], alone[3]
        halves = [ranks[0::2], ranks[1::2]]
        both = [
            subprocess.Popen(
                [sys.executable, "-c", _OURS, str(plan), json.dumps(half)],
                stdout=subprocess.PIPE, text=True,
            )
            for half in halves
        ]  # fmt: skip
        walls = [json.loads(process.communicate()[0].splitlines()[-1])[0] for process in both]
        efficiencies.append(alone[0] / (2 * max(walls)))
    return {
        "tasks": count,
        "efficiency": statistics.median(efficiencies),
        "least": min(efficiencies),
        "most": max(efficiencies),
        "MiB after the first task": first,
        "MiB after all": last,
        "MB/s of one process": size / 1e6 / alone[0],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dumps", nargs="+", type=Path)
    parser.add_argument("--peer", default="", help="interpreter with wikipedia2vec")
    parser.add_argument("--megabytes", type=float, default=30.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results: dict[str, Any] = {}
    for source in options.dumps:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            dump, size = enlarged(source, folder, options.megabytes)
            results[source.name] = found = {
                "end to end": end_to_end(dump, size, folder, options.peer, options.rounds),
                "seconds": parts(dump),
                "two processes": scaling(dump, size, folder, options.rounds),
            }
        print(source.name)
        for title, figures in found.items():
            shown = ", ".join(f"{key} {value:.2f}" for key, value in figures.items())
            print(f"  {title}: {shown}")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"largest process: {peak:.0f} MiB")
    if options.json:
        options.json.write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
