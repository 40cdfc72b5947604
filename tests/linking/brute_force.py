"""The twin of `NameIndex.find`: plain Python, one stretch of text after the other."""

from __future__ import annotations

import sys
import tomllib
import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import exonym.linking
from exonym.linking.folding import cluster_spans, fold

_WORDS = {"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc"}


@cache
def _borders() -> dict[str, Any]:
    path = Path(exonym.linking.__file__).parent / "data" / "borders.toml"
    return tomllib.loads(path.read_text("utf-8"))


@cache
def is_word(character: str) -> bool:
    """Whether a character is one of words in a script with blanks between words."""
    if unicodedata.category(character) not in _WORDS and character not in "\u200c\u200d":
        return False
    name = unicodedata.name(character, "")
    if any(name.startswith(f"{script} ") for script in _borders()["unspaced"]["names"]):
        return False
    for first, last in (bounds.split("-") for bounds in _borders()["unspaced"]["ranges"]):
        if int(first, 16) <= ord(character) <= int(last, 16):
            return False
    return True


def tokens(text: str) -> list[list[tuple[int, int, str]]]:
    """The clusters of each token, with their places and folded forms."""
    result: list[list[tuple[int, int, str]]] = []
    before = ""
    for start, end in cluster_spans(text):
        form = fold_whole(text[start:end])
        if not form:
            continue
        if form == " ":
            before = ""
            continue
        if before and is_word(before) and is_word(form[0]):
            result[-1].append((start, end, form))
        else:
            result.append([(start, end, form)])
        before = form[-1]
    return result


def fold_whole(cluster: str) -> str:
    """The folded form of a cluster, a blank for white space."""
    return fold(cluster) or (" " if cluster.isspace() else "")


def places(text: str) -> tuple[set[int], set[int]]:
    """The characters at which a name may begin, and those before which it may end."""
    found = tokens(text)
    starts, ends = set(), set()
    for number, token in enumerate(found):
        starts.add(token[0][0])
        ends.add(token[-1][1])
        _add_inside(token, starts, ends)
        if number > 1:
            before, mark = found[number - 2], found[number - 1]
            word = "".join(form for _, _, form in before)
            if (
                [form for _, _, form in mark] == ["'"]
                and not _blank_between(text, before, mark)
                and not _blank_between(text, mark, token)
                and is_word(before[0][2][0])
                and is_word(token[0][2][0])
                and word not in _elided()
            ):
                starts.remove(token[0][0])
    return starts, ends


def _blank_between(
    text: str, one: list[tuple[int, int, str]], other: list[tuple[int, int, str]]
) -> bool:
    return any(character.isspace() for character in text[one[-1][1] : other[0][0]])


@cache
def _little_words(side: str) -> dict[str, int]:
    """Each word with how many units the rest of its token must have at least."""
    return {
        fold(word): group["rest"] for group in _borders()[side] for word in group["words"].split()
    }


@cache
def _elided() -> set[str]:
    return {fold(word) for word in _borders()["elided"]["words"].split()}


def _add_inside(token: list[tuple[int, int, str]], starts: set[int], ends: set[int]) -> None:
    for cut in range(1, len(token)):
        left = "".join(form for _, _, form in token[:cut])
        right = "".join(form for _, _, form in token[cut:])
        if len(right) >= _little_words("begins").get(left, sys.maxsize):
            starts.add(token[cut][0])
        if len(left) >= _little_words("ends").get(right, sys.maxsize):
            ends.add(token[cut - 1][1])


def find(names: Sequence[str], texts: Sequence[str]) -> list[tuple[int, int, int, str]]:
    """All occurrences: text, start, end, folded name."""
    known = {fold(name) for name in names} - {""}
    result = []
    for number, text in enumerate(texts):
        starts, ends = places(text)
        result += [
            (number, start, end, fold(text[start:end]))
            for start in sorted(starts)
            for end in sorted(ends)
            if start < end and fold(text[start:end]) in known
        ]
    return result
