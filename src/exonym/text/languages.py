"""The 24 languages of mLUKE and what the other rooms need to know of a language."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Language:
    """One language.

    Args:
        code: Wikipedia's language code.
        name: its English name.
        script: ISO 15924 code of its usual script.
        spaced: whether words are separated by spaces.
        right_to_left: the direction of its script.
    """

    code: str
    name: str
    script: str = "Latn"
    spaced: bool = True
    right_to_left: bool = False


MLUKE_LANGUAGES: dict[str, Language] = {
    language.code: language
    for language in (
        Language("ar", "Arabic", "Arab", right_to_left=True),
        Language("bn", "Bengali", "Beng"),
        Language("de", "German"),
        Language("el", "Greek", "Grek"),
        Language("en", "English"),
        Language("es", "Spanish"),
        Language("fi", "Finnish"),
        Language("fr", "French"),
        Language("hi", "Hindi", "Deva"),
        Language("id", "Indonesian"),
        Language("it", "Italian"),
        Language("ja", "Japanese", "Jpan", spaced=False),
        Language("ko", "Korean", "Kore"),
        Language("nl", "Dutch"),
        Language("pl", "Polish"),
        Language("pt", "Portuguese"),
        Language("ru", "Russian", "Cyrl"),
        Language("sv", "Swedish"),
        Language("sw", "Swahili"),
        Language("te", "Telugu", "Telu"),
        Language("th", "Thai", "Thai", spaced=False),
        Language("tr", "Turkish"),
        Language("vi", "Vietnamese"),
        Language("zh", "Chinese", "Hans", spaced=False),
    )
}
"""The pretraining languages of mLUKE (paper, appendix A), by code."""


_OTHERS_UNSPACED = frozenset(
    {"bo", "dz", "gan", "km", "lo", "lzh", "my", "shn", "wuu", "yue", "zh-classical", "zh-yue"}
    | {"bod", "cmn", "jpn", "khm", "lao", "mya", "tha", "zho"}
)
"""Codes of languages beside mLUKE's (and other codes of these) that put no blanks between words."""
_REGIONAL = re.compile(r"([a-z]{2,3})(?:-[a-z]{4})?(?:-[a-z]{2})?")  # zh-hant-tw: script, region


def language_of(code: str) -> Language:
    """What is known of a language.

    A code with a script or a region (``zh-TW``, ``zh_Hans``) is its language's. Any other code is
    taken as spaced, but for a few languages that are known not to be, and left-to-right.
    """
    if code in MLUKE_LANGUAGES:
        return MLUKE_LANGUAGES[code]
    plain = code.lower().replace("_", "-")
    match = _REGIONAL.fullmatch(plain)
    base = match[1] if match else plain
    if base in MLUKE_LANGUAGES:
        return replace(MLUKE_LANGUAGES[base], code=code)
    return Language(code, code, spaced=not {plain, base} & _OTHERS_UNSPACED)
