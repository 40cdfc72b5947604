"""Packing: order kept, no sentence split, nothing lost that is not counted, spans right."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from exonym.corpus.encoding import EncodedPages, Int32
from exonym.corpus.packing import pack_pages


@dataclass(frozen=True)
class EncodedSentence:
    """One sentence or sequence: pieces, rows, spans in the pieces."""

    words: Int32
    entities: Int32
    spans: Int32


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


def joint(pages: list[list[EncodedSentence]]) -> EncodedPages:
    """Pages as arrays."""
    sentences = [sentence for page in pages for sentence in page]
    nothing = np.empty(0, np.int32)
    return EncodedPages(
        np.concatenate([nothing, *(s.words for s in sentences)]),
        np.cumsum([0, *(len(s.words) for s in sentences)]),
        np.concatenate([nothing, *(s.entities for s in sentences)]),
        np.concatenate([nothing.reshape(0, 2), *(s.spans for s in sentences)]),
        np.cumsum([0, *(len(s.entities) for s in sentences)]),
        np.cumsum([0, *(len(page) for page in pages)]),
    )


def pack_all(
    pages: list[list[EncodedSentence]], words: int, entities: int, sentences: int | None = None
) -> tuple[list[EncodedSentence], Counter[str]]:
    counts: Counter[str] = Counter()
    packed = pack_pages(
        joint(pages),
        max_words=words,
        max_entities=entities,
        max_sentences=sentences,
        counts=counts,
    )
    assert {a.dtype for a in (packed.words, packed.entities, packed.spans)} == {np.dtype(np.int32)}
    word_ends, entity_ends = np.cumsum(packed.word_counts), np.cumsum(packed.entity_counts)
    assert len(packed.words) == packed.word_counts.sum()
    assert len(packed.entities) == len(packed.spans) == packed.entity_counts.sum()
    return [
        EncodedSentence(*parts)
        for parts in zip(
            np.split(packed.words, word_ends)[:-1],
            np.split(packed.entities, entity_ends)[:-1],
            np.split(packed.spans, entity_ends)[:-1],
            strict=True,
        )
    ], counts


def pack(
    page: list[EncodedSentence], words: int, entities: int
) -> tuple[list[EncodedSentence], Counter[str]]:
    return pack_all([page], words, entities)


@settings(max_examples=80)
@given(
    several=st.lists(pages(), max_size=4),
    words=st.integers(1, 20),
    entities=st.integers(1, 6),
    sentences=st.none() | st.integers(1, 3),
)
def test_a_sequence_never_goes_over_the_end_of_a_page(
    several: list[list[EncodedSentence]], words: int, entities: int, sentences: int | None
) -> None:
    """Many pages at once are packed as each of them alone."""
    together, counts = pack_all(several, words, entities, sentences)
    alone, alone_counts = [], Counter[str]()
    for page in several:
        packed, found = pack_all([page], words, entities, sentences)
        alone += packed
        alone_counts.update(found)
    assert counts == alone_counts
    for one, other in zip(together, alone, strict=True):
        assert one.words.tolist() == other.words.tolist()
        assert one.entities.tolist() == other.entities.tolist()
        assert one.spans.tolist() == other.spans.tolist()


@settings(max_examples=100)
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


@settings(max_examples=100)
@given(page=pages(), words=st.integers(1, 20))
def test_order_is_kept_and_no_sentence_is_split(page: list[EncodedSentence], words: int) -> None:
    packed, _ = pack(page, words, 10_000)
    pieces = [piece for sequence in packed for piece in sequence.words.tolist()]
    assert pieces == sorted(pieces)
    home = {p: i for i, sequence in enumerate(packed) for p in sequence.words.tolist()}
    for sentence in page:
        kept = sentence.words[:words].tolist()
        assert len({home.get(piece) for piece in kept}) <= 1


@settings(max_examples=100)
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


@settings(max_examples=80)
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
    assert +counts == {
        "sequences without an entity": 3,
        "pieces in sequences without an entity": 18,
    }


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


@settings(max_examples=80)
@given(page=pages(), most=st.integers(1, 3))
def test_a_sequence_has_no_more_sentences_than_allowed(
    page: list[EncodedSentence], most: int
) -> None:
    packed, _ = pack_all([page], 100, 100, most)
    groups = [page[i : i + most] for i in range(0, len(page), most)]
    expected = [
        [piece for sentence in group for piece in sentence.words.tolist()]
        for group in groups
        if any(len(sentence.entities) for sentence in group)
    ]
    assert [sequence.words.tolist() for sequence in packed] == expected
