"""What the default table promises: counts, coverage, clean names, consistent facts."""

from __future__ import annotations

import importlib.util
import re
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import exonym
from exonym.foundation.json_lines import read_json_lines
from exonym.text import MLUKE_LANGUAGES

DATA = Path(exonym.__file__).parent / "atlas" / "data"
KIND = "P31"
TOOLS = Path(__file__).resolve().parents[2] / "tools"


def cleaner() -> Any:
    """A fresh Cleaner of the build script, which is no part of the package."""
    spec = importlib.util.spec_from_file_location("clean", TOOLS / "atlas" / "clean.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Cleaner()


@pytest.mark.parametrize(
    ("text", "language", "code", "expected"),
    [
        ("Myanmar (Burma)", "en", "MM", "Myanmar"),
        ("漢字（簡体字）", "ja", "x", "漢字"),
        ("Trinidad & Tobago", "en", "TT", "Trinidad and Tobago"),
        ("CFA-Franc (BEAC)", "de", "XAF", "CFA-Franc BEAC"),
        ("بيندر، مولدوفيا", "ar", "mdbd", "بيندر"),
        ("Cafe\u0301", "fr", "x", "Café"),
        ("Fon", "en", "fon", "Fon"),
        ("XBC", "en", "xbc", None),
        ("Batı Papua²", "tr", "x", None),
        ("साँचा:स्पेन", "hi", "x", None),
        ("Hebron", "te", "x", None),
        ("↑↑↑", "de", "x", None),
    ],
)
def test_display_names_become_names_of_running_text(
    text: str, language: str, code: str, expected: str | None
) -> None:
    assert cleaner().name(text, language, code) == expected


CLEANER = cleaner()


@given(st.text(max_size=20), st.sampled_from(sorted(MLUKE_LANGUAGES)))
def test_cleaned_names_are_clean_and_cleaning_them_again_changes_nothing(
    text: str, language: str
) -> None:
    name = CLEANER.name(text, language, "code")
    if name is not None:
        assert not set("[]{}|<>#_:()\n") & set(name)
        assert CLEANER.name(name, language, "code") == name


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    return [line for _, line in read_json_lines(DATA / "atlas.jsonl.xz")]


@pytest.fixture(scope="module")
def entities(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in lines if line["type"] == "entity"]


@pytest.fixture(scope="module")
def relations(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in lines if line["type"] == "relation"]


@pytest.fixture(scope="module")
def facts(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in lines if line["type"] == "fact"]


def test_lines_come_in_the_order_of_the_format(lines: list[dict[str, Any]]) -> None:
    seen = list(dict.fromkeys(line["type"] for line in lines))
    assert seen == ["table", "relation", "entity", "fact"]
    assert lines[0]["licence"]
    assert lines[0]["sources"]


def test_table_is_small_and_has_its_provenance() -> None:
    assert (DATA / "atlas.jsonl.xz").stat().st_size < 5_000_000
    assert "Unicode-3.0" in (DATA / "PROVENANCE.md").read_text("utf-8")


def test_three_thousand_entities_mostly_named_in_twenty_languages(
    entities: list[dict[str, Any]],
) -> None:
    wide = sum(len(entity["names"]) >= 20 for entity in entities)
    assert len(entities) >= 3_000
    assert wide / len(entities) >= 0.8
    assert all(set(entity["names"]) <= set(MLUKE_LANGUAGES) for entity in entities)


def test_ten_questioned_relations_with_eight_thousand_facts(facts: list[dict[str, Any]]) -> None:
    told = Counter(fact["relation"] for fact in facts)
    questioned = {relation: count for relation, count in told.items() if relation != KIND}
    assert len(questioned) >= 10
    assert sum(questioned.values()) >= 8_000
    assert min(questioned.values()) >= 100


def test_every_relation_has_three_wordings_in_every_language(
    relations: list[dict[str, Any]],
) -> None:
    for relation in relations:
        assert set(relation["names"]) == set(MLUKE_LANGUAGES)
        for language in MLUKE_LANGUAGES:
            wordings = relation["templates"][language]
            assert len(set(wordings)) >= 3, (relation["id"], language)
            for wording in wordings:
                assert wording.count("[X]") == wording.count("[Y]") == 1, wording
                assert wording == unicodedata.normalize("NFC", wording)


def test_wordings_differ_in_the_order_of_subject_and_object(
    relations: list[dict[str, Any]],
) -> None:
    for relation in relations:
        for language, wordings in relation["templates"].items():
            orders = {wording.index("[X]") < wording.index("[Y]") for wording in wordings}
            assert orders == {True, False}, (relation["id"], language)


def test_sentences_end_as_their_language_ends_them(relations: list[dict[str, Any]]) -> None:
    ends = {"bn": "।", "hi": "।", "ja": "。", "zh": "。", "th": ""}
    for relation in relations:
        for language, wordings in relation["templates"].items():
            end = ends.get(language, ".")
            for wording in wordings:
                assert wording.endswith(end), wording
                assert "." not in wording or end == ".", wording


def test_ids_are_qids_or_own_ids_and_unique(entities: list[dict[str, Any]]) -> None:
    ids = [entity["id"] for entity in entities]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"Q[1-9][0-9]*|X[A-Za-z0-9-]*", one) for one in ids)


