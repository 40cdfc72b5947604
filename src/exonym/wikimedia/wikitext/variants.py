"""``-{ }-``: text in several written variants (Chinese, Serbian, …), of which one is kept."""

from __future__ import annotations

import re

# The wikis with MediaWiki's language converter.
CONVERTED_LANGUAGES = frozenset(
    {"ban", "crh", "gan", "iu", "kk", "ku", "sh", "shi", "sr", "tg", "tly", "uz", "wuu", "zh",
     "zh-classical", "zh-yue"}
)  # fmt: skip

# Preferred first; any other variant is taken in the order of the text.
_PREFERRED = ("zh-hans", "zh-cn", "zh", "zh-hant", "zh-tw")
_MAX_DEPTH = 10  # as deep as MediaWiki follows; keeps the time linear
_TOKEN = re.compile(r"-\{|\}-")
_RULE = re.compile(r"\s*([a-z]{2,8}(?:-[a-z]{2,8})*)\s*:")
_FLAGS = re.compile(r"\s*([A-Za-z;\-\s]{0,60})\|")


def choose_variants(text: str) -> str:
    """Replace every ``-{ }-`` by one variant; rules that show nothing vanish."""
    if "-{" not in text:
        return text
    levels: list[list[str]] = [[]]
    position = 0
    for token in _TOKEN.finditer(text):
        levels[-1].append(text[position : token.start()])
        position = token.end()
        if token[0] == "-{":
            if len(levels) <= _MAX_DEPTH:
                levels.append([])
        elif len(levels) > 1:
            shown = _choose("".join(levels.pop()))
            levels[-1].append(shown)
    levels[-1].append(text[position:])
    return "".join(part for level in levels for part in level)


def _choose(rule: str) -> str:
    flags = _FLAGS.match(rule)
    if flags is not None:
        names = {flag.strip().upper() for flag in flags[1].split(";")}
        rule = rule[flags.end() :]
        if names & {"H", "T", "-"}:
            return ""
        if "R" in names:
            return rule
    variants: dict[str, list[str]] = {}
    current: list[str] | None = None
    for part in rule.split(";"):
        match = _RULE.match(part)
        if match is not None:
            current = variants.setdefault(match[1], [])
            current.append(part[match.end() :])
        elif current is not None:
            # The semicolon belongs to the text, as one that ends an entity does.
            current.append(part)
        else:
            return rule
    shown = {code: ";".join(parts).strip(" ;\n") for code, parts in variants.items()}
    for code in _PREFERRED:
        if shown.get(code):
            return shown[code]
    return next(filter(None, shown.values()), "")
