"""Sentences: lossless, in every language, never inside a mention."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exonym.text import MLUKE_LANGUAGES, AnnotatedText, Mention
from exonym.text.sentences import THAI_SENTENCE, sentence_spans, split_sentences


def sentences(text: str, language: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text, language)]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ["He met Dr. Smith in the U.S. in 1900.", "It was cold!", "Was it?"]),
        ("de", ["Er wurde am 3. Mai 1900 in St. Gallen geboren.", "Ende."]),
        ("ja", ["東京は首都です。", "人口は多い！", "本当？"]),
        ("zh", ["北京是首都。", "人口很多！"]),
        ("hi", ["दिल्ली राजधानी है।", "मुंबई शहर है।"]),
        ("bn", ["ঢাকা রাজধানী।", "এটি বড়।"]),
        ("ar", ["هذه جملة.", "وهذه أخرى؟", "نعم!"]),
        ("ur", ["یہ ایک جملہ ہے۔", "یہ دوسرا ہے۔"]),
        ("te", ["ఇది ఒక వాక్యం.", "ఇది మరొకటి."]),
        ("sw", ["Hii ni sentensi.", "Hii ni nyingine."]),
        ("ko", ["서울은 수도이다.", "부산은 도시이다."]),
        ("ltg", ["Rēzne irā mīsts.", "Tys ir lels."]),
        ("no-such-language", ["One sentence.", "Another one."]),
    ],
)
def test_sentences_end_where_a_reader_ends_them(language: str, expected: list[str]) -> None:
    joint = "" if language in ("ja", "zh") else " "
    assert sentences(joint.join(expected), language) == expected


def test_thai_is_cut_at_blanks_into_pieces_of_some_length() -> None:
    clause = "กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย"
    text = " ".join([clause] * 12)
    found = sentences(text, "th")
    assert " ".join(found) == text
    assert len(found) == 3
    assert all(THAI_SENTENCE <= len(sentence) < 2 * THAI_SENTENCE for sentence in found)
    assert sentences(f"{clause} {clause}", "th") == [f"{clause} {clause}"]


def test_thai_is_cut_between_words_rather_than_beside_a_figure() -> None:
    long = "กรุงเทพมหานครเป็นเมืองหลวง" * 5
    second = "กรุงเทพมหานคร"
    assert len(long) >= THAI_SENTENCE
    cut = sentences(f"{long}ใน พ.ศ. 2562 และต่าง ๆ {second}", "th")
    assert cut == [f"{long}ใน", "พ.ศ. 2562 และต่าง ๆ กรุงเทพมหานคร"]
    cut = sentences(f"{long} 2562 ๆ {second}", "th")
    assert cut == [f"{long} 2562 ๆ", second]
    figures = "2562 " * (THAI_SENTENCE // 2)
    assert all(len(part) < 2 * THAI_SENTENCE + 5 for part in sentences(figures, "th"))


TEXTS = st.lists(
    st.sampled_from(
        [". ", "! ", "?", "。", "।", "؟", "۔", "Mr. ", "J. ", "3. ", "\u00a0", "\u2028"]
    )
    | st.text(max_size=8),
    max_size=30,
).map("".join)


@pytest.mark.parametrize("language", [*MLUKE_LANGUAGES, "ltg", "xx"])
@settings(max_examples=60)
@given(text=TEXTS)
def test_nothing_but_blanks_is_lost(language: str, text: str) -> None:
    position = 0
    for start, end in sentence_spans(text, language):
        assert not text[position:start].strip()
        assert text[start:end] == text[start:end].strip() != ""
        position = end
    assert not text[position:].strip()


def test_a_mention_is_never_cut() -> None:
    text = "We saw Yahoo! Japan today. It was fine. Then we left."
    mention = Mention(text.index("Yahoo"), text.index(" today"), "en:Yahoo! Japan")
    last = Mention(text.index("we left"), text.index("we left") + 2)
    found = split_sentences(AnnotatedText(text, "en", (mention, last), "en:X"))
    assert [sentence.text for sentence in found] == [
        "We saw Yahoo! Japan today.", "It was fine.", "Then we left."
    ]  # fmt: skip
    assert found[0].surface(found[0].mentions[0]) == "Yahoo! Japan"
    assert found[2].surface(found[2].mentions[0]) == "we"
    assert {sentence.source for sentence in found} == {"en:X"}


def drawn_text(text: str, language: str, data: st.DataObject) -> AnnotatedText:
    """The text with mentions anywhere, in any order."""
    places = st.integers(0, len(text))
    spans = [sorted(span) for span in data.draw(st.lists(st.tuples(places, places), max_size=6))]
    mentions = [Mention(start, end, "Q1") for start, end in spans if start < end]
    return AnnotatedText(text, language, tuple(mentions))


@pytest.mark.parametrize("language", [*MLUKE_LANGUAGES, "ltg"])
@settings(max_examples=40)
@given(text=TEXTS, data=st.data())
def test_every_mention_is_kept_with_its_words(
    language: str, text: str, data: st.DataObject
) -> None:
    annotated = drawn_text(text, language, data)
    kept = sorted(s.surface(m).strip() for s in split_sentences(annotated) for m in s.mentions)
    given = (annotated.surface(mention).strip() for mention in annotated.mentions)
    assert [surface for surface in kept if surface] == sorted(filter(None, given))


def test_a_mention_loses_the_blanks_at_the_edge_of_its_sentence() -> None:
    text = "We left.  Paris was far. "
    blank, paris, last = Mention(8, 10, "Q1"), Mention(9, 15, "Q90"), Mention(20, 25, "Q2")
    found = split_sentences(AnnotatedText(text, "en", (blank, last, paris)))
    assert [s.text for s in found] == ["We left.", "Paris was far."]
    assert found[0].mentions == ()
    assert [found[1].surface(mention) for mention in found[1].mentions] == ["far.", "Paris"]


def test_a_text_of_one_sentence_is_handed_on_unchanged() -> None:
    text = AnnotatedText("One sentence.", "en")
    assert split_sentences(text) == [text]
    assert split_sentences(AnnotatedText(" \n", "en")) == []
