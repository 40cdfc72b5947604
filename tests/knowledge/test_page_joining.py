"""Pages joined by language links: at most one page of a language, mutual links first."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from exonym.knowledge.building.unions import join_pages

PAGES, LANGUAGES = 24, 4  # page n is of language n // 6


def _languages(pages):
    return np.asarray(pages, np.int64) // (PAGES // LANGUAGES)


def _join(links, counts=None):
    ends = np.array(links, np.uint64).reshape(-1, 2)
    return join_pages(
        ends[:, 0], ends[:, 1], _languages, PAGES, Counter() if counts is None else counts
    )


def test_pages_that_link_to_each_other_directly_or_over_others_are_one_group():
    assert _join([(0, 6), (6, 0), (6, 12), (1, 18)]) == [[0, 6, 12], [1, 18]]


def test_a_link_that_would_join_two_pages_of_one_language_is_counted_and_left_out():
    counts = Counter()
    assert _join([(0, 6), (6, 0), (1, 6)], counts) == [[0, 6]]
    assert counts == {"language links in conflict": 1}


def test_a_mutual_link_goes_before_a_single_one_whatever_their_order():
    assert _join([(0, 6), (1, 6), (6, 1)]) == [[1, 6]]


pages = st.integers(0, PAGES - 1)
links = st.lists(st.tuples(pages, pages).filter(lambda pair: pair[0] // 6 != pair[1] // 6))


@given(links)
def test_groups_are_disjoint_have_a_page_of_each_language_at_most_and_links_inside(links):
    groups = _join(links)
    members = [page for group in groups for page in group]
    assert len(members) == len(set(members))
    assert groups == sorted(groups)
    for group in groups:
        assert len(group) > 1
        assert group == sorted(group)
        assert len(set(_languages(group).tolist())) == len(group)
        reached, waiting = {group[0]}, [group[0]]
        while waiting:
            page = waiting.pop()
            near = {b for a, b in links if a == page} | {a for a, b in links if b == page}
            waiting += near & set(group) - reached
            reached |= near & set(group)
        assert reached == set(group)


@given(links, st.randoms())
def test_the_order_of_the_links_does_not_matter(links, random):
    shuffled = list(links)
    random.shuffle(shuffled)
    assert _join(links) == _join(shuffled)
