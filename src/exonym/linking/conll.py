"""Linked text as CoNLL columns, in the manner of AIDA-YAGO2: a token a line, mentions by B and I.

Columns, parted by tabs: token; then in mentions ``B`` or ``I``, the whole mention, the entity's key
(``--NME--`` is NIL, and the last column), its name. A text begins with a line ``-DOCSTART-``, an
empty line ends each sentence. Nothing is tokenised that a mention does not need: in writing with
blanks a token is a word or a single other character, in writing without (Chinese, Japanese, Thai,
Lao, Khmer, Burmese) a character with its marks. Tokens end at the borders of mentions.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from exonym.linking.formats import without_surrogates
from exonym.linking.labels import Labels
from exonym.linking.linked import Link, Linked
from exonym.text import sentence_spans

NIL = "--NME--"
OVERLAPPING = "mentions that overlap another"

_BLANKS = re.compile(r"\s+")
_UNSPACED = re.compile(
    "[\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff\u19e0-\u19ff\u3005-\u3007\u3031-\u3035\u3040-\u30ff"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua9e0-\ua9ff\uaa60-\uaa7f\uf900-\ufaff\uff66-\uff9f"
    "\U0001b000-\U0001b16f\U00020000-\U000323af]"
)
# A word, or another character, with the signs and joiners that follow.
_TOKEN = re.compile("w[wj]*|[.j]j*")
_JOINERS = frozenset("\u00ad\u200c\u200d\u2060\ufeff")  # inside words, seen or not


def write_conll(
    texts: Iterable[Linked], labels: Labels, left_out: Counter[str] | None = None
) -> Iterator[str]:
    """The lines of each text.

    Args:
        texts: what a linker gave.
        labels: names of entities, for the last column.
        left_out: counts by reason the mentions that the format cannot hold: of those that overlap
            each other the longest stays, of equally long ones the first.
    """
    for number, linked in enumerate(texts, start=1):
        text = linked.text
        source = f" {_cell(text.source)}" if text.source else ""
        lines = [f"-DOCSTART- ({number} {_cell(text.language)}{source})"]
        kept = _apart(linked.links)
        if left_out is not None and len(kept) < len(linked.links):
            left_out[OVERLAPPING] += len(linked.links) - len(kept)
        inside: Link | None = None
        cells = ""
        links, ends = iter(kept), set(_sentence_ends(linked, kept))
        link = next(links, None)
        for start, end in _tokens(text.text, kept):
            while link is not None and link.end <= start:
                link = next(links, None)
            token = text.text[start:end]
            if link is None or start < link.start:
                lines.append(token)
            else:
                if link is not inside:
                    inside, cells = link, _cells(link, labels, text.language)
                    lines.append(f"{token}\tB\t{cells}")
                else:
                    lines.append(f"{token}\tI\t{cells}")
            if end in ends:
                lines.append("")
        if lines[-1]:
            lines.append("")
        yield "\n".join(lines) + "\n"


def _cells(link: Link, labels: Labels, language: str) -> str:
    """The columns that all tokens of a mention have in common."""
    if link.entity is None:
        return f"{_cell(link.surface)}\t{NIL}"
    cells = (link.surface, link.entity, labels(link.entity, language))
    return "\t".join(map(_cell, cells))


def _cell(text: str) -> str:
    """A text that stays in its column: runs of white space are one blank."""
    return _BLANKS.sub(" ", text).strip()


def _apart(links: Sequence[Link]) -> list[Link]:
    """Links that do not overlap, the longest first chosen; in the order of the text."""
    kept: list[Link] = []
    for link in sorted(links, key=lambda link: (link.start - link.end, link.start)):
        place = bisect_left(kept, link.end, key=lambda other: other.start)
        if place == 0 or kept[place - 1].end <= link.start:
            kept.insert(place, link)
    return kept


def _sentence_ends(linked: Linked, kept: list[Link]) -> Iterator[int]:
    """Where sentences end, blanks behind them left out; not inside a mention."""
    links = iter(kept)
    link = next(links, None)
    text = without_surrogates(linked.text.text)  # the splitter wants what UTF-8 can write
    for _, end in sentence_spans(text, linked.text.language):
        while link is not None and link.end <= end:
            link = next(links, None)
        if link is None or end <= link.start:
            yield end


def _tokens(text: str, links: list[Link]) -> Iterator[tuple[int, int]]:
    """Half-open spans without white space that no border of a mention cuts."""
    kinds = "".join(map(_kind, text))
    borders = sorted({0, len(text), *(at for link in links for at in (link.start, link.end))})
    for first, last in itertools.pairwise(borders):
        for token in _TOKEN.finditer(kinds, first, last):
            yield token.span()


@lru_cache(maxsize=1 << 16)
def _kind(character: str) -> str:
    """Blank ``" "``, part of a word ``"w"``, joined to what is before ``"j"``, or alone ``"."``."""
    if character.isspace():
        return " "
    category = unicodedata.category(character)
    if category[0] == "M" or character in _JOINERS:
        return "j"
    if _UNSPACED.match(character):
        return "."
    return "w" if category[0] in "LN" or category == "Pc" else "."
