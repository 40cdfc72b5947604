"""Finding the dump files among the paths a user gives, and asking each which wiki it is of."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from exonym.foundation.compression import open_binary
from exonym.foundation.errors import FormatError, InputError
from exonym.wikimedia.dump import open_dump
from exonym.wikimedia.layouts import (
    LANGLINKS,
    PAGE_PROPS,
    Choice,
    DumpName,
    choose,
    files_below,
    read_name,
)
from exonym.wikimedia.siteinfo import SiteInfo
from exonym.wikimedia.wikis import WIKIPEDIA_LANGUAGES, language_of_database

_WIKI = re.compile(r".+\.xml(-p\d+p\d+)?(\.bz2|\.gz|\.xz|\.zst)?")
_JSON = re.compile(r".+\.json(\.bz2|\.gz|\.xz|\.zst)?")
_DATE = re.compile(r"(?<!\d)((?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01]))(?!\d)")
_GET_DUMPS = (
    "Give --dumps files such as dewiki-20260101-pages-articles.xml.bz2 from "
    "https://dumps.wikimedia.org (exonym dumps fetch), or make some: exonym atlas write --out DIR"
)


@dataclass(frozen=True, slots=True)
class WikiDump:
    """A MediaWiki dump file, the Wikipedia it is of, and what was odd in the file's head."""

    path: Path
    language: str
    site: SiteInfo
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sources:
    """What was found.

    Args:
        wikis: the Wikipedia dumps; of one wiki ordered by their pages.
        wikidata: the Wikidata dumps, ordered by file name.
        page_items: the tables of page properties by language, if there is no Wikidata dump.
        language_links: the tables of language links by language, if there is neither.
        ignored: file name and why it was left out, ordered.
        warnings: what is missing or double among the dumps.
    """

    wikis: tuple[WikiDump, ...]
    wikidata: tuple[Path, ...]
    page_items: Mapping[str, tuple[Path, ...]]
    language_links: Mapping[str, tuple[Path, ...]]
    ignored: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]

    @property
    def others(self) -> tuple[Path, ...]:
        """The files that are no Wikipedia dumps."""
        tables = [*self.page_items.values(), *self.language_links.values()]
        return (*self.wikidata, *(path for paths in tables for path in paths))

    @property
    def sites(self) -> dict[str, SiteInfo]:
        """Each language's site; of several files' the one that names most namespaces."""
        sites: dict[str, SiteInfo] = {}
        for wiki in self.wikis:
            known = sites.get(wiki.language)
            if known is None or len(wiki.site.namespaces) > len(known.namespaces):
                sites[wiki.language] = wiki.site
        return sites


@dataclass(slots=True)
class _Found:
    """The files by what they are, while they are looked through."""

    wikis: list[WikiDump] = field(default_factory=list)
    wikidata: list[Path] = field(default_factory=list)
    tables: dict[str, list[DumpName]] = field(default_factory=dict)
    ignored: list[tuple[str, str]] = field(default_factory=list)


def find_sources(
    dumps: Sequence[Path],
    *,
    languages: Collection[str] | None = None,
    keep_going: bool = False,
    any_language: bool = False,
) -> Sources:
    """Sort the given files and the files of the given directories by what they are.

    Where the names say that two files hold the same pages, one is chosen (`layouts.choose`).

    Args:
        dumps: files, or directories, of which those are searched further that the layouts of the
            dumps site have.
        languages: keep only the Wikipedias of these languages.
        keep_going: leave out, with the reason, a dump that cannot be opened.
        any_language: accept dumps of languages that Wikipedia has no code for.

    Raises:
        InputError: a path does not exist or is no dump; no Wikipedia dump is left; a language
            is unknown, or asked for and not there.
        FormatError: a dump cannot be opened and ``keep_going`` is false.
    """
    files = _files(dumps)
    choice = choose([name for path, _ in files if (name := read_name(path))])
    passed = {dump.path: reason for dump, reason in choice.passed_over}
    _refuse_named(files, choice)
    found = _Found(ignored=[(path.name, reason) for path, reason in passed.items()])
    order = {dump.path: place for place, dump in enumerate(choice.chosen)}
    left = [(path, named) for path, named in files if path not in passed]
    for path, named in sorted(left, key=lambda item: order.get(item[0], -1)):
        _sort(
            path, named, found, languages=languages, keep_going=keep_going,
            any_language=any_language,
        )  # fmt: skip
    _require(found, dumps, languages)
    page_items, language_links = _tables(found)
    return Sources(
        tuple(found.wikis),
        tuple(found.wikidata),
        page_items,
        language_links,
        tuple(sorted(found.ignored)),
        choice.warnings,
    )


