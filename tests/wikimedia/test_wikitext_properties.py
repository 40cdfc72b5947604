"""What holds for any text whatever: no exception, valid spans, exact anchors."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wiki_dumps import flat, make_site

from exonym.wikimedia import Paragraph, extract_paragraphs

PIECES = [
    "[[", "]]", "[", "]", "{{", "}}", "{", "}", "{|", "|}", "|", "\n", "\n\n", "=", "*", "#", ":",
    ";", "''", "'''", "<ref>", "</ref>", "<ref name=x/>", "<!--", "-->", "<nowiki>", "</nowiki>",
    "<nowiki/>", "<math>", "</math>", "<table>", "</table>", "<br>", "<p>", "</div>", "&amp;",
    "&nbsp;", "&#91;", "-{", "}-", "zh-hans:", "Datei:a.jpg", "Kategorie:", "en:", "wikt:",
    "http://x.y", "[http://x ", "__NOTOC__", "a", "b c", "Wort", "ß", "東京", " ", "  ", ",", "(",
    ")", "%41", "_", "\u200e", "\ufdd0", "\ufdd1", "\ufdd2", "\ufdee", "{{!}}", "|thumb|", "\r\n",
    "\t", "\x00", "\ud800",
]  # fmt: skip
MARKUP = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=60).map("".join)


def check(paragraphs: list[Paragraph]) -> None:
    for paragraph in paragraphs:
        text, position = paragraph.text, 0
        assert text == text.strip()
        assert "  " not in text
        assert not any("\ufdd0" <= character <= "\ufdef" for character in text)
        for link in paragraph.links:
            assert position <= link.start < link.end <= len(text)
            anchor = text[link.start : link.end]
            assert anchor == anchor.strip()
            assert link.title == link.title.strip() != ""
            position = link.end


@pytest.mark.parametrize("language", ["de", "zh"])
@settings(max_examples=600, deadline=None)
@given(source=MARKUP)
def test_any_markup_gives_valid_spans(language: str, source: str) -> None:
    check(extract_paragraphs(source, make_site(language)))


@settings(max_examples=300, deadline=None)
@given(source=st.text(max_size=200))
def test_any_text_gives_valid_spans(source: str) -> None:
    check(extract_paragraphs(source, make_site("de")))


WORDS = st.text("abcäöüABC東京абв", min_size=1, max_size=8)


@settings(max_examples=300, deadline=None)
@given(before=st.lists(WORDS), anchor=st.lists(WORDS, min_size=1), after=st.lists(WORDS))
def test_the_anchor_is_what_stands_in_the_brackets(
    before: list[str], anchor: list[str], after: list[str]
) -> None:
    source = f"x {' '.join(before)} [[Ziel|{' '.join(anchor)}]] {' '.join(after)} x"
    (paragraph,) = extract_paragraphs(source, make_site("de"))
    (link,) = paragraph.links
    assert paragraph.text[link.start : link.end] == " ".join(anchor)
    assert paragraph.text == " ".join(["x", *before, *anchor, *after, "x"])


@settings(max_examples=200, deadline=None)
@given(text=st.lists(WORDS, min_size=1).map(" ".join))
def test_plain_text_comes_out_as_it_went_in(text: str) -> None:
    assert flat(extract_paragraphs(text, make_site("de"))) == [text]


@settings(max_examples=200, deadline=None)
@given(inside=MARKUP.filter(lambda text: "-->" not in text and "<!--" not in text))
def test_what_stands_in_a_comment_is_gone(inside: str) -> None:
    source = f"eins <!--{inside}--> zwei"
    assert flat(extract_paragraphs(source, make_site("de"))) == ["eins zwei"]
