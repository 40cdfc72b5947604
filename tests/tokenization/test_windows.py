"""Windows over long texts, and what a pair loses when it is cut."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from fake_vocabulary import FakeVocabulary
from hypothesis import given, settings
from hypothesis import strategies as st

from exonym.foundation.errors import InputError
from exonym.text import AnnotatedText, Mention
from exonym.tokenization import EntityTokenizer, WordTokenizer
from exonym.tokenization.windows import lengths_after_cut, windows

spans_within = st.integers(1, 60).flatmap(
    lambda length: st.tuples(
        st.just(length),
        st.lists(st.tuples(st.integers(0, length - 1), st.integers(1, 6)), max_size=6),
    )
)


@settings(max_examples=300)
@given(made=spans_within, most=st.integers(7, 20), overlap=st.integers(0, 6))
def test_windows_cover_the_text_and_hold_every_mention_whole(
    made: tuple[int, list[tuple[int, int]]], most: int, overlap: int
) -> None:
    length, starts = made
    spans = np.array(
        [(start, min(start + size, length)) for start, size in starts], dtype=np.int32
    ).reshape(-1, 2)
    found = list(windows(length, spans, most, overlap))
    assert found[0][0] == 0
    assert found[-1][1] == length
    for (start, end), (next_start, next_end) in itertools.pairwise(found):
        assert start < next_start <= end - overlap
        assert end < next_end
    assert all(end - start <= most for start, end in found)
    for first, last in spans.tolist():
        assert any(start <= first and last <= end for start, end in found)


@pytest.mark.parametrize(
    ("spans", "most", "overlap", "message"),
    [
        ([], 10, 10, "windows of 10 pieces cannot overlap by 10"),
        ([(0, 3), (5, 20)], 10, 2, "mention 1 has 15 pieces, more than the 10 of a window"),
    ],
)
def test_windows_that_cannot_be_made_are_errors(
    spans: list[tuple[int, int]], most: int, overlap: int, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        list(windows(100, np.array(spans, np.int32).reshape(-1, 2), most, overlap))


@given(first=st.integers(0, 40), second=st.integers(0, 40), most=st.integers(0, 80))
def test_a_pair_loses_from_its_longer_text_first(first: int, second: int, most: int) -> None:
    expected = [first, second]
    for _ in range(max(first + second - most, 0)):
        expected[0 if expected[0] > expected[1] else 1] -= 1
    assert list(lengths_after_cut(first, second, most)) == expected


@pytest.mark.parametrize("boundary", ["faithful", "hf"])
def test_windows_carry_ids_offsets_and_mentions_of_the_whole(
    boundary: str, words: WordTokenizer
) -> None:
    tokenizer = EntityTokenizer(words, FakeVocabulary(), boundary=boundary)  # type: ignore
    sentence = "Tokyo ist die Hauptstadt von 日本 und größer als Berlin. "
    mentions = tuple(
        Mention(start + place, start + place + size, key)
        for start in range(0, 8 * len(sentence), len(sentence))
        for place, size, key in ((0, 5, "Q1490"), (29, 2, None), (48, 6, "Q64"))
    )
    text = AnnotatedText(sentence * 8, "de", mentions, source="de:Test")
    (whole,) = tokenizer.encode([text], max_length=10_000)
    batch = tokenizer(["Tokyo", text], max_length=40, overflow="window", overlap=10)
    assert batch.input_ids.shape[1] <= 40
    first, *parts = batch.texts
    assert first.source == 0
    assert len(parts) > 3
    seen, place = set(), 1
    for part in parts:
        assert part.source == 1
        assert part.input_ids[0] == words.bos_id
        assert part.input_ids[-1] == words.eos_id
        where = next(
            start
            for start in range(place, len(whole.input_ids))
            if whole.input_ids[start : start + len(part.input_ids) - 2].tolist()
            == part.input_ids[1:-1].tolist()
            and whole.offsets[start].tolist() == part.offsets[1].tolist()
        )
        inner = slice(where, where + len(part.input_ids) - 2)
        assert part.offsets[1:-1].tolist() == whole.offsets[inner].tolist()
        for index, span, row, characters in zip(
            part.mention_index, part.spans, part.entity_ids, part.mention_offsets, strict=True
        ):
            assert (span - 1 + where).tolist() == whole.spans[index].tolist()
            assert row == whole.entity_ids[index]
            assert characters.tolist() == [mentions[index].start, mentions[index].end]
            seen.add(int(index))
        place = where
    assert seen == set(range(len(mentions)))
    assert all(part.cut_mentions == part.cut_pieces == 0 for part in batch.texts)


def test_of_a_pair_the_second_text_is_windowed_and_the_first_stays(words: WordTokenizer) -> None:
    tokenizer = EntityTokenizer(words, FakeVocabulary())  # type: ignore[arg-type]
    question = AnnotatedText("Tokyo ist", "de", (Mention(0, 5, "Q1490"),))
    context = AnnotatedText("München und Berlin. " * 20, "de", (Mention(12, 18, "Q64"),))
    parts = tokenizer(question, context, max_length=50, overflow="window", overlap=5).texts
    assert len(parts) > 2
    (alone,) = tokenizer.encode([question])
    for number, part in enumerate(parts):
        assert part.input_ids[: len(alone.input_ids)].tolist() == alone.input_ids.tolist()
        assert part.mention_text.tolist() == ([0, 1] if number == 0 else [0])
        assert len(part.input_ids) <= 50
    with pytest.raises(InputError, match="which leaves no room for the second"):
        tokenizer(context, question, max_length=50, overflow="window", overlap=5)


def test_a_mention_longer_than_a_window_is_named(words: WordTokenizer) -> None:
    tokenizer = EntityTokenizer(words, FakeVocabulary())  # type: ignore[arg-type]
    text = AnnotatedText("Berlin " * 60, "de", (Mention(0, 400),), source="de:Berlin")
    with pytest.raises(InputError, match=r"de:Berlin: mention 0 has \d+ pieces, more than the 38"):
        tokenizer(text, max_length=40, overflow="window", overlap=5)
