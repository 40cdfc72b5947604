"""Modularity of nearest-neighbour graphs, against a twin that writes the formula out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exonym.analysis import modularity
from exonym.analysis import neighbours as blockwise
from exonym.analysis.neighbours import Neighbours, unit_vectors
from exonym.foundation.errors import InputError


def twin(vectors: np.ndarray, languages: list[str], k: int, total: str = "weights") -> float:
    """A dense adjacency matrix, and the sums of Fujinuma et al. (2019) in plain loops."""
    count = len(vectors)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = [[float(np.dot(one, other)) for other in units] for one in units]
    matrix, edges = np.zeros((count, count)), np.zeros((count, count))
    for row in range(count):
        order = sorted(
            (other for other in range(count) if other != row),
            key=lambda other: (-cosines[row][other], other),
        )
        for other in order[:k]:
            matrix[row, other] = matrix[other, row] = max(cosines[row][other], 0.0)
            edges[row, other] = edges[other, row] = 1
    whole = matrix.sum() if total == "weights" else edges.sum()
    q, most = 0.0, 1.0
    for language in set(languages):
        inside = [number for number, code in enumerate(languages) if code == language]
        within = sum(matrix[i, j] for i in inside for j in inside) / whole
        degree = sum(matrix[i].sum() for i in inside) / whole
        q += within - degree**2
        most -= degree**2
    return q / most


@st.composite
def worlds(draw: st.DrawFn) -> tuple[np.ndarray, list[str], int]:
    count = draw(st.integers(6, 40))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    languages = ["en", "sw", *rng.choice(["en", "sw", "ja"], count - 2)]
    vectors = rng.normal(size=(count, draw(st.integers(2, 6)))) + 0.5
    return vectors, [str(code) for code in languages], draw(st.integers(1, 4))


@given(worlds(), st.sampled_from(["weights", "edges"]))
@settings(max_examples=80)
def test_it_equals_its_twin(world: tuple[np.ndarray, list[str], int], total: str) -> None:
    vectors, languages, k = world
    found = modularity(vectors, languages, k=k, total=total)  # type: ignore[arg-type]
    assert found.value == pytest.approx(twin(vectors, languages, k, total), abs=1e-12)


def test_languages_apart_have_one_and_mixed_ones_none() -> None:
    rng = np.random.default_rng(0)
    centres = np.zeros((2, 8))
    centres[0, 0] = centres[1, 1] = 9.0
    languages = ["en"] * 40 + ["sw"] * 40
    apart = centres.repeat(40, axis=0) + rng.normal(size=(80, 8))
    assert modularity(apart, languages).value == pytest.approx(1)
    mixed = modularity(rng.normal(size=(600, 8)), ["en", "sw"] * 300, permutations=99)
    assert abs(mixed.value) < 0.08
    assert mixed.chance == pytest.approx(0, abs=0.02)
    assert mixed.p is not None
    assert mixed.p > 0.05


def test_translations_that_find_each_other_have_less_than_none() -> None:
    meanings = np.random.default_rng(1).normal(size=(50, 8))
    vectors = np.concatenate([meanings, meanings + 1e-3])
    assert modularity(vectors, ["en"] * 50 + ["sw"] * 50, k=1).value < -0.9


def test_neither_scale_nor_order_nor_names_matter() -> None:
    rng = np.random.default_rng(2)
    vectors, languages = rng.normal(size=(60, 5)), [str(c) for c in rng.choice(["a", "b"], 60)]
    one = modularity(vectors, languages).value
    order = rng.permutation(60)
    assert modularity(7 * vectors, languages).value == pytest.approx(one)
    assert modularity(vectors[order], [languages[i] for i in order]).value == pytest.approx(one)
    swapped = [{"a": "z", "b": "a"}[code] for code in languages]
    assert modularity(vectors, swapped).value == pytest.approx(one)


def test_a_clear_split_is_no_chance() -> None:
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(80, 6))
    vectors[:40, 0] += 4
    found = modularity(vectors, ["en"] * 40 + ["sw"] * 40, permutations=199)
    assert found.p == pytest.approx(1 / 200)
    again = modularity(vectors, ["en"] * 40 + ["sw"] * 40, permutations=199)
    assert again == found


def test_intervals_hold_the_value_of_many_more_vectors_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(4)

    def draw(clusters: int) -> tuple[np.ndarray, list[str], list[int]]:
        meanings = rng.normal(size=(clusters, 4))
        english = meanings + 0.3 * rng.normal(size=meanings.shape)
        other = meanings + 0.3 * rng.normal(size=meanings.shape) + [1.0, 0, 0, 0]
        numbers = list(range(clusters))
        return np.concatenate([english, other]), ["en"] * clusters + ["sw"] * clusters, numbers * 2

    sizes = [modularity(*draw(100)[:2]).value for _ in range(100)]
    truth, held, widths = float(np.mean(sizes)), 0, []
    for trial in range(20):
        vectors, languages, clusters = draw(100)
        found = modularity(vectors, languages, clusters=clusters, samples=40, seed=trial)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= truth <= found.high
        widths.append(found.high - found.low)
        assert found.clusters == 100
    assert held >= 17
    spread = 2 * 1.96 * float(np.std(sizes))
    assert 0.75 < np.mean(widths) / spread < 1.35  # not narrower than the truth, not far wider


@given(st.integers(3, 40), st.integers(1, 5), st.integers(0, 99), st.booleans())
@settings(max_examples=80)
def test_neighbours_among_some_are_those_of_these_alone(
    count: int, k: int, seed: int, alike: bool
) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.integers(-1, 2, size=(count, 3)) if alike else rng.normal(size=(count, 3))
    vectors = vectors.astype(float) + np.where((vectors == 0).all(axis=1), 1.0, 0.0)[:, None]
    units = unit_vectors(vectors)
    k = min(k, count - 1)
    stays = rng.random(count) < 0.7
    stays[:2] = True
    nearest, cosines = Neighbours(units, k).among(stays)
    own = units[stays]
    for row, one in enumerate(own):
        others = [(-float(one @ other), place) for place, other in enumerate(own) if place != row]
        wanted = [-cosine for cosine, _ in sorted(others)[:k]]
        there = nearest[row] >= 0
        assert there.sum() == min(k, len(own) - 1)
        assert cosines[row][there].tolist() == pytest.approx(wanted)
        assert row not in nearest[row]
        found = [float(one @ own[place]) for place in nearest[row][there]]
        assert found == pytest.approx(cosines[row][there].tolist())


def test_few_rows_at_a_time_give_the_same_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    units = unit_vectors(np.random.default_rng(5).normal(size=(50, 4)))
    whole = Neighbours(units, 3).all()
    monkeypatch.setattr(blockwise, "_PRODUCTS", 50 * 7)
    parts = Neighbours(units, 3).all()
    assert (whole[0] == parts[0]).all()
    np.testing.assert_allclose(whole[1], parts[1], atol=1e-15)


def test_equally_near_ones_are_taken_in_their_order() -> None:
    units = unit_vectors(np.array([[1.0, 0], [0, 1], [0, 1], [0, 1], [0, 1]]))
    assert Neighbours(units, 2).all()[0].tolist() == [[1, 2], [2, 3], [1, 3], [1, 2], [1, 2]]


def test_what_has_no_modularity_is_refused() -> None:
    vectors = np.eye(4)
    for wrong, said in (
        ((vectors, ["en"] * 4), "between languages, there is 1"),
        ((vectors, ["en", "sw"]), "2 languages for 4 vectors"),
        ((np.zeros((4, 2)), ["en", "sw"] * 2), "has no direction"),
        ((np.ones(4), ["en", "sw"] * 2), "expected \\(vectors, width\\)"),
        ((vectors, ["en", "sw"] * 2), "no two of the vectors are similar"),
    ):
        with pytest.raises(InputError, match=said):
            modularity(*wrong)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="k must be from 1 to 3"):
        modularity(vectors, ["en", "sw"] * 2, k=4)
    with pytest.raises(InputError, match="1 clusters for 4"):
        modularity(vectors, ["en", "sw"] * 2, clusters=["a"])
