"""Which identifier a thing gets: its QID where one is openly known, else an own id."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import defaultdict
from typing import Any

from atlas.packages import Sources

# Two English names at least this alike are spellings of one ("Ojibwa", "Ojibwe").
SAME_NAME = 0.75


class Identifiers:
    """QIDs by code, from the packages that carry them and the hand-written list.

    The hand-written list wins. A language takes the QID of its code only where the label there
    is its English name or a spelling of it: a wrong QID is worse than an own id.
    """

    def __init__(self, sources: Sources, written: dict[str, dict[str, str]]) -> None:
        self.written = written
        features = sources.json("rapideditor-country-coder", "src/data/borders.json")["features"]
        properties = [feature["properties"] for feature in features]
        self._countries = {p["iso1A2"]: p["wikidata"] for p in properties if "iso1A2" in p}
        self._regions = {p["m49"]: p["wikidata"] for p in properties if "m49" in p}
        self._languages: dict[str, list[Any]] = defaultdict(list)
        for row in sources.json("wikidata-lang", "data/languages.json"):
            for key in ("iso6391", "iso6393"):
                for code in row.get(key) or ():
                    self._languages[code].append(row)

    def country(self, code: str) -> str:
        """By ISO 3166-1 alpha-2 code."""
        found = self.written["countries"].get(code) or self._countries.get(code)
        return found or f"X-territory-{code.lower()}"

    def region(self, code: str) -> str:
        """By UN M49 code."""
        return self._regions.get(code) or f"X-region-{code}"

    def currency(self, code: str) -> str:
        """By ISO 4217 code."""
        return self.written["currencies"].get(code) or f"X-currency-{code.lower()}"

    def script(self, code: str) -> str:
        """By ISO 15924 code."""
        return self.written["scripts"].get(code) or f"X-script-{code.lower()}"

    def city(self, code: str) -> str:
        """By CLDR's time-zone code."""
        return self.written["cities"].get(code) or f"X-city-{code}"

    def language(self, code: str, english: str) -> str:
        """By ISO 639 code and English name."""
        if code in self.written["languages"]:
            return self.written["languages"][code]
        labels = {row["wd"]: str(row.get("label")) for row in self._languages.get(code, ())}
        exact = [wd for wd, label in labels.items() if label == english]
        alike = [wd for wd, label in labels.items() if _likeness(label, english) >= SAME_NAME]
        if len(exact) == 1 or len(alike) == len(labels) == 1:
            return str((exact or alike)[0])
        return f"X-language-{code}"


def _likeness(one: str, other: str) -> float:
    """From 0 to 1: how alike two spellings of a name are, without case, accents and marks."""
    first, second = (
        re.sub("[^a-z]", "", unicodedata.normalize("NFD", name.removesuffix(" language")).lower())
        for name in (one, other)
    )
    return difflib.SequenceMatcher(None, first, second, autojunk=False).ratio()
