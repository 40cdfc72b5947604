"""Wikitext to text and links: Exonym against wikipedia2vec, as ratios, per language.

    python benchmarks/wikitext.py DUMP... --peer PYTHON --json r.json

PYTHON is the interpreter of an environment with wikipedia2vec 2.0. Both get the same articles (no
redirects, no other namespaces), already read from their dumps, on one core; the rounds alternate,
and a ratio is its seconds by ours in one round. Of wikipedia2vec the function is called that its
`DumpDB.build` calls for each page, without the packing for its database, which is no part of the
question. MB are of UTF-8. Without ``--peer`` only our speed is printed.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from exonym.wikimedia import SiteInfo, extract_paragraphs, open_dump

# What runs under the other interpreter: a round for every line it is given.
_PEER = '''
import json, sys, time
from wikipedia2vec import dump_db
from wikipedia2vec.utils.wiki_page import WikiPage

class NoPacking:
    """Stands for pickle and zlib, so that only the parsing is timed."""
    dumps = compress = staticmethod(lambda value, *_, **__: b"")

dump_db.zlib = dump_db.pickle = NoPacking
with open(sys.argv[1], encoding="utf-8") as lines:
    sets = {}
    for line in lines:
        name, language, title, text = json.loads(line)
        sets.setdefault(name, []).append(WikiPage(title, language, text, None))
for line in sys.stdin:
    pages = sets[json.loads(line)]
    begun = time.perf_counter()
    for page in pages:
        dump_db._parse_page(page, None)
    print(time.perf_counter() - begun, flush=True)
'''


@dataclasses.dataclass
class Pages:
    """Articles of one dump, up to a size."""

    name: str
    site: SiteInfo
    titles: list[str]
    texts: list[str]

    @property
    def megabytes(self) -> float:
        return sum(len(text.encode("utf-8", "surrogatepass")) for text in self.texts) / 1e6


def read_pages(path: Path, megabytes: float) -> Pages:
    """The first articles of a dump that make up so many megabytes."""
    size = 0.0
    with open_dump(path, keep_going=True) as reader:
        pages = Pages(path.name, reader.siteinfo, [], [])
        for page in reader:
            if page.namespace == 0 and page.redirect is None:
                pages.titles.append(page.title)
                pages.texts.append(page.text)
                size += len(page.text.encode("utf-8", "surrogatepass")) / 1e6
                if size >= megabytes:
                    break
    return pages


class Peer:
    """wikipedia2vec, which times itself in its own process."""

    def __init__(self, python: str, pages: list[Pages], directory: Path):
        path = directory / "pages.jsonl"
        with path.open("w", encoding="utf-8") as lines:
            for one in pages:
                for title, text in zip(one.titles, one.texts, strict=True):
                    lines.write(json.dumps([one.name, one.site.language, title, text]) + "\n")
        self._process = subprocess.Popen(
            [python, "-c", _PEER, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def seconds(self, name: str) -> float:
        """One round over one dump's pages."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(name), file=self._process.stdin, flush=True)
        return float(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def our_seconds(pages: Pages) -> float:
    # A copy, so that nothing is known of the wiki's titles from the last round.
    site = dataclasses.replace(pages.site)
    begun = time.perf_counter()
    for text in pages.texts:
        extract_paragraphs(text, site)
    return time.perf_counter() - begun


def measure(pages: Pages, peer: Peer | None, rounds: int) -> dict[str, Any]:
    """Alternate; the first round warms up. Speeds are of the best round, the ratio the median."""
    ours, theirs = [], []
    for number in range(rounds + 1):
        if peer:
            seconds = peer.seconds(pages.name)
            theirs += [seconds] if number else []
        seconds = our_seconds(pages)
        ours += [seconds] if number else []
    row: dict[str, Any] = {
        "file": pages.name,
        "language": pages.site.language,
        "articles": len(pages.texts),
        "megabytes": round(pages.megabytes, 3),
        "seconds": ours,
        "speed": pages.megabytes / min(ours),
    }
    if peer:
        ratios = [their / our for their, our in zip(theirs, ours, strict=True)]
        row |= {"peer_seconds": theirs, "peer_speed": pages.megabytes / min(theirs)}
        row |= {"ratio": statistics.median(ratios), "ratio_range": [min(ratios), max(ratios)]}
    return row


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("dumps", type=Path, nargs="+", help="MediaWiki XML dumps")
    parser.add_argument("--peer", help="python with wikipedia2vec")
    parser.add_argument("--megabytes", type=float, default=3.0, help="of wikitext per dump")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="where to write all rounds")
    options = parser.parse_args()
    pages = [read_pages(path, options.megabytes) for path in options.dumps]
    rows = []
    with tempfile.TemporaryDirectory() as directory:
        peer = Peer(options.peer, pages, Path(directory)) if options.peer else None
        print(f"{'file':28} {'articles':>8} {'MB':>6} {'MB/s':>6} {'peer':>6}  ratio (range)")
        for one in pages:
            row = measure(one, peer, options.rounds)
            rows.append(row)
            line = f"{row['file']:28} {row['articles']:8,} {row['megabytes']:6.2f} "
            line += f"{row['speed']:6.2f}"
            if peer:
                low, high = row["ratio_range"]
                line += f" {row['peer_speed']:6.2f}  {row['ratio']:.1f} ({low:.1f} to {high:.1f})"
            print(line, flush=True)
        if peer:
            peer.close()
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
