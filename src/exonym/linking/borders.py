"""Where in a text a name may begin and end.

A *border* lies between two clusters (`folding`) unless both are parts of words in scripts that put
blanks between words; so in Han, Kana or Thai a name may begin and end at any cluster. Between two
borders stands a *token*: a word, or one other cluster. Inside words, ``data/borders.toml`` names
further places: after an elided article and its apostrophe, after and before little words that are
written as part of their neighbour; and it takes one away: after any other apostrophe in a word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from exonym.knowledge.token_spans import Hashes, SpanHasher, SpanSums
from exonym.linking.folding_tables import APART, LEADS, TRAILS, WORD, border_rules
from exonym.linking.unit_streams import Places, UnitStream


@dataclass(frozen=True, slots=True)
class Borders:
    """The tokens of a stream, and where names may begin and end.

    Names end where tokens end, and at ``inner_ends``.

    Args:
        token_starts: (tokens,) the unit that each token starts with.
        token_ends: (tokens,) one past its last unit.
        starts: (starts,) units at which a name may begin, ascending.
        start_tokens: (starts,) the token that each stands in.
        inner_tokens: (inner,) tokens inside which a name may end, ascending.
        inner_ends: (inner,) one past the last unit of such a name, ascending.
    """

    token_starts: Places
    token_ends: Places
    starts: Places
    start_tokens: Places
    inner_tokens: Places
    inner_ends: Places


@dataclass(frozen=True, slots=True)
class _LittleWords:
    """Words of one length that are written as part of their neighbour.

    Args:
        length: in units.
        rest: how many units the rest of the token must have.
        hashes: (words,) ascending.
    """

    length: int
    rest: int
    hashes: Hashes


class BorderFinder:
    """Finds the borders of streams, by ``data/borders.toml``.

    Args:
        hasher: whose hashes little words are compared by.
    """

    def __init__(self, hasher: SpanHasher) -> None:
        rules = border_rules()
        self._apostrophe = np.uint32(ord(rules.apostrophe))
        self._elided = _hashes(rules.elided, hasher)
        self._begins = _by_length(rules.begins, hasher)
        self._ends = _by_length(rules.ends, hasher)

    def find(self, stream: UnitStream, sums: SpanSums) -> Borders:
        """The borders of a stream, given the sums of its units."""
        token_starts, token_ends = tokens(stream)
        within = np.arange(len(token_starts))
        starts, barred = token_starts, self._barred(stream, token_starts, token_ends, sums)
        if len(barred):
            within = np.delete(within, barred)
            starts = token_starts[within]
        further, places = self._after_little_words(stream, token_starts, token_ends, sums)
        if len(further):
            starts = np.concatenate((starts, places))
            within = np.concatenate((within, further))
            starts, order = np.unique(starts, return_index=True)
            within = within[order]
        inner = self._before_little_words(stream, token_starts, token_ends, sums)
        return Borders(token_starts, token_ends, starts, within, *inner)

    def _barred(self, stream: UnitStream, starts: Places, ends: Places, sums: SpanSums) -> Places:
        """Tokens with which no name may begin: after an apostrophe inside a word."""
        marks = np.flatnonzero(stream.units[starts] == self._apostrophe)
        marks = marks[(marks > 0) & (marks + 1 < len(starts))]
        before, after = marks - 1, marks + 1
        inside = (ends[before] == starts[marks]) & (ends[marks] == starts[after])
        inside &= ends[marks] == starts[marks] + 1
        inside &= (stream.flags[starts[before]] & stream.flags[starts[after]] & WORD) != 0
        before, after = before[inside], after[inside]
        elided = _among(sums.hashes(starts[before], ends[before]), self._elided)
        barred: Places = after[~elided]
        return barred

    def _after_little_words(
        self, stream: UnitStream, starts: Places, ends: Places, sums: SpanSums
    ) -> tuple[Places, Places]:
        """Tokens that begin with little words, and where those end; in no order."""
        leading = np.flatnonzero(stream.flags[starts] & LEADS)
        found = [(leading[:0], leading[:0])]
        for words in self._begins if len(leading) else ():
            cuts = starts[leading] + words.length
            fits = ends[leading] - cuts >= words.rest
            which, cuts = leading[fits], cuts[fits]
            known = _among(sums.hashes(starts[which], cuts), words.hashes)
            known &= _at_cluster(stream, cuts)
            found.append((which[known], cuts[known]))
        return np.concatenate([a for a, _ in found]), np.concatenate([b for _, b in found])

    def _before_little_words(
        self, stream: UnitStream, starts: Places, ends: Places, sums: SpanSums
    ) -> tuple[Places, Places]:
        """Tokens that end with little words, and where those begin; ascending."""
        trailing = np.flatnonzero(stream.flags[ends - 1] & TRAILS)
        found = [(trailing[:0], trailing[:0])]
        for words in self._ends if len(trailing) else ():
            cuts = ends[trailing] - words.length
            fits = cuts - starts[trailing] >= words.rest
            which, cuts = trailing[fits], cuts[fits]
            known = _among(sums.hashes(cuts, ends[which]), words.hashes)
            known &= _at_cluster(stream, cuts)
            found.append((which[known], cuts[known]))
        cuts, order = np.unique(np.concatenate([cuts for _, cuts in found]), return_index=True)
        return np.concatenate([which for which, _ in found])[order], cuts


def tokens(stream: UnitStream) -> tuple[Places, Places]:
    """Where the tokens of a stream start and end."""
    word, whole = stream.flags & WORD, (stream.flags & APART) == 0
    border = (word[1:] & word[:-1]) == 0
    if stream.begins is not None:
        border &= stream.begins[1:]
    first, last = whole.copy(), whole
    first[1:] &= border
    last[:-1] &= border
    return np.flatnonzero(first), np.flatnonzero(last) + 1


def _hashes(words: Sequence[str], hasher: SpanHasher) -> Hashes:
    """The hashes of words, ascending."""
    units = np.frombuffer("".join(words).encode("utf-32-le"), np.uint32)
    ends = np.cumsum(np.fromiter(map(len, words), np.int64, len(words)))
    starts = np.concatenate((ends[:0], [0], ends[:-1])).astype(np.int64)
    return np.sort(hasher.sums(units).hashes(starts, ends))


def _by_length(words: Sequence[tuple[str, int]], hasher: SpanHasher) -> tuple[_LittleWords, ...]:
    kinds = sorted({(len(word), rest) for word, rest in words})
    return tuple(
        _LittleWords(
            *kind, _hashes([word for word, rest in words if (len(word), rest) == kind], hasher)
        )
        for kind in kinds
    )


def _at_cluster(stream: UnitStream, places: Places) -> NDArray[np.bool_]:
    if stream.begins is None:
        return np.ones(len(places), np.bool_)
    return stream.begins[places]


def _among(hashes: Hashes, ascending: Hashes) -> NDArray[np.bool_]:
    place = np.minimum(np.searchsorted(ascending, hashes), len(ascending) - 1)
    return np.asarray(ascending[place] == hashes)
