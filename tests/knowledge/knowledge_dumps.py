"""Dumps small enough to be read in a test, written as MediaWiki and Wikidata write them."""

from __future__ import annotations

import bz2
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from exonym.knowledge import KnowledgeBase

NAMESPACES = {
    "de": {6: "Datei", 14: "Kategorie"},
    "ja": {6: "ファイル", 14: "Category"},
}
BuildPages = Callable[..., KnowledgeBase]
Page = tuple[str, str]  # title, wikitext; a redirect's wikitext is "#REDIRECT [[Target]]"


def wiki_xml(language: str, pages: Sequence[Page], *, database: str | None = None) -> str:
    spaces = {0: "", 1: "Talk", 6: "File", 10: "Template", 14: "Category"}
    spaces |= NAMESPACES.get(language, {})
    lines = [
        '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" '
        f"xml:lang={quoteattr(language)}>",
        "<siteinfo><sitename>Wikipedia</sitename>"
        f"<dbname>{database or language + 'wiki'}</dbname>"
        f"<base>https://{language}.wikipedia.org/wiki/Main</base>"
        "<generator>MediaWiki 1.45.0</generator><case>first-letter</case><namespaces>",
        *(
            f'<namespace key="{key}" case="first-letter">{escape(name)}</namespace>'
            for key, name in spaces.items()
        ),
        "</namespaces></siteinfo>",
    ]
    for number, (title, text) in enumerate(pages, start=1):
        redirect = ""
        if text.startswith("#REDIRECT [["):
            redirect = f"<redirect title={quoteattr(text[12:].partition(']]')[0])} />"
        lines.append(
            f"<page><title>{escape(title)}</title><ns>0</ns><id>{number}</id>{redirect}"
            f"<revision><id>{number}</id><timestamp>2026-01-01T00:00:00Z</timestamp>"
            "<contributor><username>A</username><id>1</id></contributor>"
            "<model>wikitext</model><format>text/x-wiki</format>"
            f'<text bytes="{len(text.encode())}" xml:space="preserve">{escape(text)}</text>'
            "<sha1>x</sha1></revision></page>"
        )
    return "\n".join([*lines, "</mediawiki>", ""])


def write_wiki(path: Path, language: str, pages: Sequence[Page], **options: Any) -> Path:
    data = wiki_xml(language, pages, **options).encode()
    path.write_bytes(bz2.compress(data) if path.suffix == ".bz2" else data)
    return path


def item(
    key: str,
    sitelinks: Mapping[str, str],
    *,
    labels: Mapping[str, str] | None = None,
    aliases: Mapping[str, Sequence[str]] | None = None,
    descriptions: Mapping[str, str] | None = None,
    claims: Sequence[tuple[str, str]] = (),
) -> dict[str, Any]:
    statements: dict[str, list[Any]] = {}
    for relation, target in claims:
        statements.setdefault(relation, []).append(
            {
                "mainsnak": {
                    "snaktype": "value",
                    "property": relation,
                    "datatype": "wikibase-item",
                    "datavalue": {
                        "type": "wikibase-entityid",
                        "value": {"entity-type": "item", "id": target},
                    },
                },
                "type": "statement",
                "rank": "normal",
            }
        )
    return {
        "type": "item",
        "id": key,
        "labels": _terms(labels or {}),
        "descriptions": _terms(descriptions or {}),
        "aliases": {
            code: [{"language": code, "value": text} for text in texts]
            for code, texts in (aliases or {}).items()
        },
        "claims": statements,
        "sitelinks": {
            database: {"site": database, "title": title, "badges": []}
            for database, title in sitelinks.items()
        },
    }


def relation(key: str, labels: Mapping[str, str]) -> dict[str, Any]:
    return {"type": "property", "datatype": "wikibase-item", "id": key, "labels": _terms(labels),
            "descriptions": {}, "aliases": {}, "claims": {}}  # fmt: skip


def _terms(texts: Mapping[str, str]) -> dict[str, Any]:
    return {code: {"language": code, "value": text} for code, text in texts.items()}


def write_wikidata(path: Path, records: Sequence[Mapping[str, Any]]) -> Path:
    body = ",\n".join(json.dumps(record, ensure_ascii=False) for record in records)
    data = f"[\n{body}\n]\n".encode()
    path.write_bytes(bz2.compress(data) if path.suffix == ".bz2" else data)
    return path


GERMAN: tuple[Page, ...] = (
    ("Tokio", "'''Tokio''' ist die Hauptstadt von [[Japan]]. Nahe ist [[Nirgendwo|etwas]]."),
    ("Japan", "'''Japan''' hat die Hauptstadt [[Tokio]]. In [[Tōkyō|Tokyo]] wohnt man gut."),
    ("Tōkyō", "#REDIRECT [[Tokio]]"),
    ("Nippon", "#REDIRECT [[Tōkyō]]"),
    ("Kreis A", "#REDIRECT [[Kreis B]]"),
    ("Kreis B", "#REDIRECT [[Kreis A]]"),
    ("Ins Nichts", "#REDIRECT [[Gibt es nicht]]"),
    ("Paris (Texas)", "Die Stadt '''Paris''' ist nicht [[Japan|das Land]] in [[Tokio]]."),
    ("Eigenes Wort", "Ein Wort über [[tokio]] und [[Paris (Texas)|Paris]]."),
)
JAPANESE: tuple[Page, ...] = (
    ("東京都", "'''東京都'''は[[日本]]の首都である。"),
    ("日本", "'''日本'''の首都は[[東京都|東京]]である。"),
    ("日本国", "#REDIRECT [[日本]]"),
)
ITEMS: tuple[dict[str, Any], ...] = (
    item(
        "Q17", {"dewiki": "Japan", "jawiki": "日本", "commonswiki": "Japan"},
        labels={"de": "Japan", "ja": "日本", "fr": "Japon"},
        aliases={"ja": ["日本国"], "de": ["Nippon"]},
        descriptions={"de": "Inselstaat in Ostasien"},
        claims=[("P36", "Q1490"), ("P36", "Q1490"), ("P30", "Q48")],
    ),
    item(
        "Q1490", {"dewiki": "Tokio", "jawiki": "東京都"},
        labels={"ja": "東京都"}, claims=[("P17", "Q17"), ("P31", "Q17")],
    ),
    item("Q48", {"frwiki": "Asie"}, labels={"de": "Asien"}),
    item("Q4", {"dewiki": "Kategorie:Asien"}, labels={"de": "Asien"}),
    item("X-stadt-1", {"dewiki": "Paris (Texas)"}),
    relation("P36", {"de": "Hauptstadt", "ja": "首都"}),
    relation("P17", {"de": "Staat"}),
)  # fmt: skip
