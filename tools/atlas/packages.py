"""The packages that the table is built from, and how to get and read them."""

from __future__ import annotations

import subprocess
import tarfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from lxml import etree

from exonym.foundation.errors import InputError


@dataclass(frozen=True, slots=True)
class Package:
    """One package of the npm registry, pinned."""

    name: str
    version: str
    licence: str
    used_for: str

    @property
    def folder(self) -> str:
        """Name of the folder it is unpacked into."""
        return self.name.replace("@", "").replace("/", "-")


PACKAGES = (
    Package("cldr-core", "48.2.0", "Unicode-3.0", "relations, codes, population"),
    Package("cldr-localenames-full", "48.2.0", "Unicode-3.0", "territories, languages, scripts"),
    Package("cldr-numbers-full", "48.2.0", "Unicode-3.0", "names of currencies"),
    Package("cldr-dates-full", "48.2.0", "Unicode-3.0", "names of cities and time zones"),
    Package("cldr-bcp47", "48.2.0", "Unicode-3.0", "which city lies in which country"),
    Package("cldr", "8.0.0", "Unicode-3.0 (its data)", "names of subdivisions"),
    Package("wikidata-lang", "5.0.1", "MIT (its data: CC0)", "QIDs of languages"),
    Package("@rapideditor/country-coder", "5.6.1", "ISC", "QIDs of territories and regions"),
)


def fetch(folder: Path) -> None:
    """Download and unpack every package that is not in ``folder`` yet.

    Raises:
        InputError: npm is missing, or a package cannot be downloaded.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        target = folder / package.folder
        if target.is_dir():
            continue
        wanted = f"{package.name}@{package.version}"
        try:
            done = subprocess.run(
                ["npm", "pack", "--silent", wanted],
                cwd=folder,
                capture_output=True,
                text=True,
                check=True,
            )
        except (OSError, subprocess.CalledProcessError) as error:
            raise InputError(
                f"package {wanted} cannot be downloaded ({error})",
                remedy=f"Unpack it by hand into {target}, so that {target}/package.json exists",
            ) from error
        archive = folder / done.stdout.strip().splitlines()[-1]
        with tarfile.open(archive) as tar:
            tar.extractall(folder / f"{package.folder}.unpacking", filter="data")
        (folder / f"{package.folder}.unpacking" / "package").rename(target)
        (folder / f"{package.folder}.unpacking").rmdir()
        archive.unlink()


class Sources:
    """The unpacked packages, read by package and path.

    Raises:
        InputError: a package is missing or is of another version than the pinned one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for package in PACKAGES:
            described = folder / package.folder / "package.json"
            if not described.is_file():
                raise InputError(
                    "expected an unpacked npm package here",
                    where=described,
                    remedy="Run tools/build_atlas.py --fetch",
                )
            found = orjson.loads(described.read_bytes()).get("version")
            if found != package.version:
                raise InputError(
                    f"expected version {package.version} of {package.name}, found {found}",
                    where=described,
                    remedy=f"Remove {described.parent} and run tools/build_atlas.py --fetch",
                )

    @cache  # noqa: B019 - one instance lives as long as the script
    def json(self, package: str, path: str) -> Any:
        """The parsed JSON file ``path`` of ``package`` (by folder name)."""
        return orjson.loads((self.folder / package / path).read_bytes())

    def supplemental(self, name: str, key: str) -> Any:
        """One table of CLDR's supplemental data."""
        return self.json("cldr-core", f"supplemental/{name}.json")["supplemental"][key]

    def xml(self, package: str, path: str) -> Any:
        """The root of an XML file."""
        return etree.parse(self.folder / package / path).getroot()
