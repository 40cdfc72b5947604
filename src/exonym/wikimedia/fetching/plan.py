"""What is to be fetched, how much of it is there, and whether the disk has room for the rest."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from exonym.foundation.errors import InputError, ResourceError
from exonym.foundation.progress import stage
from exonym.text.languages import MLUKE_LANGUAGES
from exonym.wikimedia.fetching.catalog import (
    ARTICLES,
    WIKIDATA,
    DumpFile,
    find_wiki,
    find_wikidata,
    parse_date,
)
from exonym.wikimedia.fetching.client import Client
from exonym.wikimedia.fetching.folder import DumpFolder
from exonym.wikimedia.wikis import WIKIPEDIA_LANGUAGES, database_of_language

WIKIMEDIA = "https://dumps.wikimedia.org"
LAYOUTS = ("auto", "classic", "content")
WIKIDATA_FORMS = ("bz2", "gz", "none")


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants.

    Args:
        languages: codes of Wikipedias; one of them may be ``"mluke"``, the 24 of the paper.
        date: ``"latest"``, ``"20260101"`` or ``"2026-01-01"``.
        layout: ``"auto"``, ``"classic"`` or ``"content"``.
        wikidata: ``"bz2"``, ``"gz"`` or ``"none"``.
        wikidata_date: of exactly this day; None is the dump nearest to ``date``.
        langlinks: fetch the tables langlinks and page_props, too.
        base_url: the site, or a mirror with the same directories.

    Raises:
        InputError: a value that is none of these.
    """

    languages: tuple[str, ...] = ("mluke",)
    date: str = "latest"
    layout: str = "auto"
    wikidata: str = "bz2"
    wikidata_date: str | None = None
    langlinks: bool = False
    base_url: str = WIKIMEDIA

    def __post_init__(self) -> None:
        parse_date(self.date)
        parse_date(self.wikidata_date or "latest", "--wikidata-date")
        for name, value, known in (
            ("--layout", self.layout, LAYOUTS),
            ("--wikidata", self.wikidata, WIKIDATA_FORMS),
        ):
            if value not in known:
                raise InputError(
                    f"{name} {value!r} is not known", remedy=f"Use one of {', '.join(known)}"
                )
        unknown = [c for c in self.codes if c not in WIKIPEDIA_LANGUAGES]
        if unknown:
            raise InputError(
                f"{unknown[0]!r} is no Wikipedia's language code",
                remedy="For example --languages en,ja,sw, or --languages mluke",
            )
        if not _is_address(self.base_url):
            raise InputError(
                f"--base-url {self.base_url!r} is no address", remedy=f"For example {WIKIMEDIA}"
            )

    @property
    def codes(self) -> tuple[str, ...]:
        """The languages, each once, in the order given."""
        codes: dict[str, None] = {}
        for code in self.languages:
            codes.update(dict.fromkeys(MLUKE_LANGUAGES if code == "mluke" else [code]))
        return tuple(codes)


@dataclass(frozen=True, slots=True)
class Plan:
    """The files of a request.

    Args:
        files: by wiki in the order of the languages, then Wikidata's; a wiki's by pages.
        notes: what may surprise, a sentence each.
    """

    files: tuple[DumpFile, ...]
    notes: tuple[str, ...]

    @property
    def bytes(self) -> int:
        """Of all files together."""
        return sum(file.size for file in self.files)

    def bytes_of(self, kind: str) -> int:
        """Of the files of a kind (``"articles"``, ``"wikidata"``)."""
        return sum(file.size for file in self.files if file.kind == kind)

    @property
    def wiki_bytes(self) -> int:
        """Of the articles."""
        return self.bytes_of(ARTICLES)

    @property
    def wikidata_bytes(self) -> int:
        """Of Wikidata's dump."""
        return self.bytes_of(WIKIDATA)


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes on the disk.

    Args:
        needed: that a fetch adds.
        there: that are there already, of whole files and of beginnings.
        free: on the disk of the folder.
    """

    needed: int
    there: int
    free: int

    def require(self, folder: DumpFolder) -> None:
        """Raises ResourceError if it does not fit."""
        if self.needed > self.free:
            raise ResourceError(
                f"{in_bytes(self.needed)} more are needed ({in_bytes(self.needed + self.there)} "
                f"in all, {in_bytes(self.there)} are there), {in_bytes(self.free)} are free",
                where=folder.path,
                remedy="Free some space, choose another --out, fewer --languages, or "
                "--wikidata none",
            )


def make_plan(client: Client, request: Request) -> Plan:
    """Ask the site which files there are.

    Raises:
        NotThereError: no complete dump of a wiki and date.
        RefusedError, UnreachableError, FormatError: the site is not to be had, or not a dump site.
    """
    base, date = request.base_url.rstrip("/"), parse_date(request.date)
    tables = ("langlinks", "page_props") if request.langlinks else ()
    files: list[DumpFile] = []
    with stage("look up dumps", total=len(request.codes), unit="wikis") as progress:
        for code in request.codes:
            wiki = database_of_language(code)
            progress.note(wiki)
            files += find_wiki(client, base, wiki, date, layout=request.layout, tables=tables)
            progress.advance()
    notes = _notes(files)
    if request.wikidata != "none":
        if request.wikidata_date is None:  # as near as can be to the links that it is to join
            day: str | None = date or max(file.date for file in files)
        else:
            day = parse_date(request.wikidata_date, "--wikidata-date")
        exactly = day is not None and request.wikidata_date is not None
        file = find_wikidata(client, base, day, request.wikidata, exactly=exactly)
        files.append(file)
        if day is not None and file.date != day:
            notes.append(f"Wikidata's dump is of {file.date}, the nearest to {day}.")
    return Plan(tuple(files), tuple(notes))


def room(plan: Plan, folder: DumpFolder) -> Room:
    """What the folder has of the plan, and what its disk has left."""
    there = sum(folder.present(file) for file in plan.files)
    nearest = next(path for path in (folder.path.absolute(), *folder.path.absolute().parents)
                   if path.exists())  # fmt: skip
    return Room(plan.bytes - there, there, shutil.disk_usage(nearest).free)


def in_bytes(count: float) -> str:
    """``26_564_488_717`` as ``"26.6 GB"``: powers of thousand, as dump sites count."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets or a port that are none
        return False


def _notes(files: Sequence[DumpFile]) -> list[str]:
    dates: dict[str, list[str]] = {}
    for file in files:
        if file.wiki not in dates.setdefault(file.date, []):
            dates[file.date].append(file.wiki)
    if len(dates) < 2:
        return []
    oldest, newest = min(dates), max(dates)
    rare = min(dates, key=lambda day: (len(dates[day]), day))
    return [
        f"The wikis' newest complete dumps are of {len(dates)} dates, {oldest} to {newest} "
        f"({', '.join(dates[rare])}: {rare}). --date {oldest} asks for one date."
    ]
