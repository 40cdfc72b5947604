"""From a page's wikitext to its paragraphs: the passes in their order."""

from __future__ import annotations

from dataclasses import dataclass

from exonym.text import language_of
from exonym.wikimedia.siteinfo import SiteInfo
from exonym.wikimedia.wikitext.blocks import split_blocks
from exonym.wikimedia.wikitext.inline import InlineRenderer
from exonym.wikimedia.wikitext.marks import clear
from exonym.wikimedia.wikitext.removal import remove_elements
from exonym.wikimedia.wikitext.tidy import tidy
from exonym.wikimedia.wikitext.variants import CONVERTED_LANGUAGES, choose_variants


@dataclass(frozen=True, slots=True)
class Link:
    """A link to an article.

    Args:
        start: first character of the anchor in its paragraph's text.
        end: one past its last character, the link trail included.
        title: the normalised title of the article, without section.
    """

    start: int
    end: int
    title: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph or list item of running text, and its links in order, none overlapping."""

    text: str
    links: tuple[Link, ...]


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
    text = remove_elements(clear(wikitext))
    if site.language in CONVERTED_LANGUAGES:
        text = choose_variants(text)
    spaced = language_of(site.language).spaced
    renderer = InlineRenderer(site)
    paragraphs = []
    for block in split_blocks(text, site):
        marked, titles = renderer.render(block)
        clean, links = tidy(marked, titles, spaced=spaced)
        if any(map(str.isalnum, clean)):
            paragraphs.append(Paragraph(clean, tuple(Link(*link) for link in links)))
    return paragraphs
