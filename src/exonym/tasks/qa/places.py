"""On which line of a JSON document a value stands.

A parser that builds values forgets where they stood. So a document is read once more, with all that
was wrong in it at hand, and only then.
"""

from __future__ import annotations

import re
from collections.abc import Collection

Steps = tuple[str | int, ...]
"""The way to a value from the top of a document: keys of objects and places in lists."""

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+', re.DOTALL)


def lines_of(document: bytes, wanted: Collection[Steps]) -> dict[Steps, int]:
    """The line, from 1, on which each value begins.

    Args:
        document: valid JSON. Keys with escapes in them are compared as they are written.
        wanted: the ways to the values; one that leads nowhere has no line.
    """
    left, found = set(wanted), {}
    way: list[str | int] = []  # to the value that comes next
    lists: list[bool] = []  # of the brackets that are open: whether it is a list
    line, counted = 1, 0
    key_next = False
    for token in _TOKEN.finditer(document):
        if not left:
            break
        text, start = token[0], token.start()
        if text == b",":
            if lists[-1]:
                way[-1] = int(way[-1]) + 1
            key_next = not lists[-1]
        elif text in (b"}", b"]"):
            lists.pop()
            way.pop()
        elif text == b":":
            key_next = False
        elif key_next:
            way[-1] = text[1:-1].decode("utf-8", "replace")
        else:
            if (here := tuple(way)) in left:
                line += document.count(b"\n", counted, start)
                counted = start
                left.discard(here)
                found[here] = line
            if text in (b"{", b"["):
                lists.append(text == b"[")
                way.append(0 if lists[-1] else "")
                key_next = not lists[-1]
    return found
