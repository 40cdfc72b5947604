"""An independent reader of what Atlas wrote: lxml, mwparserfromhell and the table, nothing else."""

from __future__ import annotations

import bz2
import json
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import mwparserfromhell
from lxml import etree

from exonym.text import language_of

NS = "{http://www.mediawiki.org/xml/export-0.11/}"


@dataclass
class Page:
    title: str
    namespace: int
    id: int
    redirect: str | None
    text: str


@dataclass
class Paragraph:
    text: str
    linked: set[str]
    named: set[str]


def read_pages(path: Path) -> list[Page]:
    root = etree.fromstring(bz2.decompress(path.read_bytes()))
    pages = []
    for element in root.iter(f"{NS}page"):
        redirect = element.find(f"{NS}redirect")
        pages.append(
            Page(
                element.findtext(f"{NS}title"),
                int(element.findtext(f"{NS}ns")),
                int(element.findtext(f"{NS}id")),
                None if redirect is None else redirect.get("title"),
                element.findtext(f"{NS}revision/{NS}text"),
            )
        )
    return pages


def read_lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def first_upper(text: str, language: str) -> str:
    if text[:1] == "i" and language in ("tr", "az"):
        return "İ" + text[1:]
    upper = text[:1].title()
    return (upper if len(upper) == 1 else text[:1]) + text[1:]


class World:
    """A written world beside the table that it tells."""

    def __init__(self, directory: Path, table: Path) -> None:
        self.directory = directory
        self.manifest = json.loads((directory / "manifest.json").read_text())
        self.languages = self.manifest["languages"]
        self.ledger = read_lines(directory / "ledger.jsonl")
        lines = read_lines(table)
        self.entities = {line["id"]: line for line in lines if line["type"] == "entity"}
        self.relations = {line["id"]: line for line in lines if line["type"] == "relation"}
        text = bz2.decompress(next(directory.glob("wikidata-*.json.bz2")).read_bytes())
        self.wikidata = {item["id"]: item for item in json.loads(text)}
        self.pages = {
            code: read_pages(
                directory / f"{code.replace('-', '_')}wiki-20260101-pages-articles.xml.bz2"
            )
            for code in self.languages
        }

    @classmethod
    def read(cls, directory: Path, table: Path) -> World:
        return cls(directory, table)

    def articles(self, language: str) -> list[Page]:
        return [p for p in self.pages[language] if p.namespace == 0 and p.redirect is None]

    def titles(self, language: str) -> dict[str, str]:
        """Entity by title, redirects followed."""
        wiki = language.replace("-", "_") + "wiki"
        titles = {
            item["sitelinks"][wiki]["title"]: key
            for key, item in self.wikidata.items()
            if wiki in item.get("sitelinks", {})
        }
        redirects = {p.title: p.redirect for p in self.pages[language] if p.redirect}
        for title in redirects:
            target = title
            while target in redirects:
                target = redirects[target]
            titles[title] = titles[target]
        return titles

    def names(self, language: str) -> dict[str, set[str]]:
        names = defaultdict(set)
        for key, entity in self.entities.items():
            for name in entity["names"].get(language, ()):
                names[name].add(key)
                names[first_upper(name, language)].add(key)
        return names

    def named(self, text: str, language: str) -> set[str]:
        """Entities named in a text, a longer name hiding the shorter ones in it."""
        names = self.names(language)
        either = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
        pattern = rf"(?<!\w)(?:{either})(?!\w)" if language_of(language).spaced else either
        return {key for found in re.findall(pattern, text) for key in names[found]}

    def paragraphs(self, page: Page, language: str) -> list[Paragraph]:
        """Paragraphs and list items; a link's entity counts as named."""
        titles, result = self.titles(language), []
        code = mwparserfromhell.parse(re.sub(r"<!--.*?-->", "", page.text, flags=re.S))
        for tag in code.filter_tags(matches=lambda n: str(n.tag) in ("ref", "gallery", "table")):
            code.replace(tag, "")
        for template in code.filter_templates(recursive=False):
            code.replace(template, "")
        for block in re.split(r"\n\n+|\n(?=[*=])|(?<==)\n", str(code)):
            if block.startswith("=") or not block.strip():
                continue
            parsed, linked = mwparserfromhell.parse(block), set()
            for link in parsed.filter_wikilinks():
                target = " ".join(str(link.title).replace("_", " ").split()).split("#")[0]
                prefix = target.split(":")[0]
                if ":" in target and target not in titles:
                    assert prefix, target
                    parsed.replace(link, "")
                    continue
                key = titles.get(first_upper(target, language))
                if key:
                    linked.add(key)
            text = str(parsed.strip_code(normalize=True, collapse=False)).lstrip("* ")
            text = text.replace("\xa0", " ").replace("\n", " ")
            result.append(Paragraph(text, linked, linked | self.named(text, language)))
        return result

    def tellable(self, subject: str, relation: str, object: str, language: str) -> bool:
        return (
            language in self.relations[relation]["templates"]
            and language in self.entities[subject]["names"]
            and language in self.entities[object]["names"]
        )
