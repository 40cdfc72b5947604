"""What a page title says, apart from which page it names."""

from __future__ import annotations

import re

_PARENTHESIS = re.compile(r"[ _]?[(（][^()（）]*[)）]$")


def plain_title(title: str) -> str:
    """A title without the parenthesis that tells pages of one name apart.

    ``"Paris (Texas)"`` → ``"Paris"``; a title that is nothing but a parenthesis stays.
    """
    return _PARENTHESIS.sub("", title) or title


def plain_surface(text: str) -> str:
    """A link's text as names are counted by: runs of white space are one space."""
    return " ".join(text.split())
