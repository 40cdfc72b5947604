"""Writing a MediaWiki XML dump, export format 0.11 (https://www.mediawiki.org/xml/export-0.11)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from exonym.atlas.draws import Draw
from exonym.atlas.pages import WikiPage
from exonym.atlas.sites import PROJECT, Site
from exonym.foundation.files import atomic_file

NAMESPACE = "http://www.mediawiki.org/xml/export-0.11/"
_TIMESTAMP = "2026-01-01T00:00:00Z"
_FORMATS = {"wikitext": "text/x-wiki", "css": "text/css"}
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_PAIRS = [first + second for first in _DIGITS for second in _DIGITS]


def dump_name(site: Site, date: str) -> str:
    """The file name that Wikimedia gives such a dump."""
    return f"{site.database}-{date}-pages-articles.xml.bz2"


def write_dump(path: Path, site: Site, pages: Sequence[WikiPage], seed: int) -> None:
    """Write pages as one dump; the path's suffix decides the compression.

    Ids and time stamps are the same for the same seed, so the file is too.
    """
    draw = Draw(seed, "atlas page ids", site.language)
    number, revision = 0, 1_000_000
    with atomic_file(path) as stream:
        stream.write(_head(site).encode())
        for page in pages:
            number += draw.integer(1, 40)
            revision += draw.integer(1, 900)
            stream.write(_page(page, number, revision, draw).encode())
        stream.write(b"</mediawiki>\n")


def escape(text: str) -> str:
    """Text as MediaWiki writes it into XML, in elements and attributes alike."""
    return (
        text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    )


def _head(site: Site) -> str:
    names = "".join(
        f'      <namespace key="{key}" case="first-letter">{escape(name)}</namespace>\n'
        if key
        else '      <namespace key="0" case="first-letter" />\n'
        for key, name in sorted({**site.namespaces, 0: ""}.items())
    )
    project = escape(site.namespaces[PROJECT])
    return (
        f'<mediawiki xmlns="{NAMESPACE}" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xsi:schemaLocation="{NAMESPACE} http://www.mediawiki.org/xml/export-0.11.xsd" '
        f'version="0.11" xml:lang="{site.language}">\n'
        "  <siteinfo>\n"
        f"    <sitename>{project}</sitename>\n"
        f"    <dbname>{site.database}</dbname>\n"
        f"    <base>https://{site.language}.wikipedia.org/wiki/{project}</base>\n"
        "    <generator>MediaWiki 1.43.0 (Exonym Atlas)</generator>\n"
        "    <case>first-letter</case>\n"
        f"    <namespaces>\n{names}    </namespaces>\n"
        "  </siteinfo>\n"
    )


def _page(page: WikiPage, number: int, revision: int, draw: Draw) -> str:
    target = page.redirect
    redirect = f'    <redirect title="{escape(target)}" />\n' if target else ""
    parent = f"      <parentid>{revision - 1}</parentid>\n" if draw.chance(0.7) else ""
    minor = "      <minor />\n" if draw.chance(0.2) else ""
    raw = page.text.encode()
    digest = _base36(hashlib.sha1(raw, usedforsecurity=False).digest())
    return (
        "  <page>\n"
        f"    <title>{escape(page.title)}</title>\n"
        f"    <ns>{page.namespace}</ns>\n"
        f"    <id>{number}</id>\n"
        f"{redirect}"
        "    <revision>\n"
        f"      <id>{revision}</id>\n"
        f"{parent}"
        f"      <timestamp>{_TIMESTAMP}</timestamp>\n"
        "      <contributor>\n"
        "        <username>Atlas</username>\n"
        "        <id>1</id>\n"
        "      </contributor>\n"
        f"{minor}"
        f"      <origin>{revision}</origin>\n"
        f"      <model>{page.model}</model>\n"
        f"      <format>{_FORMATS[page.model]}</format>\n"
        f'      <text bytes="{len(raw)}" sha1="{digest}" xml:space="preserve">'
        f"{escape(page.text)}</text>\n"
        f"      <sha1>{digest}</sha1>\n"
        "    </revision>\n"
        "  </page>\n"
    )


def _base36(digest: bytes) -> str:
    """MediaWiki's form of a SHA-1: 31 digits of base 36."""
    value, pairs = int.from_bytes(digest, "big"), []
    for _ in range(16):
        value, pair = divmod(value, 36 * 36)
        pairs.append(_PAIRS[pair])
    return "".join(reversed(pairs))[1:]
