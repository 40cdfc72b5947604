"""Packing: order kept, no sentence split, nothing lost that is not counted, spans right."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from exonym.corpus.packing import EncodedSentence, pack_page


@st.composite
def pages(draw: st.DrawFn) -> list[EncodedSentence]:
    """Sentences whose pieces and rows are all different, so that each can be traced."""
    page, piece, row = [], 0, 0
    for length in draw(st.lists(st.integers(0, 14), max_size=8)):
        spans = []
        for _ in range(draw(st.integers(0, 4)) if length else 0):
            start = draw(st.integers(0, length - 1))
            spans.append((start, draw(st.integers(start + 1, length))))
        page.append(
            EncodedSentence(
                np.arange(piece, piece + length, dtype=np.int32),
                np.arange(row, row + len(spans), dtype=np.int32),
                np.array(spans, dtype=np.int32).reshape(-1, 2),
            )
        )
        piece, row = piece + length, row + len(spans)
    return page


def pack(page: list[EncodedSentence], words: int, entities: int) -> tuple[list, Counter]:
    counts: Counter[str] = Counter()
    packed = list(pack_page(page, max_words=words, max_entities=entities, counts=counts))
    return packed, counts


@settings(max_examples=300)
@given(page=pages(), words=st.integers(1, 20), entities=st.integers(1, 6))
def test_nothing_is_lost_that_is_not_counted(
    page: list[EncodedSentence], words: int, entities: int
) -> None:
    packed, counts = pack(page, words, entities)
    rows = [row for sequence in packed for row in sequence.entities.tolist()]
    total = sum(len(sentence.entities) for sentence in page)
    assert total == len(rows) + counts["mentions cut"]
    assert rows == sorted(set(rows))
    over = sum(max(len(sentence.words) - words, 0) for sentence in page)
    assert counts["pieces cut"] == over
    for sequence in packed:
        assert 0 < len(sequence.words) <= words
        assert 0 < len(sequence.entities) <= entities


@settings(max_examples=300)
@given(page=pages(), words=st.integers(1, 20))
def test_order_is_kept_and_no_sentence_is_split(page: list[EncodedSentence], words: int) -> None:
    packed, _ = pack(page, words, 10_000)
    pieces = [piece for sequence in packed for piece in sequence.words.tolist()]
    assert pieces == sorted(pieces)
    home = {p: i for i, sequence in enumerate(packed) for p in sequence.words.tolist()}
    for sentence in page:
        kept = sentence.words[:words].tolist()
        assert len({home.get(piece) for piece in kept}) <= 1


@settings(max_examples=300)
@given(page=pages(), words=st.integers(1, 20))
def test_spans_still_cover_the_same_pieces(page: list[EncodedSentence], words: int) -> None:
    covered = {
        row: sentence.words[start:end].tolist()
        for sentence in page
        for row, (start, end) in zip(sentence.entities.tolist(), sentence.spans, strict=True)
    }
    packed, _ = pack(page, words, 10_000)
    for sequence in packed:
        for row, (start, end) in zip(sequence.entities.tolist(), sequence.spans, strict=True):
            assert sequence.words[start:end].tolist() == covered[row]


@settings(max_examples=200)
@given(page=pages(), words=st.integers(15, 30))
def test_a_sequence_is_closed_only_when_the_next_sentence_does_not_fit(
    page: list[EncodedSentence], words: int
) -> None:
    """Greedy: with an entity in every sentence, two neighbours never fit into one sequence."""
    page = [
        EncodedSentence(s.words, np.array([i], np.int32), np.array([[0, 1]], np.int32))
        for i, s in enumerate(s for s in page if len(s.words))
    ]
    packed, counts = pack(page, words, 10_000)
    lengths = {i: len(sentence.words) for i, sentence in enumerate(page)}
    for one, other in itertools.pairwise(packed):
        assert len(one.words) + lengths[int(other.entities[0])] > words
    assert not +counts


def test_sequences_without_an_entity_are_dropped_and_counted() -> None:
    none = np.empty(0, np.int32)
    bare = EncodedSentence(np.arange(6, dtype=np.int32), none, none.reshape(0, 2))
    named = EncodedSentence(
        np.arange(6, dtype=np.int32), np.array([7], np.int32), np.array([[0, 2]], np.int32)
    )
    packed, counts = pack([bare, named, bare, bare], 8, 10)
    assert [sequence.entities.tolist() for sequence in packed] == [[7]]
    assert +counts == {"sequences without an entity": 3}


def test_entities_beyond_the_limit_are_counted() -> None:
    sentence = EncodedSentence(
        np.arange(9, dtype=np.int32),
        np.arange(5, dtype=np.int32),
        np.array([[i, i + 1] for i in range(5)], np.int32),
    )
    packed, counts = pack([sentence], 20, 3)
    assert packed[0].entities.tolist() == [0, 1, 2]
    assert packed[0].spans.tolist() == [[0, 1], [1, 2], [2, 3]]
    assert counts["mentions cut"] == 2


@settings(max_examples=200)
@given(page=pages(), most=st.integers(1, 3))
def test_a_sequence_has_no_more_sentences_than_allowed(
    page: list[EncodedSentence], most: int
) -> None:
    counts: Counter[str] = Counter()
    packed = pack_page(page, max_words=100, max_entities=100, max_sentences=most, counts=counts)
    groups = [page[i : i + most] for i in range(0, len(page), most)]
    expected = [
        [piece for sentence in group for piece in sentence.words.tolist()]
        for group in groups
        if any(len(sentence.entities) for sentence in group)
    ]
    assert [sequence.words.tolist() for sequence in packed] == expected
