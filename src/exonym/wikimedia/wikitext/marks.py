"""Single characters that the passes leave for each other in the text.

Most are Unicode noncharacters (U+FDD0 to U+FDEF), which no text may contain; any that are found
in a page are deleted before the first pass. Line ends get a second meaning after the second pass.
"""

from __future__ import annotations

import re

from exonym.wikimedia.wikitext.entities import unescape

REMOVED = "\ufdd0"
"""Stands where a template or file was: something was shown here."""

OPEN = "\ufdd1"
"""Stands before the first character of a link's anchor."""

CLOSE = "\ufdd2"
"""Stands after the last character of a link's anchor."""

GUARD = "\ufded"
"""Stands on both sides of the content of ``<nowiki>``; shows nothing."""

BREAK = "\ufdee"
"""Stands where a block-level HTML tag was: a paragraph ends."""

STOP = "\ufdef"
"""Stands between a link and letters that are no trail of it, as in ``[[Foo]]<nowiki/>bar``."""

END = "\n"
"""After the second pass: the end of a paragraph."""

LINE = "\r"
"""After the second pass: the end of a line inside a paragraph."""

# Markup characters inside <nowiki> are exchanged one for one until the last pass.
_MARKUP = "[]{}|<>'=*#:;-_~!&"
PROTECT = {ord(character): 0xFDD3 + index for index, character in enumerate(_MARKUP)}
PROTECT[ord("\n")] = ord(" ")
RESTORE = {0xFDD3 + index: character for index, character in enumerate(_MARKUP)}

_NONCHARACTERS = re.compile("[\ufdd0-\ufdef]+")
# The bytes that U+FDC0 to U+FDFF begin with in UTF-8: finding two bytes is fast, a class is not.
_NONCHARACTER_BYTES = b"\xef\xb7"


def clear(text: str) -> str:
    """Delete the characters that the passes use, and make all line ends ``\\n``."""
    if not text.isascii() and _NONCHARACTER_BYTES in text.encode("utf-8", "surrogatepass"):
        text = _NONCHARACTERS.sub("", text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text


def protect(text: str) -> str:
    """Hide the markup characters in ``<nowiki>`` from all passes but the last; entities count."""
    return GUARD + unescape(text).translate(PROTECT) + GUARD


def restore(text: str) -> str:
    """Bring back the characters that `protect` hid."""
    return text.translate(RESTORE)
