"""Writing a Wikidata JSON dump: one array, an entity a line, as Wikimedia publishes it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from exonym.atlas.ledger import Ledger, Use
from exonym.atlas.sites import site_of
from exonym.atlas.table import Entity, Relation
from exonym.atlas.titles import Titles
from exonym.foundation.files import JSON, atomic_file


def write_wikidata(path: Path, ledger: Ledger, titles: Mapping[str, Titles]) -> int:
    """Write items (entities) and properties (relations); returns how many.

    Facts that no dump tells, control facts above all, are left out, so that nothing built from
    the dumps can know them. For the same reason the entities of control facts come without
    descriptions.

    Args:
        path: where to; the suffix decides the compression.
        ledger: what is told.
        titles: page titles by language, for the sitelinks.
    """
    count = 0
    with atomic_file(path) as stream:
        stream.write(b"[\n")
        for count, document in enumerate(_documents(ledger, titles), start=1):
            stream.write((b",\n" if count > 1 else b"") + orjson.dumps(document))
        stream.write(b"\n]\n")
    return count


def _documents(ledger: Ledger, titles: Mapping[str, Titles]) -> Iterator[JSON]:
    claims: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for group in ledger.groups:
        if group.use in (Use.TOLD, Use.EVERYWHERE):
            claims[group.subject][group.relation].extend(group.objects)
    secret = ledger.control_partners()
    codes = ledger.languages
    for relation in ledger.table.relations.values():
        yield _property(relation, codes)
    for key, entity in ledger.table.entities.items():
        if not any(code in entity.names for code in codes):
            continue
        yield {
            "type": "item",
            "id": key,
            "labels": _values({c: entity.names[c][0] for c in codes if c in entity.names}),
            "descriptions": {} if key in secret else _descriptions(entity, codes),
            "aliases": {
                code: [{"language": code, "value": alias} for alias in entity.names[code][1:]]
                for code in codes
                if len(entity.names.get(code, ())) > 1
            },
            "claims": {
                relation: [_claim(key, relation, target, n) for n, target in enumerate(targets)]
                for relation, targets in claims[key].items()
            },
            "sitelinks": {
                site_of(code).database: {
                    "site": site_of(code).database,
                    "title": titles[code].pages[key],
                    "badges": [],
                }
                for code in codes
                if key in titles[code].pages
            },
        }


def _property(relation: Relation, codes: tuple[str, ...]) -> JSON:
    return {
        "type": "property",
        "datatype": "wikibase-item",
        "id": relation.id,
        "labels": _values({c: relation.names[c] for c in codes if c in relation.names}),
        "descriptions": {},
        "aliases": {},
        "claims": {},
    }


def _values(texts: Mapping[str, str]) -> JSON:
    return {code: {"language": code, "value": text} for code, text in texts.items()}


def _descriptions(entity: Entity, codes: tuple[str, ...]) -> JSON:
    return _values({c: entity.descriptions[c] for c in codes if c in entity.descriptions})


def _claim(subject: str, relation: str, target: str, number: int) -> JSON:
    value: dict[str, Any] = {"entity-type": "item", "id": target}
    if target.startswith("Q"):
        value["numeric-id"] = int(target[1:])
    return {
        "mainsnak": {
            "snaktype": "value",
            "property": relation,
            "datavalue": {"value": value, "type": "wikibase-entityid"},
            "datatype": "wikibase-item",
        },
        "type": "statement",
        "id": f"{subject}${relation}-{number}",
        "rank": "normal",
    }
