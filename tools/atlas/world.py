"""The entities of Atlas and the facts between them, from the sources and the inputs."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from atlas.cldr import Cldr, Names
from atlas.clean import Cleaner
from atlas.identifiers import Identifiers
from atlas.inputs import read_rows, read_toml
from atlas.packages import Sources

COUNTRY, TERRITORY, CONTINENT, REGION = "Q6256", "X-kind-territory", "Q5107", "Q82794"
CITY, SUBDIVISION, LANGUAGE, FAMILY = "Q515", "Q56061", "Q34770", "Q25295"
SCRIPT, CURRENCY, ZONE, ORGANISATION = "Q8192", "Q8142", "Q12143", "Q484652"

# Names in how many of the 24 languages a thing needs to be in the table.
ENOUGH = {SUBDIVISION: 18, LANGUAGE: 17, SCRIPT: 10, CURRENCY: 14, CITY: 17, ZONE: 17}
CONTINENTS = {"002": "Q15", "142": "Q48", "150": "Q46", "003": "Q49", "005": "Q18", "009": "Q538"}
# Not members of the United Nations, yet called countries and not dependent on another one.
OTHER_COUNTRIES = ("VA", "PS", "XK", "TW")
GROUPS = {"EU": "Q458", "UN": "Q1065", "EZ": "Q8268"}
# A language counts as used in a country if at least this share (percent) of its people use it.
USED_BY_PERCENT = 10.0


@dataclass(slots=True)
class World:
    """What is known so far.

    Args:
        entities: id -> (kind, names).
        facts: (subject, relation, object) in the order in which they were found.
        skipped: reason -> number of entities or facts that were left out.
        code: (sort of thing, code in CLDR) -> id.
        owner: (kind, language, name) -> the entity whose main name it is.
        reserved: (language, name) of countries, which a time zone may not carry.
    """

    entities: dict[str, tuple[str, Names]] = field(default_factory=dict)
    facts: dict[tuple[str, str, str], None] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)
    code: dict[tuple[str, str], str] = field(default_factory=dict)
    owner: dict[tuple[str, str, str], str] = field(default_factory=dict)
    reserved: set[tuple[str, str]] = field(default_factory=set)

    def add(self, sort: str, code: str, identifier: str, kind: str, names: Names) -> bool:
        """Add an entity unless it has names in too few languages; tell whether it was added.

        A main name that another thing of the same kind has already is left out in that
        language, so that within a kind a name means one thing.
        """
        names = self._distinct(kind, names)
        if "en" not in names or len(names) < ENOUGH.get(kind, 1):
            self.skipped[f"{sort}: names in too few languages"] += 1
            return False
        if identifier in self.entities:
            self.skipped[f"{sort}: already in the table"] += 1
            return False
        self.entities[identifier] = (kind, names)
        self.code[sort, code] = identifier
        for language, forms in names.items():
            self.owner[kind, language, forms[0].casefold()] = identifier
            if kind in (COUNTRY, TERRITORY):
                self.reserved.add((language, forms[0].casefold()))
        return True

    def _distinct(self, kind: str, names: Names) -> Names:
        kept: Names = {}
        for language, forms in names.items():
            name = forms[0].casefold()
            if (kind, language, name) in self.owner:
                self.skipped["name: another thing of the kind has it in this language"] += 1
            elif kind == ZONE and (language, name) in self.reserved:
                self.skipped["name: a time zone named as a country"] += 1
            else:
                kept[language] = forms
        return kept

    def tell(self, subject: tuple[str, str], relation: str, value: tuple[str, str]) -> None:
        """Add a fact between two things given by (sort, code), if both are in the table."""
        for end in (subject, value):
            if end not in self.code:
                self.skipped[f"{relation}: {end[0]} is not in the table"] += 1
                return
        ends = self.code[subject], self.code[value]
        if relation != "P131" and TERRITORY in {self.entities[end][0] for end in ends}:
            self.skipped[f"{relation}: about a territory, where the wording says country"] += 1
            return
        self.facts[ends[0], relation, ends[1]] = None


@dataclass(frozen=True, slots=True)
class Builder:
    """Builds the world in order: general things, countries, then what belongs to them."""

    sources: Sources
    cldr: Cldr
    cleaner: Cleaner
    identifiers: Identifiers
    knowledge: dict[str, Any]
    world: World

    @classmethod
    def of(cls, sources: Sources) -> Builder:
        """A builder that has not begun."""
        cleaner = Cleaner()
        knowledge = read_toml("knowledge.toml")
        identifiers = Identifiers(sources, read_toml("qids.toml"))
        return cls(
            sources,
            Cldr(sources, cleaner, knowledge["names"]),
            cleaner,
            identifiers,
            knowledge,
            World(),
        )

    def build(self) -> World:
        """Everything."""
        self._general()
        self._territories()
        self._currencies()
        self._languages()
        self._cities()
        self._subdivisions()
        self._relations_of_countries()
        self._prune()
        return self.world

    def _prune(self) -> None:
        """Leave out what no fact mentions: nothing could be asked about it."""
        world = self.world
        mentioned = {end for subject, _, value in world.facts for end in (subject, value)}
        for (sort, code), identifier in list(world.code.items()):
            if identifier not in mentioned and sort != "kind":
                del world.code[sort, code], world.entities[identifier]
                world.skipped[f"{sort}: no fact about it"] += 1

    def _general(self) -> None:
        for row in read_rows("names.psv", self.cleaner):
            sort = "kind" if not row.kind else "family" if row.kind == FAMILY else "organisation"
            self.world.add(sort, row.code, row.id, row.kind, row.names)

    def _territories(self) -> None:
        names = self.cldr.display("territories", ("short", "variant"), prefer=("HK", "MO", "PS"))
        info = self.sources.supplemental("territoryInfo", "territoryInfo")
        contains = self.sources.supplemental("territoryContainment", "territoryContainment")
        members = set(contains["UN"]["_contains"])
        add = self.world.add
        for code, identifier in CONTINENTS.items():
            add("territory", code, identifier, CONTINENT, names[code])
        for code, identifier in GROUPS.items():
            add("organisation", code, identifier, ORGANISATION, names[code])
        for code in sorted(names):
            if code.isdigit() and contains.get(code, {}).get("_grouping") != "true":
                if any(child.isalpha() for child in contains.get(code, {}).get("_contains", ())):
                    add("territory", code, self.identifiers.region(code), REGION, names[code])
            elif code in info and len(code) == 2 and code not in ("EU", "UN", "EZ", "ZZ"):
                own = code in members or code in OTHER_COUNTRIES
                kind = COUNTRY if own else TERRITORY
                add("territory", code, self.identifiers.country(code), kind, names[code])
        self._containment(contains)

    def _containment(self, contains: Any) -> None:
        parent: dict[str, str] = {}
        for group, row in contains.items():
            if group.isdigit() and row.get("_grouping") != "true":
                for child in row["_contains"]:
                    parent.setdefault(child, group)
        for code in sorted(self.by_prominence()):
            above = parent.get(code)
            if above is None:
                continue
            if above not in CONTINENTS:  # South America is both; the continent says it
                self.world.tell(("territory", code), "P361", ("territory", above))
            continent = "003" if above in ("013", "021", "029") else above
            while continent not in CONTINENTS and continent in parent:
                continent = parent[continent]
            self.world.tell(("territory", code), "P30", ("territory", continent))
        for group in GROUPS:
            for code in sorted(contains[group]["_contains"]):
                self.world.tell(("territory", code), "P463", ("organisation", group))

    def by_prominence(self) -> list[str]:
        """Codes of countries and territories, those with more people and money first."""
        info = self.sources.supplemental("territoryInfo", "territoryInfo")
        codes = [code for sort, code in self.world.code if sort == "territory" and code.isalpha()]

        def weight(code: str) -> float:
            row = info[code]
            return math.log1p(float(row["_population"])) + math.log1p(float(row["_gdp"]))

        return sorted(codes, key=lambda code: (-weight(code), code))

    def _currencies(self) -> None:
        regions = self.sources.supplemental("currencyData", "currencyData")["region"]
        current: dict[str, list[str]] = {}
        for country, rows in regions.items():
            for row in rows:
                for code, use in row.items():
                    if "_to" not in use and use.get("_tender") != "false":
                        current.setdefault(country, []).append(code)
        names = self.cldr.currencies()
        for code in sorted({code for codes in current.values() for code in codes}):
            self.world.add("currency", code, self.identifiers.currency(code), CURRENCY, names[code])
        for country in self.by_prominence():
            for code in current.get(country, ()):
                self.world.tell(("territory", country), "P38", ("currency", code))

    def _languages(self) -> None:
        data = self.sources.supplemental("languageData", "languageData")
        written = {code: row.get("_scripts", []) for code, row in data.items() if "-" not in code}
        scripts = self.cldr.display("scripts", ("stand-alone",), prefer=("Hans", "Hant"))
        names = self.cldr.display("languages", ())
        families = self._families()
        groups = set(families.values())
        for code in sorted(names):
            if code in groups or code in ("und", "mul", "zxx", "mis", "root"):
                continue
            identifier = self.identifiers.language(code, names[code].get("en", [""])[0])
            self.world.add("language", code, identifier, LANGUAGE, names[code])
        used = {s for c, row in written.items() if ("language", c) in self.world.code for s in row}
        for code in sorted(used):
            self.world.add("script", code, self.identifiers.script(code), SCRIPT, scripts[code])
        for code in sorted(names):
            for script in written.get(code, ())[:2]:
                self.world.tell(("language", code), "P282", ("script", script))
            if (family := self._nearest(code, families)) is not None:
                self.world.tell(("language", code), "P279", ("family", family))

    def _families(self) -> dict[str, str]:
        """Language or group -> the group that CLDR puts it into."""
        groups = self.sources.supplemental("languageGroups", "languageGroups")
        return {code: group for group, row in groups.items() for code in row.split()}

    def _nearest(self, code: str, families: dict[str, str]) -> str | None:
        seen: set[str] = set()
        while (group := families.get(code)) is not None and group not in seen:
            if ("family", group) in self.world.code:
                return group
            seen.add(group)
            code = group
        return None

    def _cities(self) -> None:
        outside = set(self.knowledge["zones"]["not_cities"].split())
        same = set(self.knowledge["zones"]["cities_like_their_country"].split())
        zones = self.cldr.zones()
        if unknown := sorted((outside | same) - set(zones)):
            raise ValueError(f"knowledge.toml names time zones that CLDR lacks: {unknown}")
        metazones, metazone_of = self.cldr.metazones(), self.cldr.metazone_of()
        for code in sorted(metazones):
            self.world.add("zone", code, f"X-zone-{_slug(code)}", ZONE, metazones[code])
        for code, names in self.cldr.cities(zones).items():
            country = self._country_of(code)
            if code in outside or country is None:
                self.world.skipped["city: zone of an island, region, station or suburb"] += 1
                continue
            land = self.world.entities[self.world.code["territory", country]][1]
            if set(names["en"]) & set(land["en"]) and code not in same:
                self.world.skipped["city: named as its country"] += 1
                continue
            self._city(code, self.identifiers.city(code), names, country)
            zone = metazone_of.get(zones[code], "")
            self.world.tell(("city", code), "P421", ("zone", zone))
        for row in read_rows("cities.psv", self.cleaner):
            country, _, zone = row.code.partition(":")
            self._city(row.id, row.id, row.names, country)
            self.world.tell(("city", row.id), "P421", ("zone", zone))

    def _city(self, code: str, identifier: str, names: Names, country: str) -> None:
        if self.world.add("city", code, identifier, CITY, names):
            self.world.tell(("city", code), "P17", ("territory", country))

    def _country_of(self, zone: str) -> str | None:
        country = {"gazastrp": "PS", "hebron": "PS"}.get(zone, zone[:2].upper())
        return country if ("territory", country) in self.world.code else None

    def _subdivisions(self) -> None:
        names, parents = self.cldr.subdivisions(), self.cldr.parents()
        rank = {code: number for number, code in enumerate(self.by_prominence())}
        cities = {
            (country, name)
            for subject, relation, country in self.world.facts
            if relation == "P17"
            for name in self.world.entities[subject][1]["en"]
        }
        taken: set[str] = set()
        for code in sorted(names, key=lambda code: (rank.get(code[:2].upper(), 999), code)):
            english = names[code].get("en", [""])[0]
            country = self.world.code.get(("territory", code[:2].upper()), "")
            if (country, english) in cities:
                self.world.skipped["subdivision: named as a city of its country"] += 1
            elif english in self._names_of_territory(code[2:].upper()):
                self.world.skipped["subdivision: a territory of its own"] += 1
            elif english in taken:
                self.world.skipped["subdivision: shares its English name with another"] += 1
            elif english in self._names_of_territory(code[:2].upper()):
                self.world.skipped["subdivision: named as its country"] += 1
            elif self.world.add("subdivision", code, f"X-sub-{code}", SUBDIVISION, names[code]):
                taken.add(english)
        for code in names:
            if ("subdivision", code) not in self.world.code:
                continue
            above = ("subdivision", parents[code])
            if above not in self.world.code:  # the country, or a parent that was left out
                above = ("territory", code[:2].upper())
            self.world.tell(("subdivision", code), "P131", above)

    def _names_of_territory(self, code: str) -> list[str]:
        identifier = self.world.code.get(("territory", code))
        return self.world.entities[identifier][1]["en"] if identifier is not None else []

    def _relations_of_countries(self) -> None:
        tell, here = self.world.tell, self.by_prominence()
        info = self.sources.supplemental("territoryInfo", "territoryInfo")
        for code in here:
            spoken = info[code].get("languagePopulation", {})
            for tag, row in spoken.items():
                language = ("language", tag.split("_")[0])
                if row.get("_officialStatus") in ("official", "de_facto_official"):
                    tell(("territory", code), "P37", language)
                if float(row["_populationPercent"]) >= USED_BY_PERCENT:
                    tell(("territory", code), "P2936", language)
            if (city := self.knowledge["capitals"].get(code)) is not None:
                tell(("territory", code), "P36", ("city", city))
        for code, neighbours in self.knowledge["borders"].items():
            for other in neighbours.split():
                tell(("territory", code), "P47", ("territory", other))
                tell(("territory", other), "P47", ("territory", code))
        for group, codes in self.knowledge["members"].items():
            for code in codes.split():
                tell(("territory", code), "P463", ("organisation", group))


def _slug(code: str) -> str:
    return code.lower().replace("_", "-")
