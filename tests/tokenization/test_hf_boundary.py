"""``boundary="hf"``: a slow twin, LUKE's tasks, pairs, and tokens that a text has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fake_vocabulary import FakeVocabulary
from hf_twin import encode, ids_and_spans, with_markers
from hypothesis import given, settings
from hypothesis import strategies as st
from sentencepiece import SentencePieceProcessor
from test_entity_tokenizer import annotated, plain_texts

from exonym.foundation.errors import ConfigError, InputError
from exonym.text import AnnotatedText, Mention
from exonym.tokenization import EntityTokenizer, WordTokenizer


@pytest.fixture(scope="module")
def model(tiny_tokenizer_directory: Path) -> SentencePieceProcessor:
    return SentencePieceProcessor(
        model_file=str(tiny_tokenizer_directory / "sentencepiece.bpe.model")
    )


def make(words: WordTokenizer, **options: object) -> EntityTokenizer:
    return EntityTokenizer(words, FakeVocabulary(), **{"boundary": "hf", **options})  # type: ignore


def spans_of(text: AnnotatedText) -> list[tuple[int, int]]:
    return [(mention.start, mention.end) for mention in text.mentions]


@settings(max_examples=400)
@given(text=annotated())
def test_every_stretch_between_borders_is_encoded_as_if_it_stood_alone(
    text: AnnotatedText, words: WordTokenizer, model: SentencePieceProcessor
) -> None:
    (encoded,) = make(words).encode([text])
    ids, spans = ids_and_spans(model, text.text, spans_of(text))
    assert encoded.input_ids.tolist() == [0, *ids, 2]
    assert [tuple(span) for span in encoded.spans.tolist()] == [(a + 1, b + 1) for a, b in spans]


@settings(max_examples=200)
@given(text=annotated())
def test_offsets_are_in_order_and_cover_no_blank_at_their_ends(
    text: AnnotatedText, words: WordTokenizer
) -> None:
    (encoded,) = make(words).encode([text])
    offsets = encoded.offsets[1:-1]
    assert (np.diff(offsets, axis=0) >= 0).all()
    for start, end in offsets:
        assert 0 <= start <= end <= len(text.text)
        assert start == end or not {text.text[start], text.text[end - 1]} & words.blanks


@settings(max_examples=150)
@given(first=annotated(), second=annotated())
def test_a_pair_has_two_ends_between_and_mentions_of_both(
    first: AnnotatedText, second: AnnotatedText, words: WordTokenizer, model: SentencePieceProcessor
) -> None:
    (encoded,) = make(words).encode([first], [second])
    ids, spans = ids_and_spans(model, first.text, spans_of(first))
    more, others = ids_and_spans(model, second.text, spans_of(second))
    assert encoded.input_ids.tolist() == [0, *ids, 2, 2, *more, 2]
    shift = len(ids) + 3
    expected = [(a + 1, b + 1) for a, b in spans] + [(a + shift, b + shift) for a, b in others]
    assert [tuple(span) for span in encoded.spans.tolist()] == expected
    assert encoded.mention_text.tolist() == [0] * len(spans) + [1] * len(others)
    assert encoded.text_index.tolist() == [-1, *[0] * len(ids), -1, -1, *[1] * len(more), -1]
    for piece, (start, end) in enumerate(encoded.offsets.tolist()):
        side = int(encoded.text_index[piece])
        assert side < 0 or 0 <= start <= end <= len((first, second)[side].text)


@settings(max_examples=200)
@given(
    text=plain_texts.filter(lambda text: len(text) > 5),
    borders=st.lists(st.integers(0, 1000), min_size=4, max_size=4, unique=True),
    swapped=st.booleans(),
)
def test_two_entities_get_their_markers_and_masks(
    text: str,
    borders: list[int],
    swapped: bool,
    words: WordTokenizer,
    model: SentencePieceProcessor,
) -> None:
    places = sorted(border % (len(text) + 1) for border in borders)
    if len(set(places)) < 4:
        return
    spans = [(places[0], places[1]), (places[2], places[3])][:: -1 if swapped else 1]
    mentions = tuple(Mention(start, end, "Q64") for start, end in spans)
    task = "entity_pair_classification"
    (encoded,) = make(words, task=task).encode([AnnotatedText(text, "xx", mentions)])
    ids, found = ids_and_spans(model, text, spans)
    if found[0][0] == found[1][0]:
        return  # an empty mention beside the other: the order of markers is the oracle's business
    ids, found = with_markers(ids, found, words.added.markers)
    assert encoded.input_ids.tolist() == [0, *ids, 2]
    assert encoded.entity_ids.tolist() == [FakeVocabulary.mask_row, FakeVocabulary.mask2_row]
    assert [tuple(span) for span in encoded.spans.tolist()] == [(a + 1, b + 1) for a, b in found]


def test_one_entity_gets_markers_that_its_span_takes_in(words: WordTokenizer) -> None:
    for boundary in ("hf", "faithful"):
        tokenizer = make(words, task="entity_classification", boundary=boundary)
        text = AnnotatedText("in Tokyo now", "en", (Mention(3, 8, "Q1490"),))
        (encoded,) = tokenizer.encode([text])
        (start, end) = encoded.spans[0]
        inside = encoded.input_ids[start:end]
        assert inside[0] == inside[-1] == words.added.markers[0]
        assert words.decode(inside[1:-1].tolist()) == "Tokyo"
        assert encoded.entity_ids.tolist() == [FakeVocabulary.mask_row]
        assert encoded.offsets[start].tolist() == [3, 3]
        assert encoded.offsets[end - 1].tolist() == [8, 8]
        assert encoded.text_index[[start, end - 1]].tolist() == [-1, -1]


def test_span_classification_gives_first_and_last_pieces(words: WordTokenizer) -> None:
    tokenizer = make(words, task="entity_span_classification")
    one = AnnotatedText("in Tokyo now", "en", (Mention(3, 8), Mention(0, 12)))
    two = AnnotatedText("Tokyo", "en", (Mention(0, 5, "Q64"),))
    batch = tokenizer([one, two])
    assert batch.entity_start_positions is not None
    assert batch.entity_end_positions is not None
    spans = [text.spans for text in batch.texts]
    assert batch.entity_start_positions.tolist() == [spans[0][:, 0].tolist(), [spans[1][0, 0], 0]]
    ends = [(spans[0][:, 1] - 1).tolist(), [spans[1][0, 1] - 1, 0]]
    assert batch.entity_end_positions.tolist() == ends
    mask, pad = FakeVocabulary.mask_row, FakeVocabulary.pad_row
    assert batch.entity_ids.tolist() == [[mask, mask], [mask, pad]]
    assert batch.entity_position_ids.shape == (2, 2, 30)
    assert set(batch.to("cpu")) == {
        "input_ids", "attention_mask", "entity_ids", "entity_attention_mask",
        "entity_position_ids", "entity_start_positions", "entity_end_positions",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a <mask> b", ["▁a", "<mask>", "▁b"]),
        ("a  <mask>b", ["▁a", "<mask>", "▁b"]),
        ("<ent>a<ent2>", ["<ent>", "▁a", "<ent2>"]),
        ("a </s>", ["▁a", "</s>"]),
    ],
)
def test_typed_tokens_count_as_in_transformers(
    text: str, expected: list[str], words: WordTokenizer, model: SentencePieceProcessor
) -> None:
    (encoded,) = make(words).encode([AnnotatedText(text, "en")])
    ids: list[int] = []
    for part in expected:
        known = words.added.ids.get(part)
        ids += [known] if known is not None else encode(model, part.removeprefix("▁"))
    assert encoded.input_ids.tolist() == [0, *ids, 2]
    (faithful,) = make(words, boundary="faithful").encode([AnnotatedText(text, "en")])
    assert words.mask_id not in faithful.input_ids.tolist()
    (asked,) = make(words, boundary="faithful", added_tokens=True).encode(
        [AnnotatedText(text, "en")]
    )
    assert (words.mask_id in asked.input_ids.tolist()) == ("<mask>" in text)


def test_a_typed_mask_has_its_own_characters(words: WordTokenizer) -> None:
    text = AnnotatedText("東京 は<mask>  だ", "ja", (Mention(4, 10), Mention(3, 4)))
    for boundary in ("hf", "faithful"):
        (encoded,) = make(words, boundary=boundary, added_tokens=True).encode([text])
        place = encoded.input_ids.tolist().index(words.mask_id)
        assert encoded.offsets[place].tolist() == [4, 10]
        assert encoded.spans[0].tolist() == [place, place + 1]


@pytest.mark.parametrize(
    ("task", "mentions", "message"),
    [
        ("entity_classification", 2, "entity_classification needs 1 mention, found 2"),
        ("entity_pair_classification", 1, "needs 2 mentions, found 1"),
        ("entity_span_classification", 0, "needs at least one mention, found none"),
    ],
)
def test_mentions_that_do_not_suit_the_task_are_an_error(
    task: str, mentions: int, message: str, words: WordTokenizer
) -> None:
    spans = tuple(Mention(place, place + 1) for place in range(mentions))
    with pytest.raises(InputError, match=message):
        make(words, task=task)(AnnotatedText("Tokyo", "en", spans))


def test_wrong_options_are_config_errors(words: WordTokenizer) -> None:
    for options, message in (
        ({"boundary": "open"}, "boundary must be 'faithful' or 'hf', got 'open'"),
        ({"task": "ner"}, "no task 'ner', only entity_classification"),
    ):
        with pytest.raises(ConfigError, match=message):
            make(words, **options)
    tokenizer = make(words)
    with pytest.raises(ConfigError, match="overflow must be one of error, cut, window, got 'no'"):
        tokenizer("a", overflow="no")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="overlap must not be negative, got -1"):
        tokenizer("a", overlap=-1)
    with pytest.raises(InputError, match="2 texts, but 1 to pair them with"):
        tokenizer(["a", "b"], ["c"])
    with pytest.raises(InputError, match="entity_classification takes one text, not a pair"):
        make(words, task="entity_classification")("a", "b")
    with pytest.raises(InputError, match="<s> and three </s>, got 3"):
        tokenizer("a", "b", max_length=3)


def test_half_of_a_surrogate_pair_is_an_input_error(words: WordTokenizer) -> None:
    with pytest.raises(InputError, match=r"half of a surrogate pair, .*: .abc.ud800"):
        make(words)("abc\ud800")
