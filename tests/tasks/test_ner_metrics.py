"""Scores of entities, by type and language; entities that are not tags (nested ones) as well."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exonym.foundation.errors import InputError
from exonym.tasks.ner.metrics import Counts, counts_of, score
from exonym.tasks.ner.records import Gold

entities = st.lists(
    st.builds(
        lambda start, length, label: Gold(start, start + length, label),
        st.integers(0, 5),
        st.integers(1, 3),
        st.sampled_from(["LOC", "PER"]),
    ),
    max_size=6,
    unique=True,
)


@given(st.lists(st.tuples(entities, entities, st.sampled_from(["de", "sw"])), max_size=6))
def test_counts_are_those_of_sets(sentences: list[tuple[list[Gold], list[Gold], str]]) -> None:
    gold, found = [one for one, _, _ in sentences], [two for _, two, _ in sentences]
    scores = score(gold, found, [language for _, _, language in sentences])
    for language in ("de", "sw"):
        for label in ("LOC", "PER"):
            sides = [
                {
                    (number, *entity)
                    for number, (one, two, spoken) in enumerate(sentences)
                    for entity in (one, two)[side]
                    if spoken == language and entity.label == label
                }
                for side in (0, 1)
            ]
            right = len(sides[0] & sides[1])
            wanted = Counts(right, len(sides[1]), len(sides[0]))
            assert scores.of(language=language, label=label) == wanted
    total = sum((sum(row[5:8]) for row in scores.rows() if row.label == "all"), 0)
    languages = len(scores.languages)
    assert total == sum(map(sum, scores.counts.values())) * (1 if languages == 1 else 2)


def test_an_entity_is_right_only_with_both_borders_and_its_type() -> None:
    gold = [[Gold(0, 6, "LOC"), Gold(10, 12, "PER")]]
    found = [[Gold(0, 6, "PER"), Gold(10, 13, "PER"), Gold(10, 12, "PER")]]
    scores = score(gold, found, ["en"])
    assert scores.of() == Counts(right=1, found=3, gold=2)
    assert scores.of().precision == pytest.approx(1 / 3)
    assert scores.of().recall == pytest.approx(1 / 2)
    assert scores.f1 == pytest.approx(0.4)


def test_a_table_has_types_languages_and_everything() -> None:
    scores = score(
        [[Gold(0, 1, "LOC")], [Gold(0, 1, "PER")]], [[Gold(0, 1, "LOC")], []], ["de", "en"]
    )
    assert [(row.language, row.label, row.f1) for row in scores.rows()] == [
        ("de", "LOC", 1.0),
        ("de", "all", 1.0),
        ("en", "PER", 0.0),
        ("en", "all", 0.0),
        ("all", "LOC", 1.0),
        ("all", "PER", 0.0),
        ("all", "all", pytest.approx(2 / 3)),
    ]
    assert scores.macro_f1 == pytest.approx(0.5)


def test_nothing_found_and_nothing_to_find_is_0() -> None:
    assert score([[]], [[]], ["en"]).f1 == 0.0
    assert score([[]], [[Gold(0, 1, "X")]], ["en"]).of() == Counts(0, 1, 0)


def test_counts_of_sentences_add_up() -> None:
    gold, found = [[Gold(0, 1, "A")], [Gold(1, 2, "A")]], [[Gold(0, 1, "A")], [Gold(0, 2, "B")]]
    assert counts_of(gold, found) == [
        {"A": Counts(1, 1, 1)},
        {"A": Counts(0, 0, 1), "B": Counts(0, 1, 0)},
    ]


def test_predictions_of_other_sentences_are_refused() -> None:
    with pytest.raises(InputError, match="1 sentences of gold, 2 predictions"):
        score([[]], [[], []], ["en"])
