"""Under which codes Wikidata keeps the texts of a Wikipedia's language."""

from __future__ import annotations

_LABEL_LANGUAGES = {
    "als": ("gsw",),
    "bat-smg": ("sgs",),
    "be-tarask": ("be-tarask", "be-x-old"),
    "fiu-vro": ("vro",),
    "no": ("nb", "no"),
    "roa-rup": ("rup",),
    "sh": ("sh", "sh-latn"),
    "simple": ("en",),
    "sr": ("sr", "sr-ec", "sr-el"),
    "zh": ("zh", "zh-hans", "zh-cn", "zh-sg", "zh-hant", "zh-tw", "zh-hk"),
    "zh-classical": ("lzh",),
    "zh-min-nan": ("nan",),
    "zh-yue": ("yue",),
}


def label_languages(language: str) -> tuple[str, ...]:
    """Under which codes Wikidata keeps a Wikipedia's labels, the best first.

    Wikidata names languages (``nb``, ``yue``), Wikipedia names subdomains (``no``, ``zh-yue``).
    """
    return _LABEL_LANGUAGES.get(language, (language,))
