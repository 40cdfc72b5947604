"""The form in which names are compared: letters without case, width or what writers leave out.

Two texts name alike if their *folded forms* are equal. Folding is the same for all languages:
Unicode's compatibility decomposition and full case folding, composed again, and what
``data/folding.toml`` adds: what is dropped and what is equal. Marks of Latin, Greek and Indic
letters stay. A text and its other Unicode forms (NFC, NFD, full and half width) have one folded
form.

Folding works on *clusters*: a character and the marks, joiners and Hangul vowels that belong to it.
No cluster's form depends on its neighbours, so the folded form of a stretch of whole clusters is
the same wherever it stands, and a name that is found begins and ends at whole clusters.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from itertools import chain, pairwise
from typing import Any

# Nothing decomposes, changes its case or is white space beyond the first planes.
ASSIGNED = range(0x32400)
_JOINER = "\u200d"
_ROUNDS = 8  # far more than any text needs until nothing changes any more


@dataclass(frozen=True, slots=True)
class FoldingRules:
    """What ``data/folding.toml`` says, ready to use.

    Args:
        translation: what a code point is replaced with before all else: another character, a
            blank for white space, or nothing.
        compatible: compatibility decompositions.
        dotted: letters after which ``dots`` are dropped.
        dots: those marks.
        continuing: code points other than marks that belong to the character before them.
    """

    translation: dict[int, str]
    compatible: dict[int, str]
    dotted: frozenset[str]
    dots: frozenset[str]
    continuing: frozenset[int]


def fold(text: str) -> str:
    """The folded form of a text: plain and slow, what `unit_streams` does to many at once.

    White space at both ends is dropped, and runs of it are one blank.
    """
    folded = "".join(fold_cluster(text[start:end]) for start, end in cluster_spans(text))
    return " ".join(folded.split())


def cluster_spans(text: str) -> list[tuple[int, int]]:
    """Where the clusters of a text begin and end, one after the other.

    What is dropped is a cluster of its own, unless something follows that belongs to a character
    before it.
    """
    starts: list[int] = []
    base = -1  # the last character that something may belong to
    for place, character in enumerate(text):
        if base >= 0 and is_continuing(character) and not text[base].isspace():
            while starts[-1] > base:
                starts.pop()
        elif not (place and text[place - 1] == _JOINER and is_picture(character)):
            starts.append(place)
        if is_continuing(character) or fold_cluster(character):
            base = place
    return list(pairwise([*starts, len(text)]))


def is_picture(character: str) -> bool:
    """Whether a character makes one picture with another that a joiner ties to it."""
    return unicodedata.category(character) == "So"


def is_continuing(character: str) -> bool:
    """Whether a character belongs to the one before it."""
    if unicodedata.category(character)[0] == "M":
        return True
    return ord(character) in folding_rules().continuing


@lru_cache(1 << 16)
def fold_cluster(cluster: str) -> str:
    """The folded form of one cluster."""
    joined = [place for place, c in enumerate(cluster) if place and is_picture(c)]
    for place in reversed(joined):
        if cluster[place - 1] == _JOINER:  # two pictures side by side are something else
            return f"{fold_cluster(cluster[: place - 1])}{_JOINER}{fold_cluster(cluster[place:])}"
    rules = folding_rules()
    for _ in range(_ROUNDS):
        folded = cluster.translate(rules.translation).translate(rules.compatible)
        folded = unicodedata.normalize("NFD", folded).casefold()
        folded = unicodedata.normalize("NFC", _without_dots(folded, rules))
        if folded == cluster:
            return folded
        cluster = folded
    raise AssertionError(f"folding does not come to an end: {cluster!r}")


def _without_dots(cluster: str, rules: FoldingRules) -> str:
    if rules.dots.isdisjoint(cluster):
        return cluster
    kept, dotted = [], False
    for character in unicodedata.normalize("NFD", cluster):
        if not unicodedata.combining(character):
            dotted = character in rules.dotted
        if not (dotted and character in rules.dots):
            kept.append(character)
    return "".join(kept)


def read_data(name: str) -> dict[str, Any]:
    """One of this room's data files."""
    return tomllib.loads(data_bytes(name).decode())


def data_bytes(name: str) -> bytes:
    """The bytes of one of this room's data files."""
    return (files("exonym.linking") / "data" / name).read_bytes()


def code_points(ranges: Iterable[str]) -> list[int]:
    """The code points of ranges such as ``"0640"`` and ``"064B-0652"``."""
    found: list[int] = []
    for text in ranges:
        first, _, last = text.partition("-")
        found.extend(range(int(first, 16), int(last or first, 16) + 1))
    return found


@cache
def folding_rules() -> FoldingRules:
    """The rules, read once."""
    data = read_data("folding.toml")
    translation = {
        point: "" for ranges in data["dropped"].values() for point in code_points(ranges)
    }
    for characters in data["equal"]["characters"]:
        translation.update({ord(other): characters[0] for other in characters[1:]})
    translation.update({point: " " for point in ASSIGNED if chr(point).isspace()})
    after = data["dropped_after"]
    continuing = set(code_points(chain.from_iterable(data["continuing"].values())))
    compatible, composing = _decompositions(continuing)
    return FoldingRules(
        translation,
        compatible,
        frozenset(after["letters"]),
        frozenset(map(chr, code_points(after["marks"]))),
        frozenset(continuing | composing),
    )


def _decompositions(belonging: set[int]) -> tuple[dict[int, str], set[int]]:
    """Compatibility decompositions, and characters that compose with or begin like marks.

    Args:
        belonging: characters that are known to belong to the one before.
    """
    compatible: dict[int, str] = {}
    continuing: set[int] = set()
    for point in ASSIGNED:
        character = chr(point)
        decomposition = unicodedata.decomposition(character)
        if not decomposition:
            continue
        whole = unicodedata.normalize("NFKD", character)
        if not decomposition.startswith("<"):
            continuing.update(map(ord, unicodedata.normalize("NFD", character)[1:]))
        elif whole[0] != " " or whole == " ":
            # Others are marks that stand alone, and decompose to a blank and the mark. They stay
            # characters of their own, for a blank would part words.
            compatible[point] = whole
            if unicodedata.category(whole[0])[0] == "M" or ord(whole[0]) in belonging:
                continuing.add(point)
    return compatible, continuing
