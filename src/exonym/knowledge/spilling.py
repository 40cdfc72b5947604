"""Counting more pairs than fit in memory: sorted runs on disk, merged at the end."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import orjson

from exonym.foundation.files import atomic_file, open_binary

PAIRS_IN_MEMORY = 4_000_000


class PairCounter:
    """Counts of (text, number) pairs, given back sorted.

    Args:
        directory: where runs are written when there are too many pairs; the caller removes it.
        name: what the runs' file names begin with.
        pairs_in_memory: how many distinct pairs are held before a run is written.
    """

    def __init__(
        self, directory: Path, name: str, *, pairs_in_memory: int = PAIRS_IN_MEMORY
    ) -> None:
        self._directory, self._name, self._limit = directory, name, pairs_in_memory
        self._counts: dict[tuple[str, int], int] = {}
        self._runs: list[Path] = []

    def add(self, text: str, number: int, count: int = 1) -> None:
        """Count a pair; a count of 0 makes the pair known without counting it."""
        pair = (text, number)
        self._counts[pair] = self._counts.get(pair, 0) + count
        if len(self._counts) >= self._limit:
            self._spill()

    def _spill(self) -> None:
        path = self._directory / f"{self._name}-run{len(self._runs)}.jsonl.zst"
        with atomic_file(path) as stream:
            for (text, number), count in sorted(self._counts.items()):
                stream.write(orjson.dumps([text, number, count], option=orjson.OPT_APPEND_NEWLINE))
        self._runs.append(path)
        self._counts.clear()

    def by_text(self) -> Iterator[tuple[str, list[tuple[int, int]]]]:
        """Yield (text, [(number, count), ...]) sorted by text and number, each text once."""
        memory = ((text, number, count) for (text, number), count in sorted(self._counts.items()))
        merged = heapq.merge(memory, *map(_read_run, self._runs))
        for text, group in groupby(merged, key=itemgetter(0)):
            totals: dict[int, int] = {}
            for _, number, count in group:
                totals[number] = totals.get(number, 0) + count
            yield text, list(totals.items())


def _read_run(path: Path) -> Iterator[tuple[str, int, int]]:
    with open_binary(path) as stream:
        for line in stream:
            text, number, count = orjson.loads(line)
            yield text, number, count
