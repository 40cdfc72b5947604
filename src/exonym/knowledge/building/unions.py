"""Joining pages by the language links between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np

from exonym.knowledge.tables import Column


def join_pages(
    sources: Column,
    targets: Column,
    language_of: Callable[[Column], Column],
    pages: int,
    counts: Counter[str],
) -> list[list[int]]:
    """Group pages that links lead between, directly or over others.

    A group has at most one page of each language: a link that would put a second one into it is
    left out and counted as ``"language links in conflict"``. Links that are answered by one in the
    other direction come first, so that a single mistaken link does no harm to them.

    Args:
        sources: (links,) the page that each link stands on.
        targets: (links,) the page that it leads to.
        language_of: gives the number of the language of each of some pages.
        pages: how many there are.
        counts: where conflicts are counted.

    Returns:
        The groups of two pages and more, each ascending, ordered by their first page.
    """
    low, high = np.minimum(sources, targets), np.maximum(sources, targets)
    keys = low.astype(np.uint64) * np.uint64(pages) + high.astype(np.uint64)
    forward = np.unique(keys[sources < targets])
    backward = np.unique(keys[sources > targets])
    mutual = np.intersect1d(forward, backward, assume_unique=True)
    single = np.setxor1d(forward, backward, assume_unique=True)
    parent: dict[int, int] = {}
    languages: dict[int, int] = {}  # of each group's first page: a bit for each language
    for links in (mutual, single):
        first, second = links // np.uint64(pages), links % np.uint64(pages)
        rows = (first, second, language_of(first), language_of(second))
        for a, b, language_a, language_b in zip(*(row.tolist() for row in rows), strict=True):
            root_a, root_b = _root(parent, a), _root(parent, b)
            if root_a == root_b:
                continue
            bits_a = languages.get(root_a, 1 << language_a)
            bits_b = languages.get(root_b, 1 << language_b)
            if bits_a & bits_b:
                counts["language links in conflict"] += 1
                continue
            root, child = min(root_a, root_b), max(root_a, root_b)
            parent[child] = root
            parent.setdefault(root, root)
            languages[root] = bits_a | bits_b
    groups: dict[int, list[int]] = {}
    for page in sorted(parent):
        groups.setdefault(_root(parent, page), []).append(page)
    return list(groups.values())


def _root(parent: dict[int, int], page: int) -> int:
    root = page
    while (above := parent.get(root, root)) != root:
        root = above
    while page != root:  # the next search is short
        parent[page], page = root, parent.get(page, root)
    return root
