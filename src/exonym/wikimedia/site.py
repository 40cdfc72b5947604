"""Making a `SiteInfo` of a dump's head, and what to do when the head is incomplete or wrong."""

from __future__ import annotations

import re
from pathlib import Path

from exonym.foundation.errors import FormatError
from exonym.wikimedia.export import RawSite
from exonym.wikimedia.siteinfo import CANONICAL_NAMESPACES, MAIN_NAMESPACE, Namespace, SiteInfo
from exonym.wikimedia.wikis import (
    WIKIPEDIA_LANGUAGES,
    database_of_language,
    language_of_database,
)

_HOST = re.compile(r"//([a-z-]+)\.(?:m\.)?wikipedia\.org")
_FILE_DATABASE = re.compile(r"([a-z]+(?:_[a-z]+)*wiki)(?=[-.])")


def read_site(raw: RawSite, path: Path, *, keep_going: bool) -> tuple[SiteInfo, list[str]]:
    """Make the `SiteInfo`.

    The language comes from the database name, else the site's address, else ``xml:lang``
    (which names the language of the text: ``en`` for the Simple English Wikipedia). Where the
    file's own name is that of another Wikipedia's dump, the file name is believed and a
    warning says so: a wrong head happens in files cut out of dumps by other tools, and merging
    Japanese pages into the English wiki would be the worse error.

    Args:
        raw: what was read of the head.
        path: the file, for messages and for its name.
        keep_going: fall back on file name, ``xml:lang`` and the canonical namespaces where the
            file says nothing.

    Returns:
        (site, warnings)

    Raises:
        FormatError: ``<siteinfo>`` or a part of it is missing, or the language is unknown.
    """
    missing = _missing(raw)
    if missing and not keep_going:
        raise FormatError(
            f"{missing} before the first page, so namespaces and language are unknown",
            where=path,
            remedy="Pass --keep-going to take them from the file name and from English",
        )
    warnings = [f"{missing}: English namespace names are assumed"] if missing else []
    declared = _declared_database(raw)
    named = _database_of_file(path)
    if declared and named and declared != named:
        warnings.append(
            f"<siteinfo> says {declared}, the file name says {named}: the file name is believed, "
            f"but the namespaces are those of {declared}"
        )
        declared = named
    database = declared or named or ""
    language = language_of_database(database) or raw.language
    if not language:
        raise FormatError(
            "its language is unknown: there is no <dbname>, no <base> at wikipedia.org and no "
            "xml:lang",
            where=path,
            remedy="Name the file after its wiki, such as jawiki-pages-articles.xml.bz2",
        )
    case = raw.fields.get("case") or "first-letter"
    site = SiteInfo(
        database=database or database_of_language(language),
        language=language,
        name=raw.fields.get("sitename", ""),
        generator=raw.fields.get("generator", ""),
        case=case,
        namespaces=_namespaces(raw, case),
    )
    return site, warnings


def _missing(raw: RawSite) -> str | None:
    if not raw.seen:
        return "there is no <siteinfo>"
    if not raw.namespaces:
        return "<siteinfo> has no <namespaces>"
    return None


def _declared_database(raw: RawSite) -> str | None:
    if raw.fields.get("dbname"):
        return raw.fields["dbname"]
    host = _HOST.search(raw.fields.get("base", ""))
    return database_of_language(host[1]) if host else None


def _database_of_file(path: Path) -> str | None:
    match = _FILE_DATABASE.match(path.name)
    if match is None or language_of_database(match[1]) not in WIKIPEDIA_LANGUAGES:
        return None
    return match[1]


def _namespaces(raw: RawSite, case: str) -> tuple[Namespace, ...]:
    spaces = [
        Namespace(int(key), name, rule or case)
        for key, rule, name in raw.namespaces
        if re.fullmatch(r"-?\d{1,6}", key)
    ]
    if spaces:
        return tuple(spaces)
    canonical = {key: name for name, key in reversed(CANONICAL_NAMESPACES.items())}
    canonical[MAIN_NAMESPACE] = ""
    return tuple(Namespace(key, canonical[key], case) for key in sorted(canonical))
