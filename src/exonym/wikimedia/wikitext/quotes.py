"""Bold and italics: runs of apostrophes, read as MediaWiki reads them."""

from __future__ import annotations

import re

from exonym.wikimedia.wikitext.marks import STOP

_RUN = re.compile("'{2,}")


def drop_quotes(line: str) -> str:
    """Remove the apostrophes that mean bold or italics and keep those that are meant.

    Four apostrophes are one that is meant and bold; more than five are the surplus and bold
    italics. Where a line has an odd number of both, one bold is an apostrophe and italics, as
    in ``l'''Iliade''``.
    """
    if "''" not in line:
        return line
    parts = _RUN.split(line)
    runs = [len(run) for run in _RUN.findall(line)]
    kept = ["" if n in (2, 3, 5) else "'" * (1 if n == 4 else n - 5) for n in runs]
    bold = [n in (3, 4) or n >= 5 for n in runs]
    italics = sum(n == 2 or n >= 5 for n in runs)
    if italics % 2 and sum(bold) % 2:
        chosen = _apostrophe(parts, runs)
        if chosen is not None:
            kept[chosen] += "'"
    # "[[Foo]]''bar''" is not "[[Foo]]bar": italics end the link.
    kept = [
        STOP + keep if part.endswith("]]") else keep
        for part, keep in zip(parts[:-1], kept, strict=True)
    ]
    pieces = [parts[0]]
    for part, keep in zip(parts[1:], kept, strict=True):
        pieces += (keep, part)
    return "".join(pieces)


def _apostrophe(parts: list[str], runs: list[int]) -> int | None:
    """Which bold run is an apostrophe: after a one-letter word, else a longer one, else a blank."""
    after_space = after_word = None
    for index, (before, run) in enumerate(zip(parts, runs, strict=False)):
        if run not in (3, 4):
            continue
        # The first of four apostrophes belongs to what stands before.
        before = before + "'" if run == 4 else before
        last, last_but_one = before[-1:], before[-2:-1]
        if last == " ":
            after_space = index if after_space is None else after_space
        elif last_but_one == " ":
            return index
        elif after_word is None:
            after_word = index
    return after_word if after_word is not None else after_space
