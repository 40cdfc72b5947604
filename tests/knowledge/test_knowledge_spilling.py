"""Counting does not depend on how much fits in memory."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from exonym.knowledge.spilling import PairCounter

PAIRS = st.lists(
    st.tuples(st.text("abé東\n\t ", max_size=3), st.integers(0, 3), st.integers(0, 2)), max_size=60
)


@given(PAIRS, st.integers(1, 20))
def test_pairs_come_back_sorted_with_their_sums(
    pairs: list[tuple[str, int, int]], limit: int
) -> None:
    expected: dict[str, Counter[int]] = {}
    for text, number, count in pairs:
        expected.setdefault(text, Counter())[number] += count
    with tempfile.TemporaryDirectory() as directory:
        counter = PairCounter(Path(directory), "pairs", pairs_in_memory=limit)
        for text, number, count in pairs:
            counter.add(text, number, count)
        found = list(counter.by_text())
    assert found == [(text, sorted(expected[text].items())) for text in sorted(expected)]
