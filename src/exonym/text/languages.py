"""The 24 languages of mLUKE and what the other rooms need to know of a language."""

from __future__ import annotations

from dataclasses import dataclass


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


def language_of(code: str) -> Language:
    """What is known of a language; any other code is taken as spaced and left-to-right."""
    return MLUKE_LANGUAGES.get(code) or Language(code, code)
