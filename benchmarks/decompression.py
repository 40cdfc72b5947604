"""Which library decompresses a dump fastest on one core, and what reading it in spans costs.

Takes some XML of a real dump, packs it as .bz2 (one stream, and streams of 100 kB of XML as the
multistream form has) and .gz, and measures in turn, each reading in pieces of 1 MiB:

- .bz2: the standard library; indexed_bzip2, rapidgzip and cramjam where installed;
- .gz: the standard library; isal, zlib-ng and rapidgzip where installed;
- a .bz2 file undivided, and in spans of several sizes (all spans after one another), beside the
  standard library on the same file;
- the peak memory of a process that reads one span.

Figures are CPU seconds of the process (best of the rounds), so that neighbours disturb little.

    python benchmarks/decompression.py ../shared/data/wikipedia/viwiki-truncated.xml.xz
"""

from __future__ import annotations

import argparse
import bz2
import gzip
import importlib.util
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from exonym.foundation.compression import DAMAGE, open_binary
from exonym.foundation.spans import Span, SpanReader, cut_file

PIECE = 1 << 20
Reading = Callable[[Path], int]


def drain(stream: Any) -> int:
    """Read a stream to its end; how many bytes that were."""
    total = 0
    while data := stream.read(PIECE):
        total += len(data)
    return total


def by_opening(module: str, attribute: str, **options: Any) -> Reading | None:
    """Reads with a library's own file object; None where it is not installed."""
    try:
        opener = getattr(importlib.import_module(module), attribute)
    except ImportError:
        return None

    def read(path: Path) -> int:
        with opener(str(path), **options) as stream:
            return drain(stream)

    return read


def whole_bz2(path: Path) -> int:
    return len(importlib.import_module("cramjam").bzip2.decompress(path.read_bytes()))


def by_exonym(path: Path) -> int:
    with open_binary(path) as stream:
        return drain(stream)


def in_spans(task_bytes: int) -> Reading:
    def read(path: Path) -> int:
        return sum(read_span(path, span) for span in cut_file(path, task_bytes))

    return read


def read_span(path: Path, span: Span) -> int:
    reader = SpanReader(path, span, b"<page>", behind=False)
    total = 0
    while piece := reader.read():
        total += len(piece)
    reader.close()
    return total


def compare(title: str, path: Path, size: int, readings: dict[str, Reading | None], n: int) -> None:
    """Time readings of one file in turn; the first is what the others are compared with."""
    installed = {name: reading for name, reading in readings.items() if reading is not None}
    best = dict.fromkeys(installed, float("inf"))
    for _ in range(n):
        for name, reading in installed.items():
            start = time.process_time()
            found = reading(path)
            best[name] = min(best[name], time.process_time() - start)
            if found != size:
                sys.exit(f"{name} read {found:,} of {size:,} bytes")
    base = next(iter(best.values()))
    print(f"\n{title} ({path.stat().st_size / 1e6:.1f} MB packed, {size / 1e6:.1f} MB)")
    for name, seconds in best.items():
        print(f"  {name:34} {size / seconds / 1e6:7.1f} MB/s   × {base / seconds:.2f}")
    for name in sorted(set(readings) - set(installed)):
        print(f"  {name:34} not installed")


PEAK = """
import resource, sys
from pathlib import Path
from exonym.foundation.spans import SpanReader, cut_file
path = Path(sys.argv[1])
if len(sys.argv) > 2:
    reader = SpanReader(path, cut_file(path, int(sys.argv[2]))[-1], b"<page>", behind=False)
    while reader.read():
        pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def peak(path: Path, *task_bytes: int) -> float:
    """Peak MiB of a process that reads the last span of a file, or does no more than import."""
    arguments = [sys.executable, "-c", PEAK, str(path), *map(str, task_bytes)]
    return float(subprocess.run(arguments, capture_output=True, check=True, text=True).stdout)


def sample(path: Path, size: int) -> bytes:
    """The first bytes of a dump, decompressed; fewer where it ends or is damaged earlier."""
    data = b""
    with open_binary(path) as stream:
        try:
            while len(data) < size and (piece := stream.read1(PIECE)):  # type: ignore[attr-defined]
                data += piece
        except DAMAGE as error:
            print(f"{path.name} ends early ({error}); what came before is used")
    return data[:size]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("dump", type=Path, help="an XML dump, packed or not")
    parser.add_argument("--megabytes", type=int, default=24, help="how much of its XML to use")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    data = sample(options.dump, options.megabytes * 1_000_000)
    with tempfile.TemporaryDirectory() as directory:
        single, multi, zipped = (Path(directory) / name for name in ("a.bz2", "m.bz2", "a.gz"))
        single.write_bytes(bz2.compress(data))
        starts = range(0, len(data), 100_000)
        multi.write_bytes(b"".join(bz2.compress(data[at : at + 100_000]) for at in starts))
        zipped.write_bytes(gzip.compress(data, 6))
        size, rounds = len(data), options.rounds
        libraries = {
            "bz2 (standard library)": by_opening("bz2", "open"),
            "exonym open_binary": by_exonym,
            "indexed_bzip2": by_opening("indexed_bzip2", "open", parallelization=1),
            "rapidgzip": by_opening("rapidgzip", "IndexedBzip2File", parallelization=1),
            "cramjam (all at once)": whole_bz2 if _has("cramjam") else None,
        }
        compare(".bz2, one stream", single, size, libraries, rounds)
        compare(".bz2, many streams", multi, size, libraries, rounds)
        libraries = {
            "gzip (standard library)": by_opening("gzip", "open"),
            "exonym open_binary": by_exonym,
            "isal": by_opening("isal.igzip", "open"),
            "zlib-ng": by_opening("zlib_ng.gzip_ng", "open"),
            "rapidgzip": by_opening("rapidgzip", "open", parallelization=1),
        }
        compare(".gz", zipped, size, libraries, rounds)
        for title, path in ((".bz2 in spans", single), (".bz2 of many streams in spans", multi)):
            packed = path.stat().st_size
            libraries = {
                "bz2 (standard library)": by_opening("bz2", "open"),
                "one span": in_spans(packed),
                "4 spans": in_spans(-(-packed // 4)),
                "16 spans": in_spans(-(-packed // 16)),
            }
            compare(title, path, size, libraries, rounds)
        print(f"\npeak memory of a process that imports the reader: {peak(single):.0f} MiB")
        print(f"that reads all of the .bz2 file as one span: {peak(single, 1 << 40):.0f} MiB")


def _has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


if __name__ == "__main__":
    main()
