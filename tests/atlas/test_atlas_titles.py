"""Titles, redirects and links by MediaWiki's rules."""

from __future__ import annotations

import json
from pathlib import Path

import mwparserfromhell
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exonym.atlas import FactTable, LinkOptions, load_table
from exonym.atlas.draws import Draw
from exonym.atlas.sites import site_of
from exonym.atlas.titles import Linker, escape, first_upper, make_titles, title_from
from exonym.text import MLUKE_LANGUAGES

PLAIN = LinkOptions(0, 0, 0, 0, 0, 0, 0)


def table_of(path: Path, language: str, *names: list[str], kind: bool = False) -> FactTable:
    lines = [{"type": "table", "name": "t", "version": "1"}]
    for number, several in enumerate(names, start=1):
        line = {"type": "entity", "id": f"Q{number}", "names": {language: several}}
        if kind and number > 1:
            line["kind"] = "Q1"
        lines.append(line)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return load_table(path)


def test_colliding_titles_get_their_kind_and_then_their_id(tmp_path: Path) -> None:
    table = table_of(tmp_path / "t", "en", ["city"], ["York"], ["York"], ["York"], kind=True)
    titles = make_titles(table, site_of("en"))
    assert list(titles.pages.values()) == ["City", "York", "York (city)", "York (Q4)"]
    linker = Linker(table, site_of("en"), titles, PLAIN)
    assert linker.link("Q3", Draw(0)) == "[[York (city)|York]]"
    assert linker.link("Q1", Draw(0)) == "[[city]]"
    assert linker.link("Q1", Draw(0), starts=True) == "[[City]]"


def test_an_alias_redirects_unless_a_page_has_its_title(tmp_path: Path) -> None:
    table = table_of(tmp_path / "t", "en", ["Tokyo", "Edo", "Kyoto", "tokyo"], ["Kyoto"])
    titles = make_titles(table, site_of("en"))
    assert titles.redirects == {"Edo": "Q1"}
    assert titles.dropped_aliases == 1


@pytest.mark.parametrize(
    ("name", "language", "title"),
    [
        ("C#", "en", "C"),
        ("snake_case", "en", "Snake case"),
        ("Talk: a life", "en", "Talk – a life"),
        ("Datei:X", "de", "Datei – X"),
        ("de:X", "en", "De – X"),
        ("Alien: Covenant", "en", "Alien: Covenant"),
        ("istanbul", "tr", "İstanbul"),
        ("istanbul", "en", "Istanbul"),
        ("#", "en", ""),
        ("ß", "de", "ß"),
    ],
)
def test_titles_keep_to_what_mediawiki_allows(name: str, language: str, title: str) -> None:
    assert title_from(name, site_of(language)) == title


def test_a_turkish_i_is_not_left_to_the_reader(tmp_path: Path) -> None:
    table = table_of(tmp_path / "t", "tr", ["il"])
    linker = Linker(table, site_of("tr"), make_titles(table, site_of("tr")), PLAIN)
    assert linker.link("Q1", Draw(0)) == "[[İl|il]]"


@given(st.text("ab'&;#x3_-{~ amp/:", min_size=1, max_size=12).filter(str.strip))
def test_escaped_text_shows_exactly_that_text(text: str) -> None:
    shown = mwparserfromhell.parse(f"A {escape(text)} Z").strip_code(normalize=True, collapse=False)
    assert shown == f"A {text} Z"


@pytest.fixture(scope="module")
def two_towns(tmp_path_factory: pytest.TempPathFactory) -> FactTable:
    path = tmp_path_factory.mktemp("towns") / "t"
    return table_of(path, "en", ["new town", "Old Town", "Stad"], ["Berlin", "Spree Athens"])


@given(seed=st.integers(0, 10_000))
def test_every_form_of_a_link_leads_home_and_shows_a_name(two_towns: FactTable, seed: int) -> None:
    table = two_towns
    titles = make_titles(table, site_of("en"))
    often = LinkOptions(0.15, 0.15, 0.14, 0.14, 0.14, 0.14, 0.14)
    linker, known = Linker(table, site_of("en"), titles, often), {**titles.redirects}
    known.update({title: key for key, title in titles.pages.items()})
    for key, entity in table.entities.items():
        text = linker.link(key, Draw(seed, key))
        link = mwparserfromhell.parse(text).filter_wikilinks()[0]
        target = " ".join(str(link.title).replace("_", " ").split()).split("#")[0]
        assert known[first_upper(target, "en")] == key
        assert text.replace(str(link), str(link.text or link.title)) in entity.names["en"]


def test_every_language_has_its_own_words() -> None:
    for code in MLUKE_LANGUAGES:
        site = site_of(code)
        assert len(site.namespaces) == len(set(site.namespaces.values())) == 17
        assert site.redirect.startswith("#")
    assert site_of("tlh").namespaces == site_of("en").namespaces
    assert site_of("zh-yue").database == "zh_yuewiki"
