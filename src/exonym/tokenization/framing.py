"""Special pieces around a text or a pair, and what is done when it is too long.

Done for all texts of a call at once, on arrays in which one row follows the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from exonym.foundation.errors import InputError
from exonym.text import AnnotatedText
from exonym.tokenization.encoded import BEFORE, BEHIND, NO_TEXT, EncodedText, Ids, Origin
from exonym.tokenization.offsets import Places
from exonym.tokenization.windows import Overflow, lengths_after_cut, windows
from exonym.tokenization.words import Pieces, WordTokenizer


@dataclass(frozen=True, slots=True)
class Side:
    """One text of a pair, or the only one, or a part of it; without special pieces.

    Args:
        text: the text.
        ids: (words,) its pieces.
        places: (words,) where they came from, see `Origin`.
        spans: (mentions, 2) pieces of each mention; outside of a part they are negative, or
            greater than the number of its pieces.
        rows: (mentions,) entity rows.
        characters: (mentions, 2) characters of each mention.
    """

    text: AnnotatedText
    ids: Ids
    places: Places
    spans: Ids
    rows: Ids
    characters: Ids

    def part(self, start: int, end: int) -> Side:
        """The pieces [start, end) with all mentions."""
        return replace(
            self,
            ids=self.ids[start:end],
            places=self.places[start:end],
            spans=self.spans - np.int32(start),
        )


@dataclass(frozen=True, slots=True)
class Row:
    """What becomes one `EncodedText`.

    Args:
        source: which of the texts given to the tokenizer it is of.
        sides: one, or those of a pair.
        cut_pieces: pieces that were cut off.
        word_starts: first characters of the words of a `SplitText`, or None.
    """

    source: int
    sides: tuple[Side, ...]
    cut_pieces: int = 0
    word_starts: Sequence[int] | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be how long.

    Args:
        max_length: most pieces, special ones included.
        overflow: what becomes of longer texts.
        overlap: pieces that two windows share.
    """

    max_length: int
    overflow: Overflow
    overlap: int

    def fit(self, row: Row) -> Iterator[Row]:
        """The row itself, or what it is cut to, or a row for each window.

        Raises:
            InputError: it is too long, and that is an error or no window can hold it.
        """
        sides = row.sides
        lengths = [len(side.ids) for side in sides]
        special = 2 * len(sides)
        room = self.max_length - special
        if sum(lengths) <= room:
            yield row
        elif self.overflow == "cut":
            kept = lengths_after_cut(lengths[0], sum(lengths[1:]), room)
            cut = tuple(side.part(0, end) for side, end in zip(sides, kept, strict=False))
            yield replace(row, sides=cut, cut_pieces=sum(lengths) - room)
        elif self.overflow == "window":
            for last in self._windows(sides[-1], room - sum(lengths[:-1]), sides[0]):
                yield replace(row, sides=(*sides[:-1], last))
        else:
            raise InputError(
                f"the text has {sum(lengths) + special} pieces, more than "
                f"max_length={self.max_length}",
                where=sides[0].text.source,
                remedy='Pass overflow="window" or overflow="cut", or a shorter text',
            )

    def _windows(self, last: Side, most: int, first: Side) -> Iterator[Side]:
        """Windows over the last text; the first of a pair stays in all of them."""
        if most <= 0:
            raise InputError(
                f"the first text has {len(first.ids)} pieces, which leaves no room for the "
                f"second within max_length={self.max_length}",
                where=first.text.source,
            )
        try:
            for start, end in windows(len(last.ids), last.spans, most, self.overlap):
                yield last.part(start, end)
        except InputError as error:
            where = error.where or last.text.source
            raise InputError(error.what, where=where, remedy=error.remedy) from error


def assemble(
    rows: Sequence[Row], words: WordTokenizer, pieces: Pieces, stretch_starts: Ids
) -> list[EncodedText]:
    """Put special pieces around the texts: ``<s> A </s>``, ``<s> A </s></s> B </s>``.

    Args:
        rows: what to put together.
        words: knows the special pieces.
        pieces: of all texts of the call.
        stretch_starts: (stretches,) the character at which each stretch of ``pieces`` begins.
    """
    if not rows:
        return []
    sides = [side for row in rows for side in row.sides]
    numbers = np.array([number for row in rows for number in range(len(row.sides))], np.int8)
    lengths = np.array([len(side.ids) for side in sides])
    ends = np.cumsum(lengths + 2)
    begins = ends - lengths - 2
    content = np.ones(ends[-1], dtype=np.bool_)
    content[begins] = content[ends - 1] = False
    ids = np.full(ends[-1], words.eos_id, dtype=np.int32)
    ids[begins[numbers == 0]] = words.bos_id
    ids[content] = np.concatenate([side.ids for side in sides])
    places = np.full(ends[-1], BEHIND, dtype=np.int64)
    places[begins] = BEFORE
    places[content] = np.concatenate([side.places for side in sides])
    texts = np.full(ends[-1], NO_TEXT, dtype=np.int8)
    texts[content] = np.repeat(numbers, lengths)
    texts[places < 0] = NO_TEXT
    row_begins = begins[numbers == 0]
    row_ends = np.append(row_begins[1:], ends[-1])
    shifts = begins + 1 - np.repeat(row_begins, [len(row.sides) for row in rows])
    mentions = _Mentions.of(sides, numbers, lengths, shifts)
    side_ends = np.cumsum([len(row.sides) for row in rows])
    borders = [0, *mentions.ends[side_ends - 1].tolist()]
    made = []
    for number, row in enumerate(rows):
        part = slice(int(row_begins[number]), int(row_ends[number]))
        kept = slice(borders[number], borders[number + 1])
        count = sum(len(side.rows) for side in row.sides)
        paired = len(row.sides) > 1
        made.append(
            EncodedText(
                input_ids=ids[part],
                entity_ids=mentions.rows[kept],
                spans=mentions.spans[kept],
                mention_offsets=mentions.characters[kept],
                mention_index=mentions.index[kept],
                text_index=texts[part],
                mention_text=mentions.text[kept],
                origin=Origin(pieces, stretch_starts, places[part], paired, row.word_starts),
                source=row.source,
                cut_pieces=row.cut_pieces,
                cut_mentions=count - (kept.stop - kept.start) if row.cut_pieces else 0,
            )
        )
    return made


@dataclass(frozen=True, slots=True)
class _Mentions:
    """The mentions of all sides that lie wholly inside what is kept of their text.

    ``ends`` says how many there are up to the end of each side.
    """

    rows: Ids
    spans: Ids
    characters: Ids
    index: Ids
    text: npt.NDArray[np.int8]
    ends: Places

    @classmethod
    def of(
        cls,
        sides: Sequence[Side],
        numbers: npt.NDArray[np.int8],
        lengths: Places,
        shifts: Places,
    ) -> _Mentions:
        counts = np.array([len(side.rows) for side in sides])
        spans = np.concatenate([side.spans for side in sides])
        inside = (spans[:, 0] >= 0) & (spans[:, 1] <= np.repeat(lengths, counts))
        index = np.arange(len(spans)) - np.repeat(np.cumsum(counts) - counts, counts)
        spans = spans + np.repeat(shifts, counts)[:, None]
        kept = np.concatenate(([0], np.cumsum(inside)))
        return cls(
            np.concatenate([side.rows for side in sides])[inside],
            spans[inside].astype(np.int32),
            np.concatenate([side.characters for side in sides])[inside],
            index[inside].astype(np.int32),
            np.repeat(numbers, counts)[inside],
            kept[np.cumsum(counts)],
        )
