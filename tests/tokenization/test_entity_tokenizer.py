"""Annotated text to ids: borders, offsets, overflow, padding."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sentencepiece import SentencePieceProcessor

from exonym.foundation.errors import InputError
from exonym.text import AnnotatedText, Mention
from exonym.tokenization import EncodedText, EntityTokenizer, WordTokenizer

CHUNKS = (
    "Tokyo",
    "München",
    "Hauptstadt",
    "東京都",
    "は",
    "日本の首都",
    "กรุงเทพ",
    "เมืองหลวง",
    "القاهرة",
    "عاصمة",
    "दिल्ली",
    "राजधानी",
    "서울은",
    "Москва",
    "a",
    "x1",
    ",",
    ".",
    "2 102 650",
    " ",
    "  ",
    "\t",
    "\n",
    "\r\n",
    "\u00a0",
    "\u3000",
    "\u2009",
    "\u200b",
    "\ufeff",
    "\u2581",
    "\u200c",
    "\u200d",
    "\u0301",
    "e\u0301",
    "\u093f",
    "\u0e33",
    "👩\u200d👩\u200d👧",
    "🇯🇵",
    "✊🏽",
    "Ｔｏｋｙｏ",
    "ﬁ",
    "㌔",
    "\ufdfa",
    "´",
    "…",
    "½",
    "\x00",
    "\x01",
    "\x1c",
    "\x85",
    "\u2028",
    "\ufffd",
)
SPECIAL_TEXTS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>", "\x00<mask>", " <mask>", "\u2581<s>")
plain_texts = st.one_of(
    st.lists(st.sampled_from(CHUNKS), max_size=12).map("".join),
    st.text(max_size=30).filter(lambda text: "<" not in text),
)
entity_keys = st.sampled_from([None, "Q1490", "Q64", "ja:東京都", "Q999"])


@st.composite
def annotated(draw: st.DrawFn) -> AnnotatedText:
    text = draw(plain_texts)
    spans = draw(
        st.lists(
            st.tuples(st.integers(0, len(text)), st.integers(0, len(text)), entity_keys),
            max_size=4,
        )
    )
    mentions = [Mention(min(a, b), max(a, b), key) for a, b, key in spans if a != b]
    return AnnotatedText(text, "xx", tuple(mentions))


def without_blank_mentions(text: AnnotatedText, tokenizer: EntityTokenizer) -> AnnotatedText:
    ((_, spans),) = tokenizer.pieces([text])
    kept = tuple(m for m, (start, end) in zip(text.mentions, spans, strict=True) if start < end)
    for mention in text.mentions:
        assert mention in kept or not re.search("[a-zA-Z0-9]", text.surface(mention))
    return AnnotatedText(text.text, text.language, kept)


def encode_one(tokenizer: EntityTokenizer, text: AnnotatedText, **options: object) -> EncodedText:
    return next(iter(tokenizer.encode([text], **options)))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def sentencepiece(tiny_tokenizer_directory: Path) -> SentencePieceProcessor:
    file = tiny_tokenizer_directory / "sentencepiece.bpe.model"
    return SentencePieceProcessor(model_file=str(file))


def standard(sentencepiece: SentencePieceProcessor, text: str) -> list[int]:
    """XLM-R's ids of a text by their definition: SentencePiece's, one more; its <unk> is 3."""
    return [i + 1 if i else 3 for i in sentencepiece.encode(text)]


@settings(max_examples=300)
@given(text=annotated())
def test_no_piece_crosses_a_mention_border(text: AnnotatedText, tokenizer: EntityTokenizer) -> None:
    text = without_blank_mentions(text, tokenizer)
    encoded = encode_one(tokenizer, text)
    assert len(encoded.spans) == len(text.mentions)
    for mention, (first, last) in zip(text.mentions, encoded.spans, strict=True):
        assert 1 <= first < last <= len(encoded.input_ids) - 1
        inside = encoded.offsets[first:last]
        assert (inside >= mention.start).all()
        assert (inside <= mention.end).all()
        assert (encoded.offsets[1:first, 1] <= mention.start).all()
        assert (encoded.offsets[last:, 0] >= min(mention.end, encoded.offsets[-1, 0])).all()


@settings(max_examples=300)
@given(text=annotated())
def test_a_mentions_pieces_spell_exactly_its_text(
    text: AnnotatedText, tokenizer: EntityTokenizer, sentencepiece: SentencePieceProcessor
) -> None:
    words = tokenizer.words
    text = without_blank_mentions(text, tokenizer)
    encoded = encode_one(tokenizer, text)
    for mention, (first, last) in zip(text.mentions, encoded.spans, strict=True):
        ids = encoded.input_ids[first:last].tolist()
        if words.unk_id not in ids:
            spelt = words.decode(ids).replace(" ", "")
            assert spelt == sentencepiece.normalize(text.surface(mention)).replace("▁", "")


@settings(max_examples=300)
@given(text=annotated())
def test_offsets_lie_in_the_text_in_order_and_neither_start_nor_end_with_a_blank(
    text: AnnotatedText, tokenizer: EntityTokenizer
) -> None:
    text = without_blank_mentions(text, tokenizer)
    encoded = encode_one(tokenizer, text)
    assert encoded.offsets.shape == (len(encoded.input_ids), 2)
    starts, ends = encoded.offsets.T
    assert (starts <= ends).all()
    assert (starts >= 0).all()
    assert (ends <= len(text.text)).all()
    assert (np.diff(starts) >= 0).all()
    assert (np.diff(ends) >= 0).all()
    for start, end in encoded.offsets:
        assert start == end or not {text.text[start], text.text[end - 1]} & tokenizer.words.blanks


@settings(max_examples=500)
@given(text=plain_texts)
def test_without_mentions_the_ids_are_those_of_the_standard_pipeline(
    text: str, words: WordTokenizer, sentencepiece: SentencePieceProcessor
) -> None:
    assert words.encode_words([text])[0].tolist() == standard(sentencepiece, text)


@settings(max_examples=100)
@given(text=plain_texts)
def test_encode_pieces_and_encode_words_agree(text: str, tokenizer: EntityTokenizer) -> None:
    words = tokenizer.words
    expected = words.encode_words([text])[0].tolist()
    ((ids, spans),) = tokenizer.pieces([AnnotatedText(text, "xx")])
    assert ids.tolist() == expected
    assert spans.shape == (0, 2)
    encoded = encode_one(tokenizer, AnnotatedText(text, "xx"))
    assert encoded.input_ids.tolist() == [words.bos_id, *expected, words.eos_id]


@settings(max_examples=200)
@given(st.lists(st.sampled_from([*SPECIAL_TEXTS, "Tokyo", " ", "東京都"]), max_size=6).map("".join))
def test_special_pieces_typed_by_a_user_are_text(words: WordTokenizer, text: str) -> None:
    special = {words.bos_id, words.pad_id, words.eos_id, words.mask_id}
    assert not special & set(words.encode_words([text])[0].tolist())


def test_a_border_inside_running_text_puts_no_word_start_in(tokenizer: EntityTokenizer) -> None:
    text = AnnotatedText("東京都は日本の首都", "ja", (Mention(4, 6, "ja:東京都"),))
    encoded = encode_one(tokenizer, text)
    pieces = [tokenizer.words.piece(i) for i in encoded.input_ids.tolist()[1:-1]]
    assert pieces[0].startswith("▁")
    assert not any("▁" in piece for piece in pieces[1:])


def test_the_blank_before_a_mention_becomes_its_word_start(tokenizer: EntityTokenizer) -> None:
    text = AnnotatedText("in Berlin ist", "de", (Mention(3, 9, "Q64"),))
    encoded = encode_one(tokenizer, text)
    first, last = encoded.spans[0]
    words = tokenizer.words
    assert words.piece(int(encoded.input_ids[first])).startswith("▁")
    assert words.decode(encoded.input_ids[first:last].tolist()) == "Berlin"
    assert encoded.offsets[first, 0] == 3


def test_overlapping_and_repeated_mentions_keep_their_order(tokenizer: EntityTokenizer) -> None:
    mentions = (Mention(0, 12, "Q1"), Mention(6, 12, "Q64"), Mention(0, 5), Mention(6, 12, "Q1490"))
    text = AnnotatedText("Tokyo Berlin", "en", mentions)
    encoded = encode_one(tokenizer, text)
    assert encoded.entity_ids.tolist() == [5, 2, 0, 1]
    assert encoded.mention_index.tolist() == [0, 1, 2, 3]
    assert encoded.mention_offsets.tolist() == [[m.start, m.end] for m in mentions]
    assert encoded.spans[1].tolist() == encoded.spans[3].tolist()
    assert encoded.spans[0].tolist() == [encoded.spans[2][0], encoded.spans[1][1]]


def test_a_mention_of_blanks_is_an_error_that_shows_it(tokenizer: EntityTokenizer) -> None:
    text = AnnotatedText("a \u200b\t b", "en", (Mention(1, 4),), source="en:A")
    with pytest.raises(InputError, match=r"en:A: the mention \[1, 4\) ' \\u200b\\t' has no piece"):
        encode_one(tokenizer, text)


def test_a_mention_of_blanks_has_an_empty_span_and_changes_no_piece(
    tokenizer: EntityTokenizer,
) -> None:
    plain = AnnotatedText("Tokyo    Berlin", "en")
    marked = AnnotatedText("Tokyo    Berlin", "en", (Mention(6, 8), Mention(9, 15)))
    (ids, _), (marked_ids, spans) = tokenizer.pieces([plain, marked])
    assert ids.tolist() == marked_ids.tolist()
    assert spans[0, 0] == spans[0, 1]
    assert spans[1, 0] < spans[1, 1] == len(ids)


@settings(max_examples=150)
@given(text=annotated(), most=st.integers(2, 12))
def test_cut_keeps_a_prefix_and_counts_the_rest(
    text: AnnotatedText, most: int, tokenizer: EntityTokenizer
) -> None:
    text = without_blank_mentions(text, tokenizer)
    whole = encode_one(tokenizer, text)
    cut = encode_one(tokenizer, text, max_length=most, overflow="cut")
    length = len(cut.input_ids)
    assert length <= most
    assert cut.cut_pieces == len(whole.input_ids) - length
    assert cut.cut_mentions == len(text.mentions) - len(cut.entity_ids)
    assert cut.input_ids[:-1].tolist() == whole.input_ids[: length - 1].tolist()
    assert cut.input_ids[-1] == tokenizer.words.eos_id
    assert cut.offsets[1:-1].tolist() == whole.offsets[1 : length - 1].tolist()
    inside = [i for i, (_, end) in enumerate(whole.spans) if end <= length - 1]
    assert cut.mention_index.tolist() == inside
    assert cut.spans.tolist() == whole.spans[inside].tolist()
    assert cut.entity_ids.tolist() == whole.entity_ids[inside].tolist()


def test_a_text_that_is_too_long_is_an_error_by_default(tokenizer: EntityTokenizer) -> None:
    text = AnnotatedText("Tokyo " * 50, "en", source="en:Long")
    with pytest.raises(InputError, match=r'en:Long: .* max_length=20\. Pass overflow="window"'):
        tokenizer(text, max_length=20)
    with pytest.raises(InputError, match="max_length must leave room for <s> and </s>, got 1"):
        tokenizer(text, max_length=1)


@settings(max_examples=100)
@given(texts=st.lists(annotated(), max_size=5))
def test_padding_equals_a_brute_force_twin(
    texts: list[AnnotatedText], tokenizer: EntityTokenizer
) -> None:
    texts = [without_blank_mentions(text, tokenizer) for text in texts]
    batch = tokenizer(texts)
    encoded = list(tokenizer.encode(texts))
    words = max((len(one.input_ids) for one in encoded), default=0)
    entities = max((len(one.entity_ids) for one in encoded), default=0)
    lengths = [min(int(b - a), 30) for one in encoded for a, b in one.spans]
    most = max(lengths, default=0)
    assert batch.input_ids.shape == batch.attention_mask.shape == (len(texts), words)
    assert batch.entity_ids.shape == batch.entity_attention_mask.shape == (len(texts), entities)
    assert batch.entity_position_ids.shape == (len(texts), entities, most)
    for row, one in enumerate(encoded):
        for column in range(words):
            there = column < len(one.input_ids)
            assert batch.attention_mask[row, column] == there
            expected = one.input_ids[column] if there else tokenizer.words.pad_id
            assert batch.input_ids[row, column] == expected
        for column in range(entities):
            there = column < len(one.entity_ids)
            assert batch.entity_attention_mask[row, column] == there
            expected = one.entity_ids[column] if there else tokenizer.entities.pad_row
            assert batch.entity_ids[row, column] == expected
            start, end = one.spans[column] if there else (0, 0)
            positions = list(range(start, min(end, start + 30)))
            padded = positions + [-1] * (most - len(positions))
            assert batch.entity_position_ids[row, column].tolist() == padded


def test_a_mention_keeps_at_most_thirty_positions(tokenizer: EntityTokenizer) -> None:
    text = AnnotatedText("1 " * 40, "en", (Mention(4, 80),))
    batch = tokenizer(text)
    start, end = batch.texts[0].spans[0].tolist()
    assert end - start > 30
    assert batch.entity_position_ids.tolist() == [[list(range(start, start + 30))]]


def test_one_text_and_no_text_make_batches(tokenizer: EntityTokenizer) -> None:
    assert tokenizer(AnnotatedText("Tokyo", "en")).entity_ids.shape == (1, 0)
    assert tokenizer([]).input_ids.shape == (0, 0)
    empty = tokenizer(AnnotatedText("", "en")).texts[0]
    assert empty.input_ids.tolist() == [tokenizer.words.bos_id, tokenizer.words.eos_id]
    assert empty.offsets.tolist() == [[0, 0], [0, 0]]
