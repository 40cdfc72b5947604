"""Making the sequences of languages, in one process or in several, with the same bytes."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from exonym.corpus.encoding import PageEncoder
from exonym.corpus.packing import pack_pages
from exonym.corpus.shards import SequenceWriter, join_sequences
from exonym.corpus.sources import Page, open_source
from exonym.foundation.progress import Progress
from exonym.foundation.workers import run_tasks
from exonym.tokenization import EntityTokenizer

COUNTS = ("articles", "bytes", "sentences", "sequences", "words", "entities")
_BATCH_CHARACTERS = 1 << 18
_LEAST_PAGES = 2_000  # of a part: fewer are not worth a worker's start


@dataclass(frozen=True, slots=True)
class Limits:
    """What fits into a sequence; see `CorpusOptions`."""

    max_words: int
    max_entities: int
    max_sentences: int | None


@dataclass(frozen=True, slots=True)
class _Part:
    """The pages ``first`` to ``last`` - 1 of a language, and where their sequences go."""

    language: str
    first: int
    last: int
    directory: Path


def write_languages(
    source: Path,
    languages: Sequence[str],
    directory: Path,
    limits: Limits,
    *,
    processes: int,
    progress: Progress,
) -> dict[str, dict[str, int]]:
    """Write the sequences of languages into a corpus directory that has its tokenizer already.

    A sequence never goes over the end of a page, so languages are cut between pages into parts,
    which are joined in their order: the bytes do not depend on ``processes``.

    Returns:
        counts by language
    """
    parts = _parts(source, languages, directory, processes)
    counts = {language: Counter(dict.fromkeys(COUNTS, 0)) for language in languages}
    for number, found in _run(source, directory, parts, limits, processes, progress):
        counts[parts[number].language].update(found)
    for language in languages:
        folders = [part.directory for part in parts if part.language == language]
        if folders != [directory / language]:
            join_sequences(folders, directory / language)
    return {language: dict(count) for language, count in counts.items()}


def _parts(source: Path, languages: Sequence[str], directory: Path, processes: int) -> list[_Part]:
    """Cut each language into as many parts as there are processes, the small ones into fewer."""
    text, parts = open_source(source), []
    for language in languages:
        pages = text.count(language)
        number = max(1, min(processes, pages // _LEAST_PAGES))
        borders = [pages * part // number for part in range(number + 1)]
        for part, (first, last) in enumerate(itertools.pairwise(borders)):
            name = language if number == 1 else f"{language}.part-{part}"
            parts.append(_Part(language, first, last, directory / name))
    return parts


def _run(
    source: Path,
    directory: Path,
    parts: Sequence[_Part],
    limits: Limits,
    processes: int,
    progress: Progress,
) -> Iterator[tuple[int, Counter[str]]]:
    """Write the parts; yields their numbers and counts."""
    if processes == 1:
        encoder = PageEncoder(EntityTokenizer.from_pretrained(directory))
        for number, part in enumerate(parts):
            progress.note(part.language)
            yield number, _write_part(source, encoder, part, limits, progress.advance)
        return
    tasks = [partial(_write_part_in_worker, source, directory, part, limits) for part in parts]
    for number, counts in run_tasks(tasks, processes):
        progress.note(parts[number].language)
        progress.advance(counts["articles"])
        yield number, counts


def _write_part_in_worker(
    source: Path, directory: Path, part: _Part, limits: Limits
) -> Counter[str]:
    return _write_part(source, _encoder(directory), part, limits)


@lru_cache(maxsize=1)
def _encoder(directory: Path) -> PageEncoder:
    """The encoder of the one corpus that a worker works for."""
    return PageEncoder(EntityTokenizer.from_pretrained(directory), threads=1)


def _write_part(
    source: Path,
    encoder: PageEncoder,
    part: _Part,
    limits: Limits,
    advance: Callable[[int], None] | None = None,
) -> Counter[str]:
    """Encode and pack the pages of a part; returns the counts."""
    counts = Counter[str]()
    pages = open_source(source).pages(part.language, part.first, part.last)
    with SequenceWriter(part.directory) as writer:
        for batch in in_batches(pages):
            packed = pack_pages(
                encoder.encode(batch, counts),
                max_words=limits.max_words,
                max_entities=limits.max_entities,
                max_sentences=limits.max_sentences,
                counts=counts,
            )
            writer.extend(packed)
            counts["articles"] += len(batch)
            counts["sequences"] += len(packed.word_counts)
            counts["words"] += len(packed.words)
            counts["entities"] += len(packed.entities)
            if advance is not None:
                advance(len(batch))
    return counts


def in_batches(pages: Iterable[Page]) -> Iterator[list[Page]]:
    """Pages of about `_BATCH_CHARACTERS` together."""
    batch: list[Page] = []
    characters = 0
    for page in pages:
        batch.append(page)
        characters += sum(len(text.text) for text in page)
        if characters >= _BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch
