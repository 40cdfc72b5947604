"""Fuzz the wikitext scanner: no exception, valid spans, time in proportion to the input.

    python tools/fuzz_wikitext.py                             # 60 seconds, seed 0
    python tools/fuzz_wikitext.py --seconds 600 --seed 7 --dumps DUMPS --keep worst.txt

Inputs: random characters, random markup, 100,000 nested openers of each kind and mixed, pages of
50 MB, and with ``--dumps`` mutations of real pages. Prints time per MB by kind of input and keeps
the input that took longest per MB. Ends with status 1 if the scanner raises, returns a wrong span,
or takes more than ``--limit`` seconds per MB.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from exonym.foundation.errors import ExonymError
from exonym.foundation.files import atomic_file
from exonym.wikimedia import Namespace, Paragraph, SiteInfo, extract_paragraphs, open_dump

TOKENS = [
    "[[", "]]", "[", "]", "{{", "}}", "{{{", "}}}", "{", "}", "{|", "|}", "|-", "|+", "||", "!!",
    "|", "!", "\n", "\n\n", "\r\n", "=", "==", "*", "#", ":", ";", "----", "''", "'''", "'''''",
    "<ref>", "</ref>", "<ref name=x/>", "<ref", "<!--", "-->", "<nowiki>", "</nowiki>", "<nowiki/>",
    "<math>", "</math>", "<table>", "</table>", "<td>", "<br>", "<p>", "</p>", "<div>", "</div>",
    "<gallery>", "</gallery>", "<pre>", "</pre>", "<s>", "<", ">", "/>", "&amp;", "&nbsp;", "&#91;",
    "&#x5B;", "&#0;", "&#1114112;", "&lt;", "&", ";", "-{", "}-", "zh-hans:", "zh-tw:",
    "File:a.jpg", "Datei:", "Category:", ":en:", "en:", "wikt:", "http://x.y", "[http://x ",
    "[//x ", "mailto:", "__NOTOC__", "__", "a", "b c", "Wort", "ß", "東京", "ไทย", "اسم", "\u200f",
    "\u200e", "é", " ", "  ", "\t", ",", "(", ")", "%41", "%zz", "_", "\ufdd0", "\ufdd1", "\ufdd2",
    "\ufdee", "\ufdef", "{{!}}", "{{=}}", "{{(!}}", "|thumb|", "\x00", "\x01", "\ud800",
    "\U000f0000", "\u2028", "#",
]  # fmt: skip
OPENERS = [
    "[[", "[[a|", "[[File:a|", "[", "[http://a ", "{{", "{{a|", "{{{", "{", "{|\n", ":{|\n",
    "<ref>", "<ref name=a>", "<!--", "<nowiki>", "<math>", "<table>", "<div>", "<p>", "<b>", "<",
    "-{", "-{zh:", "''", "'''", "'''''", "(", "&", "&#", "__", "=", "\n=", "\n*", "\n;a:", "\n|",
    " ", "\n ", "[[a", "[[a|b ", "]]", "}}", "|}", "-->", "</ref>", "<gallery>", "[[a]]b",
    "[[Category:a",
]  # fmt: skip
CLOSERS = {
    "[[": "]]", "[[a|": "]]", "[[File:a|": "]]", "[http://a ": "]", "{{": "}}", "{{a|": "}}",
    "{{{": "}}}", "{|\n": "\n|}", "<ref>": "</ref>", "<table>": "</table>", "<div>": "</div>",
    "-{": "}-", "-{zh:": "}-", "(": ")", "<b>": "</b>",
}  # fmt: skip
DEPTH = 100_000
LARGE = 50 * 1024 * 1024
LANGUAGES = ("de", "zh", "ar", "th", "sr")
_LONGEST_RANDOM = 4000
_LONGEST_PAGE = 200_000


@dataclass
class Record:
    """What was measured of one kind of input.

    Args:
        runs: how many inputs.
        characters: their length altogether.
        seconds: time altogether.
        worst: most seconds per MB of one input of at least 100,000 characters.
    """

    runs: int = 0
    characters: int = 0
    seconds: float = 0.0
    worst: float = 0.0


@dataclass
class Fuzz:
    """Runs inputs and keeps what is wrong and what is slow."""

    limit: float
    records: dict[str, Record] = field(default_factory=dict)
    failures: list[tuple[str, str, str]] = field(default_factory=list)
    slowest: tuple[float, str, str] = (0.0, "", "")

    def run(self, kind: str, text: str, site: SiteInfo) -> None:
        """Scan one input and judge the result."""
        record = self.records.setdefault(kind, Record())
        start = time.perf_counter()
        try:
            wrong = wrong_spans(extract_paragraphs(text, site))
        except Exception:
            wrong = traceback.format_exc()
        seconds = time.perf_counter() - start
        record.runs += 1
        record.characters += len(text)
        record.seconds += seconds
        if wrong:
            self.failures.append((kind, text, wrong))
        if len(text) >= DEPTH:
            rate = seconds / (len(text) / 1e6)
            record.worst = max(record.worst, rate)
            if rate > self.slowest[0]:
                self.slowest = (rate, kind, text)
            # Short openers are dense in work: a MB of them holds a million.
            if rate > self.limit:
                self.failures.append(
                    (kind, text, f"took {rate:.1f} seconds per million characters")
                )


def wrong_spans(paragraphs: list[Paragraph]) -> str:
    """What is wrong with a result; empty if nothing is."""
    for paragraph in paragraphs:
        text, position = paragraph.text, 0
        if text != text.strip() or not text:
            return f"a paragraph is empty or has blanks at its ends: {text[:80]!r}"
        if any("\ufdd0" <= sign <= "\ufdef" for sign in text):
            return f"a mark of the scanner is in the text: {text[:80]!r}"
        for link in paragraph.links:
            if not position <= link.start < link.end <= len(text):
                return f"a span is out of order: {link} in {len(text)} characters"
            anchor = text[link.start : link.end]
            if anchor != anchor.strip() or not link.title.strip():
                return f"an anchor has blanks at its ends, or no title: {anchor[:80]!r}"
            position = link.end
    return ""


def make_site(language: str) -> SiteInfo:
    spaces = (Namespace(0, "", "first-letter"), Namespace(6, "Datei", "first-letter"))
    return SiteInfo(f"{language}wiki", language, "Wikipedia", "", "first-letter", spaces)


def nested() -> Iterator[tuple[str, str]]:
    """100,000 openers of each kind, alone, with their closers, with text between, and mixed."""
    for opener in OPENERS:
        yield f"nested {opener!r}", opener * DEPTH
        yield f"nested {opener!r} with text", (opener + "x y\n") * DEPTH
        if opener in CLOSERS:
            yield f"nested {opener!r} closed", opener * DEPTH + "x" + CLOSERS[opener] * DEPTH
            yield f"pairs {opener!r}", (opener + "x" + CLOSERS[opener] + " ") * DEPTH
    for first in OPENERS:
        second = OPENERS[(7 * OPENERS.index(first) + 3) % len(OPENERS)]
        yield f"nested {first!r} and {second!r} in turn", (first + second) * (DEPTH // 2)
    yield "nested, all kinds in turn", "".join(OPENERS) * (DEPTH // len(OPENERS))


def large(rng: random.Random) -> Iterator[tuple[str, str]]:
    """Pages of 50 MB: of text and links, of markup at random, of one line."""
    sentence = "Die [[Stadt|Städte]] ''sind'' {{x|y}} alt<ref>z</ref>, [[Berg]]en und Täler. "
    yield "50 MB of sentences in one paragraph", sentence * (LARGE // len(sentence))
    yield "50 MB of paragraphs", (sentence + "\n\n") * (LARGE // len(sentence))
    part = "".join(rng.choices(TOKENS, k=200_000))
    yield "50 MB of random markup", (part * (LARGE // len(part) + 1))[:LARGE]


def random_text(rng: random.Random) -> str:
    length = rng.randrange(_LONGEST_RANDOM)
    if rng.random() < 0.5:
        return rng.randbytes(length).decode("utf-8", "replace")
    return "".join(
        chr(rng.choice((rng.randrange(0x250), rng.randrange(0x110000)))) for _ in range(length)
    )


def random_markup(rng: random.Random) -> str:
    few = rng.sample(TOKENS, rng.randrange(2, 12)) if rng.random() < 0.5 else TOKENS
    return "".join(rng.choices(few, k=rng.randrange(1, _LONGEST_RANDOM)))


def mutated(rng: random.Random, page: str) -> str:
    """A real page with some pieces cut out, doubled, swapped, or markup thrown in."""
    text = page
    for _ in range(rng.randrange(1, 30)):
        place = rng.randrange(len(text) + 1)
        end = min(len(text), place + rng.randrange(200))
        match rng.randrange(4):
            case 0:
                text = text[:place] + text[end:]
            case 1:
                text = text[:place] + rng.choice(TOKENS) + text[place:]
            case 2:
                text = text[:end] + text[place:end] + text[end:]
            case _:
                text = text[:place] + "".join(rng.choices(TOKENS, k=5)) + text[end:]
    return text


def real_pages(directory: Path, rng: random.Random) -> list[tuple[str, SiteInfo]]:
    """Some articles of every dump in a directory."""
    pages: list[tuple[str, SiteInfo]] = []
    for path in sorted(directory.glob("*wiki*.xml*")):
        with open_dump(path, keep_going=True) as reader:
            found = [
                page.text for page in reader if page.namespace == 0 and len(page.text) < 200_000
            ]
            chosen = rng.sample(found, min(20, len(found)))
            pages += [(text, reader.siteinfo) for text in chosen]
    return pages


def fuzz(seconds: float, seed: int, limit: float, pages: list[tuple[str, SiteInfo]]) -> Fuzz:
    """All the fixed inputs once, then random ones until the time is over."""
    run, rng = Fuzz(limit), random.Random(seed)
    sites = {language: make_site(language) for language in LANGUAGES}
    for kind, text in nested():
        run.run(kind, text, sites["zh" if "-{" in text[:200] else "de"])
    for kind, text in large(rng):
        run.run(kind, text, sites["zh"])
    makers: list[tuple[str, Callable[[], tuple[str, SiteInfo]]]] = [
        ("random characters", lambda: (random_text(rng), sites[rng.choice(LANGUAGES)])),
        ("random markup", lambda: (random_markup(rng), sites[rng.choice(LANGUAGES)])),
    ]
    if pages:

        def one() -> tuple[str, SiteInfo]:
            page, site = rng.choice(pages)
            return mutated(rng, page), site

        makers.append(("mutated real pages", one))
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for kind, make in makers:
            text, site = make()
            run.run(kind, text, site)
    return run


def report(run: Fuzz, every: bool) -> None:
    """Print the table: kinds by time, nested ones together unless all are wanted."""
    rows: dict[str, Record] = {}
    for kind, record in run.records.items():
        name = kind if every or not kind.startswith(("nested", "pairs")) else "100,000 nested"
        row = rows.setdefault(name, Record())
        row.runs += record.runs
        row.characters += record.characters
        row.seconds += record.seconds
        row.worst = max(row.worst, record.worst)
    print("| input | runs | million characters | seconds per million | worst |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, row in rows.items():
        rate = row.seconds / max(row.characters / 1e6, 1e-9)
        worst = f"{row.worst:.2f}" if row.worst else ""
        print(f"| {name} | {row.runs:,} | {row.characters / 1e6:,.1f} | {rate:.2f} | {worst} |")
    print(f"slowest: {run.slowest[0]:.2f} s per million characters, {run.slowest[1]}")


def main(arguments: list[str] | None = None) -> int:
    """Fuzz for some time; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="time for random inputs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=float, default=10.0, help="seconds per million characters")
    parser.add_argument("--dumps", type=Path, help="a directory of dumps whose pages are mutated")
    parser.add_argument("--keep", type=Path, help="write the first failure, else the slowest, here")
    parser.add_argument("--every", action="store_true", help="a row for each kind of opener")
    options = parser.parse_args(arguments)
    try:
        rng = random.Random(options.seed)
        pages = real_pages(options.dumps, rng) if options.dumps else []
        run = fuzz(options.seconds, options.seed, options.limit, pages)
    except ExonymError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status
    report(run, options.every)
    if options.keep:
        text = run.failures[0][1] if run.failures else run.slowest[2]
        with atomic_file(options.keep) as stream:
            stream.write(text.encode("utf-8", "surrogatepass"))
    print(f"{len(run.failures)} failures")
    for kind, text, wrong in run.failures[:10]:
        print(f"FAILED {kind}: {text[:200]!r}\n{wrong}", file=sys.stderr)
    return 1 if run.failures else 0


if __name__ == "__main__":
    sys.exit(main())
