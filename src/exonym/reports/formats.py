"""Figures and names as people read them."""

from __future__ import annotations

import math

from exonym.text.languages import language_of

ABSENT = "–"


def decimal(value: float | None) -> str:
    """A rate or a loss, with three decimals: ``0.883``; a dash where there is none."""
    return ABSENT if value is None else f"{value:.3f}"


def interval(low: float, high: float) -> str:
    """The two ends of an interval: ``0.871–0.894`` (with an en dash, never broken)."""
    return f"{low:.3f}\N{EN DASH}{high:.3f}"


def count(value: float | None) -> str:
    """A number of things, rounded, thousands apart: ``932,766``; a dash where there is none."""
    return ABSENT if value is None else f"{value:,.0f}"


def percent(value: float) -> str:
    """A share in percent with one decimal: ``88.3 %``."""
    return f"{100 * value:.1f}\N{NO-BREAK SPACE}%"


def duration(seconds: float) -> str:
    """A stretch of time: ``0.4 s``, ``48 s``, ``7 min 03 s``, ``2 h 05 min``."""
    space = "\N{NO-BREAK SPACE}"
    if seconds < 9.95:
        return f"{seconds:.1f}{space}s"
    whole = math.floor(seconds + 0.5)
    if whole < 60:
        return f"{whole}{space}s"
    if whole < 3600:
        return f"{whole // 60}{space}min {whole % 60:02}{space}s"
    return f"{whole // 3600}{space}h {whole % 3600 // 60:02}{space}min"


def language_name(code: str) -> str:
    """A language's English name, or its code where Exonym has no name for it."""
    return language_of(code).name


def setting(value: object) -> str:
    """A value of a recipe or of an option, in words rather than in Python."""
    match value:
        case None:
            return ABSENT
        case bool():
            return "yes" if value else "no"
        case int():
            return count(value)
        case float():
            return f"{value:g}"
        case dict():
            return ", ".join(f"{key} {setting(item)}" for key, item in value.items())
        case list() | tuple():
            return ", ".join(setting(item) for item in value)
        case _:
            return str(value)
