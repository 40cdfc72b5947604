"""All spans of a sentence become input, with what stands around it; none is lost or doubled."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exonym.foundation.errors import ConfigError
from exonym.tasks.ner.features import NerFeature, encode, missed
from exonym.tasks.ner.records import Gold, NerExample
from exonym.tasks.ner.settings import NerSettings
from exonym.tokenization import EntityTokenizer

LABELS = ("O", "LOC", "PER")
ALPHABET = "ab é東のก-.1 "


def example(text: str, *entities: tuple[str, str], document: str | None = None) -> NerExample:
    """A sentence of words between blanks; its entities are given by their surface."""
    words, place = [], 0
    for word in text.split(" "):
        words.append((place, place + len(word)))
        place += len(word) + 1
    gold = tuple(
        Gold(text.index(surface), text.index(surface) + len(surface), label)
        for surface, label in entities
    )
    return NerExample(text, "en", gold, tuple(words), document)


def own_pieces(tokenizer: EntityTokenizer, sentence: NerExample) -> list[int]:
    """Ids of a sentence alone, without its frame."""
    feature = encode([sentence], tokenizer, NerSettings(max_length=500))[0]
    return feature.input_ids.tolist()[1:-1]


def spans_by_hand(
    tokenizer: EntityTokenizer, sentence: NerExample, limit: int
) -> set[tuple[int, int]]:
    """Characters of all spans of words whose pieces, word by word, are not too many."""
    words = sentence.words or ()
    counts = [
        len(ids) for ids in tokenizer.words.encode_words([sentence.text[a:b] for a, b in words])
    ]
    return {
        (words[i][0], words[j][1])
        for i in range(len(words))
        for j in range(i, len(words))
        if sum(counts[i : j + 1]) <= limit and counts[i] and counts[j]
    }


def characters(features: list[NerFeature]) -> list[tuple[int, int]]:
    return [tuple(span) for feature in features for span in feature.characters.tolist()]


TEXT = "Tokyo is the capital of Japan and its largest city Berlin ist die Hauptstadt"


@pytest.mark.parametrize("limit", [1, 3, 16])
def test_all_spans_up_to_the_limit_are_there_once(tokenizer: EntityTokenizer, limit: int) -> None:
    sentence = example(TEXT)
    found = characters(encode([sentence], tokenizer, NerSettings(span_limit=limit)))
    assert len(found) == len(set(found))
    assert set(found) == spans_by_hand(tokenizer, sentence, limit)
    assert found == sorted(found)


def test_pieces_of_a_span_are_those_of_its_characters(tokenizer: EntityTokenizer) -> None:
    sentence = NerExample("東京都は日本の首都 Tokyo in Japan.", "ja")
    for feature in encode([sentence], tokenizer, NerSettings()):
        for (start, end), (first, last) in zip(feature.characters, feature.spans, strict=True):
            shown = tokenizer.words.decode(feature.input_ids[first:last].tolist())
            assert shown.replace(" ", "") == sentence.text[start:end].replace(" ", "")


def test_targets_are_the_rows_of_labels(tokenizer: EntityTokenizer) -> None:
    sentence = example(TEXT, ("Tokyo", "LOC"), ("Japan and", "PER"), ("city", "UNKNOWN"))
    (feature,) = encode([sentence], tokenizer, NerSettings(), labels=LABELS)
    assert feature.targets is not None
    entities = {
        (TEXT[start:end], int(target))
        for (start, end), target in zip(feature.characters, feature.targets, strict=True)
        if target
    }
    assert entities == {("Tokyo", 1), ("Japan and", 2)}


def test_gold_that_cannot_be_reached_is_counted_by_reason(tokenizer: EntityTokenizer) -> None:
    sentence = example(TEXT, ("oky", "LOC"), (TEXT, "LOC"), ("Japan", "LOC"), ("Japan", "PER"))
    assert missed([sentence], tokenizer, NerSettings(span_limit=6)) == {
        "begins or ends within a word": 1,
        "longer than 6 pieces": 1,
        "same span as another": 1,
    }
    by_character = NerSettings(units="text", span_limit=6)
    assert missed([sentence], tokenizer, by_character)["begins or ends within a word"] == 1


def test_spans_are_shared_out_evenly(tokenizer: EntityTokenizer) -> None:
    sentence = example(TEXT)
    (whole,) = encode([sentence], tokenizer, NerSettings(span_limit=4))
    parts = encode([sentence], tokenizer, NerSettings(span_limit=4, spans_at_once=7))
    assert characters(parts) == characters([whole])
    sizes = [len(part.spans) for part in parts]
    assert max(sizes) <= 7
    assert max(sizes) - min(sizes[:-1]) == 0
    assert all((part.input_ids == whole.input_ids).all() for part in parts)
    words = encode([sentence], tokenizer, NerSettings(spans_at_once=7), entities=False)
    assert len(words) == 1
    assert words[0].length == len(words[0].input_ids)
    assert whole.length == len(whole.input_ids) + len(whole.spans)


def test_context_comes_from_both_sides_of_the_same_document(tokenizer: EntityTokenizer) -> None:
    texts = ["Tokyo is the capital", "Berlin ist die Hauptstadt", "Paris est la capitale"]
    sentences = [example(text, document="d") for text in texts]
    pieces = [own_pieces(tokenizer, sentence) for sentence in sentences]
    everything = [piece for own in pieces for piece in own]
    features = encode(
        [*sentences, example("Nairobi ni mji", document="e")], tokenizer, NerSettings()
    )
    assert [feature.input_ids.tolist()[1:-1] for feature in features[:3]] == [everything] * 3
    assert features[3].input_ids.tolist()[1:-1] == own_pieces(tokenizer, example("Nairobi ni mji"))
    for number, feature in enumerate(features[:3]):
        assert feature.spans.min() == 1 + sum(map(len, pieces[:number]))
        assert feature.spans.max() == 1 + sum(map(len, pieces[: number + 1]))
    alone = encode(sentences, tokenizer, NerSettings(context=False))
    assert [feature.input_ids.tolist()[1:-1] for feature in alone] == pieces


@given(
    st.lists(st.integers(0, 12), min_size=1, max_size=6),
    st.integers(0, 5),
    st.integers(3, 40),
)
@settings(max_examples=70)
def test_context_is_half_and_half_and_fills_the_input(
    tokenizer: EntityTokenizer, lengths: list[int], which: int, room: int
) -> None:
    which %= len(lengths)
    sentences = [example(" ".join(["Tokyo"] * (length + 1)), document="d") for length in lengths]
    pieces = [own_pieces(tokenizer, sentence) for sentence in sentences]
    limit = min(16, room)
    chosen = NerSettings(max_length=room + 2, span_limit=limit)
    features = [f for f in encode(sentences, tokenizer, chosen) if f.example == which]
    left, right = sum(map(len, pieces[:which])), sum(map(len, pieces[which + 1 :]))
    own = len(pieces[which])
    if own > room:
        assert all(len(feature.input_ids) <= room + 2 for feature in features)
        return
    spare = room - own
    for feature in features:
        size = len(feature.input_ids) - 2
        assert size == min(room, left + own + right)
        before = int(feature.spans.min()) - 1 if len(feature.spans) else 0
        behind = size - own - before
        assert 0 <= before <= left
        assert 0 <= behind <= right
        # A side has less than its half only if it has no more, and more only if the other has less.
        assert before >= min(left, spare // 2)
        assert behind >= min(right, spare // 2)


@given(st.integers(5, 150), st.integers(3, 60), st.integers(1, 20))
@settings(max_examples=50)
def test_windows_over_a_long_sentence_have_every_span_once_and_whole(
    tokenizer: EntityTokenizer, words: int, room: int, limit: int
) -> None:
    text = " ".join(["Tokyo", "is", "Japan", "Berlin"][place % 4] for place in range(words))
    sentence = example(text)
    limit = min(limit, room)
    features = encode([sentence], tokenizer, NerSettings(max_length=room + 2, span_limit=limit))
    found = characters(features)
    assert len(found) == len(set(found))
    assert set(found) == spans_by_hand(tokenizer, sentence, limit)
    everything = own_pieces(tokenizer, sentence) if words < 100 else None
    for feature in features:
        ids = feature.input_ids
        assert len(ids) <= room + 2
        assert (feature.spans[:, 0] >= 1).all()
        assert (feature.spans[:, 1] <= len(ids) - 1).all()
        assert (feature.spans[:, 1] - feature.spans[:, 0] <= limit).all()
        for (start, end), (first, last) in zip(
            feature.characters[:5], feature.spans[:5], strict=True
        ):
            assert tokenizer.words.decode(ids[first:last].tolist()) == text[start:end]
    assert everything is None or len(everything) >= len(features[0].input_ids) - 2


@given(st.lists(st.text(ALPHABET, max_size=25), max_size=5), st.sampled_from(["faithful", "hf"]))
@settings(max_examples=80)
def test_any_text_has_features_with_offsets_into_it(
    tokenizer: EntityTokenizer, texts: list[str], boundary: str
) -> None:
    made = EntityTokenizer(tokenizer.words, tokenizer.entities, boundary=boundary)  # type: ignore[arg-type]
    features = encode([NerExample(text) for text in texts], made, NerSettings())
    for feature in features:
        text = texts[feature.example]
        assert (np.diff(feature.spans, axis=1) >= 1).all()
        for start, end in feature.characters.tolist():
            assert text[start:end].strip() == text[start:end] != ""
    assert {feature.example for feature in features} == {
        number for number, text in enumerate(texts) if text.strip()
    }


def test_words_without_a_piece_neither_begin_nor_end_a_span(tokenizer: EntityTokenizer) -> None:
    sentence = example("Tokyo \u200b Japan \u200b")
    found = set(characters(encode([sentence], tokenizer, NerSettings())))
    assert found == {(0, 5), (8, 13), (0, 13)}


def test_impossible_settings_are_refused() -> None:
    for changes, message in (
        ({"span_limit": 0}, "span_limit must be a whole number"),
        ({"max_length": 10}, "span_limit=16 is more than the 8 pieces"),
        ({"units": "lines"}, "units must be 'words' or 'text'"),
        ({"context": 1}, "context must be true or false"),
        ({"overlaps": "any"}, "overlaps must be 'flat' or 'nested'"),
        ({"span_feature": "words"}, "span_feature must be 'words\\+entity' or 'entity'"),
    ):
        with pytest.raises(ConfigError, match=message):
            NerSettings(**changes)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="unknown setting 'span'"):
        NerSettings.from_json({"span": 3})
    with pytest.raises(ConfigError, match="unknown setting 5"):
        NerSettings.from_json(5)
    chosen = NerSettings(span_limit=7, context=False, overlaps="nested")
    assert NerSettings.from_json(chosen.to_json()) == chosen
