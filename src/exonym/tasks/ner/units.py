"""Where spans of a text may begin and end, when nobody has split it into words.

By the characters' scripts, not by the text's language, so that texts in several need no care. In
scripts with blanks a unit is a run of letters and digits, or one other sign: finer than treebanks'
words, so that what is a name to them is a sequence of units ("Berlin-based", "l'Allemagne"). Of
scripts without blanks every ideograph and every Hiragana letter is a unit, as in Unicode's word
boundaries (UAX 29), and a run of Katakana; Thai, Lao, Khmer, Burmese and Tibetan are cut where the
tokenizer cuts them into pieces. No unit begins with a combining mark.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence

import numpy as np

from exonym.tokenization import WordTokenizer

Span = tuple[int, int]

_LETTER, _DIGIT, _MARK, _BLANK, _OTHER = "w", "d", "m", " ", "p"
_IDEOGRAPH, _KATAKANA, _COMPLEX = "h", "k", "t"
_RANGES = (
    (0x0E00, 0x0EFF, _COMPLEX),  # Thai, Lao
    (0x0F00, 0x109F, _COMPLEX),  # Tibetan, Myanmar
    (0x1780, 0x17FF, _COMPLEX),  # Khmer
    (0x1950, 0x19DF, _COMPLEX),  # Tai Le, New Tai Lue
    (0x1A20, 0x1AAF, _COMPLEX),  # Tai Tham
    (0xA9E0, 0xA9FF, _COMPLEX),  # Myanmar Extended-B
    (0xAA60, 0xAADF, _COMPLEX),  # Myanmar Extended-A, Tai Viet
    (0x2E80, 0x2FDF, _IDEOGRAPH),  # radicals
    (0x3005, 0x3007, _IDEOGRAPH),
    (0x3021, 0x3029, _IDEOGRAPH),
    (0x3041, 0x309F, _IDEOGRAPH),  # Hiragana
    (0x30A0, 0x30FF, _KATAKANA),
    (0x3100, 0x312F, _IDEOGRAPH),  # Bopomofo
    (0x31A0, 0x31BF, _IDEOGRAPH),
    (0x31F0, 0x31FF, _KATAKANA),
    (0x3400, 0x4DBF, _IDEOGRAPH),
    (0x4E00, 0x9FFF, _IDEOGRAPH),
    (0xF900, 0xFAFF, _IDEOGRAPH),
    (0xFF66, 0xFF9F, _KATAKANA),
    (0x20000, 0x3FFFF, _IDEOGRAPH),
)
_JOINERS = "\u200c\u200d\u2060"  # inside of words; others of their kind stand alone
_NUMBER = r"dm*(?:[dm]|[.,](?=d))*"
_UNIT = re.compile(rf"{_NUMBER}(?![wd])|[wd][wdm]*|hm*|k[km]*|t[tm]*|[.,p]m*|m+")
_UNIT_OF_PIECES = re.compile(rf"{_NUMBER}(?![wd])|[wd][wdm]*|[hkt][hktm]*|[.,p]m*|m+")


class _Kinds(dict[int, str]):
    """The kind of each character; what was once looked up is kept."""

    def __missing__(self, code: int) -> str:
        kind = self[code] = _kind(chr(code))
        return kind


def _kind(character: str) -> str:
    if character.isspace():
        return _BLANK
    if character in ".,":
        return character
    category = unicodedata.category(character)
    if category[0] == "M" or character in _JOINERS:
        return _MARK
    if category[0] == "L" or category == "Nl":
        code = ord(character)
        return next((kind for first, last, kind in _RANGES if first <= code <= last), _LETTER)
    return _DIGIT if category[0] == "N" else _OTHER


_KINDS = _Kinds()


def is_spaced_letter(character: str) -> bool:
    """Whether a character is a letter, digit or mark of a script that puts blanks between words."""
    return _KINDS[ord(character)] in (_LETTER, _DIGIT, _MARK)


def split_units(texts: Sequence[str], words: WordTokenizer, *, pieces: bool) -> list[list[Span]]:
    """The units of texts.

    Args:
        texts: any.
        words: cuts what has no blanks and no other borders.
        pieces: cut ideographs and Katakana as well where it cuts them, and nowhere else.

    Returns:
        For each text characters [start, end) of its units, in order; what lies between is blank.
    """
    pattern = _UNIT_OF_PIECES if pieces else _UNIT
    kinds = [text.translate(_KINDS) for text in texts]
    units = [[match.span() for match in pattern.finditer(kind)] for kind in kinds]
    runs = [
        (number, place)
        for number, kind in enumerate(kinds)
        if _COMPLEX in kind or pieces
        for place, (start, end) in enumerate(units[number])
        if end - start > 1 and (kind[start] == _COMPLEX or (pieces and kind[start] in "hk"))
    ]
    if not runs:
        return units
    spans = [units[number][place] for number, place in runs]
    stretches = [texts[number][a:b] for (number, _), (a, b) in zip(runs, spans, strict=True)]
    cut = dict(zip(runs, _borders(stretches, words), strict=True))
    return [list(_refined(own, number, kinds[number], cut)) for number, own in enumerate(units)]


def _borders(stretches: Sequence[str], words: WordTokenizer) -> list[list[int]]:
    """The characters at which the pieces of running text begin."""
    pieces = words.encode(stretches, [False] * len(stretches))
    ends = pieces.starts[1:-1]
    starts = np.split(pieces.offsets[:, 0], ends)
    return [sorted(set(own.tolist())) for own in starts]


def _refined(
    units: Sequence[Span], number: int, kind: str, cut: dict[tuple[int, int], list[int]]
) -> Iterator[Span]:
    for place, (start, end) in enumerate(units):
        inner = [
            start + border
            for border in cut.get((number, place), ())
            if 0 < border < end - start and kind[start + border] != _MARK
        ]
        borders = [start, *inner, end]
        yield from itertools.pairwise(borders)
