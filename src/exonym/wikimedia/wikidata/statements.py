"""From an item's statements to the facts that count: which value, of which rank."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from exonym.wikimedia.wikidata.records import Ranks

INSTANCE_OF = "P31"
SUBCLASS_OF = "P279"
_ENTITY = "wikibase-entityid"


class EntityValue(Struct, gc=False, rename={"kind": "entity-type", "number": "numeric-id"}):
    """A value that is an object. Only of items, properties and so on have these fields."""

    kind: Any = None
    number: Any = None
    id: Any = None


class DataValue(Struct, gc=False):
    """A value with its type."""

    type: str
    value: str | int | float | bool | list[Any] | EntityValue | None


class MainSnak(Struct, gc=False):
    """What a statement says of its property: a value, that there is none, or that it is unknown."""

    snaktype: Literal["value", "somevalue", "novalue"]
    datavalue: DataValue | None = None


class Statement(Struct, gc=False):
    """A statement without its qualifiers and references, which are never made objects."""

    mainsnak: MainSnak
    rank: Literal["preferred", "normal", "deprecated"] = "normal"


Claims = dict[str, list[Statement]]


def choose_claims(claims: Claims, ranks: Ranks) -> tuple[tuple[str, str], ...]:
    """The (property, item) pairs that count, in file order, each once.

    With ``"best"``, where a property has preferred statements its others do not count, also when
    the preferred one says that there is no value (Wikidata calls such statements truthy).
    Deprecated ones never count.

    Raises:
        ValueError: a statement has no value, or one that names no entity.
    """
    pairs: list[tuple[str, str]] = []
    for relation, statements in claims.items():
        preferred: list[tuple[str, str]] = []
        normal: list[tuple[str, str]] = []
        only_preferred = False
        for statement in statements:
            snak, target = statement.mainsnak, None
            if snak.snaktype == "value":
                data = snak.datavalue
                if data is None:
                    raise ValueError("there is no field 'datavalue'")
                if data.type != _ENTITY:
                    continue
                value = data.value
                if not isinstance(value, EntityValue):
                    raise ValueError("the value of a statement is no entity")
                kind, target = value.kind, value.id
                if kind is not None and kind != "item":
                    target = None
                elif not isinstance(target, str):
                    target = _numbered(value.number)
                elif kind is None and not target.startswith("Q"):
                    target = None
            rank = statement.rank
            if rank == "preferred" and ranks == "best":
                only_preferred = True
                if target is not None:
                    preferred.append((relation, target))
            elif target is not None and rank != "deprecated":
                normal.append((relation, target))
        pairs += preferred if only_preferred else normal
    return tuple(dict.fromkeys(pairs))


def _numbered(number: Any) -> str:
    if isinstance(number, int) and number > 0:
        return f"Q{number}"
    raise ValueError("the value of a statement has no id")
