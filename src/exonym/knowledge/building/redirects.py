"""Following redirects to the articles they lead to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

_MISSING, _LOOP = -1, -2


@dataclass(frozen=True, slots=True)
class ResolvedRedirects:
    """Where redirects lead.

    Args:
        targets: the entity row at the end of each redirect that leads to one.
        loops: redirects that lead in a circle.
        missing: redirects whose last target is no page.
    """

    targets: dict[str, int]
    loops: int
    missing: int


def resolve_redirects(
    redirects: Mapping[str, str], entities: Mapping[str, int]
) -> ResolvedRedirects:
    """Follow each redirect, through others if need be, to an article.

    Takes time in proportion to the number of redirects, however long their chains are.

    Args:
        redirects: title → target title.
        entities: title → entity row of every title that has one; such a title ends a chain.
    """
    outcome: dict[str, int] = {}
    for first in redirects:
        chain: dict[str, None] = {}  # in the order walked
        title = first
        while title in redirects and not (title in entities or title in outcome or title in chain):
            chain[title] = None
            title = redirects[title]
        end = _LOOP if title in chain else entities.get(title, outcome.get(title, _MISSING))
        outcome.update(dict.fromkeys(chain, end))
    ends = Counter(end for end in outcome.values() if end < 0)
    targets = {title: end for title, end in outcome.items() if end >= 0}
    return ResolvedRedirects(targets, ends[_LOOP], ends[_MISSING])
