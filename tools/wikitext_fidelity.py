"""How faithful the wikitext scanner is, on real dumps, with mwparserfromhell as oracle.

    python tools/wikitext_fidelity.py DUMPS                     # every dump in a directory
    python tools/wikitext_fidelity.py DUMPS --differences 20    # and show what differs
    python tools/wikitext_fidelity.py DUMPS --json FILE

Links to articles in running text are compared per page as multisets of (title, anchor); the words
beside each link must be the same; our paragraphs are searched for what is left of markup. What
differs is listed by cause. A cause is "explained" where MediaWiki's own rule decides for us; raw
figures count those, too. Ends with status 1 if a goal is missed in a language.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from exonym.foundation.errors import ExonymError, InputError
from exonym.wikimedia import extract_paragraphs, open_dump
from fidelity.compare import Difference, Tally, compare_page
from fidelity.debris import Debris

RECALL = PRECISION = 0.999
DEBRIS_PARAGRAPHS = 2000


def dumps(directory: Path, only: str = "") -> list[Path]:
    """The dumps of a directory whose names contain something, by name.

    Raises:
        InputError: there is none.
    """
    endings = (".xml", ".xml.bz2", ".xml.gz", ".xml.xz", ".xml.zst")
    found = sorted(
        path
        for path in directory.glob("*wiki*")
        if path.name.endswith(endings) and only in path.name
    )
    if not found:
        raise InputError(
            "has no MediaWiki dumps" + (f" with {only!r} in their names" if only else ""),
            where=directory,
            remedy="Give a directory of files such as jawiki-20240101-pages-articles.xml.bz2",
        )
    return found


def measure(path: Path, characters: int | None = None) -> tuple[str, Tally, Debris]:
    """Compare all articles of a dump, or its first ones up to so many characters.

    Returns:
        (language, links, debris)
    """
    tally, debris, read = Tally(), Debris(), 0
    with open_dump(path, keep_going=True) as reader:
        site = reader.siteinfo
        for page in reader:
            if page.namespace != 0 or page.redirect is not None:
                continue
            read += len(page.text)
            if characters is not None and read > characters:
                break
            paragraphs = extract_paragraphs(page.text, site)
            compare_page(page.title, page.text, site, paragraphs, tally)
            debris.search(page.title, page.text, site, paragraphs)
    return site.language, tally, debris


def row(name: str, tally: Tally, debris: Debris) -> dict[str, Any]:
    raw_recall, raw_precision, recall, precision = tally.rates()
    return {
        "file": name,
        "links": tally.oracle,
        "raw_recall": raw_recall,
        "raw_precision": raw_precision,
        "recall": recall,
        "precision": precision,
        "explained": tally.explained("missing"),
        "words_compared": tally.neighbours,
        "words_differ": len(tally.lost),
        "paragraphs": debris.paragraphs,
        "debris": len(debris.found),
        "meant": debris.meant,
    }


def reaches_goals(figures: dict[str, Any]) -> bool:
    """Whether recall, precision and debris of a file are as good as they must be.

    A file of fewer than 2,000 paragraphs may have one with debris.
    """
    return bool(
        figures["recall"] >= RECALL
        and figures["precision"] >= PRECISION
        and figures["debris"] * DEBRIS_PARAGRAPHS <= max(figures["paragraphs"], DEBRIS_PARAGRAPHS)
    )


def table(rows: list[dict[str, Any]]) -> Iterator[str]:
    heads = (
        "file", "links", "raw recall", "raw precision", "recall", "precision", "words differ",
        "paragraphs", "with debris",
    )  # fmt: skip
    yield f"| {' | '.join(heads)} |"
    yield "| --- |" + " ---: |" * (len(heads) - 1)
    for r in rows:
        cells = (
            r["file"], f"{r['links']:,}", f"{r['raw_recall']:.5f}", f"{r['raw_precision']:.5f}",
            f"{r['recall']:.5f}", f"{r['precision']:.5f}",
            f"{r['words_differ']} of {r['words_compared']:,}", f"{r['paragraphs']:,}",
            str(r["debris"]),
        )  # fmt: skip
        yield f"| {' | '.join(cells)} |"


def show(name: str, tally: Tally, debris: Debris, limit: int) -> None:
    """Print examples of what differs, by cause."""
    by_cause: dict[tuple[str, str, bool], list[Difference]] = {}
    for found in tally.differences:
        by_cause.setdefault((found.side, found.cause, found.explained), []).append(found)
    for (side, cause, explained), several in sorted(
        by_cause.items(), key=lambda item: (item[0][2], -len(item[1]), item[0])
    ):
        print(f"{name}: {side} {len(several)}: {cause}{' (explained)' if explained else ''}")
        for found in several[: 0 if explained else limit]:
            print(f"    {found.page}: {found.link!r}\n        {found.context!r}")
    for page, key, there, here in tally.lost[:limit]:
        print(f"{name}: word beside {key!r} on {page}: oracle {there!r}, ours {here!r}")
    for page, kind, text in debris.found[:limit]:
        print(f"{name}: debris {kind!r} on {page}: {text!r}")


def main(arguments: list[str] | None = None) -> int:
    """Measure every dump; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("dumps", type=Path, help="a directory of MediaWiki dumps")
    parser.add_argument("--only", default="", help="only files whose names contain this")
    parser.add_argument("--characters", type=int, help="read only so much of each file")
    parser.add_argument("--differences", type=int, default=0, help="examples to show per cause")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args(arguments)
    rows, causes = [], Counter[str]()
    try:
        for path in dumps(options.dumps, options.only):
            _, tally, debris = measure(path, options.characters)
            rows.append(row(path.name, tally, debris))
            for found in tally.differences:
                mark = "explained" if found.explained else "open"
                causes[f"{found.side}, {mark}: {found.cause}"] += 1
            if options.differences:
                show(path.name, tally, debris, options.differences)
    except ExonymError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status
    print("\n".join(table(rows)))
    print()
    for cause, count in sorted(causes.items(), key=lambda item: (-item[1], item[0])):
        print(f"{count:6,}  {cause}")
    if options.json:
        figures = {"files": rows, "causes": dict(sorted(causes.items()))}
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    missed = [r["file"] for r in rows if not reaches_goals(r)]
    if missed:
        print(f"goals missed in: {', '.join(missed)}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
