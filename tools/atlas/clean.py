"""From the display names of a package to names that a text can carry."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

# The script that a name in these languages must show at least one letter of.
SCRIPTS = {
    "ar": "ARABIC",
    "bn": "BENGALI",
    "el": "GREEK",
    "hi": "DEVANAGARI",
    "ja": "CJK|HIRAGANA|KATAKANA",
    "ko": "HANGUL",
    "ru": "CYRILLIC",
    "te": "TELUGU",
    "th": "THAI",
    "zh": "CJK",
}
_COMMA = re.compile(r"\s*[,،].*$")
_ACRONYMS = ("UN", "EU", "US")
_AND = {"en": "and", "es": "y", "id": "dan", "it": "e", "nl": "en", "te": "మరియు", "vi": "và"}
_UNSPACED = ("ja", "th", "zh")
_FORBIDDEN = set('[]{}|<>#_:/\\"=*&;')
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200e\u200f\u00ad\u2060\ufeff"))
_BRACKETS = re.compile(r"\s*[(（][^()（）]*[)）]\s*")
# Acronyms that tell two currencies apart stay, without their brackets.
_KEPT_BRACKETS = re.compile(r"[(\[](BCEAO|BEAC|CFA|CFP)[)\]]")


class Cleaner:
    """Cleans names and counts by reason what it changed or dropped.

    Attributes:
        dropped: reason -> how many names were dropped.
        changed: reason -> how many names were kept in another form.
    """

    def __init__(self) -> None:
        self.dropped: Counter[str] = Counter()
        self.changed: Counter[str] = Counter()

    def name(self, text: str | None, language: str, code: str) -> str | None:
        """The name as running text carries it, or None if it is not a name."""
        if not text:
            return None
        name = unicodedata.normalize("NFC", text).translate(_INVISIBLE)
        name = re.sub(r"\s+", " ", _KEPT_BRACKETS.sub(r"\1", name)).strip()
        if "↑" in name:
            return self._drop("inheritance marker")
        bare = _BRACKETS.sub("" if language in _UNSPACED else " ", name).strip()
        if bare and bare != name:
            name = self._change("explanation in brackets removed", bare)
        if code and (short := _COMMA.sub("", name)) != name:
            name = self._change("explanation after a comma removed", short)
        if " & " in name and language in _AND:
            name = self._change("'&' written out", name.replace("&", _AND[language]))
        if not name or _FORBIDDEN & set(name) or "(" in name or ")" in name:
            return self._drop("characters that are markup in wikitext")
        if any(unicodedata.category(character)[0] == "N" for character in name):
            return self._drop("digits, or CLDR's ² for a second thing of that name")
        if name == code.upper() and name not in _ACRONYMS:
            return self._drop("a code, not a name")
        if len(name) < 2 and language not in ("ja", "ko", "zh"):
            return self._drop("a single letter")
        if not _in_script(name, language):
            return self._drop("not in the script of the language")
        return name

    def _drop(self, reason: str) -> str | None:
        self.dropped[reason] += 1
        return None

    def _change(self, reason: str, name: str) -> str:
        self.changed[reason] += 1
        return name


def _in_script(name: str, language: str) -> bool:
    wanted = SCRIPTS.get(language, "LATIN")
    return any(re.match(wanted, unicodedata.name(character, "")) for character in name)
