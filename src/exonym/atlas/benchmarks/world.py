"""Reading a written world back: what its dumps tell, in which languages, on which pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from exonym.atlas.ledger import Group, Ledger, Use
from exonym.atlas.sites import site_of
from exonym.atlas.table import DEFAULT_TABLE, Fact, load_table
from exonym.atlas.writing import DATE, FORMAT, VERSION
from exonym.foundation.errors import FormatError, InputError
from exonym.foundation.files import JSON, read_manifest
from exonym.foundation.json_lines import read_json_lines
from exonym.wikimedia import open_wikidata
from exonym.wikimedia.wikidata import Item

_REMEDY = "Write a world first: exonym atlas write --out DIR"


@dataclass(frozen=True)
class World:
    """A telling, and the pages on which it stands.

    Args:
        directory: where the dumps are.
        ledger: what is told where; its table holds the entities of this world only.
        titles: by language, the title of each entity's article.
        told_in: for each fact that may be used, the languages whose dumps state it.
    """

    directory: Path
    ledger: Ledger
    titles: Mapping[str, Mapping[str, str]]
    told_in: Mapping[Fact, tuple[str, ...]]

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of the dumps."""
        return self.ledger.languages

    def obstacles(self, fact: Fact) -> int:
        """In how many languages a sentence of a fact stands in the dump or cannot be told."""
        told, table = self.told_in[fact], self.ledger.table
        return sum(code in told or not table.can_tell(fact, code) for code in self.languages)


def read_world(directory: Path, table: Path | None = None) -> World:
    """Read what `write_atlas` wrote.

    Args:
        directory: the world.
        table: the table of facts that it tells; None is the one that comes with Exonym.

    Raises:
        InputError: no such world, or it tells another table.
        FormatError: a file of it is damaged.
    """
    manifest = read_manifest(directory, format=FORMAT, version=VERSION, remedy=_REMEDY)
    facts = load_table(table)
    if facts.digest != manifest["table"]["sha256"]:
        raise InputError(
            f"the world tells another table ({manifest['table']['name']!r}) than "
            f"{table or DEFAULT_TABLE}",
            where=directory,
            remedy="Pass that table: --table FILE",
        )
    languages = tuple(manifest["languages"])
    titles: dict[str, dict[str, str]] = {code: {} for code in languages}
    named = set()
    with open_wikidata(directory / f"wikidata-{DATE}-all.json.bz2") as items:
        for item in items:
            if isinstance(item, Item):
                named.add(item.id)
                for code in languages:
                    title = item.sitelinks.get(site_of(code).database)
                    if title is not None:
                        titles[code][item.id] = title
    path = directory / "ledger.jsonl"
    groups = tuple(_group(line, f"{path}:{n}") for n, line in read_json_lines(path))
    own = {key: entity for key, entity in facts.entities.items() if key in named}
    ledger = Ledger(replace(facts, entities=own), languages, groups)
    return World(directory, ledger, titles, _told_in(ledger))


def _group(line: JSON, where: str) -> Group:
    try:
        return Group(
            line["subject"],
            line["relation"],
            tuple(line["objects"]),
            Use(line["use"]),
            tuple(line["told_in"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError("not a line of a ledger", where=where, remedy=_REMEDY) from error


def _told_in(ledger: Ledger) -> dict[Fact, tuple[str, ...]]:
    """Facts between two entities; not what kind of thing one is, which would say its type."""
    table = ledger.table
    return {
        fact: ledger.languages_telling(fact, group)
        for group in ledger.groups
        if group.use is not Use.EVERYWHERE and not table.relations[group.relation].everywhere
        for fact in group.facts()
        if fact.subject != fact.object
        and fact.subject in table.entities
        and fact.object in table.entities
    }
