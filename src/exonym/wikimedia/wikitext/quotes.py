"""Bold and italics: runs of apostrophes, read as MediaWiki reads them."""

from __future__ import annotations

import re

from exonym.wikimedia.wikitext.marks import STOP

_RUN = re.compile("'{2,}")


def drop_quotes(line: str) -> str:
    """Remove the apostrophes that mean bold or italics and keep those that are meant.

    Four apostrophes are one that is meant and bold; more than five are a surplus and bold
    italics. Where a line has an odd number of both, one bold is an apostrophe and italics, as
    in ``l'''Iliade''``. Several that MediaWiki would show side by side were never meant: one stays.
    """
    if "''''" not in line:
        bold = line.count("'''")
        if bold % 2 == 0 or (line.count("''") - bold) % 2 == 0:
            # "[[Foo]]''bar''" is not "[[Foo]]bar": italics end the link.
            if "]]''" in line:
                line = line.replace("]]''", f"]]{STOP}''")
            return (line.replace("'''", "") if bold else line).replace("''", "")
    return _drop_by_count(line)


def _drop_by_count(line: str) -> str:
    parts = _RUN.split(line)
    runs = [len(run) for run in _RUN.findall(line)]
    kept = ["" if n in (2, 3, 5) else "'" for n in runs]
    bold = sum(n >= 3 for n in runs)
    italics = sum(n == 2 or n >= 5 for n in runs)
    if italics % 2 and bold % 2:
        chosen = _apostrophe(parts, runs)
        if chosen is not None:
            kept[chosen] = "'"
    pieces = [parts[0]]
    for before, keep, part in zip(parts, kept, parts[1:], strict=False):
        pieces += (STOP if before.endswith("]]") else "", keep, part)
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
