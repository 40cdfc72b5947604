"""What a dump says of its own wiki: language, namespaces, the rule for capital letters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

MAIN_NAMESPACE = 0
FILE_NAMESPACE = 6
CATEGORY_NAMESPACE = 14

# The names that MediaWiki accepts on every wiki beside the local ones.
CANONICAL_NAMESPACES: dict[str, int] = {
    "Media": -2, "Special": -1, "Talk": 1, "User": 2, "User talk": 3, "Project": 4,
    "Project talk": 5, "File": 6, "File talk": 7, "Image": 6, "Image talk": 7, "MediaWiki": 8,
    "MediaWiki talk": 9, "Template": 10, "Template talk": 11, "Help": 12, "Help talk": 13,
    "Category": 14, "Category talk": 15, "Module": 828, "Module talk": 829,
}  # fmt: skip

# Invisible marks of writing direction; MediaWiki removes them from titles.
_DIRECTION_MARKS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# The characters that MediaWiki takes as a blank in titles.
_BLANKS = re.compile("[ _\u00a0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")
_DOTTED_I = frozenset({"tr", "az", "kaa"})


@dataclass(frozen=True, slots=True)
class Namespace:
    """One namespace of a wiki.

    Args:
        key: its number; 0 holds the articles, 6 the files, 14 the categories.
        name: its local name (``"Datei"``); empty for the articles.
        case: ``"first-letter"`` or ``"case-sensitive"``.
    """

    key: int
    name: str
    case: str


@dataclass(frozen=True)
class SiteInfo:
    """The ``<siteinfo>`` of a dump.

    Args:
        database: the wiki's database name (``"dewiki"``).
        language: Wikipedia's language code (``"de"``).
        name: the site's name.
        generator: the MediaWiki version that wrote the dump.
        case: the rule for titles, ``"first-letter"`` or ``"case-sensitive"``.
        namespaces: all namespaces with their local names.
    """

    database: str
    language: str
    name: str
    generator: str
    case: str
    namespaces: tuple[Namespace, ...]

    @cached_property
    def _keys(self) -> dict[str, int]:
        keys = {_fold(name): key for name, key in CANONICAL_NAMESPACES.items()}
        keys.update({_fold(space.name): space.key for space in self.namespaces if space.name})
        return keys

    @cached_property
    def _case_sensitive(self) -> frozenset[int]:
        sensitive = {space.key for space in self.namespaces if space.case == "case-sensitive"}
        if self.case == "case-sensitive" and not any(
            space.key == MAIN_NAMESPACE for space in self.namespaces
        ):
            sensitive.add(MAIN_NAMESPACE)
        return frozenset(sensitive)

    def namespace_key(self, prefix: str) -> int | None:
        """The namespace that a prefix names, local or canonical, in any case; None if none."""
        return self._keys.get(_fold(prefix))

    def split_title(self, title: str) -> tuple[int, str]:
        """Split a title into its namespace and the rest, normalised.

        Underscores become spaces, blanks at the ends and a leading colon go, the first letter
        is capitalised where the namespace has that rule.

        Returns:
            (namespace key, title without the prefix)
        """
        title = _tidy(title)
        if title.startswith(":"):
            title = _tidy(title.lstrip(": "))
        prefix, colon, rest = title.partition(":")
        if colon:
            key = self.namespace_key(prefix)
            if key is not None:
                return key, self._capitalise(rest.strip(), key)
        return MAIN_NAMESPACE, self._capitalise(title, MAIN_NAMESPACE)

    def normalise(self, title: str) -> str:
        """The form in which the wiki stores a title, its namespace by the local name."""
        key, rest = self.split_title(title)
        if key == MAIN_NAMESPACE:
            return rest
        names = (space.name for space in self.namespaces if space.key == key)
        canonical = (name for name, number in CANONICAL_NAMESPACES.items() if number == key)
        return f"{next(names, None) or next(canonical)}:{rest}"

    def _capitalise(self, title: str, key: int) -> str:
        if not title or key in self._case_sensitive:
            return title
        first = title[0]
        upper = "İ" if first == "i" and self.language in _DOTTED_I else first.upper()
        # MediaWiki leaves letters whose capital is several letters (ß), and the Georgian
        # alphabet, whose capitals are not used at the start of a name.
        if len(upper) != 1 or "\u1c90" <= upper <= "\u1cbf":
            return title
        return upper + title[1:]


def _fold(name: str) -> str:
    return _tidy(name).lower()


def _tidy(title: str) -> str:
    if not title.isascii():
        title = _DIRECTION_MARKS.sub("", title)
    return _BLANKS.sub(" ", title).strip()
