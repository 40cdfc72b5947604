"""From one line of the dump to a record: only what is kept becomes Python objects."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from itertools import compress
from operator import attrgetter
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from exonym.wikimedia.wikidata.records import Item, ItemRedirect, Property, Ranks
from exonym.wikimedia.wikidata.statements import (
    INSTANCE_OF,
    SUBCLASS_OF,
    Claims,
    choose_claims,
)

NO_ARTICLE = "no article in the languages"
OTHER_KIND = "not an item or property"


class _Text(Struct, gc=False):
    value: str


class _Sitelink(Struct, gc=False):
    title: str


class _Head(Struct, gc=False):
    """What says of which kind an entity is."""

    type: Any = None
    redirect: Any = None


# Empty maps are written as [] by some versions.
_Empty = Annotated[list[Any], Meta(max_length=0)]

_WHOLE_ITEM = re.compile(rb'\{(?:"id":"[^":]+",)?"type":"item",.*\}\Z', re.DOTALL)
_SUBCLASS = f'"{SUBCLASS_OF}":'.encode()


class Decoder:
    """Makes records of lines.

    Args:
        languages: keep texts in these only; None keeps all.
        wikis: keep sitelinks to these only; None keeps all.
        ranks: which statements count.
    """

    def __init__(
        self, languages: Collection[str] | None, wikis: Collection[str] | None, ranks: Ranks
    ) -> None:
        self._ranks: Ranks = ranks
        texts, self._texts = _map_of(_Text, languages, attrgetter("value"))
        aliases, self._aliases = _map_of(list[_Text], languages, _values)
        sitelinks, self._sitelinks = _map_of(_Sitelink, wikis, attrgetter("title"))
        self._decode = msgspec.json.Decoder(
            msgspec.defstruct(
                "Entity",
                [
                    ("id", str | None, None),
                    ("type", Any, None),
                    ("entity", Any, None),
                    ("redirect", Any, None),
                    ("datatype", str, ""),
                    ("labels", texts | _Empty | None, None),
                    ("descriptions", texts | _Empty | None, None),
                    ("aliases", aliases | _Empty | None, None),
                    ("claims", Claims | _Empty | None, None),
                    ("sitelinks", sitelinks | _Empty | None, None),
                ],
                gc=False,
            )
        ).decode
        self._head = msgspec.json.Decoder(_Head).decode
        self._has_wiki: Callable[[bytes, int], object] | None = None
        if wikis is not None:
            names = b"|".join(re.escape(wiki.encode()) for wiki in sorted(set(wikis)))
            # No wiki at all is a group that never matches.
            self._has_wiki = re.compile(b'"(?:' + (names or b"(?!)") + b')"').search

    def record(self, line: bytes) -> Item | Property | ItemRedirect | str:
        """The record of a line, or the reason why it is left out.

        An item without a page in the wanted wikis is left out before it is parsed, unless it is
        a subclass of something: it may stand between two others.

        Raises:
            ValueError: the line is not JSON, or not an entity; the message says what is wrong.
        """
        if self._has_wiki is not None and self._is_elsewhere(line):
            return NO_ARTICLE
        try:
            return self._parsed(line)
        except msgspec.ValidationError as error:
            if self._is_other_kind(line):
                return OTHER_KIND
            raise ValueError(f"not a Wikidata entity: {error}") from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"not valid JSON ({error})") from error
        except RecursionError as error:
            raise ValueError("not a Wikidata entity: nested too deeply") from error
        except ValueError as error:
            raise ValueError(f"not a Wikidata entity: {error}") from error

    def _is_elsewhere(self, line: bytes) -> bool:
        assert self._has_wiki is not None
        start = line.rfind(b'"sitelinks":')
        return (
            start >= 0
            and self._has_wiki(line, start) is None
            and _WHOLE_ITEM.match(line) is not None
            and _SUBCLASS not in line
        )

    def _is_other_kind(self, line: bytes) -> bool:
        try:
            head = self._head(line)
        except msgspec.DecodeError:
            return False
        return head.redirect is None and head.type not in ("item", "property")

    def _parsed(self, line: bytes) -> Item | Property | ItemRedirect | str:
        entity: Any = self._decode(line)
        if entity.redirect is not None:
            return _redirect(entity)
        if entity.type == "item":
            return self._item(entity)
        if entity.type != "property":
            return OTHER_KIND
        return Property(
            _identifier(entity.id),
            self._texts(entity.labels),
            self._aliases(entity.aliases),
            self._texts(entity.descriptions),
            entity.datatype,
        )

    def _item(self, entity: Any) -> Item | str:
        claims = choose_claims(entity.claims, self._ranks) if entity.claims else ()
        parents = tuple([target for relation, target in claims if relation == SUBCLASS_OF])
        sitelinks = self._sitelinks(entity.sitelinks)
        if self._has_wiki is not None and not sitelinks and not parents:
            return NO_ARTICLE
        return Item(
            _identifier(entity.id),
            self._texts(entity.labels),
            self._aliases(entity.aliases),
            self._texts(entity.descriptions),
            sitelinks,
            claims,
            tuple([target for relation, target in claims if relation == INSTANCE_OF]),
            parents,
        )


def _map_of(
    kind: Any, keys: Collection[str] | None, content: Callable[[Any], Any]
) -> tuple[Any, Callable[[Any], dict[str, Any]]]:
    """How a JSON object is decoded of which only some keys matter, and how it becomes a dict."""
    if keys is None:
        return dict[str, kind], lambda values: {
            key: content(value) for key, value in (values or {}).items() if value
        }
    names = sorted(set(keys))
    fields = {f"field_{number}": name for number, name in enumerate(names)}
    form = msgspec.defstruct(
        "Map", [(field, kind | None, None) for field in fields], rename=fields, gc=False
    )

    def as_dict(values: Any) -> dict[str, Any]:
        if not values:
            return {}
        present = msgspec.structs.astuple(values)
        return dict(zip(compress(names, present), map(content, filter(None, present)), strict=True))

    return form, as_dict


def _values(texts: list[_Text]) -> tuple[str, ...]:
    return tuple([text.value for text in texts])


def _identifier(identifier: str | None) -> str:
    if identifier is None:
        raise ValueError("there is no field 'id'")
    if not identifier or ":" in identifier:
        raise ValueError(f"impossible id {identifier!r}")
    return identifier


def _redirect(entity: Any) -> ItemRedirect | str:
    source = entity.entity if entity.entity is not None else entity.id
    if not isinstance(source, str) or not isinstance(entity.redirect, str):
        raise ValueError("a redirect without the ids of two entities")
    if source[:1] in ("P", "L"):
        return OTHER_KIND
    return ItemRedirect(_identifier(source), _identifier(entity.redirect))
