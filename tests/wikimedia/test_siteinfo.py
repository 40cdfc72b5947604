"""Titles: namespaces by local and canonical names, capitals by the wiki's rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wiki_dumps import LOCAL_NAMES, make_site

from exonym.wikimedia import WIKIPEDIA_LANGUAGES, database_of_language, language_of_database


@pytest.mark.parametrize("language", sorted(LOCAL_NAMES))
def test_local_and_canonical_namespace_names_are_known_in_any_case(language: str) -> None:
    site = make_site(language)
    for key, name in LOCAL_NAMES[language].items():
        for written in (name, name.upper(), name.lower(), f" {name} ", name.replace(" ", "_")):
            assert site.split_title(f"{written}:x.jpg") == (key, "X.jpg")
    assert site.split_title("File:x.jpg")[0] == site.split_title("image: x.jpg")[0] == 6
    assert site.split_title("Category talk:A")[0] == 15


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("berlin", "Berlin"),
        ("  Neues__Forum ", "Neues Forum"),
        (":Berlin", "Berlin"),
        ("Star Trek: Voyager", "Star Trek: Voyager"),
        ("ISO 3166-2:DE", "ISO 3166-2:DE"),
        ("ß", "ß"),
        ("éa", "Éa"),
        ("თბილისი", "თბილისი"),
        ("\u200eBerlin\u200f", "Berlin"),
        ("10\u00a0Mark", "10 Mark"),
        ("", ""),
    ],
)
def test_titles_take_the_form_in_which_the_wiki_stores_them(written: str, title: str) -> None:
    site = make_site("de")
    assert site.split_title(written) == (0, title)
    assert site.normalise(written) == title


def test_a_case_sensitive_wiki_keeps_small_letters() -> None:
    assert make_site("de", "case-sensitive").normalise("berlin") == "berlin"


def test_turkish_capitalises_the_dotted_i() -> None:
    assert make_site("tr").normalise("istanbul") == "İstanbul"
    assert make_site("de").normalise("istanbul") == "Istanbul"


def test_normalise_writes_the_local_prefix() -> None:
    assert make_site("de").normalise("file:x_y.jpg") == "Datei:X y.jpg"


@given(st.text(max_size=30))
def test_normalising_twice_changes_nothing(title: str) -> None:
    site = make_site("de")
    once = site.normalise(title)
    assert site.normalise(once) == once


def test_databases_and_languages_are_each_others_inverse() -> None:
    for language in WIKIPEDIA_LANGUAGES:
        assert language_of_database(database_of_language(language)) == language
    assert language_of_database("zh_yuewiki") == "zh-yue"
    for other in ("commonswiki", "wikidatawiki", "enwiktionary", "specieswiki", "", "wiki"):
        assert language_of_database(other) is None
