"""What a knowledge base answers with."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass


class NameKind(enum.IntFlag):
    """Where a name is known from."""

    LINK = 1
    """The text of a link to the entity."""
    TITLE = 2
    """The title of its article, without the parenthesis that tells pages apart."""
    REDIRECT = 4
    """The title of a redirect to it, without parenthesis."""
    LABEL = 8
    """Wikidata's label."""
    ALIAS = 16
    """One of Wikidata's aliases."""


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity.

    Args:
        key: its Wikidata item id (``"Q1490"``), or the title key (``"ja:東京都"``) of a page
            that no item belongs to.
        sitelinks: the title of its article, by language.
        link_count: how many links lead to it, in all languages.
    """

    key: str
    sitelinks: Mapping[str, str]
    link_count: int


@dataclass(frozen=True, slots=True)
class Name:
    """A name of an entity in one language.

    Args:
        surface: the characters.
        count: how many links to the entity show this text; 0 for a title, redirect, label or
            alias that no link shows.
        kinds: where it is known from.
    """

    surface: str
    count: int
    kinds: NameKind


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entity that a piece of text may mean.

    Args:
        entity: its key.
        count: how many links with this text lead to the entity.
        prior: its share of the links with this text; where there are none, all candidates have
            the same prior. The priors of a text sum to 1.
    """

    entity: str
    count: int
    prior: float


@dataclass(frozen=True, slots=True)
class Triple:
    """A fact of Wikidata: keys of two entities and the property id that joins them."""

    subject: str
    relation: str
    object: str
