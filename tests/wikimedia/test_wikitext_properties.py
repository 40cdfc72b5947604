"""What holds for any text whatever: no exception, valid spans, exact anchors."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wiki_dumps import flat, make_site

from exonym.wikimedia import Paragraph, extract_paragraphs
from exonym.wikimedia.wikitext.targets import LinkKind, Targets, classify

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
@settings(max_examples=600)
@given(source=MARKUP)
def test_any_markup_gives_valid_spans(language: str, source: str) -> None:
    check(extract_paragraphs(source, make_site(language)))


@settings(max_examples=300)
@given(source=st.text(max_size=200))
def test_any_text_gives_valid_spans(source: str) -> None:
    check(extract_paragraphs(source, make_site("de")))


WORDS = st.text("abcäöüABC東京абв", min_size=1, max_size=8)


@settings(max_examples=300)
@given(before=st.lists(WORDS), anchor=st.lists(WORDS, min_size=1), after=st.lists(WORDS))
def test_the_anchor_is_what_stands_in_the_brackets(
    before: list[str], anchor: list[str], after: list[str]
) -> None:
    source = f"x {' '.join(before)} [[Ziel|{' '.join(anchor)}]] {' '.join(after)} x"
    (paragraph,) = extract_paragraphs(source, make_site("de"))
    (link,) = paragraph.links
    assert paragraph.text[link.start : link.end] == " ".join(anchor)
    assert paragraph.text == " ".join(["x", *before, *anchor, *after, "x"])


@settings(max_examples=200)
@given(text=st.lists(WORDS, min_size=1).map(" ".join))
def test_plain_text_comes_out_as_it_went_in(text: str) -> None:
    assert flat(extract_paragraphs(text, make_site("de"))) == [text]


@settings(max_examples=200)
@given(inside=MARKUP.filter(lambda text: "-->" not in text and "<!--" not in text))
def test_what_stands_in_a_comment_is_gone(inside: str) -> None:
    source = f"eins <!--{inside}--> zwei"
    assert flat(extract_paragraphs(source, make_site("de"))) == ["eins zwei"]


WHOLE = st.lists(
    st.sampled_from(
        ["[[Berlin]]", "[[Berlin|Stadt]]en", "[[berlin#x| a ]]", "[[:Berlin|]]", "[[Hilfe:x]]",
         "[[Berlin|{{x}}]]", "[[Berlin|<b>y</b>]]", "{{x}}", "<ref>[[z]]</ref>", "''", "(", ")",
         " ", ", ", ".", "a", "Wort", "東", "&amp;", "<br>", "[http://x.y z]", "[http://x.y]",
         "[1]", "<nowiki>[[</nowiki>", "\u200e", "&nbsp;"]
    ),
    max_size=30,
).map("".join)  # fmt: skip


@pytest.mark.parametrize("language", ["de", "zh"])
@settings(max_examples=400)
@given(source=WHOLE)
def test_links_are_the_same_read_all_at_once_and_bracket_by_bracket(
    language: str, source: str
) -> None:
    site = make_site(language)
    # The surplus brackets are dropped, but until then the paragraph is no plain one.
    assert extract_paragraphs(f"x{source} ]]", site) == extract_paragraphs(f"x{source}", site)


@settings(max_examples=300)
@given(target=st.text("abAßiİ 東_#:%&~./\u200e\u00a0\u3000'", max_size=12))
def test_a_target_is_read_the_same_the_short_way_and_the_long_way(target: str) -> None:
    for language in ("de", "tr"):
        site = make_site(language)
        kind, title = classify(target, site)
        assert Targets(site).look_up(target)[0] == title
        assert (kind is LinkKind.ARTICLE) == (title != "")
        if ":" in target:
            assert Targets(site).hides(target) == (kind is LinkKind.HIDDEN)


@settings(max_examples=200)
@given(before=WORDS, after=WORDS, inside=MARKUP)
def test_a_closed_template_costs_no_word_beside_it(before: str, after: str, inside: str) -> None:
    inside = re.sub("[{}<>]|<!--", "", inside)
    (paragraph,) = extract_paragraphs(f"{before} {{{{x|{inside}}}}} {after}", make_site("de"))
    assert paragraph.text == f"{before} {after}"
