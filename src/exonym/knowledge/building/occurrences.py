"""The step ``occurrences``: how often each name stands in its language's text, linked or not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from exonym.foundation.files import atomic_directory
from exonym.knowledge.building.links import STEP as LINKS
from exonym.knowledge.building.plan import Plan, read_plan
from exonym.knowledge.building.reading import read_lines
from exonym.knowledge.occurrence_counting import OccurrenceCounter
from exonym.knowledge.tables import StringTable, map_column, save_column
from exonym.text import language_of

STEP = "occurrences"
_BATCH_CHARACTERS = 4_000_000


def count_occurrences(plan_file: Path, rank: int) -> None:
    """Do one language.

    A name counts wherever it stands, and at least as often as it is linked: the text of a link
    may begin or end within a word, where it is no occurrence of its own.
    """
    plan = read_plan(plan_file)
    language = plan.languages[rank]
    links = plan.of_language(LINKS, language)
    table, prefix = StringTable(links, "surfaces"), len(language.encode()) + 1
    names = [name[prefix:] for name in table.encoded_rows(0, len(table))]
    counter = OccurrenceCounter(names, spaced=language_of(language).spaced)
    for batch in _batches(plan, language):
        counter.add(batch)
    starts = map_column(links, "candidates.start").astype(np.int64)
    linked = np.concatenate([[0], np.cumsum(map_column(links, "candidates.count"), dtype="<i8")])
    linked = linked[starts[1:]] - linked[starts[:-1]]
    with atomic_directory(plan.of_language(STEP, language), overwrite=True) as folder:
        save_column(folder, "occurrences", np.maximum(counter.counts, linked), "<u8")


def _batches(plan: Plan, language: str) -> Iterator[list[str]]:
    batch: list[str] = []
    characters = 0
    for article in read_lines(plan.tables / "articles" / f"{language}.jsonl.zst"):
        for text, _ in article["paragraphs"]:
            batch.append(text)
            characters += len(text)
        if characters >= _BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    yield batch
