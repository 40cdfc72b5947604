"""The public form of the text: Parquet files by language, with a dataset card.

    README.md                                the card: what it is, licence, counts
    manifest.json                            counts, files, digests
    data/LANG/train-00000-of-00003.parquet   one row per paragraph; see `exonym.text.parquet`

The files hold whole pages, in the order of the dumps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from exonym.corpus.card import dataset_card
from exonym.corpus.sources import (
    MANIFEST,
    TEXT_FORMAT,
    TEXT_VERSION,
    KnowledgeBaseText,
    ParquetText,
    require_languages,
)
from exonym.foundation.errors import ConfigError
from exonym.foundation.files import JSON, atomic_directory, atomic_file, sha256, write_manifest
from exonym.foundation.progress import stage
from exonym.foundation.workers import run_tasks
from exonym.knowledge import KnowledgeBase
from exonym.text.parquet import ParquetTextWriter, parquet_writer
from exonym.wikimedia.articles import Article

FILE_BYTES = 512 << 20  # of text in a file, in UTF-8; a file ends with the page that reaches it


def export_text(
    knowledge_base: str | Path,
    out: str | Path,
    *,
    languages: tuple[str, ...] | None = None,
    overwrite: bool = False,
    processes: int = 1,
    file_bytes: int = FILE_BYTES,
) -> ParquetText:
    """Write the articles of a knowledge base as Parquet files that can be published.

    Args:
        knowledge_base: directory made by `build_knowledge_base`.
        out: the directory; it appears only when it is whole.
        languages: only these; None takes all.
        overwrite: replace an existing ``out``.
        processes: how many languages are written at a time; the bytes are the same for any number.
        file_bytes: how much text a file has, in UTF-8; it ends with the page that reaches this.

    Raises:
        MissingExtraError: pyarrow is not installed.
        InputError: not a knowledge base, or without a requested language.
        ExistsError: ``out`` is already there.
        ConfigError: ``processes`` or ``file_bytes`` is not positive.
    """
    for name, value in (("processes", processes), ("file_bytes", file_bytes)):
        if value < 1:
            raise ConfigError(f"{name} must be at least 1, got {value}")
    source = KnowledgeBaseText(Path(knowledge_base))
    chosen = require_languages(source, languages)
    with atomic_directory(Path(out), overwrite=overwrite) as directory:
        tasks = [partial(_write, source.path, code, directory, file_bytes) for code in chosen]
        written: dict[str, JSON] = {}
        with stage("text: Parquet", total=len(chosen), unit="languages") as progress:
            for number, counts in _run(tasks, processes):
                written[chosen[number]] = counts
                progress.note(chosen[number])
                progress.advance()
        counts_by_language = {code: written[code] for code in sorted(chosen)}
        kb = source.knowledge_base.manifest
        write_manifest(
            directory,
            format=TEXT_FORMAT,
            version=TEXT_VERSION,
            languages=counts_by_language,
            sources=_sources(kb, chosen),
            knowledge_base_sha256=sha256(source.path / MANIFEST),
        )
        with atomic_file(directory / "README.md") as stream:
            stream.write(dataset_card(counts_by_language, _sources(kb, chosen)).encode())
    return ParquetText(Path(out))


def _run(tasks: Sequence[Callable[[], JSON]], processes: int) -> Iterator[tuple[int, JSON]]:
    if processes == 1:
        return ((number, task()) for number, task in enumerate(tasks))
    return run_tasks(tasks, processes)


def _sources(manifest: JSON, languages: tuple[str, ...]) -> list[JSON]:
    """The dumps that the text is from: name, language, date."""
    return [
        {name: file.get(name) for name in ("name", "language", "date")}
        for file in manifest.get("files", [])
        if file.get("language") in languages
    ]


def _write(path: Path, language: str, directory: Path, file_bytes: int) -> JSON:
    """Write the files of one language; returns its counts."""
    folder = directory / "data" / language
    folder.mkdir(parents=True)
    articles = iter(KnowledgeBase.open(path).articles(language))
    counts: Counter[str] = Counter(dict.fromkeys(("pages", "texts", "bytes", "mentions"), 0))
    pages: list[int] = []
    for article in articles:
        with parquet_writer(_numbered(folder, len(pages))) as writer:
            pages.append(_fill(writer, article, articles, file_bytes, counts))
    names = [f"train-{number:05}-of-{len(pages):05}.parquet" for number in range(len(pages))]
    for number, name in enumerate(names):
        _numbered(folder, number).rename(folder / name)
    files: list[JSON] = [
        {"name": f"data/{language}/{name}", "pages": count, "sha256": sha256(folder / name)}
        for name, count in zip(names, pages, strict=True)
    ]
    return {**counts, "files": files}


def _numbered(folder: Path, number: int) -> Path:
    """The name of a file as long as nobody knows how many there will be."""
    return folder / f"{number:05}.parquet"


def _fill(
    writer: ParquetTextWriter,
    article: Article,
    following: Iterator[Article],
    file_bytes: int,
    counts: Counter[str],
) -> int:
    """Write an article and those that follow until the file is full; returns how many pages."""
    begun, pages = counts["bytes"], 0
    while True:
        pages += _write_page(writer, article, counts)
        if counts["bytes"] - begun >= file_bytes:
            return pages
        following_article = next(following, None)
        if following_article is None:
            return pages
        article = following_article


def _write_page(writer: ParquetTextWriter, article: Article, counts: Counter[str]) -> int:
    """Write the paragraphs of a page; returns 0 for one without any, which has no row."""
    for text in article.paragraphs:
        writer.write(text, article.id)
        counts["bytes"] += len(text.text.encode())
        counts["mentions"] += len(text.mentions)
    counts["texts"] += len(article.paragraphs)
    written = int(bool(article.paragraphs))
    counts["pages"] += written
    counts["pages without text"] += 1 - written
    return written
