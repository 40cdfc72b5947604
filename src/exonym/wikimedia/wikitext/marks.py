"""Single characters that the passes leave for each other in the text.

They are Unicode noncharacters (U+FDD0 to U+FDEF), which no text may contain; any that are found
in a page are deleted before the first pass.
"""

from __future__ import annotations

import re

REMOVED = "\ufdd0"
"""Stands where a template, reference or file was."""

OPEN = "\ufdd1"
"""Stands before the first character of a link's anchor."""

CLOSE = "\ufdd2"
"""Stands after the last character of a link's anchor."""

BREAK = "\ufdee"
"""Stands where a block-level HTML tag was: a paragraph ends."""

STOP = "\ufdef"
"""Stands between a link and letters that are no trail of it, as in ``[[Foo]]<nowiki/>bar``."""

# Markup characters inside <nowiki> are exchanged one for one until the last pass.
_MARKUP = "[]{}|<>'=*#:;-_~!"
PROTECT = {ord(character): 0xFDD3 + index for index, character in enumerate(_MARKUP)}
PROTECT[ord("\n")] = ord(" ")
RESTORE = {0xFDD3 + index: character for index, character in enumerate(_MARKUP)}

_NONCHARACTERS = re.compile("[\ufdd0-\ufdef]+")
_PROTECTED = re.compile("[\ufdd3-\ufde3]")


def clear(text: str) -> str:
    """Delete the characters that the passes use, and make all line ends ``\\n``."""
    if not text.isascii():
        text = _NONCHARACTERS.sub("", text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text


def protect(text: str) -> str:
    """Hide markup characters from all passes but the last."""
    return text.translate(PROTECT)


def restore(text: str) -> str:
    """Bring back the characters that `protect` hid."""
    return text.translate(RESTORE) if _PROTECTED.search(text) else text
