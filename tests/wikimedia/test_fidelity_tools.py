"""The tools that measure the scanner: they see what is wrong, and say nothing where nothing is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from wiki_dumps import WriteDump, make_site, page_xml

from exonym.wikimedia import Link, Paragraph

TOOLS = Path(__file__).resolve().parents[2] / "tools"
PAGE = """'''Berlin''' liegt an der [[Spree]] und der [[Havel|Havel]]n<ref>[[Nie]]</ref>.
{|
| [[Zelle]]
|}
* [[Datei:x.jpg|mini|Text [[Bild]]]] an der [[Panke]] {{x|[[Vorlage]]}} dort
"""


@pytest.fixture(autouse=True)
def _tools_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mwparserfromhell")
    monkeypatch.syspath_prepend(str(TOOLS))


def paragraph(text: str, **links: str) -> Paragraph:
    """A paragraph whose links are named by their anchors."""
    places = sorted((text.index(anchor), anchor, title) for anchor, title in links.items())
    return Paragraph(text, tuple(Link(at, at + len(a), title) for at, a, title in places))


RIGHT = [
    paragraph("Berlin liegt an der Spree und der Haveln.", Spree="Spree", Haveln="Havel"),
    paragraph("an der Panke dort", Panke="Panke"),
]


def compare(paragraphs: list[Paragraph], page: str = PAGE) -> Any:
    from fidelity.compare import Tally, compare_page

    tally = Tally()
    compare_page("Berlin", page, make_site("de"), paragraphs, tally)
    return tally


def test_the_oracle_knows_running_text_from_the_rest() -> None:
    tally = compare(RIGHT)
    assert (tally.oracle, tally.ours, tally.common) == (3, 3, 3)
    assert dict(tally.apart) == {"ref": 1, "table": 1, "file or category": 1, "template": 1}
    assert tally.neighbours > 0
    assert tally.lost == []
    assert tally.rates() == (1.0, 1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("wrong", "missing", "extra"),
    [
        ([RIGHT[0]], 1, 0),
        ([RIGHT[0], paragraph("der Panke dort", Panke="Havel")], 1, 1),
        ([RIGHT[0], paragraph("an der Panke dort", Panke="Panke", dort="Zelle")], 0, 1),
        ([RIGHT[0], paragraph("an der Panke dort", der="Panke")], 1, 1),
    ],
)
def test_a_wrong_link_is_a_difference(wrong: list[Paragraph], missing: int, extra: int) -> None:
    tally = compare(wrong)
    sides = [difference.side for difference in tally.differences]
    assert (sides.count("missing"), sides.count("extra")) == (missing, extra)
    assert not any(difference.explained for difference in tally.differences)
    assert min(tally.rates()) < 1


def test_a_word_that_is_lost_beside_a_link_is_seen() -> None:
    tally = compare([RIGHT[0], paragraph("an Panke dort", Panke="Panke")])
    assert [(there, here) for _, _, there, here in tally.lost] == [("der", "an")]


def test_what_mediawiki_decides_is_explained_and_still_counted() -> None:
    page = ":{|\n| [[Zelle]]\n|}\n[[Bild:x.jpg|mini|Text [[Bild]]]]\n[[A|[b]]]"
    tally = compare([paragraph("[b]", **{"[b]": "A"})], page)
    recall, precision, explained_recall, explained_precision = tally.rates()
    assert recall < 1
    assert precision < 1
    assert (explained_recall, explained_precision) == (1.0, 1.0) or tally.common == 0
    assert tally.explained("missing") == 3


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a [[b", "brackets"), ("a }} b", "braces"), ("mini|Text", "pipe"), ("a ''b", "quotes"),
        ("a <small>b", "tag"), ("a &nbsp;b", "entity"), ("Datei:x.jpg", "prefix"),
        ("__KEIN_TOC__", None), ("__NOTOC__ a", "switch"), ("a }- b", "variant"), ("a b", None),
        ("a <ph> b", None),
    ],
)  # fmt: skip
def test_debris_is_found_by_kind(text: str, kind: str | None) -> None:
    from fidelity.debris import Debris

    debris = Debris()
    debris.search("Seite", "[[x|y]]", make_site("de"), [Paragraph(text, ())])
    assert [found[1] for found in debris.found] == ([kind] if kind else [])


@pytest.mark.parametrize(
    ("wikitext", "text"),
    [
        ("a <nowiki>[[</nowiki> b", "a [[ b"),
        ("a &amp;nbsp; b", "a &nbsp; b"),
        ("[[1]] | '''2''' | [[x|3]]", "1 | 2 | 3"),
        ("siehe auch\n* [[:Datei:x.jpg]]", "Datei:x.jpg"),
    ],
)
def test_what_the_author_means_is_no_debris(wikitext: str, text: str) -> None:
    from fidelity.debris import Debris

    debris = Debris()
    debris.search("Seite", wikitext, make_site("de"), [Paragraph(text, ())])
    assert (debris.found, debris.meant) == ([], 1)


def test_the_tool_measures_a_directory_of_dumps(
    write_dump: WriteDump, capsys: pytest.CaptureFixture[str]
) -> None:
    import wikitext_fidelity

    path = write_dump("dewiki-test.xml", [page_xml("Berlin", PAGE)])
    assert wikitext_fidelity.main([str(path.parent)]) == 0
    assert "| dewiki-test.xml | 3 | 1.00000 |" in capsys.readouterr().out
    assert wikitext_fidelity.main([str(path.parent), "--only", "jawiki"]) == 2
    assert wikitext_fidelity.main([str(path.parent / "none")]) == 2


def test_the_fuzzer_sees_exceptions_wrong_spans_and_slowness(
    monkeypatch: pytest.MonkeyPatch, german: Any
) -> None:
    import fuzz_wikitext

    def outcome(scan: Callable[..., list[Paragraph]], text: str = "x") -> int:
        monkeypatch.setattr(fuzz_wikitext, "extract_paragraphs", scan)
        run = fuzz_wikitext.Fuzz(limit=1e-9)
        run.run("kind", text, german)
        return len(run.failures)

    def broken(_text: str, _site: object) -> list[Paragraph]:
        raise ValueError("broken")

    assert outcome(lambda _text, _site: [Paragraph("a b", (Link(0, 1, "A"),))]) == 0
    assert outcome(broken) == 1
    for wrong in ((Link(0, 4, "A"),), (Link(0, 2, "A"),), (Link(2, 3, "A"), Link(0, 1, "A"))):
        assert outcome(lambda _text, _site, wrong=wrong: [Paragraph("a b", wrong)]) == 1
    assert outcome(lambda _text, _site: [], "x" * fuzz_wikitext.DEPTH) == 1
