"""Held-out sequences: few, whole neighbourhoods, the same in every run, never trained on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exonym.corpus.held_out import RUN, HeldOut
from exonym.foundation.errors import ConfigError


@given(total=st.integers(0, 40_000), wanted=st.integers(0, 700))
def test_every_sequence_is_either_held_out_or_left_exactly_once(total: int, wanted: int) -> None:
    part = HeldOut.choose(total, wanted)
    held_out = part.indices
    left = part.trained(np.arange(part.left))
    assert np.sort(np.concatenate([held_out, left])).tolist() == list(range(total))
    assert (np.diff(held_out) > 0).all()
    assert (np.diff(left) > 0).all()
    assert len(part) == len(held_out) == min(wanted, total // 100)


@given(total=st.integers(100, 10_000_000), wanted=st.integers(1, 700))
def test_neighbours_are_taken_together_at_even_distances(total: int, wanted: int) -> None:
    part = HeldOut.choose(total, wanted)
    borders = int((np.diff(part.indices) > 1).sum()) + 1
    assert borders == len(part.starts) == -(-len(part) // RUN)
    assert part.lengths.max() - part.lengths.min() <= 1
    middles = part.starts + part.lengths / 2
    expected = (np.arange(len(middles)) + 0.5) * total / len(middles)
    assert np.abs(middles - expected).max() <= 1


def test_a_small_language_holds_out_one_in_a_hundred_or_none() -> None:
    assert [len(HeldOut.choose(total, 100)) for total in (0, 1, 99, 100, 250, 9_999, 10**6)] == [
        0, 0, 0, 1, 2, 99, 100,
    ]  # fmt: skip
    assert HeldOut.choose(250, 100).indices.tolist() == [124, 125]


def test_a_negative_number_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="held_out_sequences must be at least 0, got -1"):
        HeldOut.choose(1000, -1)
