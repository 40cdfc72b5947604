"""Names in 24 languages of what CLDR knows: territories, languages, scripts, money, cities."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from atlas.clean import SCRIPTS, Cleaner
from atlas.packages import Sources
from exonym.text import MLUKE_LANGUAGES

Names = dict[str, list[str]]
LANGUAGES = tuple(sorted(MLUKE_LANGUAGES))


class Cldr:
    """Readers of CLDR's name tables; every name passes through the cleaner."""

    def __init__(self, sources: Sources, cleaner: Cleaner, written: dict[str, str]) -> None:
        """``written`` gives names that replace those of CLDR, by "sort code language"."""
        self.sources = sources
        self.cleaner = cleaner
        self.written = written

    def _add(self, names: Names, language: str, text: str | None, code: str) -> None:
        name = self.cleaner.name(text, language, code)
        if name is not None and name not in names.setdefault(language, []):
            names[language].append(name)
        if not names.get(language, True):
            del names[language]

    def display(
        self, kind: str, alternatives: tuple[str, ...], prefer: tuple[str, ...] = ()
    ) -> dict[str, Names]:
        """Names by code of ``territories``, ``languages`` or ``scripts``.

        Args:
            kind: which table.
            alternatives: suffixes of CLDR's alternative forms that become aliases.
            prefer: codes whose alternative form, where there is one, is the main name.
        """
        found: dict[str, Names] = defaultdict(dict)
        for language in LANGUAGES:
            path = f"main/{language}/{kind}.json"
            main = self.sources.json("cldr-localenames-full", path)["main"][language]
            table = main["localeDisplayNames"][kind]
            for code in table:
                if "-alt-" in code or "_" in code or (kind == "languages" and "-" in code):
                    continue
                forms = [table[code]]
                for suffix in alternatives:
                    other = table.get(f"{code}-alt-{suffix}")
                    if other is not None:
                        forms.insert(0 if code in prefer else len(forms), other)
                plain = [form for form in forms if "(" not in form and "（" not in form]
                for form in plain or forms[:1]:
                    self._add(found[code], language, form, code)
        singular = {"territories": "territory", "languages": "language", "scripts": "script"}
        for key, name in self.written.items():
            sort, code, language = key.split()
            if sort == singular[kind]:
                found[code][language] = [name]
        return found

    def currencies(self) -> dict[str, Names]:
        """Names by ISO 4217 code."""
        found: dict[str, Names] = defaultdict(dict)
        for language in LANGUAGES:
            main = self.sources.json("cldr-numbers-full", f"main/{language}/currencies.json")
            for code, entry in main["main"][language]["numbers"]["currencies"].items():
                self._add(found[code], language, entry.get("displayName"), code)
        return found

    def subdivisions(self) -> dict[str, Names]:
        """Names by CLDR subdivision code such as ``usca``; only codes that are in force."""
        valid = set(self.parents())
        found: dict[str, Names] = defaultdict(dict)
        for language in LANGUAGES:
            root = self.sources.xml("cldr", f"3rdparty/cldr/common/subdivisions/{language}.xml")
            for element in root.iter("subdivision"):
                code = element.get("type")
                if element.get("alt") or code not in valid:
                    continue
                self._add(found[code], language, element.text, code)
        return found

    def parents(self) -> dict[str, str]:
        """Subdivision code -> the territory (``US``) or subdivision that contains it."""
        table = self.sources.supplemental("subdivisionContainment", "subdivisionContainment")
        return {child: parent for parent, row in table.items() for child in row["_contains"]}

    def zones(self) -> dict[str, str]:
        """Time-zone code such as ``deber`` -> zone such as ``Europe/Berlin``."""
        table = self.sources.json("cldr-bcp47", "bcp47/timezone.json")["keyword"]["u"]["tz"]
        return {
            code: row["_alias"].split()[0]
            for code, row in table.items()
            if isinstance(row, dict) and "_alias" in row and "_deprecated" not in row
        }

    def cities(self, codes: dict[str, str]) -> dict[str, Names]:
        """Names of the example city of each time zone.

        Where CLDR lists no name in a language written in Latin letters, the name is that of
        the zone itself ("Europe/Berlin"): so CLDR's inheritance defines it.
        """
        found: dict[str, Names] = defaultdict(dict)
        for language in LANGUAGES:
            table = _flat(self._times(language)["zone"])
            for code, zone in codes.items():
                name = table.get(zone)
                if name is None and language not in SCRIPTS:
                    name = zone.rsplit("/", 1)[-1].replace("_", " ")
                self._add(found[code], language, name, code)
        return found

    def metazones(self) -> dict[str, Names]:
        """Names of time zones ("Central European Time") by CLDR's metazone code."""
        found: dict[str, Names] = defaultdict(dict)
        for language in LANGUAGES:
            for code, entry in self._times(language)["metazone"].items():
                forms = entry.get("long", {})
                order = ("generic", "standard")
                if language == "ru":  # its generic form is the bare place: "Москва"
                    order = ("standard", "generic")
                self._add(found[code], language, forms.get(order[0]) or forms.get(order[1]), "")
        return found

    def metazone_of(self) -> dict[str, str]:
        """Zone -> the metazone it uses today."""
        table = self.sources.supplemental("metaZones", "metaZones")["metazoneInfo"]["timezone"]
        found: dict[str, str] = {}
        _latest(table, "", found)
        return found

    def _times(self, language: str) -> Any:
        main = self.sources.json("cldr-dates-full", f"main/{language}/timeZoneNames.json")
        return main["main"][language]["dates"]["timeZoneNames"]


def _flat(tree: Any, prefix: str = "") -> dict[str, str]:
    """Zone -> example city, from CLDR's tree of continents, countries and cities."""
    found: dict[str, str] = {}
    for key, node in tree.items():
        if not isinstance(node, dict):
            continue
        if node.get("_type") == "zone":
            if "exemplarCity" in node:
                found[prefix + key] = node["exemplarCity"]
        else:
            found.update(_flat(node, f"{prefix}{key}/"))
    return found


def _latest(tree: Any, prefix: str, found: dict[str, str]) -> None:
    for key, node in tree.items():
        if isinstance(node, dict):
            _latest(node, f"{prefix}{key}/", found)
        else:
            uses = [entry["usesMetazone"] for entry in node]
            current = [use["_mzone"] for use in uses if "_to" not in use]
            if current:
                found[prefix + key] = current[-1]
