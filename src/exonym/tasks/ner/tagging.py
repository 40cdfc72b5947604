"""Tags of words, and the entities that they mean: IOB1, IOB2, BIOES and its relatives, IO.

In all of them a tag is ``O``, or a prefix and a type (``B-PER``). What the prefixes say differs:

    IOB2    B- on the first word of every entity, I- on the others
    IOB1    I- on all words; B- only on a first word right behind an entity of the same type
    BIOES   as IOB2, E- on the last word, S- on an only word (BILOU: L- and U-; BMES: M- for I-)
    IO      I-, or the bare type, on all words; neighbours of one type are one entity

Sources: Ramshaw and Marcus (1995) and Tjong Kim Sang and Veenstra (1999) for IOB1 and IOB2.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

Scheme = Literal["IOB1", "IOB2", "BIOES", "IO"]
SCHEMES: tuple[Scheme, ...] = ("IOB1", "IOB2", "BIOES", "IO")
OUTSIDE = "O"
UNTYPED = "ENTITY"
"""The type of entities whose tags have none (``B``, ``I``, ``O``)."""

_PREFIXED = re.compile(r"([BIESLUM])(?:[-_](.+))?")
_BARE = re.compile(r"[^\W\d_][\w/&.-]*")
_SAME = {"L": "E", "U": "S", "M": "I"}  # BILOU's and BMES's names for BIOES's prefixes
_PHRASES = frozenset(
    {"NP", "VP", "PP", "ADVP", "ADJP", "SBAR", "PRT", "CONJP", "INTJ", "LST", "UCP"}
    | {"NC", "VC", "PC"}  # German
)


class Tag(NamedTuple):
    """A tag taken apart.

    Args:
        prefix: ``B``, ``I``, ``E`` or ``S`` (of BILOU and BMES, too); ``O`` outside.
        type: of the entity; empty outside.
    """

    prefix: str
    type: str


class Chunk(NamedTuple):
    """An entity as words [start, end) and a type."""

    start: int
    end: int
    type: str


def parse_tag(text: str, *, bare: bool = False) -> Tag | None:
    """Take a tag apart; None if it is none.

    Args:
        text: such as ``B-PER``.
        bare: whether a type alone is a tag (of the scheme IO).
    """
    if text == OUTSIDE:
        return Tag(OUTSIDE, "")
    if match := _PREFIXED.fullmatch(text):
        return Tag(_SAME.get(match[1], match[1]), match[2] or UNTYPED)
    if bare and _BARE.fullmatch(text):
        return Tag("I", text)
    return None


def is_phrase_tag(text: str) -> bool:
    """Whether a tag is one of syntactic chunks, as CoNLL-2003 has beside those of entities."""
    tag = parse_tag(text)
    return tag is not None and tag.type in _PHRASES


class Detected(NamedTuple):
    """A scheme, and where tags do not fit it.

    Args:
        scheme: the likeliest.
        odd: (sentence, word) of tags that the scheme does not have there.
    """

    scheme: Scheme
    odd: tuple[tuple[int, int], ...]


def detect_scheme(sentences: Sequence[Sequence[Tag]]) -> Detected:
    """Find out the scheme of some sentences' tags.

    Where IOB1 and IOB2 both occur, the one with fewer odd tags is taken.
    """
    prefixes = Counter(tag.prefix for tags in sentences for tag in tags)
    if prefixes["E"] or prefixes["S"]:
        scheme: Scheme = "BIOES"
    elif not prefixes["B"]:
        scheme = "IO"
    else:
        as_iob1, as_iob2 = _odd(sentences, "IOB1"), _odd(sentences, "IOB2")
        return (
            Detected("IOB1", as_iob1) if len(as_iob1) < len(as_iob2) else Detected("IOB2", as_iob2)
        )
    return Detected(scheme, _odd(sentences, scheme))


def odd_tags(tags: Sequence[Tag], scheme: Scheme) -> Iterator[int]:
    """The words whose tags the scheme does not have there."""
    before = Tag(OUTSIDE, "")
    for place, tag in enumerate([*tags, Tag(OUTSIDE, "")]):
        goes_on = before.prefix != OUTSIDE and before.type == tag.type
        match scheme:
            case "IOB1":
                odd = tag.prefix not in "IO" and not (tag.prefix == "B" and goes_on)
            case "IOB2":
                odd = tag.prefix not in "BIO" or (tag.prefix == "I" and not goes_on)
            case "IO":
                odd = tag.prefix not in "IO"
            case "BIOES":
                opened = before.prefix in "BI"
                odd = (tag.prefix in "IE") != opened or (opened and before.type != tag.type)
        if odd:
            yield min(place, len(tags) - 1)  # an entity that the sentence's end cuts off
        before = tag


def _odd(sentences: Sequence[Sequence[Tag]], scheme: Scheme) -> tuple[tuple[int, int], ...]:
    return tuple(
        (number, place) for number, tags in enumerate(sentences) for place in odd_tags(tags, scheme)
    )


def chunks(tags: Iterable[Tag]) -> list[Chunk]:
    """The entities of a sentence, whatever the scheme, by the rules of conlleval.

    An entity begins at B or S, at any other type than before, and behind O, E or S; so IOB1, IOB2,
    BIOES and IO need no telling apart, and tags that fit no scheme still mean something.
    """
    found: list[Chunk] = []
    start, place, before = 0, -1, Tag(OUTSIDE, "")
    for place, tag in enumerate(tags):
        begins = tag.prefix in "BS" or before.prefix in "OES" or tag.type != before.type
        if before.prefix != OUTSIDE and (tag.prefix == OUTSIDE or begins):
            found.append(Chunk(start, place, before.type))
        if tag.prefix != OUTSIDE and begins:
            start = place
        before = tag
    if before.prefix != OUTSIDE:
        found.append(Chunk(start, place + 1, before.type))
    return found
