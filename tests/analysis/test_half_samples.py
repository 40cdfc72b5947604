"""Intervals by looking at random halves."""

from __future__ import annotations

import numpy as np
import pytest

from exonym.analysis.half_samples import half_sample_interval, halves
from exonym.foundation.errors import InputError


@pytest.mark.parametrize("clusters", [40, 41])
def test_of_a_mean_it_is_the_standard_error(clusters: int) -> None:
    values = np.random.default_rng(0).normal(size=clusters)
    found = half_sample_interval(
        float(values.mean()),
        [float(values[half].mean()) for half in halves(range(clusters), 5_000)],
        clusters,
    )
    error = values.std(ddof=1) / np.sqrt(clusters)
    assert found.high - found.value == pytest.approx(1.95996 * error, rel=0.04)
    assert found.value - found.low == pytest.approx(found.high - found.value)


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(1)
    held = 0
    clusters = np.arange(60).repeat(4).tolist()
    for trial in range(200):
        values = rng.normal(size=60).repeat(4)  # four items of a cluster are alike
        means = [float(values[half].mean()) for half in halves(clusters, 40, seed=trial)]
        found = half_sample_interval(float(values.mean()), means, 60)
        held += found.low <= 0 <= found.high
    assert 178 <= held <= 199


def test_a_cluster_is_never_split_and_halves_are_halves() -> None:
    clusters = [f"c{number % 23}" for number in range(100)]
    found = list(halves(clusters, 30, seed=5))
    for half in found:
        taken = {cluster for cluster, its in zip(clusters, half, strict=True) if its}
        left = {cluster for cluster, its in zip(clusters, half, strict=True) if not its}
        assert not taken & left
        assert len(taken) == 11
    again = list(halves(clusters, 30, seed=5))
    assert all((one == other).all() for one, other in zip(found, again, strict=True))
    assert len({half.tobytes() for half in found}) > 25


def test_one_cluster_has_no_interval() -> None:
    with pytest.raises(InputError, match="two clusters and two halves at least, got 1, 200"):
        list(halves(["a", "a"]))
    for of_halves, clusters, confidence in (([1.0], 3, 0.9), ([1.0, 2.0], 1, 0.9), ([1, 2], 3, 1)):
        with pytest.raises(InputError, match="needed are two halves"):
            half_sample_interval(1.0, of_halves, clusters, confidence)
