"""Parsing Wikidata's JSON dump: Exonym's reader against a plain json.loads loop, as ratios.

    python benchmarks/wikidata.py ../shared/data/wikidata/wikidata-400items.json.bz2 --json r.json

Both read the same decompressed file on one core, in alternating rounds of one run, timed in CPU
seconds; a ratio is the loop's seconds by ours in one round. The loop makes Python objects of every
line and does nothing with them; the reader makes its records in mLUKE's 24 languages. Besides the
given files there are dumps as Wikidata writes them today, made here from a seed: statements with
hashes, qualifiers and references. One has an article on every item, one on each fourth item; the
second is read once with ``wikis=`` and once without.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from exonym.foundation.compression import open_binary
from exonym.text import MLUKE_LANGUAGES
from exonym.wikimedia.wikidata import open_wikidata
from exonym.wikimedia.wikis import database_of_language

LANGUAGES = sorted(MLUKE_LANGUAGES)
WIKIS = [database_of_language(language) for language in LANGUAGES]
# mLUKE's languages and as many others: about every second label is one that is not wanted.
OTHERS = [
    "af",
    "az",
    "be",
    "bg",
    "ca",
    "cs",
    "cy",
    "da",
    "eo",
    "et",
    "eu",
    "fa",
    "gl",
    "he",
    "hr",
    "hu",
    "hy",
    "ka",
    "kk",
    "lt",
    "lv",
    "mk",
    "nb",
    "ro",
    "sk",
    "sl",
    "sr",
    "uk",
    "ur",
]
ALPHABETS = ("abcdefghijklmnopqrstuvwxyz", "αβγδεζηθικλμνξοπρστυφχψω", "日本中国人大学東京都市県")


class ModernDump:
    """Random items and properties in the form of today's dumps."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)

    def write(self, path: Path, items: int, *, with_article: float) -> Path:
        """Write an array of so many items; ``with_article`` is the share that has sitelinks."""
        with path.open("wb") as stream:
            stream.write(b"[\n")
            for number in range(1, items + 1):
                document = self._item(number, article=self._rng.random() < with_article)
                ending = b",\n" if number < items else b"\n]\n"
                # ASCII with \\u escapes and no blanks, as Wikibase writes it.
                stream.write(json.dumps(document, separators=(",", ":")).encode() + ending)
        return path

    def _words(self, count: int) -> str:
        rng = self._rng
        letters = rng.choice(ALPHABETS)
        return " ".join("".join(rng.choices(letters, k=rng.randint(3, 9))) for _ in range(count))

    def _some_languages(self, share: float) -> list[str]:
        return [code for code in LANGUAGES + OTHERS if self._rng.random() < share]

    def _texts(self, share: float, words: int) -> dict[str, Any]:
        return {
            code: {"language": code, "value": self._words(words)}
            for code in self._some_languages(share)
        }

    def _item(self, number: int, *, article: bool) -> dict[str, Any]:
        rng = self._rng
        share = 0.5 if article else 0.1
        claims: dict[str, list[Any]] = {}
        for place in range(rng.randint(5, 30)):
            claims[f"P{17 + 31 * place}"] = [
                self._statement(place) for _ in range(rng.choice((1, 1, 1, 2)))
            ]
        sitelinks = {
            database_of_language(code): {
                "site": database_of_language(code), "title": self._words(2), "badges": [],
            }
            for code in (self._some_languages(0.4) if article else [])
        }  # fmt: skip
        return {
            "type": "item",
            "id": f"Q{number}",
            "labels": self._texts(share, 2),
            "descriptions": self._texts(share / 2, 4),
            "aliases": {
                code: [
                    {"language": code, "value": self._words(2)} for _ in range(rng.randint(1, 3))
                ]
                for code in self._some_languages(share / 4)
            },
            "claims": claims,
            "sitelinks": sitelinks,
            "pageid": number + 128,
            "ns": 0,
            "title": f"Q{number}",
            "lastrevid": 10**9 + number,
            "modified": "2026-01-01T00:00:00Z",
        }

    def _statement(self, place: int) -> dict[str, Any]:
        rng = self._rng
        made: dict[str, Any] = {
            "mainsnak": self._snak(f"P{17 + 31 * place}"),
            "type": "statement",
        }
        if rng.random() < 0.2:
            made["qualifiers"] = {"P585": [self._snak("P585")], "P642": [self._snak("P642")]}
            made["qualifiers-order"] = ["P585", "P642"]
        made["id"] = f"Q1${rng.getrandbits(128):032x}"
        made["rank"] = rng.choices(("normal", "preferred", "deprecated"), (90, 8, 2))[0]
        if rng.random() < 0.6:
            snaks = {"P248": [self._snak("P248")], "P813": [self._snak("P813")]}
            made["references"] = [
                {"hash": f"{rng.getrandbits(160):040x}", "snaks": snaks, "snaks-order": list(snaks)}
            ]
        return made

    def _snak(self, relation: str) -> dict[str, Any]:
        rng = self._rng
        target = rng.randint(1, 10**8)
        kind = rng.choices(("wikibase-item", "external-id", "time", "quantity"), (45, 40, 10, 5))[0]
        value: Any
        match kind:
            case "wikibase-item":
                form = "wikibase-entityid"
                value = {"entity-type": "item", "numeric-id": target, "id": f"Q{target}"}
            case "external-id":
                form, value = "string", self._words(1)
            case "time":
                form = "time"
                value = {
                    "time": "+2024-03-31T00:00:00Z", "timezone": 0, "before": 0, "after": 0,
                    "precision": 11, "calendarmodel": "http://www.wikidata.org/entity/Q1985727",
                }  # fmt: skip
            case _:
                form, value = "quantity", {"amount": f"+{target}", "unit": "1"}
        return {
            "snaktype": "value",
            "property": relation,
            "hash": f"{rng.getrandbits(160):040x}",
            "datavalue": {"value": value, "type": form},
            "datatype": kind,
        }