def _refuse_named(files: Sequence[tuple[Path, bool]], choice: Choice) -> None:
    """A file that the user named and that can never be used is an error, not left out."""
    named = {path for path, by_user in files if by_user}
    for dump, reason in choice.passed_over:
        if dump.refused is not None and dump.path in named:
            raise InputError(f"cannot be used: {reason}", where=dump.path)


def _sort(
    path: Path,
    named: bool,
    found: _Found,
    *,
    languages: Collection[str] | None,
    keep_going: bool,
    any_language: bool,
) -> None:
    """Put one file where it belongs."""
    name = read_name(path)
    if name is not None and name.kind in (LANGLINKS, PAGE_PROPS):
        found.tables.setdefault(name.kind, []).append(name)
    elif _WIKI.fullmatch(path.name):
        try:
            wiki = _inspect(path, keep_going=keep_going, any_language=any_language)
        except FormatError as error:
            if not keep_going:
                raise
            found.ignored.append((path.name, error.what))
            return
        if languages is None or wiki.language in languages:
            found.wikis.append(wiki)
        else:
            reason = f"its language, {wiki.language!r}, was not asked for"
            found.ignored.append((path.name, reason))
    elif _JSON.fullmatch(path.name) and _is_wikidata(path):
        found.wikidata.append(path)
    elif named:
        raise InputError(
            "is neither a Wikipedia dump (*.xml, *.xml.bz2, ...) nor a Wikidata "
            "dump (*.json.bz2, ...)",
            where=path,
            remedy=_GET_DUMPS,
        )
    else:
        found.ignored.append((path.name, "not a dump"))


def _require(found: _Found, dumps: Sequence[Path], languages: Collection[str] | None) -> None:
    known = {wiki.language for wiki in found.wikis}
    if missing := sorted(set(languages or ()) - known):
        raise InputError(
            f"no dump of the language {missing[0]!r} among the given files",
            remedy="Leave it out of --languages, or add its dump to --dumps",
        )
    if not found.wikis:
        raise InputError(
            f"no Wikipedia dump found in {', '.join(map(str, dumps)) or 'nothing'}",
            remedy=_GET_DUMPS,
        )


_Tables = dict[str, tuple[Path, ...]]


def _tables(found: _Found) -> tuple[_Tables, _Tables]:
    """The tables of page properties and of language links that are needed, by language."""
    languages = {wiki.language for wiki in found.wikis}
    kept: dict[str, _Tables] = {PAGE_PROPS: {}, LANGLINKS: {}}
    for kind, names in found.tables.items():
        for name in names:
            language = language_of_database(name.wiki)
            if found.wikidata:
                reason = "the Wikidata dump says more"
            elif kind == LANGLINKS and found.tables.get(PAGE_PROPS):
                reason = "the tables of page properties say more"
            elif language not in languages:
                reason = "there is no dump of its wiki"
            else:
                kept[kind][language] = (*kept[kind].get(language, ()), name.path)
                continue
            found.ignored.append((name.path.name, reason))
    return kept[PAGE_PROPS], kept[LANGLINKS]


def _files(dumps: Sequence[Path]) -> list[tuple[Path, bool]]:
    """Each file once, with whether the user named it, ordered by name whatever the order given."""
    files: dict[Path, tuple[Path, bool]] = {}
    for given in dumps:
        if given.is_dir():
            for path in files_below(given):
                files.setdefault(path.resolve(), (path, False))
        elif given.is_file():
            files[given.resolve()] = (given, True)
        else:
            raise InputError("no such file or directory", where=given, remedy=_GET_DUMPS)
    return sorted(files.values(), key=lambda item: (item[0].name, str(item[0])))


def _inspect(path: Path, *, keep_going: bool, any_language: bool) -> WikiDump:
    with open_dump(path, keep_going=keep_going) as reader:
        site, warnings = reader.siteinfo, tuple(reader.warnings)
    known = language_of_database(site.database) in WIKIPEDIA_LANGUAGES
    if not known and not any_language:
        raise InputError(
            f"the wiki {site.database!r} (language {site.language!r}) is not a known Wikipedia",
            where=path,
            remedy="Leave the file out, or pass --any-language to read it all the same",
        )
    return WikiDump(path, site.language, site, warnings)


def _is_wikidata(path: Path) -> bool:
    if "wikidata" in path.name.lower():
        return True
    try:
        with open_binary(path) as stream:
            return stream.read(64).lstrip().startswith(b"[")
    except (OSError, EOFError):
        return False


def dump_date(path: Path) -> str | None:
    """The date in a dump's file name, ``2026-01-01``, or None."""
    found = _DATE.search(path.name)
    return f"{found[1][:4]}-{found[1][4:6]}-{found[1][6:]}" if found else None
