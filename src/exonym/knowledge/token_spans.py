"""Stretches of text that begin and end at borders of words, and their hashes, many at a time.

A text is a row of *tokens*. In a language that puts blanks between its words a token is a word (as
many letters, marks, digits and joiners as stand together) or one other character; in a language
that does not, every character is a token. Blanks only part tokens. A name stands in a text exactly
where its tokens stand in a row, with blanks at the same places, so all there is to look up are
*spans*: from the start of a token to the end of the same or a later one.

The hash of a span is a polynomial modulo 2**64 over numbers drawn for the characters. From sums
over all that stands before a place, the hash of any span takes one subtraction and one
multiplication, whatever its length.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Places = NDArray[np.int64]

_BLANK = ord(" ")
_BREAK = sys.maxunicode + 1  # stands between two texts; no character, so in no name
_JOINERS = (0x200C, 0x200D)  # zero width (non-)joiner: inside words of Persian, Hindi, ...
_ASSIGNED = (range(0x40000), range(0xE0000, 0xE1000))  # the planes between are for private use
_LETTERS, _MARKS, _NUMBERS = ("Lu", "Ll", "Lt", "Lm", "Lo"), ("Mn", "Mc", "Me"), ("Nd", "Nl", "No")
_WORD_CATEGORIES = frozenset((*_LETTERS, *_MARKS, *_NUMBERS, "Pc"))  # the last: underscores


@cache
def word_characters() -> NDArray[np.bool_]:
    """For each code point (and the break between texts) whether it is part of a word."""
    category = unicodedata.category
    result = np.zeros(_BREAK + 1, np.bool_)
    for points in _ASSIGNED:
        some = [category(chr(point)) in _WORD_CATEGORIES for point in points]
        result[points.start : points.stop] = some
    result[list(_JOINERS)] = True
    return result


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of some texts, one after the other.

    Args:
        units: (characters,) code points; runs of white space are one blank, and a break ends
            each text.
        starts: (tokens,) where each token starts in ``units``.
        ends: (tokens,) where each token ends, exclusive.
        text_starts: (texts + 1,) the number of each text's first token, and of tokens in all.
    """

    units: NDArray[np.uint32]
    starts: Places
    ends: Places
    text_starts: Places

    def __len__(self) -> int:
        return len(self.starts)


def cut_tokens(texts: Sequence[str], *, spaced: bool) -> Tokens:
    """Cut texts into tokens.

    Args:
        texts: any strings; runs of white space count as one blank.
        spaced: whether the language puts blanks between its words.
    """
    units, breaks = _join(texts)
    apart = (units == _BLANK) | (units == _BREAK)
    first, last = ~apart, ~apart
    if spaced:
        word = word_characters()[units]
        inside = word[1:] & word[:-1]
        first[1:] &= ~inside
        last[:-1] &= ~inside
    starts = np.flatnonzero(first)
    bounds = np.concatenate(([0], breaks + 1))
    return Tokens(units, starts, np.flatnonzero(last) + 1, np.searchsorted(starts, bounds))


def _join(texts: Sequence[str]) -> tuple[NDArray[np.uint32], Places]:
    """The code points of all texts with white space made even, and where the breaks stand."""
    data = "\n".join([*texts, ""]).encode("utf-32-le", "surrogatepass")
    units = np.frombuffer(data, np.uint32).copy()
    breaks = np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)) + 1) - 1
    units[white_space()[units]] = _BLANK
    units[breaks] = _BREAK
    blank = units == _BLANK
    again = blank[1:] & blank[:-1]
    if again.any():
        keep = np.concatenate(([True], ~again))
        units = units[keep]
        breaks = np.flatnonzero(units == _BREAK)
    return units, breaks


@cache
def white_space() -> NDArray[np.bool_]:
    """For each code point (and the break between texts) whether `str.split` splits there."""
    result = np.zeros(_BREAK + 1, np.bool_)
    # All white space of Unicode stands in its first plane.
    result[[point for point in range(0x10000) if chr(point).isspace()]] = True
    return result


