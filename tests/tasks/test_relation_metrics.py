"""RELX's macro F1, micro F1 and accuracy, against twins that compute them another way."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exonym.foundation.errors import InputError
from exonym.tasks.relation.metrics import (
    Scores,
    macro_f1_of,
    micro_f1_of,
    relations_of,
    score,
    tally,
)

RELATIONS = ("org:founded", "per:origin", "per:title")
LABELS = ("no_relation", *(f"{r}({d})" for r in RELATIONS for d in ("e1,e2", "e2,e1")))


def f1_of_labels(gold: list[str], given_: list[str], labels: set[str]) -> float:
    """Micro F1 over some of the labels, as scikit-learn defines it; its authors' tool."""
    right = sum(g == p and g in labels for g, p in zip(gold, given_, strict=True))
    called = sum(p in labels for p in given_)
    wanted = sum(g in labels for g in gold)
    if not called or not wanted or not right:
        return 0.0
    precision, recall = right / called, right / wanted
    return 2 * precision * recall / (precision + recall)


def relx_twin(gold: list[str], predicted: list[str]) -> float:
    """The mean over relations of the micro F1 of a relation's two labels (RELX's finetune.py)."""
    pairs = [{f"{r}(e1,e2)", f"{r}(e2,e1)"} for r in RELATIONS]
    return sum(f1_of_labels(gold, predicted, pair) for pair in pairs) / len(pairs)


def semeval_twin(gold: list[str], predicted: list[str]) -> float:
    """From the confusion matrix of directed labels, as SemEval-2010's scorer has it."""
    matrix = Counter(zip(gold, predicted, strict=True))
    total = 0.0
    for relation in RELATIONS:
        both = [f"{relation}(e1,e2)", f"{relation}(e2,e1)"]
        right = sum(matrix[label, label] for label in both)
        row = sum(n for (g, _), n in matrix.items() if g in both)
        column = sum(n for (_, p), n in matrix.items() if p in both)
        precision = right / column if column else 0.0
        recall = right / row if row else 0.0
        total += 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return total / len(RELATIONS)


pairs_of_labels = st.lists(
    st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=60
)


@given(pairs_of_labels)
def test_the_measures_equal_their_twins(pairs: list[tuple[str, str]]) -> None:
    gold, predicted = ([pair[side] for pair in pairs] for side in (0, 1))
    found = score(gold, predicted, RELATIONS)
    assert found.macro_f1 == pytest.approx(relx_twin(gold, predicted))
    assert found.macro_f1 == pytest.approx(semeval_twin(gold, predicted))
    positive = set(LABELS) - {"no_relation"}
    assert found.micro.f1 == pytest.approx(f1_of_labels(gold, predicted, positive))
    assert found.accuracy == sum(g == p for g, p in pairs) / len(pairs)


def test_by_hand() -> None:
    gold = ["a(e1,e2)", "a(e1,e2)", "a(e2,e1)", "b(e1,e2)", "no_relation", "no_relation"]
    predicted = ["a(e1,e2)", "a(e2,e1)", "a(e2,e1)", "no_relation", "no_relation", "b(e2,e1)"]
    found = score(gold, predicted)
    # a: 2 right of 3 predicted and 3 gold; b: nothing right.
    assert found.by_relation["a"].f1 == pytest.approx(2 / 3)
    assert found.by_relation["b"].f1 == 0
    assert found.macro_f1 == pytest.approx(1 / 3)
    assert (found.micro.precision, found.micro.recall) == (0.5, 0.5)
    assert found.accuracy == 0.5


def test_relations_that_nobody_asked_for_or_predicted_count_where_they_are_named() -> None:
    assert score(["a(e1,e2)"], ["a(e1,e2)"]).macro_f1 == 1
    assert score(["a(e1,e2)"], ["a(e1,e2)"], ["a", "b"]).macro_f1 == 0.5
    assert score(["c"], ["a(e1,e2)"], ["a"]).by_relation.keys() == {"a", "c"}


def test_no_answer_is_wrong_and_says_nothing_of_any_relation() -> None:
    found = score(["a(e1,e2)", "no_relation"], [None, None])
    assert (found.micro.predicted, found.micro.gold, found.accuracy) == (0, 1, 0.0)


@given(pairs_of_labels)
def test_sums_of_tallies_give_the_same_measures(pairs: list[tuple[str, str]]) -> None:
    gold, predicted = ([pair[side] for pair in pairs] for side in (0, 1))
    sums = tally(gold, predicted, RELATIONS).sum(axis=0)
    found = score(gold, predicted, RELATIONS)
    assert macro_f1_of(sums) == pytest.approx(found.macro_f1)
    assert micro_f1_of(sums) == pytest.approx(found.micro.f1)
    assert macro_f1_of(np.stack([sums, 2 * sums])) == pytest.approx([found.macro_f1] * 2)


def test_every_single_prediction_is_scored_as_the_twin_says() -> None:
    for gold, predicted in itertools.product(LABELS, repeat=2):
        found = score([gold], [predicted], RELATIONS)
        assert found.macro_f1 == relx_twin([gold], [predicted]), (gold, predicted)


def test_rows_have_each_language_and_their_mean() -> None:
    good, bad = score(["a(e1,e2)"], ["a(e1,e2)"]), score(["a(e1,e2)"] * 3, ["no_relation"] * 3)
    rows = Scores({"de": good, "sw": bad}).rows()
    assert [row["language"] for row in rows] == ["de", "sw", "mean"]
    assert rows[-1]["macro_f1"] == 0.5
    assert rows[-1]["examples"] == 4
    assert Scores({"de": good, "sw": bad}).macro_f1 == 0.5
    assert [row["language"] for row in Scores({"de": good}).rows()] == ["de"]


def test_no_relation_of_any_data_set_is_no_relation() -> None:
    assert relations_of(["no_relation", "Other", "NA", None, "a(e2,e1)", "b"]) == ("a", "b")


def test_no_relation_with_a_direction_is_no_relation_either() -> None:
    found = score(["no_relation(e1,e2)", "a(e1,e2)"], ["no_relation(e1,e2)", "a(e1,e2)"])
    assert (found.macro_f1, found.micro.gold, found.accuracy) == (1.0, 1, 1.0)


def test_numbers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="2 predictions for 1 examples"):
        score(["a"], ["a", "b"])
    with pytest.raises(InputError, match="0 predictions"):
        score([], [])
    with pytest.raises(InputError, match="not among those that are measured"):
        tally(["a"], ["b"], ["a"])
