"""Named random numbers: those of SplitMix64, evenly spread, each with a name of its own."""

from __future__ import annotations

import numpy as np
import pytest
from false_alarms import fits, independent
from hypothesis import given, settings
from hypothesis import strategies as st

from exonym.corpus import draws
from exonym.corpus.draws import chances, numbers, sequence_keys

GAMMA, WRAP = 0x9E3779B97F4A7C15, 1 << 64


def splitmix(state: int) -> int:
    """The output function of SplitMix64, in whole numbers."""
    state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 % WRAP
    state = (state ^ (state >> 27)) * 0x94D049BB133111EB % WRAP
    return state ^ (state >> 31)


def test_keys_are_the_published_outputs_of_splitmix64() -> None:
    assert sequence_keys(1234567, np.arange(5)).tolist() == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


@settings(max_examples=50)
@given(
    seed=st.integers(0, 2**63 - 1),
    place=st.integers(0, 2**31),
    purpose=st.integers(0, 7),
    column=st.integers(0, 2**20),
)
def test_numbers_are_a_hash_of_key_purpose_and_column(
    seed: int, place: int, purpose: int, column: int
) -> None:
    key = splitmix((seed + (place + 1) * GAMMA) % WRAP)
    expected = splitmix((key + ((purpose << 32) + column) * GAMMA) % WRAP)
    keys = sequence_keys(seed, np.array([place]))
    assert numbers(keys, purpose, np.array([column])).tolist() == [expected]
    assert chances(keys, purpose, np.array([column])).tolist() == [(expected >> 11) / 2**53]


@pytest.mark.parametrize("chunk", [1, 7, 1 << 14])
def test_how_many_are_hashed_at_a_time_changes_nothing(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = sequence_keys(3, np.arange(40))
    one_by_one = [
        [int(numbers(keys[[i]], 2, np.array([j]))[0]) for j in range(9)] for i in range(40)
    ]
    monkeypatch.setattr(draws, "_CHUNK", chunk)
    assert numbers(keys[:, None], 2, np.arange(9)).tolist() == one_by_one


def test_no_two_names_have_the_same_number() -> None:
    keys = sequence_keys(0, np.arange(500))
    every = np.concatenate(
        [numbers(keys[:, None], kind, np.arange(60)).ravel() for kind in range(6)]
    )
    assert len(np.unique(every)) == len(every)


def test_chances_are_even_and_neighbours_independent() -> None:
    found = chances(sequence_keys(1, np.arange(2000))[:, None], 0, np.arange(200))
    cells = (found * 20).astype(int)
    assert found.min() >= 0
    assert fits(np.bincount(cells.ravel(), minlength=20), [found.size / 20] * 20)
    for one, other in (
        (cells[:, 1:], cells[:, :-1]),  # of one sequence
        (cells[1:], cells[:-1]),  # of sequences beside each other
    ):
        table = np.zeros((20, 20))
        np.add.at(table, (one.ravel(), other.ravel()), 1)
        assert independent(table)
