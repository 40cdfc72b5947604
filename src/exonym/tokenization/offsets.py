"""Which characters of the untouched text each piece stands for.

SentencePiece normalises first (NFKC and more), so a piece's characters are counted in another
text. Where the normalisation changes nothing but blanks, counting the lengths of the pieces is
enough; elsewhere SentencePiece says where each normalised character came from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int32]
Places = npt.NDArray[np.int64]
_WORD_START = "▁"


@dataclass(frozen=True, slots=True)
class PieceTable:
    """What counting needs to know of every piece, by word id.

    Args:
        length: (ids,) characters, the word start included.
        leads: (ids,) 1 where a piece begins with a word start, else 0.
        unknown: the id of ``<unk>``, whose length depends on the text.
    """

    length: Ids
    leads: Ids
    unknown: int

    @classmethod
    def of(cls, pieces: Sequence[str], *, shift: int, unknown: int) -> PieceTable:
        """Count the pieces of a model whose piece i has the word id i + ``shift``."""
        length = np.zeros(len(pieces) + shift + 1, dtype=np.int32)
        leads = np.zeros_like(length)
        length[shift:-1] = np.fromiter(map(len, pieces), np.int32, len(pieces))
        leads[shift:-1] = [piece.startswith(_WORD_START) for piece in pieces]
        return cls(length, leads, unknown)


@dataclass(frozen=True, slots=True)
class Normaliser:
    """SentencePiece's normalisation.

    Args:
        starting: the processor for stretches that begin a word.
        continuing: the processor for the others.
        blanks: characters that the normalisation makes blank or drops.
    """

    starting: Any
    continuing: Any
    blanks: frozenset[str]

    def processor(self, starting: bool) -> Any:
        """The processor of a stretch."""
        return self.starting if starting else self.continuing

    def changes(self, text: str, starting: bool) -> bool:
        """Whether the normal form differs by more than "▁" for each blank."""
        plain = _WORD_START + text if starting else text
        normal: str = self.processor(starting).normalize(text)
        return normal != plain.replace(" ", _WORD_START)


def piece_offsets(
    stretches: Sequence[str],
    starting: Sequence[bool],
    ids: Ids,
    starts: Places,
    normaliser: Normaliser,
    table: PieceTable,
    fixed: Mapping[int, int],
) -> Ids:
    """The characters of each piece within its stretch.

    A piece that is only a part of a character (of a ligature, say) covers the whole character. A
    piece that is nothing but a blank has the empty span before what follows it. No span begins or
    ends with a blank.

    Args:
        stretches: the texts.
        starting: whether a word start was put before each.
        ids: (pieces,) word ids of all stretches.
        starts: (stretches + 1,) where each stretch's pieces begin.
        normaliser: what was done to the stretches.
        table: lengths of pieces.
        fixed: stretches that are one added token.

    Returns:
        (pieces, 2) characters [start, end).
    """
    known = np.where(ids < len(table.length), ids, table.unknown)
    lengths, leads = table.length[known], table.leads[known]
    _count_unknown(stretches, starting, ids, starts, normaliser, table, lengths, leads, fixed)
    counts = np.diff(starts)
    ends = np.cumsum(lengths, dtype=np.int64)
    ends -= np.repeat(np.append(0, ends)[starts[:-1]], counts)
    inner = ends - lengths + leads
    shift = np.repeat(np.asarray(starting, dtype=np.int64), counts)
    offsets = np.stack([inner - shift, ends - shift], axis=1).astype(np.int32)
    changed = []
    for place in np.flatnonzero(counts).tolist():
        if place in fixed:
            offsets[starts[place]] = (0, len(stretches[place]))
        elif normaliser.changes(stretches[place], starting[place]):
            changed.append(place)
    if changed:
        chosen = np.concatenate([np.arange(starts[i], starts[i + 1]) for i in changed])
        texts, flags = [stretches[i] for i in changed], [starting[i] for i in changed]
        offsets[chosen] = _aligned(
            texts, flags, counts[changed], inner[chosen], ends[chosen], normaliser
        )
    return offsets


def _count_unknown(
    stretches: Sequence[str],
    starting: Sequence[bool],
    ids: Ids,
    starts: Places,
    normaliser: Normaliser,
    table: PieceTable,
    lengths: Ids,
    leads: Ids,
    fixed: Mapping[int, int],
) -> None:
    """Fill in the lengths of unknown pieces, which SentencePiece spells out."""
    unknown = np.flatnonzero(ids == table.unknown)
    for place in np.unique(np.searchsorted(starts, unknown, side="right") - 1).tolist():
        if place in fixed:
            continue
        part = slice(int(starts[place]), int(starts[place + 1]))
        spelt = normaliser.processor(starting[place]).encode(stretches[place], out_type=str)
        lengths[part] = [len(piece) for piece in spelt]
        leads[part] = [piece.startswith(_WORD_START) for piece in spelt]


def _aligned(
    texts: Sequence[str],
    starting: Sequence[bool],
    counts: Places,
    inner: Places,
    ends: Places,
    normaliser: Normaliser,
) -> Ids:
    """Spans in the texts of pieces whose spans in the normal forms are [inner, ends).

    All texts are laid one after the other, with a character between two that is no blank.
    """
    found: list[int] = []
    normal_starts, text_starts, place = [], [], 0
    for text, flag in zip(texts, starting, strict=True):
        _, origins = normaliser.processor(flag).normalize(text, with_offsets=True)
        normal_starts.append(len(found))
        text_starts.append(place)
        found += [place + origin for origin in origins]
        place += len(text) + 1
    origin = np.asarray(found, dtype=np.int64)
    base = np.repeat(np.asarray(normal_starts), counts)
    shift = np.repeat(np.asarray(text_starts), counts)
    prefix = np.repeat(np.asarray(starting, dtype=np.int64), counts)
    blank = np.fromiter((c in normaliser.blanks for c in "\0".join(texts) + "\0"), np.bool_, place)
    # A normal character's origin ends where the next one begins that has another; a text's last
    # entry is its end, never the next text's start.
    following = np.searchsorted(origin, origin, side="right")
    end_of = origin[np.minimum(following, len(origin) - 1)]
    inner, ends = base + inner, base + ends
    # A word start alone stands for nothing, unless it came from within a character (as in "ﷺ").
    within = (ends > base + prefix) & ~blank[origin[ends - 1]]
    first = np.where((inner == ends) & within, ends - 1, inner)
    start = origin[first]
    end = np.where(first < ends, end_of[ends - 1], start)
    places = np.arange(place + 1)
    next_solid = np.minimum.accumulate(np.where(np.append(~blank, True), places, place)[::-1])[::-1]
    last_solid = np.maximum.accumulate(np.where(np.append(True, ~blank), places, 0))
    start, end = next_solid[start] - shift, last_solid[end] - shift
    return np.stack([start, np.maximum(start, end)], axis=1).astype(np.int32)
