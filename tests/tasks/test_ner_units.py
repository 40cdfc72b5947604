"""Raw text is split where names may begin and end, in every script."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exonym.tasks.ner.joining import running_text
from exonym.tasks.ner.units import split_units
from exonym.tokenization import EntityTokenizer

SPLIT = {
    "Berlin-based O'Brien": "Berlin|-|based|O|'|Brien",
    "l’Allemagne, 1,234.5 km.": "l|’|Allemagne|,|1,234.5|km|.",
    "B12 vs. 3rd": "B12|vs|.|3rd",
    "東京都は": "東|京|都|は",
    "ソニーの大阪": "ソニー|の|大|阪",
    "서울은 수도": "서울은|수도",
    "दिल्ली की": "दिल्ली|की",
    "cafe\u0301 x": "cafe\u0301|x",
    "وأكبر، مدنها": "وأكبر|،|مدنها",
    "iPhone在中国": "iPhone|在|中|国",
    "": "",
    " \u3000 ": "",
}


@pytest.mark.parametrize(("text", "units"), SPLIT.items())
def test_units(tokenizer: EntityTokenizer, text: str, units: str) -> None:
    found = split_units([text], tokenizer.words, pieces=False)[0]
    assert "|".join(text[start:end] for start, end in found) == units


def test_thai_is_cut_where_the_tokenizer_cuts_and_never_before_a_mark(
    tokenizer: EntityTokenizer,
) -> None:
    text = "กรุงเทพมหานครเป็นเมืองหลวง x"
    found = split_units([text], tokenizer.words, pieces=False)[0]
    assert len(found) > 3
    assert "".join(text[start:end] for start, end in found) == text.replace(" ", "")
    assert all(unicodedata.category(text[start])[0] != "M" for start, _ in found)


def test_ideographs_can_be_cut_as_pieces(tokenizer: EntityTokenizer) -> None:
    text = "東京都は日本の首都である"
    pieces = split_units([text], tokenizer.words, pieces=True)[0]
    assert len(pieces) < len(text)
    assert "".join(text[start:end] for start, end in pieces) == text


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), max_size=4))
def test_units_cover_all_but_blanks_in_order(tokenizer: EntityTokenizer, texts: list[str]) -> None:
    for pieces in (False, True):
        for text, units in zip(
            texts, split_units(texts, tokenizer.words, pieces=pieces), strict=True
        ):
            place = 0
            for start, end in units:
                assert place <= start < end
                assert not text[place:start].strip()
                assert not any(character.isspace() for character in text[start:end])
                place = end
            assert not text[place:].strip()


@given(st.lists(st.text("aB7é東のก,'", min_size=1, max_size=4), min_size=1, max_size=6))
def test_joined_words_are_found_again_at_their_characters(words: list[str]) -> None:
    for language in ("en", "ja", "th"):
        text, spans = running_text(words, language)
        assert [text[start:end] for start, end in spans] == words
        assert running_text(words, language, text) == (text, spans)
    assert running_text(words, "en", "  ".join(words))[0] == "  ".join(words)
    assert running_text(words, "en", "x" + " ".join(words))[0] == " ".join(words)