def test_names_are_plain_normalised_text(entities: list[dict[str, Any]]) -> None:
    markup = re.compile(r"[\[\]{}|<>\n\t#_:=]|''|--")
    for entity in entities:
        for language, names in entity["names"].items():
            assert names, (entity["id"], language)
            assert len(set(names)) == len(names)
            for name in names:
                assert name == name.strip() != ""
                assert name == unicodedata.normalize("NFC", name)
                assert not markup.search(name), (entity["id"], language, name)
                assert not re.search(r"[\u200b\u200e\u200f\u00ad\ufeff()（）↑²³]", name), name


def test_within_a_kind_a_name_means_one_thing(entities: list[dict[str, Any]]) -> None:
    seen: dict[tuple[str, str, str], str] = {}
    for entity in entities:
        for language, names in entity["names"].items():
            key = (str(entity["kind"]), language, names[0].casefold())
            assert seen.setdefault(key, entity["id"]) == entity["id"], key


def test_facts_are_about_entities_of_the_table_and_told_once(
    entities: list[dict[str, Any]],
    relations: list[dict[str, Any]],
    facts: list[dict[str, Any]],
) -> None:
    known = {entity["id"] for entity in entities}
    named = {relation["id"] for relation in relations}
    triples = [(fact["subject"], fact["relation"], fact["object"]) for fact in facts]
    assert len(triples) == len(set(triples))
    for subject, relation, value in triples:
        assert subject in known
        assert value in known
        assert subject != value
        assert relation in named


def test_kinds_are_entities_and_only_the_kind_relation_is_told_everywhere(
    entities: list[dict[str, Any]],
    relations: list[dict[str, Any]],
    facts: list[dict[str, Any]],
) -> None:
    assert {relation["id"] for relation in relations if relation["everywhere"]} == {KIND}
    kind_of = {entity["id"]: entity["kind"] for entity in entities}
    stated = {fact["subject"]: fact["object"] for fact in facts if fact["relation"] == KIND}
    assert stated == {one: kind for one, kind in kind_of.items() if kind is not None}
    assert all(kind_of[kind] is None for kind in set(stated.values()))


@pytest.mark.parametrize(("size", "expected"), [(600, 1_000), (1_500, 3_000)])
def test_beginnings_of_the_entity_list_are_dense_smaller_worlds(
    entities: list[dict[str, Any]], facts: list[dict[str, Any]], size: int, expected: int
) -> None:
    first = {entity["id"] for entity in entities[:size]}
    inside = Counter(
        fact["relation"] for fact in facts if {fact["subject"], fact["object"]} <= first
    )
    del inside[KIND]
    assert sum(inside.values()) >= expected
    assert min(inside.values()) >= 30


def test_borders_hold_both_ways(facts: list[dict[str, Any]]) -> None:
    pairs = {(f["subject"], f["object"]) for f in facts if f["relation"] == "P47"}
    assert pairs == {(b, a) for a, b in pairs}


@pytest.mark.parametrize(
    ("subject", "relation", "value"),
    [
        ("Q17", "P36", "Q1490"),  # Japan, capital, Tokyo
        ("Q183", "P38", "Q4916"),  # Germany, currency, euro
        ("Q155", "P37", "Q5146"),  # Brazil, official language, Portuguese
        ("Q142", "P47", "Q31"),  # France, border, Belgium
        ("Q60", "P17", "Q30"),  # New York, country, United States
        ("Q7737", "P282", "Q8209"),  # Russian, writing system, Cyrillic
        ("Q114", "P30", "Q15"),  # Kenya, continent, Africa
    ],
)
def test_well_known_facts_are_there(
    facts: list[dict[str, Any]], subject: str, relation: str, value: str
) -> None:
    assert {"type": "fact", "subject": subject, "relation": relation, "object": value} in facts


def test_well_known_names_are_there(entities: list[dict[str, Any]]) -> None:
    names = {entity["id"]: entity["names"] for entity in entities}
    assert names["Q1490"]["ja"][0] == "東京"
    assert names["Q183"]["sw"][0] == "Ujerumani"
    assert names["Q649"]["ru"][0] == "Москва"
    assert names["Q1861"]["th"][0] == "กรุงเทพ"
