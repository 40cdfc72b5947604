"""From pages to articles and redirects: text with mentions, in the project's own currency."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from exonym.text import AnnotatedText, Mention
from exonym.wikimedia.dump import DumpReader
from exonym.wikimedia.langlinks import language_links
from exonym.wikimedia.siteinfo import MAIN_NAMESPACE
from exonym.wikimedia.wikitext import Paragraph, extract_paragraphs
from exonym.wikimedia.wikitext.targets import LinkKind, classify


@dataclass(frozen=True, slots=True)
class Article:
    """An article of a Wikipedia.

    Args:
        id: the wiki's page id.
        title: its title.
        language: Wikipedia's language code.
        paragraphs: its running text. Each mention's entity is the title key of the link's
            target as written (``"ja:東京都"``): redirects are not followed, the target need not
            exist. Each text's source is the title key of this article.
        language_links: (language, title there) of the links to other languages that stand in
            its wikitext; since 2013 most stand in Wikidata instead.
    """

    id: int
    title: str
    language: str
    paragraphs: tuple[AnnotatedText, ...]
    language_links: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Redirect:
    """A title that leads to another; both normalised, of the same wiki, without section."""

    title: str
    target: str


@dataclass(frozen=True, slots=True)
class ScannedPage:
    """An article before its links are made mentions: what `Article` has, in less time.

    Args:
        id: the wiki's page id.
        title: its title.
        paragraphs: its running text; links have titles as written.
        language_links: as in `Article`.
    """

    id: int
    title: str
    paragraphs: list[Paragraph]
    language_links: list[tuple[str, str]]


def scan_pages(reader: DumpReader) -> Iterator[ScannedPage | Redirect]:
    """The articles and redirects of a dump, in file order.

    What is left out is counted in ``reader.skipped``: ``"other namespace"`` and
    ``"redirect to no article"`` (to another namespace or wiki).
    """
    site = reader.siteinfo
    for page in reader:
        if page.namespace != MAIN_NAMESPACE:
            reader.skipped["other namespace"] += 1
        elif page.redirect is not None:
            kind, target = classify(page.redirect, site)
            if kind is LinkKind.ARTICLE:
                yield Redirect(site.split_title(page.title)[1], target)
            else:
                reader.skipped["redirect to no article"] += 1
        else:
            paragraphs = extract_paragraphs(page.text, site)
            yield ScannedPage(page.id, page.title, paragraphs, language_links(page.text, site))


def read_articles(reader: DumpReader) -> Iterator[Article | Redirect]:
    """The articles and redirects of a dump, in file order, as annotated text.

    What is left out is counted in ``reader.skipped``; see `scan_pages`.
    """
    language = reader.siteinfo.language
    for page in scan_pages(reader):
        if isinstance(page, Redirect):
            yield page
            continue
        source = f"{language}:{page.title}"
        paragraphs = tuple(
            AnnotatedText(
                paragraph.text,
                language,
                tuple(
                    Mention(link.start, link.end, f"{language}:{link.title}")
                    for link in paragraph.links
                ),
                source,
            )
            for paragraph in page.paragraphs
        )
        yield Article(page.id, page.title, language, paragraphs, tuple(page.language_links))
