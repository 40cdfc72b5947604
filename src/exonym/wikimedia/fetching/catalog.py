"""Which files a site has: the classic dumps, the newer content files, Wikidata's JSON.

    BASE/WIKI/YYYYMMDD/dumpstatus.json                                      sizes, SHA-1, MD5
    BASE/other/mediawiki_content_current/WIKI/YYYY-MM-DD/xml/bzip2/SHA256SUMS
    BASE/wikidatawiki/entities/YYYYMMDD/wikidata-YYYYMMDD-sha1sums.txt      beside the dump

Which dates there are is read from the directories' listings.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date as Date
from typing import Any
from urllib.parse import unquote

import orjson

from exonym.foundation.errors import FormatError, InputError
from exonym.wikimedia.fetching.client import Client, RefusedError

ARTICLES, WIKIDATA = "articles", "wikidata"
WIKIDATA_FOLDER = "wikidatawiki"
"""Where Wikidata's dump is kept: its database's name, as for the others."""

_CONTENT = "other/mediawiki_content_current"
_ENTITIES = ("wikidatawiki/entities", "other/wikibase/wikidatawiki")  # two names of one directory
_ARTICLE_JOBS = ("articlesmultistreamdump", "articlesdump")  # the first one that is done
_TABLE_JOBS = {"langlinks": "langlinkstable", "page_props": "pagepropstable"}
_ALGORITHMS = {"sha256": 64, "sha1": 40, "md5": 32}  # the strongest first; digits of a digest
_HREF = re.compile(r"""href\s*=\s*["']([^"']+)["']""", re.IGNORECASE)
_DAY = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})\Z")
_SUM = re.compile(r"([0-9A-Fa-f]+) [ *](?:\./)?(\S+)\s*\Z")
_NAMED_DATES = 5
_DAYS_TO_WRITE = 7  # by which the date of Wikidata's file may be later than its folder's


@dataclass(frozen=True, slots=True)
class DumpFile:
    """A file that can be fetched.

    Args:
        wiki: database name (``"dewiki"``, ``"wikidatawiki"``); the folder it goes to.
        date: of the dump, as eight digits.
        kind: ``"articles"``, ``"langlinks"``, ``"page_props"`` or ``"wikidata"``.
        name: the file's name.
        url: where it is.
        size: in bytes.
        size_is_published: whether the size stands beside the checksum; else the server said it.
        algorithm: of the checksum: ``"sha256"``, ``"sha1"`` or ``"md5"``.
        digest: the published checksum, in small hexadecimal digits.
    """

    wiki: str
    date: str
    kind: str
    name: str
    url: str
    size: int
    size_is_published: bool
    algorithm: str
    digest: str

    @property
    def place(self) -> str:
        """Folder and name, by which the file is known in the folder of dumps."""
        return f"{self.wiki}/{self.name}"


class NotThereError(InputError):
    """The site has no complete dump of that wiki and date.

    Args:
        what: what is missing.
        where: the directory that was looked into.
        days: the newest dates in it.
    """

    def __init__(self, what: str, *, where: str, days: Sequence[str] = ()) -> None:
        named = ", ".join(day.replace("-", "") for day in days[:_NAMED_DATES])
        self.days = tuple(days)
        super().__init__(
            what,
            where=where,
            remedy=f"The newest dates there: {named}" if days else "Is it named right?",
        )


def parse_date(text: str, option: str = "--date") -> str | None:
    """``"20260101"`` and ``"2026-01-01"`` as eight digits; None for ``"latest"``.

    Raises:
        InputError: neither a date nor ``"latest"``.
    """
    if text == "latest":
        return None
    if not _is_day(text):
        raise InputError(
            f"{option} {text!r} is no date", remedy=f"Write {option} 20260101, or {option} latest"
        )
    return text.replace("-", "")


def find_wiki(
    client: Client,
    base: str,
    wiki: str,
    date: str | None,
    *,
    layout: str = "auto",
    tables: Sequence[str] = (),
) -> tuple[DumpFile, ...]:
    """The files of a wiki's dump, ordered by name.

    Args:
        client: who asks.
        base: the site, without a slash at its end.
        wiki: database name.
        date: eight digits; None is the newest complete dump.
        layout: ``"classic"``, ``"content"`` or ``"auto"``: classic, and content where there is
            none. Classic files have the articles, templates and files only, content files the
            talk pages too, so the classic ones are smaller.
        tables: of ``"langlinks"`` and ``"page_props"``; the classic layout only has them.

    Raises:
        NotThereError: no complete dump; the message names dates that there are.
    """
    if layout == "content":
        if tables:
            raise InputError(
                f"--layout content has no table {tables[0]}", remedy="Use --layout classic"
            )
        return _content(client, base, wiki, date)
    try:
        return _classic(client, base, wiki, date, tables)
    except NotThereError as classic:
        if layout == "classic" or tables:
            raise
        try:
            return _content(client, base, wiki, date)
        except NotThereError as content:
            raise (content if content.days and not classic.days else classic) from content


def find_wikidata(
    client: Client, base: str, date: str | None, suffix: str, *, exactly: bool = False
) -> DumpFile:
    """Wikidata's JSON dump.

    Args:
        client: who asks.
        base: the site, without a slash at its end.
        date: eight digits: the dump nearest to that day, since Wikidata's are made on other days
            than Wikipedia's; None is the newest complete one.
        suffix: ``"bz2"`` or ``"gz"``.
        exactly: take the dump of that very day, by its folder or its name, or none.

    Raises:
        NotThereError: none is complete.
    """
    root, days = _entity_days(client, base)
    listed = list(days)
    if date is not None:
        days.sort(key=lambda day: abs(_ordinal(day) - _ordinal(date)))  # ties: the newer, as before
        if exactly:
            days = [day for day in days if abs(_ordinal(day) - _ordinal(date)) <= _DAYS_TO_WRITE]
    for day in days:
        found = _entities(client, f"{root}/{day}", suffix)
        if found is not None and (not exactly or date in (day, found.date)):
            return found
    of = f" of {date}" if exactly else ""
    raise NotThereError(
        f"no complete dump wikidata-...-all.json.{suffix}{of}", where=root, days=listed
    )


def _entity_days(client: Client, base: str) -> tuple[str, list[str]]:
    for path in _ENTITIES:
        if days := _days(client, f"{base}/{path}/"):
            return f"{base}/{path}", [day.replace("-", "") for day in days]
    raise NotThereError("no dumps of Wikidata there", where=f"{base}/{_ENTITIES[0]}/")


def _entities(client: Client, folder: str, suffix: str) -> DumpFile | None:
    """The dump in a folder, whose name may have a later day than the folder's."""
    listed = _listing(client, f"{folder}/")
    wanted = re.compile(rf"wikidata-(\d{{8}})-all\.json\.{suffix}\Z")
    for name in sorted((name for name in listed if wanted.match(name)), reverse=True):
        date = name.split("-")[1]
        for algorithm in ("sha1", "md5"):
            url = f"{folder}/wikidata-{date}-{algorithm}sums.txt"
            digest = _sums(client, url, algorithm).get(name)
            if digest is not None:
                url = f"{folder}/{name}"
                return DumpFile(
                    WIKIDATA_FOLDER, date, WIKIDATA, name, url, client.length(url), False,
                    algorithm, digest,
                )  # fmt: skip
    return None


