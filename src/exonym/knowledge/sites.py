"""The namespaces and title rules of each wiki, kept so that titles can be read as it reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from exonym.foundation.errors import FormatError
from exonym.foundation.files import read_json, write_json
from exonym.wikimedia.siteinfo import Namespace, SiteInfo

_FILE = "sites.json"


def write_sites(directory: Path, sites: Mapping[str, SiteInfo]) -> None:
    """Write the site of each language into a knowledge base directory."""
    write_json(directory / _FILE, {code: asdict(sites[code]) for code in sorted(sites)})


def read_sites(directory: Path) -> dict[str, SiteInfo]:
    """The site of each language, as `write_sites` wrote it.

    Raises:
        FormatError: the file is damaged.
    """
    path = directory / _FILE
    try:
        return {
            code: SiteInfo(
                **{**site, "namespaces": tuple(Namespace(**space) for space in site["namespaces"])}
            )
            for code, site in read_json(path).items()
        }
    except (AttributeError, KeyError, TypeError) as error:
        raise FormatError(
            f"does not describe wikis ({error})", where=path, remedy="Build the directory anew"
        ) from error
