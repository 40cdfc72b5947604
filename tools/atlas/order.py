"""The order of the entities: any beginning of the list is a sensible smaller world."""

from __future__ import annotations

from collections.abc import Iterable

from atlas.world import CONTINENT, ORGANISATION, REGION, Builder, World

# How many subdivisions and further cities of a country come with it in the first round.
FIRST_SUBDIVISIONS = 3
FIRST_CITIES = 2


def ordered(builder: Builder) -> list[str]:
    """Ids in order of importance.

    First the kinds and continents, then country by country (the largest first) with what its
    facts need; when all countries are there, their further cities, languages and subdivisions.
    """
    world = builder.world
    found: dict[str, None] = {}
    for identifier, (kind, _) in world.entities.items():
        if kind in ("", CONTINENT):
            found[identifier] = None
    objects = _objects(world)
    countries = [world.code["territory", code] for code in builder.by_prominence()]
    cities, subdivisions = _inside(builder, "P17"), _inside(builder, "P131")
    for country in countries:
        found[country] = None
        found.update(dict.fromkeys(_needs(country, objects)))
        for city in cities.get(country, ())[:FIRST_CITIES]:
            found[city] = None
            found.update(dict.fromkeys(objects.get((city, "P421"), ())))
        found.update(dict.fromkeys(subdivisions.get(country, ())[:FIRST_SUBDIVISIONS]))
    for identifier, (kind, _) in world.entities.items():
        if kind in (REGION, ORGANISATION):
            found[identifier] = None
    for identifier in (city for country in countries for city in cities.get(country, ())):
        found[identifier] = None
        found.update(dict.fromkeys(objects.get((identifier, "P421"), ())))
    for identifier in _rounds([subdivisions.get(country, []) for country in countries]):
        found[identifier] = None
    found.update(dict.fromkeys(world.entities))
    return list(found)


def _objects(world: World) -> dict[tuple[str, str], list[str]]:
    objects: dict[tuple[str, str], list[str]] = {}
    for subject, relation, value in world.facts:
        objects.setdefault((subject, relation), []).append(value)
    return objects


def _needs(country: str, objects: dict[tuple[str, str], list[str]]) -> Iterable[str]:
    """The region, currency, capital, official languages ... of a country, and theirs in turn."""
    for relation in ("P361", "P38", "P36", "P37", "P463"):
        for value in objects.get((country, relation), ()):
            yield value
            for further in ("P421", "P282", "P279"):
                yield from objects.get((value, further), ())


def _inside(builder: Builder, relation: str) -> dict[str, list[str]]:
    """Country -> its cities or subdivisions: the famous first, then those named most widely."""
    world = builder.world
    famous = [
        *builder.knowledge["prominence"]["cities"].split(),
        *builder.knowledge["prominence"]["subdivisions"].split(),
    ]
    by_id = {identifier: code for (_, code), identifier in world.code.items()}
    rank = {code: number for number, code in enumerate(famous)}
    inside: dict[str, list[str]] = {}
    for subject, found, country in world.facts:
        if found == relation:
            inside.setdefault(country, []).append(subject)
    for members in inside.values():
        members.sort(
            key=lambda one: (
                rank.get(by_id[one], len(rank)),
                -len(world.entities[one][1]),
                by_id[one],
            )
        )
    return inside


def _rounds(lists: list[list[str]]) -> Iterable[str]:
    """The first ten of every list, then the next ten of every list, and so on."""
    for start in range(0, max(map(len, lists), default=0), 10):
        for one in lists:
            yield from one[start : start + 10]