def _classic(
    client: Client, base: str, wiki: str, date: str | None, tables: Sequence[str]
) -> tuple[DumpFile, ...]:
    why = "there is none"
    for day in [date] if date is not None else _days(client, f"{base}/{wiki}/"):
        folder = f"{base}/{wiki}/{day}"
        status = _dump_status(client, f"{folder}/dumpstatus.json")
        if not status:
            continue
        jobs = [next((job for job in _ARTICLE_JOBS if _is_done(status, job)), _ARTICLE_JOBS[-1])]
        jobs += [_TABLE_JOBS[table] for table in tables]
        unfinished = [job for job in jobs if not _is_done(status, job)]
        if unfinished:
            why = f"its {unfinished[0]} is not done"
            continue
        kinds = (ARTICLES, *tables)
        files = [
            _listed_file(wiki, day, kind, folder, name, entry)
            for kind, job in zip(kinds, jobs, strict=True)
            for name, entry in status[job]["files"].items()
            if kind != ARTICLES or (".xml" in name and name.endswith(".bz2"))
        ]
        if any(file.kind == ARTICLES for file in files):
            return tuple(sorted(files, key=lambda file: _page_order(file.name)))
        why = "it lists no articles"
    raise _not_there(client, f"{base}/{wiki}/", wiki, date, why)


def _dump_status(client: Client, url: str) -> dict[str, dict[str, Any]]:
    """The jobs of a dump; empty where there is no such dump."""
    try:
        text = client.text(url)
    except RefusedError as error:
        if error.status == 404:
            return {}
        raise
    try:
        jobs = orjson.loads(text)["jobs"]
        if not isinstance(jobs, dict):
            raise TypeError("jobs is no object")
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise FormatError(
            f"is not what the site says of a dump ({type(error).__name__}: {error})",
            where=url,
            remedy="Is --base-url the root of a site with dumps?",
        ) from error
    return jobs


