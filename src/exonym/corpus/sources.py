"""Where a corpus's text comes from: a knowledge base, or a text directory in Parquet."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from exonym.foundation.errors import FormatError, InputError
from exonym.foundation.files import JSON, read_manifest
from exonym.knowledge import KnowledgeBase
from exonym.text import AnnotatedText
from exonym.text.parquet import read_parquet

TEXT_FORMAT, TEXT_VERSION = "exonym-text", 1
MANIFEST = "manifest.json"
_REMEDY = "Make one with `exonym corpus export --kb KB --out {}`"

Page = tuple[AnnotatedText, ...]


class TextSource(Protocol):
    """Pages of text by language, in an order that never changes."""

    path: Path
    kind: str

    @property
    def languages(self) -> tuple[str, ...]:
        """The language codes, sorted."""

    def count(self, language: str) -> int:
        """How many pages a language has."""

    def pages(self, language: str, first: int = 0, last: int | None = None) -> Iterator[Page]:
        """The paragraphs of the pages ``first`` to ``last`` - 1 of a language."""


class KnowledgeBaseText:
    """The articles of a knowledge base."""

    kind = "knowledge_base"

    def __init__(self, path: Path) -> None:
        self.path, self.knowledge_base = path, KnowledgeBase.open(path)

    @property
    def languages(self) -> tuple[str, ...]:
        """The language codes, sorted."""
        return self.knowledge_base.languages

    def count(self, language: str) -> int:
        """How many pages a language has."""
        return int(self.knowledge_base.manifest["languages"][language]["articles"])

    def pages(self, language: str, first: int = 0, last: int | None = None) -> Iterator[Page]:
        """The paragraphs of the pages ``first`` to ``last`` - 1 of a language."""
        # The articles are one compressed stream: those before the first are read and passed over.
        articles = itertools.islice(self.knowledge_base.articles(language), first, last)
        return (article.paragraphs for article in articles)


class ParquetText:
    """A text directory: ``manifest.json`` and Parquet files, whole pages in each.

    Raises:
        InputError: not a text directory.
        VersionError: of another version.
    """

    kind = "text"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifest: JSON = read_manifest(
            path, format=TEXT_FORMAT, version=TEXT_VERSION, remedy=_REMEDY.format(path)
        )

    @property
    def languages(self) -> tuple[str, ...]:
        """The language codes, sorted."""
        return tuple(sorted(self.manifest["languages"]))

    def count(self, language: str) -> int:
        """How many pages a language has."""
        return int(self.manifest["languages"][language]["pages"])

    def pages(self, language: str, first: int = 0, last: int | None = None) -> Iterator[Page]:
        """The paragraphs of the pages ``first`` to ``last`` - 1 of a language."""
        last = self.count(language) if last is None else last
        for file in self.manifest["languages"][language]["files"]:
            name, pages = file["name"], file["pages"]
            if first < pages and last > 0:
                end = last if last < pages else None  # a file that is read to its end is checked
                yield from itertools.islice(self._file_pages(name, pages), max(first, 0), end)
            first, last = first - pages, last - pages

    def _file_pages(self, name: str, expected: int) -> Iterator[Page]:
        """The pages of a file: neighbouring paragraphs of one source."""
        found = 0
        texts = read_parquet(self.path / name)
        for _, paragraphs in itertools.groupby(texts, lambda text: text.source):
            found += 1
            yield tuple(paragraphs)
        if found != expected:
            raise FormatError(
                f"expected {expected:,} pages, found {found:,}",
                where=self.path / name,
                remedy=f"Files that were edited need the counts of {MANIFEST} edited, too",
            )


def open_source(path: str | Path) -> TextSource:
    """Open a knowledge base or a text directory, whichever it is.

    Raises:
        InputError: neither.
        VersionError: of another version.
    """
    path = Path(path)
    if not path.is_dir():
        raise InputError("no such directory", where=path)
    try:
        return ParquetText(path)
    except InputError as error:
        if type(error) is not InputError:  # a text directory, but of another version
            raise
        return KnowledgeBaseText(path)


def require_languages(source: TextSource, wanted: tuple[str, ...] | None) -> tuple[str, ...]:
    """The wanted languages, each once, or all.

    Raises:
        InputError: the source lacks one.
    """
    languages = tuple(dict.fromkeys(wanted or source.languages))
    missing = sorted(set(languages) - set(source.languages))
    if missing:
        kind = source.kind.replace("_", " ")
        raise InputError(
            f"the {kind} has no language {missing[0]!r}; it has {', '.join(source.languages)}",
            where=source.path,
        )
    return languages