class SpanHasher:
    """One choice among the hash functions of spans.

    For two different spans of some dozens of characters the chance of equal hashes is about
    2**-64, taken over the choice of the numbers.

    Args:
        seed: which numbers are drawn.
    """

    def __init__(self, seed: int) -> None:
        self._letters = letter_numbers(seed)
        # 5 modulo 8: then the powers of the base repeat as late as they can.
        self._base = (int(_mixed(np.array([~seed & _MASK], np.uint64))[0]) & ~7) | 5
        self._powers = self._inverses = np.ones(1, np.uint64)

    def window(self, tokens: Tokens, first: int, last: int) -> Window:
        """The spans within tokens [``first``, ``last``), which must not be empty."""
        start, end = int(tokens.starts[first]), int(tokens.ends[last - 1])
        sums = self.sums(tokens.units[start:end])
        begins = tokens.starts[first:last] - start
        ends = tokens.ends[first:last] - start
        return Window(sums.before[begins], sums.before[ends], sums.scale[begins])

    def sums(self, units: NDArray[np.uint32]) -> SpanSums:
        """What the hash of any stretch of some units is made of."""
        size = len(units)
        if size >= len(self._powers):
            self._extend(size)
        before = np.zeros(size + 1, np.uint64)
        np.cumsum(self._letters[units] * self._powers[:size], out=before[1:])
        return SpanSums(before, self._inverses)

    def _extend(self, size: int) -> None:
        size = 1 << size.bit_length()
        for name, base in (("_powers", self._base), ("_inverses", pow(self._base, -1, 1 << 64))):
            factors = np.full(size, base, np.uint64)
            factors[0] = 1
            setattr(self, name, np.cumprod(factors, dtype=np.uint64))


@cache
def span_hasher(seed: int) -> SpanHasher:
    """The hasher of a seed, one a process: its tables grow with the longest text so far."""
    return SpanHasher(seed)


@dataclass(frozen=True, slots=True)
class Window:
    """What the hashes of spans among some tokens in a row are made of.

    Args:
        before: (tokens,) sum up to each token's start.
        after: (tokens,) sum up to each token's end.
        scale: (tokens,) what makes the hash of a span the same wherever it stands.
    """

    before: Hashes
    after: Hashes
    scale: Hashes

    def hashes(self, first: Places, last: Places) -> Hashes:
        """The hashes of the spans from token ``first`` to the end of token ``last``."""
        result = self.after[last] - self.before[first]
        result *= self.scale[first]
        return result


@dataclass(frozen=True, slots=True)
class SpanSums:
    """What the hashes of all stretches of some units are made of.

    Args:
        before: (units + 1,) sum up to each unit.
        scale: (at least units + 1,) what makes the hash the same wherever the stretch begins.
    """

    before: Hashes
    scale: Hashes

    def hashes(self, starts: Places, ends: Places) -> Hashes:
        """The hashes of the units from ``starts`` up to ``ends``."""
        result = self.before[ends] - self.before[starts]
        result *= self.scale[starts]
        return result


_MASK = (1 << 64) - 1


@cache
def letter_numbers(seed: int) -> Hashes:
    """A number for each code point, and one for the break between texts; read-only."""
    points = np.arange(_BREAK + 1, dtype=np.uint64)
    numbers = _mixed(points + np.uint64((seed * (_BREAK + 1) + 1) & _MASK))
    numbers.setflags(write=False)
    return numbers


def _mixed(values: Hashes) -> Hashes:
    """Sebastiano Vigna's SplitMix64: a bijection of 64-bit numbers without visible pattern."""
    values = values * np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def batches(texts: Iterator[str], characters: int) -> Iterator[list[str]]:
    """Texts in lists of at least so many characters each, but for the last."""
    batch: list[str] = []
    size = 0
    for text in texts:
        batch.append(text)
        size += len(text) + 1
        if size >= characters:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
