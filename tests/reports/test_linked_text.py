"""The page of linked text: every character in its place, in any script, and nothing that runs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from exonym.foundation.errors import MissingExtraError
from exonym.linking.formats import encode_pieces
from exonym.linking.linked import Link, Linked, ScoredCandidate
from exonym.reports import extras
from exonym.reports.linked_text import text_direction, visible, write_linked_page
from exonym.text import AnnotatedText

HOSTILE = "</p><script>alert('x')</script>\"><img src=x onerror=y> &amp; \u202e\x00\x1b[2J"


def label(entity: str, language: str) -> str:
    return {"Q1490": {"ja": "東京", "en": "Tokyo"}}.get(entity, {}).get(language, f"«{entity}»")


def linked(text: str, language: str, *spans: tuple[int, int, str | None]) -> Linked:
    links = tuple(
        Link(start, end, text[start:end], entity, 0.75, (), 0.25, "because")
        for start, end, entity in spans
    )
    return Linked.of(AnnotatedText(text, language), links)


def page(*texts: Linked, explain: bool = False) -> html.HtmlElement:
    return html.document_fromstring(written(*texts, explain=explain).decode())


def written(*texts: Linked, explain: bool = False) -> bytes:
    return b"".join(encode_pieces(write_linked_page(texts, label, explain=explain)))


def shown(tree: html.HtmlElement) -> list[str]:
    return [p.text_content() for p in tree.xpath('//p[@class="text"]')]


def test_a_mention_is_coloured_and_leads_to_its_row() -> None:
    tree = page(linked("Tokyo is big.", "en", (0, 5, "Q1490")))
    (mention,) = tree.xpath('//p[@class="text"]/a')
    assert mention.text == "Tokyo"
    assert mention.get("title") == "Q1490 Tokyo, 0.750"
    assert "link" in mention.get("class").split()
    (row,) = tree.xpath(f'//tr[@id="{mention.get("href")[1:]}"]')
    cells = [" ".join(cell.text_content().split()) for cell in row]
    assert cells == ["Tokyo", "0 to 5", "Q1490 Tokyo", "", "0.750", "0.250"]
    assert row.xpath(".//a/@href") == ["https://www.wikidata.org/wiki/Q1490"]


def test_an_entity_has_one_colour_by_every_name() -> None:
    tree = page(
        linked("Tokyo and Kyoto", "en", (0, 5, "Q1490"), (10, 15, "Q34600")),
        linked("東京", "ja", (0, 2, "Q1490")),
    )
    first, second, third = tree.xpath('//p[@class="text"]/a/@style')
    assert first == third != second
    labels = [" ".join(cell.text_content().split()) for cell in tree.xpath("//tbody//td[3]")]
    assert labels == ["", "", "Tokyo"], "the English name stands where it is another"


def test_what_is_linked_to_nothing_has_no_colour() -> None:
    (mention,) = page(linked("Nobody", "en", (0, 6, None))).xpath('//p[@class="text"]/a')
    assert mention.get("class").split()[0] == "nil"
    assert mention.get("style") is None
    assert mention.get("title") == "no entity, 0.750"


@pytest.mark.parametrize(
    ("text", "language", "wanted"),
    [
        ("القاهرة عاصمة مصر", "ar", "rtl"),
        ("IBM شركة أمريكية", "ar", "rtl"),
        ("ירושלים היא IBM", "he", "rtl"),
        ("Der Name القاهرة ist arabisch.", "de", "ltr"),
        ("Tokyo", "ar", "ltr"),
        ("123", "ar", "rtl"),
        ("", "und", "ltr"),
        ("東京", "ja", "ltr"),
    ],
)
def test_a_text_runs_as_most_of_its_letters_do(text: str, language: str, wanted: str) -> None:
    assert text_direction(text, language) == wanted
    (paragraph,) = page(linked(text, language)).xpath('//p[@class="text"]')
    assert (paragraph.get("dir"), paragraph.get("lang")) == (wanted, language)


def test_hostile_text_names_and_languages_stay_text() -> None:
    text = AnnotatedText(HOSTILE, '"><script>', source=HOSTILE)
    candidate = ScoredCandidate(HOSTILE, 0.5, 0.5, 1, HOSTILE)
    link = Link(0, 4, HOSTILE[:4], HOSTILE, 0.5, (candidate,), 0.5, HOSTILE)
    tree = page(Linked.of(text, (link,)), explain=True)
    assert tree.xpath("//script | //img | //*[@onerror]") == []
    assert shown(tree) == [visible(HOSTILE)]
    assert tree.xpath("//tbody//a/@href") == []


def test_nothing_is_loaded_from_elsewhere() -> None:
    tree = page(linked("Tokyo", "en", (0, 5, "Q1490")))
    assert tree.xpath("//script | //link | //img | //iframe | //object | //@src") == []
    assert "@import" not in tree.xpath("string(//style)")


def test_every_id_is_given_once_and_every_place_exists() -> None:
    text = linked("New York City", "en", (0, 8, "Q60"), (0, 13, "Q60"), (4, 13, None))
    tree = page(text, text)
    ids = Counter(tree.xpath("//@id"))
    assert set(ids.values()) == {1}
    targets = [href[1:] for href in tree.xpath("//@href") if href.startswith("#")]
    assert targets
    assert set(targets) <= set(ids)


def test_of_overlapping_mentions_the_shortest_shows_and_the_place_is_marked() -> None:
    text = linked("New York City Hall", "en", (0, 13, "Q60"), (4, 8, "Q1"), (9, 18, "Q2"))
    pieces = page(text).xpath('//p[@class="text"]/a')
    assert [(a.text, a.get("href")) for a in pieces] == [
        ("New ", "#t1-1"), ("York", "#t1-2"), (" ", "#t1-1"), ("City", "#t1-3"), (" Hall", "#t1-3"),
    ]  # fmt: skip
    assert ["several" in a.get("class").split() for a in pieces] == [0, 1, 0, 1, 0]
    assert ["first" in a.get("class").split() for a in pieces] == [1, 1, 0, 1, 0]
    assert ["last" in a.get("class").split() for a in pieces] == [0, 1, 0, 0, 1]


ALPHABET = "ab <&\"'>\n\t\x00\x1f\x7f\x85東ا\u0301\u202e\u200f\U0001f600\ud800"


@st.composite
def linked_texts(draw: st.DrawFn) -> Linked:
    text = draw(st.text(st.sampled_from(ALPHABET), max_size=20))
    spans = []
    for _ in range(draw(st.integers(0, 4)) if text else 0):
        start = draw(st.integers(0, len(text) - 1))
        entity = draw(st.sampled_from(["Q1490", "de:<b>", "x", None]))
        spans.append((start, draw(st.integers(start + 1, len(text))), entity))
    return linked(text, draw(st.sampled_from(["en", "ar", "und"])), *spans)


@settings(max_examples=60)  # each makes its templates
@given(st.lists(linked_texts(), min_size=1, max_size=3))
def test_the_characters_of_every_text_stand_there_in_order(texts: list[Linked]) -> None:
    wanted = [visible(text.text.text).replace("\ud800", "\ufffd") for text in texts]
    data = written(*texts)
    assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", data)
    assert shown(html.document_fromstring(data.decode())) == wanted


def test_explained_it_shows_candidates_and_why() -> None:
    candidates = (
        ScoredCandidate("Q1490", 0.9, 0.8, 1234, "ja"),
        ScoredCandidate("acme", 0.1, 0.2, 0, None),
    )
    text = AnnotatedText("Tokyo", "en")
    link = Link(0, 5, "Tokyo", "Q1490", 0.8, candidates, 0.3, "by the prior")
    tree = page(Linked.of(text, (link,)), explain=True)
    assert [" ".join(item.text_content().split()) for item in tree.xpath("//li")] == [
        "Q1490 Tokyo: 0.800 (prior 0.900, 1,234 links in Japanese)",
        "acme «acme»: 0.200 (prior 0.100)",
    ]
    assert "by the prior" in tree.xpath("string(//tbody)")
    assert tree.xpath("//details[@open]")
    folded = page(Linked.of(text, (link,)))
    assert "by the prior" not in folded.text_content()
    assert folded.xpath("//details[not(@open)]/summary/text()") == ["1 mention"]


def test_the_foot_counts_what_was_shown() -> None:
    texts = [linked("a b", "en", (0, 1, "Q1"), (2, 3, None)), linked("", "und"), linked("c", "sw")]
    assert " ".join(page(*texts).xpath("//footer")[-1].text_content().split()) == (
        "Links: 1; mentions without an entity: 1; texts: 3 (English 1, Swahili 1, und 1)."
    )


def test_a_page_is_made_while_texts_still_come() -> None:
    taken = []

    def texts() -> Iterator[Linked]:
        for number in range(100):
            taken.append(number)
            yield linked(f"text {number}", "en")

    pieces = write_linked_page(texts(), label)
    while "text 3" not in next(pieces):
        pass
    assert len(taken) < 10


def test_without_jinja_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"exonym\[report\]"):
        next(write_linked_page([], label))
