"""Drawing which language tells which fact, skewed as the real Wikipedias are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from exonym.atlas.control import choose_control
from exonym.atlas.draws import Draw
from exonym.atlas.ledger import Group, Ledger, Use, group_facts
from exonym.atlas.options import TellingOptions
from exonym.atlas.table import FactTable


def tell(table: FactTable, languages: Sequence[str], options: TellingOptions, seed: int) -> Ledger:
    """Draw the telling: a pure function of its arguments.

    Each group of facts (one subject, one relation) is told everywhere, told in some languages,
    held back as control, or left unused. A language's draws do not depend on which other
    languages are asked for, except where a group would else be told by nobody.
    """
    groups = group_facts(table)
    control, unused = choose_control(table, groups, options, seed)
    popularity_draw = Draw(seed, "atlas popularity")
    rescue_draw = Draw(seed, "atlas rescue")
    draws = {code: Draw(seed, "atlas telling", code) for code in languages}
    result = []
    for number, group in enumerate(groups):
        popularity = _popularity(popularity_draw, options)
        lucky = {
            code: draw.unit() < options.chance(code, popularity) for code, draw in draws.items()
        }
        mark = rescue_draw.unit()
        able = _able(table, group, languages)
        if not able or number in unused:
            result.append(replace(group, use=Use.UNUSED))
        elif table.relations[group.relation].everywhere:
            result.append(replace(group, use=Use.EVERYWHERE, told_in=tuple(able)))
        elif number in control:
            result.append(replace(group, use=Use.CONTROL))
        else:
            told = tuple(code for code in able if lucky[code])
            result.append(replace(group, told_in=told or _rescue(able, options, mark)))
    return Ledger(table, tuple(languages), tuple(result))


def _popularity(draw: Draw, options: TellingOptions) -> float:
    """A log-normal draw (Box and Muller)."""
    normal = math.sqrt(-2 * math.log(1 - draw.unit())) * math.cos(2 * math.pi * draw.unit())
    spread = options.popularity_spread
    return options.popularity_mean * math.exp(spread * normal - spread * spread / 2)


def _able(table: FactTable, group: Group, languages: Sequence[str]) -> dict[str, int]:
    """The languages that can tell some of a group, with the number of facts they can tell."""
    if group.subject in group.objects:
        return {}  # nothing to ask: the answer stands in the question
    counts = {code: sum(table.can_tell(fact, code) for fact in group.facts()) for code in languages}
    return {code: count for code, count in counts.items() if count}


def _rescue(able: dict[str, int], options: TellingOptions, mark: float) -> tuple[str]:
    """One language for a group that nobody tells, among those that can tell most of it."""
    most = max(able.values())
    choices = [code for code, count in able.items() if count == most]
    weights = {code: options.chance(code, 1.0) or 1.0 for code in choices}
    mark *= sum(weights.values())
    for code in choices:
        mark -= weights[code]
        if mark < 0:
            return (code,)
    return (choices[-1],)
