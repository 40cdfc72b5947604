"""What the names of dump files say, in the old layout and in that of the content exports.

Old: ``dewiki-20260101-pages-articles.xml.bz2`` and its multistream form, of big wikis also cut into
pieces, ``enwiki-20260101-pages-articles1.xml-p1p41242.bz2``. New:
``mediawiki_content_current/dewiki/2026-01-01/xml/bzip2/dewiki-2026-01-01-p1p5000.xml.bz2``, beside
``SHA256SUMS``. Both are published on the Wikimedia dumps site.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

# Kinds of files that can be used. Pages: those of the content namespaces, all of a wiki (with talk
# and user pages), all in the new layout.
ARTICLES, META_CURRENT, CONTENT_CURRENT = "articles", "meta-current", "content-current"
ITEMS, LANGLINKS, PAGE_PROPS = "items", "langlinks", "page_props"
PAGES = (ARTICLES, CONTENT_CURRENT, META_CURRENT)

_PACKED = r"(?P<packed>\.bz2|\.gz|\.xz|\.zst|\.7z)?"
_WIKI = r"(?P<wiki>[a-z][a-z0-9_]*)"
_RANGE = r"-p(?P<first>\d+)p(?P<last>\d+)"
_OLD = re.compile(
    rf"{_WIKI}-(?P<date>\d{{8}}|latest)-pages-(?P<kind>articles|meta-current|meta-history)"
    rf"(?P<multistream>-multistream)?(?P<piece>\d*)\.xml(?:{_RANGE})?{_PACKED}"
)
_NEW = re.compile(rf"{_WIKI}-(?P<date>\d{{4}}-?\d\d-?\d\d){_RANGE}\.xml{_PACKED}")
_ITEMS = re.compile(
    r"(?:wikidata-(?P<date>\d{8})|(?P<latest>latest))-(?P<what>[a-zA-Z-]+)"
    rf"\.(?P<form>json|nt|ttl){_PACKED}"
)
_TABLE = re.compile(rf"{_WIKI}-(?P<date>\d{{8}}|latest)-(?P<table>[a-z_]+)\.sql{_PACKED}")
_OTHER = re.compile(rf"{_WIKI}-(?P<date>\d{{8}}|latest)-(?P<what>[a-z0-9-]+)[.-].*")
_LISTING = re.compile(r"SHA256SUMS|.+-(?:sha1|md5)sums\.txt")

_GIVE = "Give its pages-articles.xml.bz2, or the files below mediawiki_content_current"
_USELESS = (
    ("multistream-index", "an index of streams; the file beside it needs none", None),
    ("stub-", "page heads without their text", _GIVE),
    ("abstract", "first sentences without links", _GIVE),
    ("pages-logging", "a log without the pages' text", _GIVE),
)
# Directories of either layout, which are searched below a given one.
_DIRECTORY = re.compile(
    r"other|mediawiki_content_(?:current|history)|[a-z][a-z0-9_]*wiki|\d{8}|\d{4}-\d\d-\d\d|"
    r"latest|xml|bzip2|wikibase|entities"
)


@dataclass(frozen=True, slots=True)
class DumpName:
    """What a dump file's name says.

    Args:
        path: the file.
        wiki: the wiki's database (``dewiki``; ``wikidatawiki`` for items).
        date: ``2026-01-01``; None where the name says ``latest``.
        kind: one of `PAGES`, ``"items"`` (Wikidata's JSON), ``"langlinks"``, ``"page_props"``,
            or another that cannot be used.
        multistream: whether it is the form of many short streams.
        pages: the first and the last page id in a piece; None for a whole file.
        refused: why it cannot be used, and what would do; None if it can.
    """

    path: Path
    wiki: str
    date: str | None
    kind: str
    multistream: bool = False
    pages: tuple[int, int] | None = None
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of several files to read.

    Args:
        chosen: the files, ordered by wiki, kind, first page and name.
        passed_over: the other files, with the reason; ordered as given.
        warnings: sentences about what is missing or double among those chosen.
    """

    chosen: tuple[DumpName, ...]
    passed_over: tuple[tuple[DumpName, str], ...]
    warnings: tuple[str, ...]


def read_name(path: Path) -> DumpName | None:
    """Say what a dump file's name tells; None if it is not named as on the dumps site.

    In the new layout the history of pages is named as their present text is; only the directory
    ``mediawiki_content_history`` tells them apart.
    """
    name = path.name
    if name.endswith("-rss.xml"):
        return _other(path, name, "rss", "a feed that announces a dump", _GIVE)
    readers: tuple[tuple[re.Pattern[str], Callable[[Path, re.Match[str]], DumpName]], ...] = (
        (_OLD, _old),
        (_NEW, _new),
        (_ITEMS, _items),
        (_TABLE, _table),
    )
    for pattern, read in readers:
        if match := pattern.fullmatch(name):
            return read(path, match)
    if match := _OTHER.fullmatch(name):
        for start, what, remedy in _USELESS:
            if start in match["what"]:
                return _other(path, name, start.strip("-"), what, remedy)
    return None


def _old(path: Path, match: re.Match[str]) -> DumpName:
    kind = match["kind"]
    refused = _seven_zip(match) if kind != "meta-history" else _history()
    multistream = match["multistream"] is not None
    return DumpName(
        path, match["wiki"], _date(match["date"]), kind, multistream, _range(match), refused
    )


def _new(path: Path, match: re.Match[str]) -> DumpName:
    history = "mediawiki_content_history" in path.absolute().parts
    kind = "content-history" if history else CONTENT_CURRENT
    refused = _history() if history else _seven_zip(match)
    return DumpName(path, match["wiki"], _date(match["date"]), kind, False, _range(match), refused)


def _items(path: Path, match: re.Match[str]) -> DumpName:
    date = _date(match["date"] or "latest")
    remedy = "Give wikidata-DATE-all.json.bz2"
    if match["form"] != "json":
        kind, refused = "triples", f"RDF, of which only the JSON form is read. {remedy}"
    elif match["what"] != "all":
        kind, refused = match["what"].lower(), f"Wikidata without its items. {remedy}"
    else:
        return DumpName(path, "wikidatawiki", date, ITEMS, refused=_seven_zip(match))
    return DumpName(path, "wikidatawiki", date, kind, refused=refused)


def _table(path: Path, match: re.Match[str]) -> DumpName:
    table = match["table"]
    useful = table in (LANGLINKS, PAGE_PROPS)
    refused = None if useful else f"the table {table!r}, of which nothing is needed"
    kind = table if useful else "table"
    return DumpName(path, match["wiki"], _date(match["date"]), kind, refused=refused)


def _other(path: Path, name: str, kind: str, what: str, remedy: str | None) -> DumpName:
    match = _OTHER.fullmatch(name)
    wiki, date = (match["wiki"], _date(match["date"])) if match else ("", None)
    return DumpName(path, wiki, date, kind, refused=f"{what}. {remedy}" if remedy else what)


def _history() -> str:
    return f"every revision of each page, where the latest is wanted. {_GIVE}"


def _seven_zip(match: re.Match[str]) -> str | None:
    if match["packed"] != ".7z":
        return None
    return "packed as .7z, which is not read. Unpack it (7z x FILE), or give the .bz2"


def _date(text: str) -> str | None:
    digits = text.replace("-", "")
    return None if text == "latest" else f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"


def _range(match: re.Match[str]) -> tuple[int, int] | None:
    return (int(match["first"]), int(match["last"])) if match["first"] else None


def files_below(directory: Path) -> Iterator[Path]:
    """The files of a directory and of those directories in it that the layouts have, in order.

    Hidden files and directories are left out; other directories are not entered.
    """
    entries = sorted(directory.iterdir(), key=lambda path: path.name)
    for path in entries:
        if path.name.startswith("."):
            continue
        if path.is_file():
            yield path
        elif path.is_dir() and _DIRECTORY.fullmatch(path.name):
            yield from files_below(path)


def choose(dumps: Iterable[DumpName]) -> Choice:
    """Choose files so that no page, item or link is read twice.

    For each wiki the newest date is taken; then the kind with fewest pages that are not needed
    (articles before the new layout, that before all pages); then whole files before pieces,
    multistream before one stream. For Wikidata: the newest date, .bz2 (which can be read in
    parts) before the others.

    Args:
        dumps: what the names say; refused ones are passed over with their reason. The order
            does not matter.
    """
    chosen: list[DumpName] = []
    passed: list[tuple[DumpName, str]] = []
    warnings: list[str] = []
    groups: dict[tuple[str, str], list[DumpName]] = defaultdict(list)
    ordered = sorted(dumps, key=lambda dump: (dump.path.name, str(dump.path)))
    for dump in ordered:
        if dump.refused is not None:
            passed.append((dump, dump.refused))
        else:
            purpose = "pages" if dump.kind in PAGES else dump.kind
            groups[dump.wiki, purpose].append(dump)
    for _, group in sorted(groups.items()):
        best = min(map(_preference, group))
        taken: dict[object, DumpName] = {}
        for dump in group:
            if _preference(dump) != best:
                passed.append((dump, _why_not(dump, best)))
            elif dump.pages in taken:
                passed.append((dump, f"the same pages are in {taken[dump.pages].path}"))
            else:
                taken[dump.pages] = dump
        pieces = sorted(taken.values(), key=lambda dump: (dump.pages or (0, 0), dump.path.name))
        chosen += pieces
        warnings += _warnings(pieces)
    places = {id(dump): place for place, dump in enumerate(ordered)}
    passed.sort(key=lambda item: places[id(item[0])])
    return Choice(tuple(chosen), tuple(passed), tuple(warnings))


_Preference = tuple[int, int, int, int, int]


def _preference(dump: DumpName) -> _Preference:
    """Smaller is better. What is called latest may be of any date, so a date goes before it."""
    newest = -int(dump.date.replace("-", "")) if dump.date else 0
    kind = PAGES.index(dump.kind) if dump.kind in PAGES else 0
    whole = dump.path.suffix in (".gz", ".xz", ".zst")
    return newest, kind, int(dump.pages is not None), int(not dump.multistream), int(whole)


def _why_not(dump: DumpName, best: _Preference) -> str:
    """Why a file was passed over: where its preference first differs from the best."""
    own = _preference(dump)
    differs = next(place for place in range(len(best)) if own[place] != best[place])
    digits = str(-best[0])
    return (
        f"there is one of {digits[:4]}-{digits[4:6]}-{digits[6:]}",
        f"the same pages are in the {PAGES[best[1]]} dump",
        "the same pages are in one file",
        "the same pages are there as multistream",
        "the same is there in a form that can be read in parts",
    )[differs]


def _warnings(pieces: list[DumpName]) -> Iterator[str]:
    """What is odd about the files that are to be one wiki, ordered by their pages."""
    known = [(dump, dump.pages) for dump in pieces if dump.pages is not None]
    if known:
        before, (first, reach) = known[0]
        width = reach - first
        if first - 1 > _usual_gap(before, width):
            yield f"{before.wiki}: no piece has the pages before {first:,} ({before.path.name})"
        for dump, (first, last) in known[1:]:
            names = f"{before.path.name} and {dump.path.name}"
            if first <= reach:
                yield f"{dump.wiki}: pages {first:,} to {min(last, reach):,} are in both {names}"
            elif first - reach - 1 > _usual_gap(dump, min(width, last - first)):
                yield (
                    f"{dump.wiki}: no piece has the pages {reach + 1:,} to {first - 1:,} "
                    f"(between {names})"
                )
            if last > reach:
                before, reach, width = dump, last, last - first
    for directory in sorted({dump.path.parent for dump in pieces}):
        yield from _missing(directory, pieces)


def _usual_gap(dump: DumpName, width: int) -> int:
    """How many page ids may be missing between pieces, for they may have been deleted.

    Old pieces share out all ids; new ones are named after the first and the last page in them.
    """
    return 0 if dump.kind != CONTENT_CURRENT else max(1_000, width // 100)


def _missing(directory: Path, pieces: list[DumpName]) -> Iterator[str]:
    """Files of the chosen set that the checksums beside them list, and that are not there."""
    if not directory.is_dir():  # names of files that are elsewhere
        return
    sets = {_preference(dump) for dump in pieces}
    here = {dump.path.name for dump in pieces}
    for listing in sorted(directory.iterdir()):
        if not _LISTING.fullmatch(listing.name) or not listing.is_file():
            continue
        lines = listing.read_text("utf-8", errors="replace").splitlines()
        listed = [
            read_name(directory / line.split()[-1].lstrip("*")) for line in lines if line.split()
        ]
        missing = [
            dump.path.name
            for dump in listed
            if dump is not None
            and dump.wiki == pieces[0].wiki
            and dump.refused is None
            and _preference(dump) in sets
            and dump.path.name not in here
        ]
        if missing:
            yield (
                f"{pieces[0].wiki}: of the files that {listing.name} lists, {len(missing)} of "
                f"{len(missing) + len(here)} are not there, first {missing[0]}"
            )
            return
