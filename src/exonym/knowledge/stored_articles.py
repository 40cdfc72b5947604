"""The articles that a knowledge base keeps: compressed JSON Lines, entities by their rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from exonym.foundation.errors import FormatError
from exonym.foundation.json_lines import read_json_lines
from exonym.knowledge.tables import StringTable
from exonym.text import AnnotatedText, Mention

if TYPE_CHECKING:
    from exonym.wikimedia.articles import Article


def stored_articles(
    path: Path, language: str, keys: StringTable, expected: int
) -> Iterator[Article]:
    """Yield the articles of a language in the order of the file.

    Args:
        path: the file.
        language: whose articles they are.
        keys: of the entities, by row.
        expected: how many articles there are.

    Raises:
        FormatError: the file is damaged, or has another number of articles.
    """
    from exonym.wikimedia.articles import Article

    def mentions(links: list[tuple[int, int, int]]) -> tuple[Mention, ...]:
        return tuple(Mention(start, end, keys[row]) for start, end, row in links)

    read = 0
    for number, line in read_json_lines(path):
        try:
            source = f"{language}:{line['title']}"
            texts = tuple(
                AnnotatedText(text, language, mentions(links), source)
                for text, links in line["paragraphs"]
            )
            article = Article(line["id"], line["title"], language, texts)
        except (KeyError, TypeError, IndexError) as error:
            raise FormatError(f"not an article ({error!r})", where=f"{path}:{number}") from error
        read += 1
        yield article
    if read != expected:
        raise FormatError(
            f"expected {expected:,} articles, found {read:,}",
            where=path,
            remedy="Build the directory anew",
        )
