"""Looking up every stretch of texts that may be a name."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from exonym.knowledge.token_spans import SpanSums, batches, span_hasher
from exonym.linking.borders import BorderFinder, Borders
from exonym.linking.folding_tables import folding_tables
from exonym.linking.found import Found
from exonym.linking.name_table import NameTable
from exonym.linking.unit_streams import Places, unit_stream

Occurrences = tuple[Places, Places, Places]  # starts (by number), ends (units), names
_BATCH = 1 << 17  # characters: so that what is looked at stays in the processor's cache


class NameScanner:
    """Finds the names of a table in texts.

    Args:
        table: the names.
    """

    def __init__(self, table: NameTable) -> None:
        self._table = table
        self._hasher = span_hasher(table.seed)
        self._borders = _border_finder(table.seed)
        self._folding = folding_tables()

    def find(self, texts: Sequence[str]) -> Found:
        """Every occurrence of every name; see `NameIndex.find`."""
        parts, done = [], 0
        for batch in batches(iter(texts), _BATCH):
            parts.append(self._find(batch, done))
            done += len(batch)
        if len(parts) == 1:
            return parts[0]
        columns = zip(
            *((part.text, part.start, part.end, part.name) for part in parts), strict=True
        )
        joined = [np.concatenate(column) for column in columns] or [np.empty(0, np.int64)] * 4
        return Found(*joined)

    def _find(self, texts: list[str], number: int) -> Found:
        stream = unit_stream(texts, self._folding)
        sums = self._hasher.sums(stream.units)
        borders = self._borders.find(stream, sums)
        begun, ends, names = self._look_up(borders, sums)
        starts = stream.first_characters(borders.starts[begun])
        text = np.searchsorted(stream.text_starts, starts, side="right") - 1
        before = stream.text_starts[text]
        ends = stream.end_characters(ends - 1)
        return Found(text + number, starts - before, ends - before, names)

    def _look_up(self, borders: Borders, sums: SpanSums) -> Occurrences:
        """All occurrences, in order."""
        table, size = self._table, len(borders.token_ends)
        after = sums.before[borders.token_ends]
        before, factor = sums.before[borders.starts], sums.scale[borders.starts]
        begun, token = np.arange(len(borders.starts)), borders.start_tokens
        found: list[Occurrences] = []
        for _ in range(table.longest):
            if len(borders.inner_ends):
                self._look_up_inside(borders, sums, (begun, token), found)
            hashes = after.take(token)
            hashes -= before
            hashes *= factor
            places, names = table.names.find(hashes)
            ends = borders.token_ends.take(token.take(places))
            found.append((begun.take(places), ends, names))
            going_on = np.flatnonzero(table.prefixes.may_contain(hashes))
            token = token.take(going_on)
            going_on = going_on[: np.searchsorted(token, size - 1)]  # the last token ends all
            if not len(going_on):
                break
            begun, token = begun.take(going_on), token[: len(going_on)]
            before, factor = before.take(going_on), factor.take(going_on)
            token += 1
        return _in_order(found, len(borders.starts))

    def _look_up_inside(
        self,
        borders: Borders,
        sums: SpanSums,
        alive: tuple[Places, Places],
        found: list[Occurrences],
    ) -> None:
        """Names that end inside the last token of what is being looked up."""
        begun, token = alive
        first = np.searchsorted(borders.inner_tokens, token)
        last = np.searchsorted(borders.inner_tokens, token, side="right")
        while len(begun):
            here = first < last
            begun, first, last = begun[here], first[here], last[here]
            ends, starts = borders.inner_ends[first], borders.starts[begun]
            places, names = self._table.names.find(sums.hashes(starts, ends))
            behind = ends[places] > starts[places]
            places, names = places[behind], names[behind]
            found.append((begun[places], ends[places], names))
            first = first + 1


def _in_order(found: list[Occurrences], starts: int) -> Occurrences:
    """All occurrences by start and end; of one start, those with later ends are found later."""
    counts = np.zeros(starts + 1, np.int64)
    for begun, _, _ in found:
        counts[begun + 1] += 1  # in one step no start is found twice
    place = np.cumsum(counts)
    columns = np.empty((3, int(place[-1])), np.int64)
    for part in found:
        where = place[part[0]]
        for column, values in zip(columns, part, strict=True):
            column[where] = values
        place[part[0]] += 1
    return columns[0], columns[1], columns[2]


@cache
def _border_finder(seed: int) -> BorderFinder:
    return BorderFinder(span_hasher(seed))
