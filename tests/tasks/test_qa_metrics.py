"""Exact match and F1 equal those of the official scripts, written anew from their definitions.

The twins below follow the scripts' own steps, a character at a time and without this package's
helpers: SQuAD 1.1's `evaluate-v1.1.py` and MLQA's `mlqa_evaluation_v1.py`.
"""

from __future__ import annotations

import string
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exonym.foundation.errors import ConfigError, InputError
from exonym.tasks.qa.metrics import (
    MLQA_LANGUAGES,
    Rule,
    exact_match,
    f1,
    joined,
    normalise,
    score,
)
from exonym.tasks.qa.records import GoldAnswer, QuestionExample
from exonym.text import AnnotatedText

DROPPED = {  # whole words that a language's rule drops
    "en": "a an the",
    "es": "un una unos unas el la los las",
    "vi": "của là cái chiếc những",
    "de": "ein eine einen einem eines einer der die das den dem des",
}


def is_word_character(character: str) -> bool:
    return character.isalnum() or character == "_"


def twin_without_words(text: str, words: list[str]) -> str:
    """Every maximal run of word characters that is one of the words becomes a blank."""
    out, run = "", ""
    for character in [*text, ""]:
        if character and is_word_character(character):
            run += character
            continue
        out, run = out + (" " if run in words else run) + character, ""
    return out


def twin_words(text: str, rule: str, language: str) -> list[str]:
    """The words of an answer after normalisation."""
    kept = ""
    for character in text.lower():
        ascii_punctuation = character in string.punctuation
        if rule == "squad" and ascii_punctuation:
            continue
        if rule == "mlqa" and (ascii_punctuation or unicodedata.category(character)[0] == "P"):
            continue
        kept += character
    if rule == "squad":
        return twin_without_words(kept, DROPPED["en"].split()).split()
    if language == "ar":
        parts, place = "", 0
        while place < len(kept):
            if kept[place : place + 2] == "\u0627\u0644":
                parts, place = parts + " ", place + 2
            else:
                parts, place = parts + kept[place], place + 1
        return parts.split()
    if language in DROPPED:
        kept = twin_without_words(kept, DROPPED[language].split())
    if language != "zh":
        return kept.split()
    segments, held = [], ""
    for character in kept:
        if 0x4E00 <= ord(character) <= 0x9FA5:
            segments += [*held.split(), character]
            held = ""
        else:
            held += character
    return segments + held.split()


def twin_scores(predicted: str, gold: str, rule: str, language: str) -> tuple[float, float]:
    mine, theirs = twin_words(predicted, rule, language), twin_words(gold, rule, language)
    left, common = list(theirs), 0
    for word in mine:
        if word in left:
            left.remove(word)
            common += 1
    share = 0.0 if not common else 2 * common / (len(mine) + len(theirs))
    return float(" ".join(mine) == " ".join(theirs)), share


WORDS = """
    a an the The THE theory Anna a_the el La los único una der Die das Dasein eine Öl ß ẞ
    của là cái những Hà Nội ال القاهرة الا مصر بال दिल्ली का है ।
    東京 北京 市 的 龥 龦 㐀 中a文 ２０ กรุงเทพ ありがとう 서울 İstanbul ς Σ
    , . ! ' ’ „ “ ¿ ¡ 、 。 ، ؟ - – — ½ _ $ + € ° ·
"""
FRAGMENTS = [*WORDS.split(), " ", "\u00a0", "\u3000", "\t", "\n", "\u200b", "\u0301"]
TEXTS = st.one_of(
    st.lists(st.sampled_from(FRAGMENTS), max_size=8).map("".join),
    st.lists(st.sampled_from(FRAGMENTS), max_size=8).map(" ".join),
    st.text(max_size=12),
)
RULES = [("squad", "en"), ("squad", "zh"), *(("mlqa", language) for language in MLQA_LANGUAGES)]


@pytest.mark.parametrize(("rule", "language"), RULES)
@settings(max_examples=60)
@given(predicted=TEXTS, gold=TEXTS)
def test_scores_equal_the_official_scripts_on_any_text(
    rule: Rule, language: str, predicted: str, gold: str
) -> None:
    assert normalise(predicted, rule, language).split() == twin_words(predicted, rule, language)
    match, share = twin_scores(predicted, gold, rule, language)
    assert exact_match(predicted, gold, rule, language) == match
    assert f1(predicted, gold, rule, language) == pytest.approx(share, abs=1e-12)


