"""Special pieces around a text or a pair, and what is done when it is too long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from exonym.foundation.errors import InputError
from exonym.text import AnnotatedText, SplitText
from exonym.tokenization.encoded import BEFORE, BEHIND, NO_TEXT, EncodedText, Ids, Origin
from exonym.tokenization.offsets import Places
from exonym.tokenization.windows import Overflow, lengths_after_cut, windows
from exonym.tokenization.words import Pieces, WordTokenizer


@dataclass(frozen=True, slots=True)
class Side:
    """One text of a pair, or the only one, without special pieces.

    Args:
        text: the text.
        ids: (words,) its pieces.
        places: (words,) where they came from, see `Origin`.
        spans: (mentions, 2) pieces of each mention.
        rows: (mentions,) entity rows.
    """

    text: AnnotatedText
    ids: Ids
    places: Places
    spans: Ids
    rows: Ids

    def part(self, start: int, end: int) -> Side:
        """The pieces [start, end) with all mentions, whose spans may reach outside."""
        spans = self.spans - np.int32(start)
        return Side(self.text, self.ids[start:end], self.places[start:end], spans, self.rows)


class Frame:
    """Puts texts between special pieces: ``<s> A </s>``, ``<s> A </s></s> B </s>``.

    Args:
        words: knows the special pieces.
        pieces: of all texts of the call.
        stretch_starts: (stretches,) the character at which each stretch of ``pieces`` begins.
        max_length: most pieces, special ones included.
        overflow: what becomes of longer texts.
        overlap: pieces that two windows share.
    """

    def __init__(
        self,
        words: WordTokenizer,
        pieces: Pieces,
        stretch_starts: Ids,
        *,
        max_length: int,
        overflow: Overflow,
        overlap: int,
    ) -> None:
        self._words, self._pieces, self._stretch_starts = words, pieces, stretch_starts
        self._max_length = max_length
        self._overflow, self._overlap = overflow, overlap

    def framed(
        self, source: int, sides: Sequence[Side], split: SplitText | None
    ) -> Iterator[EncodedText]:
        """One text, or one for each window.

        Raises:
            InputError: it is too long, and that is an error or no window can hold it.
        """
        lengths = [len(side.ids) for side in sides]
        special = 2 * len(sides)
        room = self._max_length - special
        if sum(lengths) <= room:
            yield self._encoded(source, sides, split, whole=True)
        elif self._overflow == "cut":
            first, second = lengths_after_cut(lengths[0], sum(lengths[1:]), room)
            kept = [side.part(0, end) for side, end in zip(sides, (first, second), strict=False)]
            yield self._encoded(source, kept, split, sum(lengths) - room)
        elif self._overflow == "window":
            yield from self._windows(source, sides, split, room - sum(lengths[:-1]))
        else:
            raise InputError(
                f"the text has {sum(lengths) + special} pieces, more than "
                f"max_length={self._max_length}",
                where=sides[0].text.source,
                remedy='Pass overflow="window" or overflow="cut", or a shorter text',
            )

    def _windows(
        self, source: int, sides: Sequence[Side], split: SplitText | None, most: int
    ) -> Iterator[EncodedText]:
        """Windows over the last text; the first of a pair stays in all of them."""
        last = sides[-1]
        if most <= 0:
            raise InputError(
                f"the first text has {len(sides[0].ids)} pieces, which leaves no room for the "
                f"second within max_length={self._max_length}",
                where=sides[0].text.source,
            )
        try:
            for start, end in windows(len(last.ids), last.spans, most, self._overlap):
                yield self._encoded(source, [*sides[:-1], last.part(start, end)], split)
        except InputError as error:
            where = error.where or last.text.source
            raise InputError(error.what, where=where, remedy=error.remedy) from error

    def _encoded(
        self,
        source: int,
        sides: Sequence[Side],
        split: SplitText | None,
        cut_pieces: int = 0,
        *,
        whole: bool = False,
    ) -> EncodedText:
        length = sum(len(side.ids) for side in sides) + 2 * len(sides)
        ids = np.full(length, self._words.eos_id, dtype=np.int32)
        ids[0] = self._words.bos_id
        places = np.full(length, BEHIND, dtype=np.int64)
        texts = np.full(length, NO_TEXT, dtype=np.int8)
        kept, start = [], 0
        for index, side in enumerate(sides):
            places[start] = BEFORE
            inside = slice(start + 1, start + 1 + len(side.ids))
            ids[inside], places[inside], texts[inside] = side.ids, side.places, index
            texts[inside][side.places < 0] = NO_TEXT
            kept.append(_Kept.of(index, side, start + 1, whole=whole))
            start = inside.stop + 1
        mentions = kept[0] if len(kept) == 1 else _Kept.joined(kept)
        count = sum(len(side.rows) for side in sides)
        words = None if split is None else [start for start, _ in split.spans()]
        return EncodedText(
            input_ids=ids,
            entity_ids=mentions.rows,
            spans=mentions.spans,
            mention_offsets=mentions.offsets,
            mention_index=mentions.index,
            text_index=texts,
            mention_text=mentions.text,
            origin=Origin(self._pieces, self._stretch_starts, places, len(sides) > 1, words),
            source=source,
            cut_pieces=cut_pieces,
            cut_mentions=count - len(mentions.rows) if cut_pieces else 0,
        )


@dataclass(frozen=True, slots=True)
class _Kept:
    """The mentions that lie wholly inside what is kept of a text."""

    rows: Ids
    spans: Ids
    offsets: Ids
    index: Ids
    text: npt.NDArray[np.int8]

    @classmethod
    def of(cls, text: int, side: Side, shift: int, *, whole: bool) -> _Kept:
        """Of a ``whole`` text all of them."""
        characters = [(mention.start, mention.end) for mention in side.text.mentions]
        offsets = np.array(characters, np.int32).reshape(-1, 2)
        rows, spans, count = side.rows, side.spans + np.int32(shift), len(side.rows)
        index = np.arange(count, dtype=np.int32)
        if not whole:
            inside = (side.spans[:, 0] >= 0) & (side.spans[:, 1] <= len(side.ids))
            rows, spans, offsets, index = (a[inside] for a in (rows, spans, offsets, index))
        return cls(rows, spans, offsets, index, np.full(len(index), text, np.int8))

    @classmethod
    def joined(cls, parts: Sequence[_Kept]) -> _Kept:
        names = [field.name for field in fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
