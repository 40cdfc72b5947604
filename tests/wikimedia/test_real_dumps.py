"""Real dumps: everything is read, and the links agree with an independent parser."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from exonym.foundation.errors import FormatError
from exonym.wikimedia import (
    Article,
    Item,
    Property,
    Redirect,
    open_dump,
    open_wikidata,
    read_articles,
)

MINIDUMPS = "ar bn de el en es fr id it ja nl pl pt ru sv tr vi zh".split()  # noqa: SIM905
DEBRIS = re.compile(r"\[\[|\]\]|\{\{|\}\}|\{\||<(?:ref|br|span|div|small)\b|__[A-Z]+__|'''")


@pytest.mark.parametrize("language", MINIDUMPS)
def test_the_language_of_a_mislabelled_dump_is_that_of_its_name(
    shared_data: Path, language: str
) -> None:
    path = shared_data / f"wikipedia/{language}wiki-minidump.xml.bz2"
    with open_dump(path) as reader:
        assert reader.siteinfo.language == language
        assert bool(reader.warnings) == (language != "en")
        texts = [
            text
            for article in read_articles(reader)
            if isinstance(article, Article)
            for text in article.paragraphs
        ]
    assert texts
    assert not [text.text for text in texts if DEBRIS.search(text.text)]


def test_a_whole_wikipedia_is_counted_as_its_files_say(shared_data: Path) -> None:
    with open_dump(shared_data / "wikipedia/ltgwiki-complete.xml.bz2") as reader:
        kinds = Counter(type(entry) for entry in read_articles(reader))
        assert (kinds[Article], kinds[Redirect]) == (903, 141)
        assert sum(kinds.values()) + sum(reader.skipped.values()) == 2004
        assert reader.siteinfo.namespace_key("Fails") == 6


def test_truncated_dumps_say_where_and_can_be_used(shared_data: Path) -> None:
    path = shared_data / "wikipedia/elwiki-truncated.xml.xz"
    with pytest.raises(FormatError, match=r"elwiki.*in the page '.+' that starts in line"):
        list(open_dump(path))
    reader = open_dump(path, keep_going=True)
    assert sum(1 for _ in reader) == 933
    assert dict(reader.skipped) == {"truncated": 1}


@pytest.mark.parametrize(
    ("number", "pages", "reason"),
    [(1, 2, "no title"), (2, 3, None), (3, 2, "no text"), (4, 2, "no text")],
)
def test_damaged_pages_are_counted(
    shared_data: Path, number: int, pages: int, reason: str | None
) -> None:
    reader = open_dump(shared_data / f"wikipedia/broken/zhwiki-broken-{number}.xml")
    assert sum(1 for _ in reader) == pages
    assert dict(reader.skipped) == ({reason: 1} if reason else {})


def test_a_real_wikidata_dump_is_counted_as_its_readme_says(shared_data: Path) -> None:
    items, properties = [], []
    with open_wikidata(shared_data / "wikidata/wikidata-400items.json.bz2") as reader:
        for entity in reader:
            (items if isinstance(entity, Item) else properties).append(entity)
    assert (len(items), len(properties)) == (400, 1304)
    assert sum(len(item.sitelinks) for item in items if isinstance(item, Item)) == 39_857
    assert all(isinstance(entity, Property) for entity in properties)
    first = items[0]
    assert isinstance(first, Item)
    assert (first.id, first.sitelinks["jawiki"]) == ("Q1", "宇宙")


FILES = [
    *(f"{language}wiki-minidump.xml.bz2" for language in MINIDUMPS),
    "elwiki-truncated.xml.xz", "itwiki-747pages.xml.gz", "ltgwiki-complete.xml.bz2",
    "viwiki-truncated.xml.xz", "zhwiki-33pages.xml.bz2",
]  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_links_and_text_agree_with_an_independent_parser(
    shared_data: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The goals of docs/fidelity.md, each file by itself, on the first pages of each."""
    pytest.importorskip("mwparserfromhell")
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "tools"))
    import wikitext_fidelity

    _, tally, debris = wikitext_fidelity.measure(shared_data / "wikipedia" / name, 350_000)
    figures = wikitext_fidelity.row(name, tally, debris)
    assert tally.oracle > 0
    assert wikitext_fidelity.reaches_goals(figures), figures
    # Words beside links, of which the oracle itself misreads a few.
    assert len(tally.lost) <= max(2, tally.neighbours // 1000), tally.lost
