"""From pages to articles and redirects: text with mentions, in the project's own currency."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from exonym.text import AnnotatedText, Mention
from exonym.wikimedia.dump import DumpReader
from exonym.wikimedia.langlinks import language_links
from exonym.wikimedia.siteinfo import MAIN_NAMESPACE
from exonym.wikimedia.wikitext import extract_paragraphs
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


def read_articles(reader: DumpReader) -> Iterator[Article | Redirect]:
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
            source = f"{site.language}:{page.title}"
            paragraphs = tuple(
                AnnotatedText(
                    paragraph.text,
                    site.language,
                    tuple(
                        Mention(link.start, link.end, f"{site.language}:{link.title}")
                        for link in paragraph.links
                    ),
                    source,
                )
                for paragraph in extract_paragraphs(page.text, site)
            )
            links = tuple(language_links(page.text, site))
            yield Article(page.id, page.title, site.language, paragraphs, links)