def loop_seconds(path: Path) -> float:
    begun = time.process_time()
    with path.open("rb") as stream:
        for line in stream:
            line = line.strip().rstrip(b",")
            if len(line) > 1:
                json.loads(line)
    return time.process_time() - begun


def our_seconds(path: Path, wikis: list[str] | None) -> float:
    begun = time.process_time()
    with open_wikidata(path, languages=LANGUAGES, wikis=wikis) as reader:
        records = sum(1 for _ in reader) + sum(reader.skipped.values())
    assert records
    return time.process_time() - begun


def measure(path: Path, wikis: list[str] | None, rounds: int) -> dict[str, Any]:
    """Alternate; the ratio of a round is free of how busy the machine was in another."""
    pairs = [(loop_seconds(path), our_seconds(path, wikis)) for _ in range(rounds)]
    size = path.stat().st_size / 1e6
    ratios = [loop / ours for loop, ours in pairs]
    return {
        "megabytes": round(size, 1),
        "loop_mb_per_s": round(size / min(loop for loop, _ in pairs), 1),
        "ours_mb_per_s": round(size / min(ours for _, ours in pairs), 1),
        "ratio_min": round(min(ratios), 2),
        "ratio_median": round(statistics.median(ratios), 2),
        "ratio_max": round(max(ratios), 2),
    }


def plain_copies(paths: list[Path], folder: Path, repeat: int) -> Iterator[tuple[str, Path]]:
    """The given dumps, decompressed and repeated; and of each its items only."""
    for path in paths:
        with open_binary(path) as stream:
            lines = [line.strip().rstrip(b",") for line in stream]
        lines = [line for line in lines if len(line) > 1]
        items = [line for line in lines if b'"type":"item"' in line[:80]]
        for name, kept in ((path.name, lines), (f"{path.name}, items only", items)):
            if kept:
                plain = folder / f"{len(name)}-{path.stem}"
                plain.write_bytes(b"[\n" + b",\n".join(kept * repeat) + b"\n]\n")
                yield name, plain


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("dumps", type=Path, nargs="*", help="real dumps, small ones")
    parser.add_argument("--items", type=int, default=3000, help="of each dump made here")
    parser.add_argument("--repeat", type=int, default=4, help="how often a real dump is repeated")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path, help="where the figures go")
    options = parser.parse_args()
    figures: dict[str, Any] = {}

    def report(name: str, path: Path, wikis: list[str] | None) -> None:
        figures[name] = found = measure(path, wikis, options.rounds)
        print(
            f"{name:55} {found['megabytes']:7,.1f} MB  loop {found['loop_mb_per_s']:6.1f} MB/s"
            f"  ours {found['ours_mb_per_s']:7.1f} MB/s  ratio {found['ratio_median']:5.2f}"
            f"  ({found['ratio_min']:.2f} to {found['ratio_max']:.2f})",
            flush=True,
        )

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for title, path in plain_copies(options.dumps, folder, options.repeat):
            report(title, path, None)
            report(f"{title}, wikis=", path, WIKIS)
        made = ModernDump(0)
        full = made.write(folder / "full.json", options.items, with_article=1.0)
        mixed = made.write(folder / "mixed.json", options.items, with_article=0.25)
        report("today's form, all with articles", full, None)
        report("today's form, a fourth with articles", mixed, None)
        report("today's form, a fourth with articles, wikis=", mixed, WIKIS)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
