"""HTML entities: ``&nbsp;``, ``&#233;``."""

from __future__ import annotations

import functools
import html
import re

_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")


def unescape(text: str) -> str:
    """Replace the entities that HTML knows by their characters; a line end becomes a blank."""
    if "&" not in text:
        return text
    return _ENTITY.sub(_character, text)


def _character(entity: re.Match[str]) -> str:
    return _decode(entity[0])


@functools.lru_cache(maxsize=4096)
def _decode(entity: str) -> str:
    shown = html.unescape(entity)
    return " " if shown in ("\n", "\r") else shown
