"""Counting does not depend on how much fits in memory."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from exonym.knowledge.building.spilling import PairCounter
from exonym.knowledge.records import NameKind

KINDS = (NameKind.TITLE, NameKind.LABEL, NameKind.ALIAS)
NAMES = st.lists(
    st.tuples(
        st.text("abé東\n\t ", max_size=3), st.integers(0, 3), st.sampled_from((None, *KINDS))
    ),
    max_size=60,
)


@given(NAMES, st.integers(1, 20))
def test_names_come_back_sorted_with_their_links_counted_and_their_kinds_joined(
    names: list[tuple[str, int, NameKind | None]], limit: int
) -> None:
    expected: dict[str, dict[int, tuple[int, int]]] = {}
    with tempfile.TemporaryDirectory() as directory:
        counter = PairCounter(Path(directory), "names", pairs_in_memory=limit)
        for text, entity, kind in names:
            count, kinds = expected.setdefault(text, {}).get(entity, (0, 0))
            if kind is None:
                counter.add_link(text, entity)
                expected[text][entity] = (count + 1, kinds | NameKind.LINK)
            else:
                counter.add(text, entity, kind)
                expected[text][entity] = (count, kinds | kind)
        found = list(counter.by_text())
        assert not list(Path(directory).iterdir())
    assert found == [
        (text, [(entity, *expected[text][entity]) for entity in sorted(expected[text])])
        for text in sorted(expected)
    ]
