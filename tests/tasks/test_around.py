"""Windows around places: they hold the places, fill the room, and lose nothing where all fits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exonym.foundation.errors import InputError
from exonym.tasks.around import around
from exonym.tasks.batches import similar_lengths
from exonym.text import AnnotatedText, Mention
from exonym.tokenization import EncodedText, EntityTokenizer

WORDS = "Tokyo is the capital of Japan and its largest city. " * 6
PIECES = 78
"""Of `WORDS`, besides <s> and </s>."""


@pytest.fixture(scope="module")
def long_text(tokenizer: EntityTokenizer) -> EncodedText:
    mentions = tuple(Mention(place, place + 5, "Q1") for place in range(0, 300, 52))
    (text,) = tokenizer.encode([AnnotatedText(WORDS, "en", mentions)], max_length=1000)
    assert len(text.input_ids) == PIECES + 2
    return text


@st.composite
def asked(draw: st.DrawFn) -> tuple[list[tuple[int, int]], int]:
    """One or two places of up to five pieces, and room for them at least."""
    places = [
        (start, min(start + draw(st.integers(1, 5)), PIECES + 1))
        for start in draw(st.lists(st.integers(1, PIECES), min_size=1, max_size=2))
    ]
    return places, draw(st.integers(14, 120))


@given(asked())
@settings(max_examples=100)
def test_windows_hold_their_places_and_use_the_room(
    long_text: EncodedText, given_: tuple[list[tuple[int, int]], int]
) -> None:
    places, most = given_
    found = around(long_text, places, most)
    size = len(long_text.input_ids)
    assert len(found.input_ids) == min(size, most)
    assert found.cut_pieces == size - len(found.input_ids)
    assert found.input_ids[0] == long_text.input_ids[0]
    assert found.input_ids[-1] == long_text.input_ids[-1]
    kept = {tuple(pair) for pair in found.offsets.tolist()}
    for start, end in places:
        assert {tuple(pair) for pair in long_text.offsets[start:end].tolist()} <= kept
    # What is left is at most two runs of the text, besides <s> and </s>.
    inner = [tuple(pair) for pair in found.offsets[1:-1].tolist()]
    rows = [tuple(pair) for pair in long_text.offsets.tolist()].index
    steps = np.diff([rows(pair, 1) for pair in inner])
    assert (steps != 1).sum() <= 1
    for (start, end), offsets in zip(found.spans, found.mention_offsets, strict=True):
        assert WORDS[slice(*offsets)] == "".join(
            WORDS[slice(*found.offsets[piece])] for piece in range(start, end)
        )
    assert len(found.spans) + found.cut_mentions == len(long_text.spans)


def test_a_window_is_even_where_it_can_be(long_text: EncodedText) -> None:
    found = around(long_text, [(50, 52)], 22)
    first = [tuple(p) for p in long_text.offsets.tolist()].index(tuple(found.offsets[1]))
    assert first == 41  # nine pieces before and nine behind


def test_what_fits_is_left_as_it_is(long_text: EncodedText) -> None:
    assert around(long_text, [(3, 4)], len(long_text.input_ids)) is long_text


def test_places_that_do_not_fit_are_refused(long_text: EncodedText) -> None:
    with pytest.raises(InputError, match="has 20 pieces, more than the 12 that fit"):
        around(long_text, [(3, 13), (60, 70)], 14)


@given(st.lists(st.integers(0, 300), max_size=40), st.integers(1, 9), st.integers(1, 900))
def test_batches_have_every_place_once_and_keep_to_their_limits(
    lengths: list[int], most: int, pieces: int
) -> None:
    found = list(similar_lengths(lengths, most, pieces=pieces))
    assert sorted(place for batch in found for place in batch) == list(range(len(lengths)))
    sizes = [lengths[place] for batch in found for place in batch]
    assert sizes == sorted(sizes, reverse=True)
    for batch in found:
        assert 1 <= len(batch) <= most
        assert len(batch) == 1 or len(batch) * lengths[batch[0]] <= pieces
