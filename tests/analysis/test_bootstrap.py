"""Intervals: right on average, wide where questions depend on each other, the same every time."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exonym.analysis import Estimate, macro_average
from exonym.foundation.errors import InputError

Scored = list[tuple[str, object, float]]


def asked(rng: np.random.Generator, facts: int, languages: int, *, alike: bool) -> Scored:
    """Facts asked in every language; ``alike`` means that a fact is known in all or in none."""
    known = rng.random((facts, 1 if alike else languages)) < 0.4
    known = np.broadcast_to(known, (facts, languages))
    return [
        (f"l{column}", fact, float(known[fact, column]))
        for fact in range(facts)
        for column in range(languages)
    ]


def naive(scores: Scored, draws: int, seed: int) -> list[float]:
    """The same bootstrap as a plain loop, with other random numbers."""
    rng = np.random.default_rng(seed)
    clusters = list(dict.fromkeys(cluster for _, cluster, _ in scores))
    members = {c: [(lang, s) for lang, d, s in scores if d == c] for c in clusters}
    means = []
    for _ in range(draws):
        by_language: dict[str, list[float]] = {}
        for index in rng.integers(len(clusters), size=len(clusters)):
            for language, score in members[clusters[index]]:
                by_language.setdefault(language, []).append(score)
        means.append(float(np.mean([np.mean(values) for values in by_language.values()])))
    return means


def test_the_estimate_is_the_mean_of_the_languages_means() -> None:
    scores: Scored = [
        ("en", "a", 1.0), ("en", "b", 0.0), ("en", "c", 1.0), ("en", "d", 1.0),
        ("sw", "a", 0.0), ("sw", "b", 0.5),
    ]  # fmt: skip
    estimate = macro_average(scores)
    assert estimate.by_language == {"en": 0.75, "sw": 0.25}
    assert estimate.accuracy == 0.5
    assert estimate.questions == 6
    assert 0 <= estimate.low <= estimate.accuracy <= estimate.high <= 1


@pytest.mark.parametrize("alike", [True, False])
def test_intervals_hold_the_truth_about_as_often_as_they_say(alike: bool) -> None:
    rng = np.random.default_rng(1)
    held = 0
    for trial in range(200):
        estimate = macro_average(asked(rng, 60, 6, alike=alike), seed=trial, draws=300)
        held += estimate.low <= 0.4 <= estimate.high
    # 95 % of 200, less the percentile interval's known narrowness at 60 clusters.
    assert 176 <= held <= 200


def test_questions_that_know_together_do_not_count_as_many() -> None:
    rng = np.random.default_rng(2)
    width = {}
    for alike in (True, False):
        estimate = macro_average(asked(rng, 200, 16, alike=alike))
        width[alike] = estimate.high - estimate.low
    # Sixteen copies of 200 questions carry what 200 carry; 3,200 independent ones, four times it.
    assert 3 < width[True] / width[False] < 5


def test_intervals_equal_those_of_a_plain_loop() -> None:
    rng = np.random.default_rng(3)
    scores = [row for row in asked(rng, 40, 5, alike=False) if rng.random() < 0.6]
    estimate = macro_average(scores, draws=4000)
    low, high = np.quantile(naive(scores, 4000, 4), (0.025, 0.975))
    assert estimate.low == pytest.approx(low, abs=0.012)
    assert estimate.high == pytest.approx(high, abs=0.012)


def test_a_language_that_no_draw_took_is_left_out_of_that_draw() -> None:
    scores: Scored = [("en", number, 1.0) for number in range(5)] + [("sw", "only", 0.0)]
    estimate = macro_average(scores, draws=4000)
    low, high = np.quantile(naive(scores, 4000, 4), (0.025, 0.975))
    assert (estimate.low, estimate.high) == (low, high) == (0.5, 1.0)


def test_the_same_seed_gives_the_same_interval_and_another_one_does_not() -> None:
    scores = asked(np.random.default_rng(5), 50, 3, alike=False)
    assert macro_average(scores, seed=1) == macro_average(scores, seed=1)
    assert len({macro_average(scores, seed=seed, draws=41).low for seed in range(9)}) > 1


def test_intervals_do_not_depend_on_the_hash_seed() -> None:
    program = (
        "from exonym.analysis import macro_average; import random; r = random.Random(0);"
        "print(macro_average([(l, ('Q%d' % f, 'P1'), float(r.random() < .5))"
        " for f in range(30) for l in ('en', 'sw', 'ja')]))"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(seen) == 1


def test_two_ways_of_answering_get_the_same_draws() -> None:
    better = asked(np.random.default_rng(6), 80, 4, alike=False)
    worse = [(language, fact, score / 2) for language, fact, score in better]
    one, other = macro_average(better), macro_average(worse)
    assert (other.low, other.high) == pytest.approx((one.low / 2, one.high / 2))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["en", "ja", "sw"]), st.integers(0, 6), st.floats(0, 1, width=16)
        ),
        min_size=1,
        max_size=30,
    ),
    st.integers(0, 3),
)
@settings(max_examples=60)
def test_any_scores_give_an_interval_within_their_range(scores: Scored, seed: int) -> None:
    estimate = macro_average(scores, seed=seed, draws=50)
    values = [value for _, _, value in scores]
    assert min(values) - 1e-9 <= estimate.low <= estimate.high <= max(values) + 1e-9
    assert estimate.questions == len(scores)
    assert sorted(estimate.by_language) == list(estimate.by_language)


def test_a_single_question_gives_a_point() -> None:
    assert macro_average([("en", "f", 1.0)]) == Estimate(1.0, 1.0, 1.0, 1, {"en": 1.0})


def test_few_draws_at_a_time_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    from exonym.analysis import bootstrap

    scores = asked(np.random.default_rng(7), 64, 3, alike=False)
    whole = macro_average(scores, draws=100)
    monkeypatch.setattr(bootstrap, "_DRAWN_AT_A_TIME", 64 * 7)
    assert macro_average(scores, draws=100) == whole


def test_no_question_and_impossible_options_are_input_errors() -> None:
    with pytest.raises(InputError, match="no question"):
        macro_average([])
    for options in ({"draws": 0}, {"confidence": 1.0}, {"confidence": 0.0}):
        with pytest.raises(InputError, match="draws must be at least 1"):
            macro_average([("en", "f", 1.0)], **options)


def test_thirty_thousand_questions_take_seconds_at_most() -> None:
    scores = asked(np.random.default_rng(8), 1250, 24, alike=False)
    started = time.process_time()
    macro_average(scores)
    assert time.process_time() - started < 2
