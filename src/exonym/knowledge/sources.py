"""Finding the dump files among the paths a user gives, and asking each which wiki it is of."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from exonym.foundation.errors import FormatError, InputError
from exonym.foundation.files import open_binary
from exonym.wikimedia.dump import open_dump
from exonym.wikimedia.siteinfo import SiteInfo
from exonym.wikimedia.wikis import WIKIPEDIA_LANGUAGES, language_of_database

_WIKI = re.compile(r".+\.xml(\.bz2|\.gz|\.xz|\.zst)?")
_JSON = re.compile(r".+\.json(\.bz2|\.gz|\.xz|\.zst)?")
_DATE = re.compile(r"(?<!\d)((?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01]))(?!\d)")
_GET_DUMPS = (
    "Give --dumps files such as dewiki-20260101-pages-articles.xml.bz2 from "
    "https://dumps.wikimedia.org, or make some: exonym atlas write --out DIR"
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
        wikis: the Wikipedia dumps, ordered by file name.
        wikidata: the Wikidata dumps, ordered by file name.
        ignored: file name and why it was left out, ordered.
    """

    wikis: tuple[WikiDump, ...]
    wikidata: tuple[Path, ...]
    ignored: tuple[tuple[str, str], ...]

    @property
    def sites(self) -> dict[str, SiteInfo]:
        """Each language's site; of several files' the one that names most namespaces."""
        sites: dict[str, SiteInfo] = {}
        for wiki in self.wikis:
            known = sites.get(wiki.language)
            if known is None or len(wiki.site.namespaces) > len(known.namespaces):
                sites[wiki.language] = wiki.site
        return sites


def find_sources(
    dumps: Sequence[Path],
    *,
    languages: Collection[str] | None = None,
    keep_going: bool = False,
    any_language: bool = False,
) -> Sources:
    """Sort the given files and the files of the given directories by what they are.

    Args:
        dumps: files, or directories that are not searched below their first level.
        languages: keep only the Wikipedias of these languages.
        keep_going: leave out, with the reason, a dump that cannot be opened.
        any_language: accept dumps of languages that Wikipedia has no code for.

    Raises:
        InputError: a path does not exist or is no dump; no Wikipedia dump is left; a language
            is unknown, or asked for and not there.
        FormatError: a dump cannot be opened and ``keep_going`` is false.
    """
    wikis: list[WikiDump] = []
    wikidata: list[Path] = []
    ignored: list[tuple[str, str]] = []
    for path, named in _files(dumps):
        if _WIKI.fullmatch(path.name):
            try:
                wiki = _inspect(path, keep_going=keep_going, any_language=any_language)
            except FormatError as error:
                if not keep_going:
                    raise
                ignored.append((path.name, error.what))
                continue
            if languages is None or wiki.language in languages:
                wikis.append(wiki)
            else:
                ignored.append((path.name, f"its language, {wiki.language!r}, was not asked for"))
        elif _JSON.fullmatch(path.name) and _is_wikidata(path):
            wikidata.append(path)
        elif named:
            raise InputError(
                "is neither a Wikipedia dump (*.xml, *.xml.bz2, ...) nor a Wikidata "
                "dump (*.json.bz2, ...)",
                where=path,
                remedy=_GET_DUMPS,
            )
        else:
            ignored.append((path.name, "not a dump"))
    found = {wiki.language for wiki in wikis}
    if missing := sorted(set(languages or ()) - found):
        raise InputError(
            f"no dump of the language {missing[0]!r} among the given files",
            remedy="Leave it out of --languages, or add its dump to --dumps",
        )
    if not wikis:
        raise InputError(
            f"no Wikipedia dump found in {', '.join(map(str, dumps)) or 'nothing'}",
            remedy=_GET_DUMPS,
        )
    return Sources(tuple(wikis), tuple(wikidata), tuple(sorted(ignored)))


def _files(dumps: Sequence[Path]) -> list[tuple[Path, bool]]:
    """Each file once, with whether the user named it, ordered by name whatever the order given."""
    files: dict[Path, tuple[Path, bool]] = {}
    for given in dumps:
        if given.is_dir():
            for path in given.iterdir():
                if path.is_file() and not path.name.startswith("."):
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