def _is_done(jobs: dict[str, dict[str, Any]], name: str) -> bool:
    job = jobs.get(name)
    return isinstance(job, dict) and job.get("status") == "done" and bool(job.get("files"))


def _listed_file(
    wiki: str, date: str, kind: str, folder: str, name: str, entry: object
) -> DumpFile:
    """A file of dumpstatus.json. The path in it is not believed: a mirror may have another."""
    values = entry if isinstance(entry, dict) else {}
    size = values.get("size")
    if not _is_name(name, wiki, date) or not isinstance(size, int) or size <= 0:
        raise FormatError(
            f"lists a file {name!r} of {size!r} bytes, which cannot be",
            where=f"{folder}/dumpstatus.json",
        )
    for algorithm, digits in _ALGORITHMS.items():
        digest = values.get(algorithm)
        if isinstance(digest, str) and re.fullmatch(rf"[0-9A-Fa-f]{{{digits}}}", digest):
            return DumpFile(
                wiki, date, kind, name, f"{folder}/{name}", size, True, algorithm, digest.lower()
            )
    raise FormatError(
        f"publishes no checksum of {name}; without one nothing is fetched",
        where=f"{folder}/dumpstatus.json",
        remedy="Choose another --date",
    )


def _content(client: Client, base: str, wiki: str, date: str | None) -> tuple[DumpFile, ...]:
    root = f"{base}/{_CONTENT}/{wiki}"
    dashed = None if date is None else f"{date[:4]}-{date[4:6]}-{date[6:]}"
    for day in [dashed] if dashed is not None else _days(client, f"{root}/"):
        folder = f"{root}/{day}/xml/bzip2"
        # The mark _SUCCESS is not asked for: complete dumps without it have been seen. The sums
        # are written last.
        sums = _sums(client, f"{folder}/SHA256SUMS", "sha256")
        pages = re.compile(rf"{re.escape(wiki)}-{re.escape(day)}-p\d+p\d+\.xml\.bz2\Z")
        names = sorted((name for name in sums if pages.match(name)), key=_page_order)
        if names:
            return tuple(
                DumpFile(
                    wiki, day.replace("-", ""), ARTICLES, name, f"{folder}/{name}",
                    client.length(f"{folder}/{name}"), False, "sha256", sums[name],
                )
                for name in names
            )  # fmt: skip
    raise _not_there(client, f"{root}/", wiki, date, "there are no SHA256SUMS")


def _page_order(name: str) -> tuple[int, str]:
    """Pieces in the order of their pages, as the numbers say and not the digits."""
    first = re.search(r"-p(\d+)p\d+", name)
    return (int(first[1]) if first else 0, name)


def _sums(client: Client, url: str, algorithm: str) -> dict[str, str]:
    """Digests by name from a file that ``sha256sum`` and the like write; empty if there is none."""
    try:
        lines = client.text(url).splitlines()
    except RefusedError as error:
        if error.status == 404:
            return {}
        raise
    sums = {}
    for number, line in enumerate(lines, start=1):
        match = _SUM.match(line)
        if match and len(match[1]) == _ALGORITHMS[algorithm]:
            sums[match[2]] = match[1].lower()
        elif line.strip():
            raise FormatError(
                f"is not a list of {algorithm} checksums ({line[:60]!r})", where=f"{url}:{number}"
            )
    return sums


def _days(client: Client, url: str) -> list[str]:
    """The dates of a listing as they are written, the newest first."""
    return sorted((name for name in _listing(client, url) if _is_day(name)), reverse=True)


def _is_day(name: str) -> bool:
    match = _DAY.match(name)
    try:
        return match is not None and Date(*map(int, match.groups())) is not None
    except ValueError:  # eight digits, but no such day
        return False


def _listing(client: Client, url: str) -> set[str]:
    """The names in a directory; empty if there is none."""
    try:
        page = client.text(url)
    except RefusedError as error:
        if error.status == 404:
            return set()
        raise
    links = (unquote(link.split("?")[0].split("#")[0]) for link in _HREF.findall(page))
    return {link.rstrip("/").rsplit("/", 1)[-1] for link in links}


def _not_there(client: Client, url: str, wiki: str, date: str | None, why: str) -> NotThereError:
    of = "" if date is None else f" of {date}"
    what = f"no complete dump of {wiki}{of}: {why}"
    return NotThereError(what, where=url, days=_days(client, url))


def _is_name(name: str, wiki: str, date: str) -> bool:
    """Whether a name may become a file here: nothing that leads out of the folder."""
    return re.fullmatch(r"[\w.+-]+", name, re.ASCII) is not None and name.startswith(
        f"{wiki}-{date}-"
    )


def _ordinal(day: str) -> int:
    return Date(int(day[:4]), int(day[4:6]), int(day[6:])).toordinal()
