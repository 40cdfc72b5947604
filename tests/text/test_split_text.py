"""Texts that come as words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exonym.foundation.errors import InputError
from exonym.text import Mention, SplitText

word_lists = st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=6).map(tuple)


@given(words=word_lists, language=st.sampled_from(["en", "zh", "xx"]), data=st.data())
def test_joined_words_lie_where_the_spans_say(
    words: tuple[str, ...], language: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(words) - 1))
    end = data.draw(st.integers(start + 1, len(words)))
    split = SplitText(words, language, (Mention(start, end, "Q1"),))
    text = split.joined()
    separator = "" if language == "zh" else " "
    assert text.text == separator.join(words)
    assert [text.text[a:b] for a, b in split.spans()] == list(words)
    assert text.surface(text.mentions[0]) == separator.join(words[start:end])
    assert text.mentions[0].entity == "Q1"


def test_the_separator_can_be_chosen() -> None:
    assert SplitText(("a", "b"), "en", separator="").joined().text == "ab"


@pytest.mark.parametrize(
    ("words", "mentions", "message"),
    [
        ("a text", (), "a SplitText takes words, got the text 'a text'"),
        (("a", ""), (), "s: word 1 is empty"),
        (("a",), (Mention(0, 2),), r"s: mention \[0, 2\) ends after the last of 1 words"),
    ],
)
def test_wrong_words_are_input_errors(
    words: tuple[str, ...], mentions: tuple[Mention, ...], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        SplitText(words, "en", mentions, source="s")
