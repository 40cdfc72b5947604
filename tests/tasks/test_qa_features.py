"""Windows over passages: every piece is where it should be, and every answer can be found back."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qa_models import example

from exonym.foundation.errors import ConfigError
from exonym.tasks.qa.features import Feature, batch_of, encode
from exonym.tasks.qa.records import GoldAnswer, QuestionExample
from exonym.tasks.qa.settings import QaSettings
from exonym.text import AnnotatedText, Mention
from exonym.tokenization import EntityTokenizer

SMALL = QaSettings(window=24, overlap=5, most_question=6, longest_answer=8)
TEXTS = (
    "Tokyo is the capital of Japan, and Berlin of Germany.  Nairobi is in Kenya.",
    "東京は日本の首都であり、ベルリンはドイツの首都である。",
    "กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย 12 ½ ﬁn",
    "القاهرة عاصمة مصر",
    "a\u200b b\u0301 c\u00a0d 𝔘𝔘 e",
)


def text_of(feature: Feature, tokenizer: EntityTokenizer) -> str:
    return tokenizer.words.decode(feature.input_ids.tolist())


def test_a_short_passage_is_one_input_as_the_tokenizer_makes_it(tokenizer: EntityTokenizer) -> None:
    asked = example("1", "What is Japan?", TEXTS[0], mentions={"Japan": "Q1", "Tokyo": "Q10"})
    (feature,) = encode([asked], tokenizer, QaSettings(window=300, most_question=64))
    (plain,) = tokenizer.encode([asked.question], [asked.context])
    assert feature.input_ids.tolist() == plain.input_ids.tolist()
    assert feature.entity_ids.tolist() == plain.entity_ids.tolist()
    assert feature.spans.tolist() == plain.spans.tolist()
    second = plain.text_index == 1
    assert feature.context == int(np.flatnonzero(second)[0])
    assert feature.offsets.tolist() == plain.offsets[second].tolist()
    assert feature.length == len(plain.input_ids) + 3
    assert feature.answer is None


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("overlap", [0, 3, 9])
def test_windows_cover_the_passage_and_share_what_they_are_told(
    text: str, overlap: int, tokenizer: EntityTokenizer
) -> None:
    asked = example("1", "Who?", text)
    (whole,) = tokenizer.encode([asked.context], max_length=1000)
    (question,) = tokenizer.encode([asked.question])
    sizes = QaSettings(window=20, overlap=overlap, most_question=6)
    features = encode([asked], tokenizer, sizes)
    room = 20 - 4 - (len(question.input_ids) - 2)
    start = 0
    for feature in features:
        part = whole.input_ids[1:-1][start : start + room]
        eos = tokenizer.words.eos_id
        expected = [*question.input_ids[:-1], eos, eos, *part, eos]
        assert feature.input_ids.tolist() == expected
        assert len(feature.input_ids) <= 20
        assert feature.offsets.tolist() == whole.offsets[1:-1][start : start + room].tolist()
        start += len(part) - overlap
    assert start + overlap == len(whole.input_ids) - 2


def test_a_long_question_loses_its_end_and_the_mentions_there(tokenizer: EntityTokenizer) -> None:
    asked = example(
        "1",
        "Japan or not Japan but Kenya after all?",
        "Japan.",
        mentions={"Japan": "Q1", "Kenya": "Q2"},
    )
    counts: Counter[str] = Counter()
    (feature,) = encode([asked], tokenizer, replace(SMALL, most_question=4), counts)
    (question,) = tokenizer.encode([asked.question])
    assert feature.input_ids[1:5].tolist() == question.input_ids[1:5].tolist()
    assert feature.context == 7
    known = tokenizer.entities.rows(["Q1"]).tolist()
    assert set(feature.entity_ids.tolist()) <= set(known)
    assert counts["questions cut"] == 1


def test_windows_have_the_mentions_inside_them_and_mentions_without_a_row_are_counted(
    tokenizer: EntityTokenizer,
) -> None:
    names = {"Japan": "Q1", "Kenya": "Q2", "Germany": "Q99", "Nairobi": "Q10"}
    asked = example("1", "Kenya?", TEXTS[0], mentions=names)
    counts: Counter[str] = Counter()
    features = encode([asked], tokenizer, SMALL, counts)
    assert len(features) > 2, "or else the test says little"
    seen = set()
    for feature in features:
        for row, (start, end) in zip(feature.entity_ids, feature.spans, strict=True):
            assert 0 < start < end <= len(feature.input_ids) - 1
            surface = tokenizer.words.decode(feature.input_ids[start:end].tolist())
            seen.add((surface, int(row), start < feature.context))
    rows = {name: int(tokenizer.entities.rows([key])[0]) for name, key in names.items()}
    assert seen == {
        ("Kenya", rows["Kenya"], True),
        *((name, rows[name], False) for name in ("Japan", "Kenya", "Nairobi")),
    }
    assert (counts["mentions"], counts["mentions without a row"]) == (4, 1)
    (first, *_) = encode([asked], tokenizer, replace(SMALL, most_entities=1))
    assert first.entity_ids.tolist() == [rows["Kenya"]], "those of the question come first"


def test_words_alone_have_no_entities_nor_their_borders(tokenizer: EntityTokenizer) -> None:
    asked = example("1", "Tokyo?", "東京都庁 Tokyoite", mentions={"Tokyo": "Q1", "東京": "Q2"})
    bare = example("1", "Tokyo?", "東京都庁 Tokyoite")
    words = replace(SMALL, variant="words")
    (feature,), (plain,) = encode([asked], tokenizer, words), encode([bare], tokenizer, SMALL)
    assert feature.input_ids.tolist() == plain.input_ids.tolist()
    assert feature.entity_ids.tolist() == []
    assert "entity_ids" not in batch_of([feature], tokenizer)


@given(
    text=st.text(
        alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
        min_size=1,
        max_size=40,
    )
    | st.lists(st.sampled_from(" ".join(TEXTS)), min_size=1, max_size=60).map("".join),
    data=st.data(),
)
@settings(max_examples=40)
def test_answers_of_any_text_lie_at_pieces_that_cover_them(
    text: str, data: st.DataObject, tokenizer: EntityTokenizer
) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    mention = (
        (Mention(start, end),) if text[start:end].strip() and text[start:end].isalnum() else ()
    )
    asked = QuestionExample(
        "1",
        AnnotatedText("Who?", "en"),
        AnnotatedText(text, "en", mention),
        (GoldAnswer(text[start:end], start),),
    )
    sizes = QaSettings(window=400, overlap=4, most_question=9)
    (feature,) = encode([asked], tokenizer, sizes)
    covered = feature.offsets[:, 1] > feature.offsets[:, 0]
    touching = covered & (feature.offsets[:, 0] < end) & (feature.offsets[:, 1] > start)
    if feature.answer is None:
        assert not touching.any(), "only an answer of which no piece is made has no place"
        return
    first, last = (place - feature.context for place in feature.answer)
    assert np.flatnonzero(touching)[[0, -1]].tolist() == [first, last]
    inside = feature.offsets[first : last + 1]
    # Each window that has the whole answer has it at the same pieces.
    for window in encode([asked], tokenizer, SMALL):
        if window.answer is not None:
            a, b = (place - window.context for place in window.answer)
            assert window.offsets[[a, b]].tolist() == inside[[0, -1]].tolist()


def test_an_answer_is_trained_on_where_it_is_whole_and_else_counted(
    tokenizer: EntityTokenizer,
) -> None:
    counts: Counter[str] = Counter()
    features = encode([example("1", "Who?", TEXTS[0], "Nairobi")], tokenizer, SMALL, counts)
    whole = [feature for feature in features if feature.answer is not None]
    assert 0 < len(whole) < len(features)
    assert not counts["answers in no window"]
    for feature in whole:
        assert feature.answer is not None
        first, last = feature.answer
        assert tokenizer.words.decode(feature.input_ids[first : last + 1].tolist()) == "Nairobi"
    long = encode([example("1", "Who?", TEXTS[0], TEXTS[0])], tokenizer, SMALL, counts)
    assert all(feature.answer is None for feature in long)
    assert counts["answers in no window"] == 1


def test_a_passage_without_a_piece_is_one_empty_window(tokenizer: EntityTokenizer) -> None:
    asked = QuestionExample("1", AnnotatedText("Who?", "en"), AnnotatedText(" ", "en"))
    (feature,) = encode([asked], tokenizer, SMALL)
    assert feature.offsets.shape == (0, 2)
    assert feature.input_ids[-3:].tolist() == [tokenizer.words.eos_id] * 3


def test_a_batch_is_its_windows_side_by_side(tokenizer: EntityTokenizer) -> None:
    asked = [
        example("1", "Where is Kenya?", TEXTS[0], mentions={"Japan": "Q1", "Kenya": "Q2"}),
        example("2", "Who?", "Nairobi."),
    ]
    features = encode(asked, tokenizer, SMALL)
    assert [feature.example for feature in features][-1] == 1
    batch = batch_of(features, tokenizer)
    for row, feature in enumerate(features):
        words, entities = batch.attention_mask[row], batch.entity_attention_mask[row]
        assert batch.input_ids[row][words].tolist() == feature.input_ids.tolist()
        assert batch.entity_ids[row][entities].tolist() == feature.entity_ids.tolist()
        for positions, (start, end) in zip(
            batch.entity_position_ids[row][entities], feature.spans.tolist(), strict=True
        ):
            assert [p for p in positions.tolist() if p >= 0] == list(range(start, end))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"window": 0}, "window must be a whole number of at least 1, got 0"),
        ({"overlap": -1}, "overlap must be a whole number of at least 0, got -1"),
        ({"most_question": True}, "most_question must be a whole number of at least 1, got True"),
        ({"window": 196}, "leaves 128 for the passage, which must be more than the overlap of 128"),
        ({"variant": "both"}, "variant must be 'entities' or 'words', got 'both'"),
        ({"boundary": "soft"}, "boundary must be 'faithful' or 'hf', got 'soft'"),
    ],
)
def test_impossible_settings_say_what_is_wrong(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        QaSettings(**changes)  # type: ignore[arg-type]


def test_settings_fit_the_model_and_come_back_from_json() -> None:
    assert QaSettings.within(512) == QaSettings()
    small = QaSettings.within(58)
    assert (small.window, small.most_question, small.overlap) == (58, 19, 19)
    assert QaSettings.from_json(SMALL.to_json()) == SMALL
    with pytest.raises(ConfigError, match="leaves"):
        QaSettings.within(5)
    with pytest.raises(ConfigError, match="exonym_qa has the unknown setting 'stride'"):
        QaSettings.from_json({"stride": 1})
    with pytest.raises(ConfigError, match="exonym_qa has the unknown setting 7"):
        QaSettings.from_json(7)
