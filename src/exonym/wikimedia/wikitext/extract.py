"""From a page's wikitext to its paragraphs: the passes in their order."""

from __future__ import annotations

from exonym.text import language_of
from exonym.wikimedia.siteinfo import SiteInfo
from exonym.wikimedia.wikitext.blocks import split_blocks
from exonym.wikimedia.wikitext.inline import InlineRenderer
from exonym.wikimedia.wikitext.marks import clear
from exonym.wikimedia.wikitext.removal import remove_elements
from exonym.wikimedia.wikitext.tidy import Link, Paragraph, tidy
from exonym.wikimedia.wikitext.variants import CONVERTED_LANGUAGES, choose_variants

__all__ = ["Link", "Paragraph", "extract_paragraphs"]

_SCANNERS = 16


class _Scanner:
    """What of one wiki is the same for all its pages."""

    def __init__(self, site: SiteInfo) -> None:
        self.site = site
        self.converted = site.language in CONVERTED_LANGUAGES
        self.spaced = language_of(site.language).spaced
        self.renderer = InlineRenderer(site)

    def scan(self, wikitext: str) -> list[Paragraph]:
        text = remove_elements(clear(wikitext))
        if self.converted:
            text = choose_variants(text)
        blocks = split_blocks(text, self.renderer.targets)
        if not blocks:
            return []
        marked, titles = self.renderer.render(blocks)
        return tidy(marked, titles, spaced=self.spaced)


# By identity: a SiteInfo's hash goes through all its namespaces, which a short page's scan does
# not outweigh.
_scanners: dict[int, _Scanner] = {}


def _scanner_of(site: SiteInfo) -> _Scanner:
    scanner = _scanners.get(id(site))
    if scanner is None or scanner.site is not site:
        if len(_scanners) >= _SCANNERS:
            _scanners.clear()
        scanner = _scanners[id(site)] = _Scanner(site)
    return scanner


def extract_paragraphs(wikitext: str, site: SiteInfo) -> list[Paragraph]:
    """The running text of a page.

    Kept: paragraphs and list items, the text of links, ``<nowiki>``, and one variant of
    ``-{ }-``. Left out: headings, templates, tables, references, files with their captions,
    galleries, maths, code, comments, categories, language links. Paragraphs without a letter
    or digit are left out. Whatever is never closed costs at most its own paragraph.

    Args:
        wikitext: the page's source; any string will do, and takes time linear in its length.
        site: the wiki it comes from, for namespaces, the rule for capitals and link trails.
    """
    return _scanner_of(site).scan(wikitext)
