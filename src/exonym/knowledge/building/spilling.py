"""Counting more names than fit in memory: sorted runs on disk, merged at the end."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import orjson

from exonym.foundation.compression import open_binary
from exonym.foundation.files import atomic_file
from exonym.knowledge.records import NameKind

PAIRS_IN_MEMORY = 4_000_000

# A pair's number holds its count above these bits and its kinds in them: one look-up a link.
_KIND_BITS = 8
_ONE = 1 << _KIND_BITS
_KINDS = _ONE - 1
_LINK = int(NameKind.LINK)


class PairCounter:
    """Counts of (text, entity) pairs, given back sorted.

    Args:
        directory: where runs are written when there are too many pairs; removed at the end.
        name: what the runs' file names begin with.
        pairs_in_memory: how many distinct pairs are held before a run is written.
    """

    def __init__(
        self, directory: Path, name: str, *, pairs_in_memory: int = PAIRS_IN_MEMORY
    ) -> None:
        self._directory, self._name, self._limit = directory, name, pairs_in_memory
        self._pairs: dict[tuple[str, int], int] = {}
        self._runs: list[Path] = []

    def add(self, text: str, entity: int, kind: NameKind) -> None:
        """Make a name known by where it comes from, without counting it."""
        pair = (text, entity)
        self._pairs[pair] = self._pairs.get(pair, 0) | int(kind)
        if len(self._pairs) >= self._limit:
            self._spill()

    def add_link(self, text: str, entity: int) -> None:
        """Count one link with this text to the entity."""
        pair = (text, entity)
        self._pairs[pair] = (self._pairs.get(pair, 0) + _ONE) | _LINK
        if len(self._pairs) >= self._limit:
            self._spill()

    def _spill(self) -> None:
        path = self._directory / f"{self._name}-run{len(self._runs)}.jsonl.zst"
        with atomic_file(path) as stream:
            for (text, entity), number in sorted(self._pairs.items()):
                stream.write(orjson.dumps([text, entity, number], option=orjson.OPT_APPEND_NEWLINE))
        self._runs.append(path)
        self._pairs.clear()

    def by_text(self) -> Iterator[tuple[str, list[tuple[int, int, int]]]]:
        """Yield (text, [(entity, count, kinds), ...]) sorted by text and entity, each text once."""
        memory = ((text, entity, n) for (text, entity), n in sorted(self._pairs.items()))
        merged = heapq.merge(memory, *map(_read_run, self._runs))
        for text, group in groupby(merged, key=itemgetter(0)):
            counts: dict[int, int] = {}
            kinds: dict[int, int] = {}
            for _, entity, number in group:
                counts[entity] = counts.get(entity, 0) + (number >> _KIND_BITS)
                kinds[entity] = kinds.get(entity, 0) | (number & _KINDS)
            yield text, [(entity, count, kinds[entity]) for entity, count in counts.items()]
        for run in self._runs:
            run.unlink()


def _read_run(path: Path) -> Iterator[tuple[str, int, int]]:
    with open_binary(path) as stream:
        for line in stream:
            text, entity, number = orjson.loads(line)
            yield text, entity, number
