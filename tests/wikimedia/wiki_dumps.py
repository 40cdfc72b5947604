"""Small wikis and dumps for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from exonym.wikimedia import Namespace, Paragraph, SiteInfo

WriteDump = Callable[..., Path]

LOCAL_NAMES = {
    "de": {6: "Datei", 14: "Kategorie", 10: "Vorlage"},
    "ar": {6: "ملف", 14: "تصنيف", 10: "قالب"},
    "th": {6: "ไฟล์", 14: "หมวดหมู่", 10: "แม่แบบ"},
    "el": {6: "Αρχείο", 14: "Κατηγορία", 10: "Πρότυπο"},
    "vi": {6: "Tập tin", 14: "Thể loại", 10: "Bản mẫu"},
    "sw": {6: "Picha", 14: "Jamii", 10: "Kigezo"},
    "zh": {6: "File", 14: "Category", 10: "Template"},
    "en": {6: "File", 14: "Category", 10: "Template"},
    "tr": {6: "Dosya", 14: "Kategori", 10: "Şablon"},
}


def make_site(language: str = "de", case: str = "first-letter") -> SiteInfo:
    names = {0: "", **LOCAL_NAMES.get(language, {})}
    spaces = tuple(Namespace(key, name, case) for key, name in sorted(names.items()))
    return SiteInfo(f"{language}wiki", language, "Wikipedia", "MediaWiki 1.41", case, spaces)


def page_xml(title: str, text: str, *, number: int = 1, ns: int = 0, redirect: str = "") -> str:
    element = f"    <redirect title={quoteattr(redirect)} />\n" if redirect else ""
    return (
        f"  <page>\n    <title>{escape(title)}</title>\n    <ns>{ns}</ns>\n    <id>{number}</id>\n"
        f"{element}    <revision>\n      <id>7{number}</id>\n      <model>wikitext</model>\n"
        f"      <format>text/x-wiki</format>\n"
        f'      <text bytes="{len(text)}" xml:space="preserve">{escape(text)}</text>\n'
        "    </revision>\n  </page>\n"
    )


def siteinfo_xml(language: str = "de") -> str:
    names = LOCAL_NAMES[language]
    spaces = "".join(
        f'      <namespace key="{key}" case="first-letter">{name}</namespace>\n'
        for key, name in sorted(names.items())
    )
    return (
        "  <siteinfo>\n    <sitename>Wikipedia</sitename>\n"
        f"    <dbname>{language}wiki</dbname>\n    <generator>MediaWiki 1.41</generator>\n"
        "    <case>first-letter</case>\n    <namespaces>\n"
        f'      <namespace key="0" case="first-letter" />\n{spaces}'
        "    </namespaces>\n  </siteinfo>\n"
    )


def dump_xml(
    pages: Iterable[str], *, language: str = "de", version: str = "0.11", siteinfo: bool = True
) -> str:
    head = siteinfo_xml(language) if siteinfo else ""
    return (
        f'<mediawiki xmlns="http://www.mediawiki.org/xml/export-{version}/" '
        f'version="{version}" xml:lang="{language}">\n{head}{"".join(pages)}</mediawiki>\n'
    )


def flat(paragraphs: list[Paragraph]) -> list[str]:
    """Each paragraph with its links written as ``<anchor|title>``, or ``<title>``."""
    shown = []
    for paragraph in paragraphs:
        pieces, position = [], 0
        for link in paragraph.links:
            anchor = paragraph.text[link.start : link.end]
            pieces.append(paragraph.text[position : link.start])
            pieces.append(f"<{anchor}>" if anchor == link.title else f"<{anchor}|{link.title}>")
            position = link.end
        shown.append("".join(pieces) + paragraph.text[position:])
    return shown
