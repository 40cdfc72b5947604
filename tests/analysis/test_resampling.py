"""Intervals and permutation tests of measures that are functions of sums, against plain loops."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exonym.analysis import across_languages, difference, interval, macro_average
from exonym.analysis.resampling import Floats
from exonym.foundation.errors import InputError


def ratio(sums: Floats) -> Floats:
    """F1-like: twice the first column over the second."""
    return np.asarray(2 * sums[..., 0] / np.maximum(sums[..., 1], 1))


def system(rng: np.random.Generator, items: int, share: float) -> Floats:
    right = (rng.random(items) < share).astype(float)
    return np.stack([right, np.full(items, 2.0)], axis=1)


def test_the_value_is_the_measure_of_all_items() -> None:
    table = system(np.random.default_rng(0), 50, 0.6)
    found = interval(table, ratio)
    assert found.value == ratio(table.sum(axis=0)) == table[:, 0].mean()
    assert found.low < found.value < found.high
    assert found.clusters == 50


def test_intervals_equal_those_of_a_plain_loop() -> None:
    rng = np.random.default_rng(1)
    table, clusters = system(rng, 90, 0.5), [number // 3 for number in range(90)]
    found = interval(table, ratio, clusters, draws=4000)
    drawn = []
    for _ in range(4000):
        taken = rng.integers(30, size=30)
        rows = [row for cluster in taken for row in table[3 * cluster : 3 * cluster + 3]]
        drawn.append(float(ratio(np.sum(rows, axis=0))))
    low, high = np.quantile(drawn, (0.025, 0.975))
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.012)
    assert found.clusters == 30


def test_items_that_stand_or_fall_together_widen_the_interval() -> None:
    table = np.repeat(system(np.random.default_rng(2), 60, 0.5), 9, axis=0)
    alone = interval(table, ratio)
    together = interval(table, ratio, [number // 9 for number in range(540)])
    assert 2.5 < (together.high - together.low) / (alone.high - alone.low) < 3.5


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(3)
    held = 0
    for trial in range(200):
        found = interval(system(rng, 80, 0.4), ratio, seed=trial, draws=300)
        held += found.low <= 0.4 <= found.high
    assert 178 <= held <= 200


def test_the_permutation_test_equals_all_permutations() -> None:
    rng = np.random.default_rng(4)
    ours, theirs = system(rng, 10, 0.9), system(rng, 10, 0.5)
    found = difference(ours, theirs, ratio, draws=20_000)
    as_large = 0
    for tosses in itertools.product((False, True), repeat=10):
        swap = np.array(tosses)[:, None]
        first, second = np.where(swap, theirs, ours), np.where(swap, ours, theirs)
        gap = ratio(first.sum(axis=0)) - ratio(second.sum(axis=0))
        as_large += abs(gap) >= abs(found.value) - 1e-12
    assert found.p == pytest.approx(as_large / 1024, abs=0.012)
    assert found.value == ratio(ours.sum(axis=0)) - ratio(theirs.sum(axis=0))


def test_systems_that_are_alike_seldom_seem_different() -> None:
    rng = np.random.default_rng(5)
    small = 0
    for trial in range(200):
        found = difference(system(rng, 60, 0.5), system(rng, 60, 0.5), ratio, seed=trial, draws=200)
        small += found.p <= 0.05
    assert 2 <= small <= 20


def test_a_system_does_not_differ_from_itself() -> None:
    table = system(np.random.default_rng(6), 30, 0.5)
    found = difference(table, table, ratio)
    assert (found.value, found.low, found.high, found.p) == (0, 0, 0, 1)


@given(st.integers(1, 40), st.integers(0, 3))
@settings(max_examples=30)
def test_which_one_is_first_changes_only_the_sign(items: int, seed: int) -> None:
    rng = np.random.default_rng(items)
    ours, theirs = system(rng, items, 0.7), system(rng, items, 0.4)
    one = difference(ours, theirs, ratio, seed=seed, draws=50)
    other = difference(theirs, ours, ratio, seed=seed, draws=50)
    assert one.value == pytest.approx(-other.value)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
    assert 0 < one.p <= 1


def test_few_at_a_time_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    from exonym.analysis import bootstrap

    rng = np.random.default_rng(7)
    table = system(rng, 40, 0.5)
    whole = interval(table, ratio, draws=100)
    monkeypatch.setattr(bootstrap, "_DRAWN_AT_A_TIME", 40 * 7)
    assert interval(table, ratio, draws=100) == whole


def test_over_languages_the_mean_of_their_measures_is_taken() -> None:
    rng = np.random.default_rng(8)
    table = system(rng, 120, 0.5)
    languages = ["en"] * 60 + ["sw"] * 40 + ["ja"] * 20
    facts = [*range(60), *range(40), *range(20)]
    found = interval(*across_languages(table, languages, ratio), facts, draws=4000)
    each = [float(ratio(table[part].sum(axis=0))) for part in (slice(60), slice(60, 100),
                                                              slice(100, 120))]  # fmt: skip
    assert found.value == pytest.approx(sum(each) / 3)
    same = macro_average(zip(languages, facts, table[:, 0].tolist(), strict=True), draws=4000)
    assert (found.low, found.high) == pytest.approx((same.low, same.high), abs=0.01)
    with pytest.raises(InputError, match="2 languages for 120 items"):
        across_languages(table, ["en", "sw"], ratio)


def test_what_cannot_be_drawn_is_refused() -> None:
    table = np.ones((3, 2))
    with pytest.raises(InputError, match="no item"):
        interval(np.ones((0, 2)), ratio)
    with pytest.raises(InputError, match="2 clusters for 3 items"):
        interval(table, ratio, ["a", "b"])
    with pytest.raises(InputError, match="draws must be"):
        interval(table, ratio, draws=0)
    with pytest.raises(InputError, match="one shape"):
        difference(table, np.ones((4, 2)), ratio)
