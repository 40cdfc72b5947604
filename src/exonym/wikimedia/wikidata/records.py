"""What is kept of Wikidata: items, properties, redirects between items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Ranks = Literal["best", "all"]
"""Which statements count: the best of each property, or all that are not deprecated."""


@dataclass(frozen=True, slots=True)
class Item:
    """A thing that Wikidata knows.

    Args:
        id: its QID (``"Q1490"``), or the own id of another teller (without a colon).
        labels: its name by language code.
        aliases: its other names by language code.
        descriptions: a short phrase by language code.
        sitelinks: the title of its page by database name (``"jawiki"``).
        claims: (property, item) pairs in file order, each once.
        types: the items that it is an instance of (P31), as in ``claims``.
        parents: the items that it is a subclass of (P279), as in ``claims``.
    """

    id: str
    labels: dict[str, str]
    aliases: dict[str, tuple[str, ...]]
    descriptions: dict[str, str]
    sitelinks: dict[str, str]
    claims: tuple[tuple[str, str], ...]
    types: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Property:
    """A relation that Wikidata knows.

    Args:
        id: its id (``"P36"``).
        labels: its name by language code.
        aliases: its other names by language code.
        descriptions: a short phrase by language code.
        datatype: the type of its values; ``"wikibase-item"`` when they are items.
    """

    id: str
    labels: dict[str, str]
    aliases: dict[str, tuple[str, ...]]
    descriptions: dict[str, str]
    datatype: str


@dataclass(frozen=True, slots=True)
class ItemRedirect:
    """An item that was merged into another.

    Args:
        id: the item that is no more.
        target: the item that statements about the old one mean now.
    """

    id: str
    target: str