@pytest.mark.parametrize(
    ("rule", "language", "text", "normal"),
    [
        ("squad", "en", "The  Apple, an a-b!", "apple ab"),
        ("squad", "en", "„Der“ Tag", "„der“ tag"),
        ("squad", "zh", "北京 市。", "北京 市。"),
        ("mlqa", "en", "The “Apple”", "apple"),
        ("mlqa", "de", "Der „Tag“ die Nacht", "tag nacht"),
        ("mlqa", "es", "¿El único?", "único"),
        ("mlqa", "vi", "Thủ đô của Việt Nam", "thủ đô việt nam"),
        ("mlqa", "ar", "القاهرة، مصر", "قاهرة مصر"),
        ("mlqa", "hi", "नई दिल्ली।", "नई दिल्ली"),
        ("mlqa", "zh", "136 次，NFL職業", "136 次 nfl 職 業"),
        ("mlqa", "ja", "東京タワー2", "東 京 タ ワ ー 2"),
        ("mlqa", "th", "กท์ 10", "ก ท์ 10"),
        ("mlqa", "fi", "the Talo.", "the talo"),
    ],
)
def test_normalisation_by_hand(rule: Rule, language: str, text: str, normal: str) -> None:
    assert normalise(text, rule, language) == normal


def test_an_unknown_rule_is_an_error() -> None:
    with pytest.raises(ConfigError, match="rule must be 'squad' or 'mlqa', got 'xquad'"):
        normalise("a", "xquad")  # type: ignore[arg-type]


def test_two_answers_of_which_nothing_is_left_match_but_have_no_f1() -> None:
    assert (exact_match("The", "!"), f1("The", "!")) == (1.0, 0.0)


def example(
    number: str, *answers: str, language: str = "en", asked: str | None = None
) -> QuestionExample:
    context = AnnotatedText(" ".join(answers), language)
    gold = tuple(GoldAnswer(text, context.text.index(text)) for text in answers)
    return QuestionExample(number, AnnotatedText("?", asked or language), context, gold)


def test_the_best_of_several_right_answers_counts_and_unanswered_is_wrong() -> None:
    examples = [example("1", "New York", "the city"), example("2", "Paris"), example("3", "Rome")]
    scores = score(examples, {"1": "a city", "2": "London", "9": "Rome"})
    assert [(q.exact_match, q.f1, q.predicted) for q in scores.questions] == [
        (1.0, 1.0, "a city"),
        (0.0, 0.0, "London"),
        (0.0, 0.0, None),
    ]
    assert (scores.exact_match, scores.f1) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    assert scores.official() == {
        "exact_match": pytest.approx(100 / 3),
        "f1": pytest.approx(100 / 3),
    }
    assert (scores.unanswered, scores.unknown) == (1, 1)


def test_the_passages_language_decides_the_articles() -> None:
    asked_in_german = example("1", "die casa", language="es", asked="de")
    assert score([asked_in_german], {"1": "casa"}, "mlqa").exact_match == 0
    asked_in_spanish = example("1", "die Casa", language="de", asked="es")
    assert score([asked_in_spanish], {"1": "casa"}, "mlqa").exact_match == 1


def test_files_of_several_languages_share_ids_and_are_joined_to_one_table() -> None:
    parts = [
        score([example("1", "Tokyo", language=language, asked="en")], {"1": answer})
        for language, answer in (("ja", "Tokyo"), ("de", "Kyoto"), ("ja", "Osaka"))
    ]
    scores = joined(parts)
    german, japanese, mean = scores.rows()
    assert german == {
        "question_language": "en",
        "context_language": "de",
        "exact_match": 0.0,
        "f1": 0.0,
        "questions": 1,
        "unanswered": 0,
    }
    assert (japanese["context_language"], japanese["f1"], japanese["questions"]) == ("ja", 0.5, 2)
    assert (mean["question_language"], mean["f1"], mean["questions"]) == ("mean", 0.25, 3)
    assert len(parts[0].rows()) == 1
    assert scores.clustered("exact_match") == [("ja", "1", 1.0), ("de", "1", 0.0), ("ja", "1", 0.0)]


def test_what_cannot_be_scored_is_said() -> None:
    with pytest.raises(InputError, match=r"two questions have the id '1'.*one by one"):
        score([example("1", "a b"), example("1", "c")], {})
    with pytest.raises(InputError, match="the question '1' has no right answer"):
        score([example("1")], {"1": "x"})
    with pytest.raises(InputError, match="no question to score"):
        score([], {})
    one, two = score([example("1", "x")], {}), score([example("1", "x")], {}, "mlqa")
    with pytest.raises(InputError, match=r"must follow one rule, got \['squad', 'mlqa'\]"):
        joined([one, two])
    with pytest.raises(InputError, match="must follow one rule"):
        joined([])
