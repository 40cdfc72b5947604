"""What folding makes of each code point, as arrays: so that texts are folded without a loop."""

from __future__ import annotations

import hashlib
import sys
import unicodedata
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from exonym.knowledge.token_spans import word_characters
from exonym.linking.folding import (
    ASSIGNED,
    code_points,
    data_bytes,
    fold,
    fold_cluster,
    folding_rules,
    read_data,
)

BREAK = sys.maxunicode + 1
"""Stands between two texts; no character."""
DROPPED, COMPLEX = BREAK + 1, BREAK + 2
"""In place of a unit: the character has none, or its whole cluster is to be looked at."""

# Of characters:
CONTINUING, JOINER, PICTURE = np.uint8(1), np.uint8(2), np.uint8(4)
# Of units, and of characters that are folded to one unit:
APART, WORD, WATCHED, LEADS, TRAILS = (np.uint8(1 << bit) for bit in range(3, 8))

_HANGUL = (*range(0x1100, 0x1200), *range(0xA960, 0xA980), *range(0xD7B0, 0xD800))


@dataclass(frozen=True, slots=True)
class FoldingTables:
    """Arrays over all code points and the break between texts.

    Args:
        units: what each character is folded to if it stands alone: a unit, `DROPPED` or `COMPLEX`.
        flags: of the character: `CONTINUING`, `JOINER` or `PICTURE`; and of its unit: `APART`,
            blank or break; `WORD`, part of a word in a script with blanks between words;
            `WATCHED`, it may change a cluster's form by composing or changing places; `LEADS` and
            `TRAILS`, a little word may begin or end with it.
        head: the canonical combining class of its first character once decomposed.
        tail: and of its last.
        pairs: ascending; pairs of units of which something else is made, the first times 2**21
            plus the second.
    """

    units: NDArray[np.uint32]
    flags: NDArray[np.uint8]
    head: NDArray[np.uint8]
    tail: NDArray[np.uint8]
    pairs: NDArray[np.uint64]

    def changes(self, before: NDArray[np.uint32], units: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Whether `WATCHED` units may change together with the ones before them in a cluster."""
        key = before.astype(np.uint64) << np.uint64(21) | units
        place = np.minimum(np.searchsorted(self.pairs, key), len(self.pairs) - 1)
        after_mark = (self.tail[before] > 0) & (self.head[units] > 0)
        jamo = (units >= _HANGUL[0]) & (units <= 0x11FF)
        return np.asarray((self.pairs[place] == key) | after_mark | jamo)


@cache
def folding_tables() -> FoldingTables:
    """The tables, made once a process: in some tenths of a second."""
    size = BREAK + 1
    units = np.arange(size, dtype=np.uint32)
    flags, head, tail = (np.zeros(size, np.uint8) for _ in range(3))
    rules = folding_rules()
    changing = {*rules.translation, *rules.compatible}
    pairs, watched = _compositions()
    for point in ASSIGNED:
        character = chr(point)
        if unicodedata.decomposition(character):
            changing.add(point)
            whole = unicodedata.normalize("NFD", character)
            head[point], tail[point] = map(unicodedata.combining, (whole[0], whole[-1]))
        elif character.casefold() != character:
            changing.add(point)
        elif combining := unicodedata.combining(character):
            head[point] = tail[point] = combining
    for point in sorted(changing):
        folded = fold_cluster(chr(point))
        if not folded:
            units[point] = DROPPED
        elif len(folded) > 1 or (
            folded != chr(point) and unicodedata.category(chr(point))[0] == "M"
        ):
            units[point] = COMPLEX
        else:
            units[point] = ord(folded)
    watched |= set(np.flatnonzero(head).tolist())
    _set_flags(flags, sorted(watched))
    single = np.flatnonzero(units <= BREAK)
    own = flags & (CONTINUING | JOINER | PICTURE)
    of_unit = flags & ~(CONTINUING | JOINER | PICTURE)
    flags = own
    flags[single] |= of_unit[units[single]]
    return FoldingTables(units, flags, head, tail, pairs)


def _compositions() -> tuple[NDArray[np.uint64], set[int]]:
    """Pairs of units that make another, and the units that are second in one."""
    rules = folding_rules()
    pairs = {(letter, dot) for letter in rules.dotted for dot in rules.dots}
    for point in ASSIGNED:
        parts = unicodedata.decomposition(chr(point))
        if parts and not parts.startswith("<") and " " in parts:
            first, second = (chr(int(part, 16)) for part in parts.split())
            pairs.add((first, second))
            # The first as it stands in folded text, where it may be another letter.
            pairs.add((fold_cluster(first)[-1:], second))
    keys = [ord(first) << 21 | ord(second) for first, second in pairs if first]
    watched = {ord(second) for _, second in pairs}
    return np.array(sorted(keys), np.uint64), watched | set(_HANGUL)


def _set_flags(flags: NDArray[np.uint8], watched: list[int]) -> None:
    flags[watched] |= WATCHED
    words = word_characters()
    flags[words] |= WORD
    flags[unspaced_characters()] &= ~WORD
    flags[[ord(" "), BREAK]] |= APART
    flags[0x200D] |= JOINER
    categories = [unicodedata.category(chr(point)) for point in ASSIGNED]
    flags[[point for point in ASSIGNED if categories[point] == "So"]] |= PICTURE
    flags[[point for point in ASSIGNED if categories[point][0] == "M"]] |= CONTINUING
    flags[sorted(folding_rules().continuing)] |= CONTINUING
    flags[0xE0100:0xE01F0] |= CONTINUING  # the only marks beyond
    rules = border_rules()
    flags[[ord(word[0]) for word, _ in rules.begins]] |= LEADS
    flags[[ord(word[-1]) for word, _ in rules.ends]] |= TRAILS


@cache
def unspaced_characters() -> list[int]:
    """Code points of scripts without blanks between words."""
    data = read_data("borders.toml")["unspaced"]
    prefixes = tuple(f"{name} " for name in data["names"])
    points = code_points(data["ranges"])
    words = word_characters().copy()
    words[points] = False  # known already
    others = np.flatnonzero(words[: ASSIGNED.stop]).tolist()
    points += [p for p in others if unicodedata.name(chr(p), "").startswith(prefixes)]
    return points


@dataclass(frozen=True, slots=True)
class BorderRules:
    """What ``data/borders.toml`` says of names inside written words; all words are folded.

    Args:
        apostrophe: the one that all are folded to.
        elided: what stands before an apostrophe after which a name may begin.
        begins: words after which a name may begin, and how many units it must have.
        ends: words before which a name may end, and how many units it must have.
    """

    apostrophe: str
    elided: tuple[str, ...]
    begins: tuple[tuple[str, int], ...]
    ends: tuple[tuple[str, int], ...]


@cache
def border_rules() -> BorderRules:
    """The rules, read once."""
    data = read_data("borders.toml")
    begins, ends = (
        tuple(
            dict.fromkeys(
                (fold(word), group["rest"])
                for group in data[side]
                for word in group["words"].split()
            )
        )
        for side in ("begins", "ends")
    )
    words = dict.fromkeys(fold(word) for word in data["elided"]["words"].split())
    return BorderRules(fold(data["elided"]["apostrophe"]), tuple(words), begins, ends)


@cache
def folding_version() -> str:
    """Changes with the rules and with Python's tables of Unicode: an index is of one version."""
    digest = hashlib.sha256(unicodedata.unidata_version.encode())
    for name in ("folding.toml", "borders.toml"):
        digest.update(data_bytes(name))
    return digest.hexdigest()[:16]
