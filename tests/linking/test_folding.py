"""Folding: the same for all ways to write a name, and the same by table as by rule."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exonym.linking.folding import cluster_spans, fold, fold_cluster, is_continuing
from exonym.linking.folding_tables import (
    APART,
    BREAK,
    COMPLEX,
    CONTINUING,
    DROPPED,
    WORD,
    border_rules,
    folding_tables,
    unspaced_characters,
)
from exonym.linking.unit_streams import unit_stream

NASTY = (
    "aAiIİıéeßﬁ '’ʼ-‑–ё е\u0308\u0307\u0301\u0323\u0345\u0331\u0328hHåΑᾳςσœœ´¨½…№㎞ﷺĳ"
    "محمدأا\u064e\u0651\u0653\u0654\u0640ی\u200c\u200d\u200e\ufeff\u00ad\u034f"
    "가각\u1100\u1161\u11a8ㄱㅏ서\u115f\u3164กำาิ่้\u0e4dไ東京ｶﾞガか\u3099\u309a゛ﾞＡ１কােৌনি়য়\u09cd"
    "\ud800\x00\n\t\u3000👨👩🏽\ufe0f\U000e0100"
)
texts = st.text(st.sampled_from(NASTY) | st.characters(), max_size=16)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Straße", "STRASSE"), ("İzmir", "izmir"), ("IĞDIR", "ığdır"), ("ﬁn", "Fin"),
        ("Ｔｏｋｙｏ", "tokyo"), ("ｶﾞﾝﾀﾞﾑ", "ガンダム"), ("Ὀδυσσεύς", "ὈΔΥΣΣΕΎΣ"), ("ᾳ", "αι"),
        ("مُحَمَّد", "محمد"), ("محمـد", "محمد"), ("شمالی", "شمالي"), ("Ёлка", "елка"),
        ("l’été", "L'E\u0301TE\u0301"), ("Rhein–Main", "rhein-main"), ("“A”", '"a"'),
        ("a \u3000\n b", "A B"), (" a ", "a"), ("\u200ea\u00adb\ufeff", "ab"),
        ("각", "\u1100\u1161\u11a8"), ("é", "e\u034f\u0301"),
        ("i\u0307\u0301", "í"), ("q\u0307\u0323", "q\u0323\u0307"), ("שָׁלוֹם", "שלום"),
    ],
)  # fmt: skip
def test_ways_to_write_a_name_are_one(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("é", "e"), ("ö", "o"), ("أحمد", "احمد"), ("آ", "ا"), ("ة", "ه"), ("か", "が"), ("ż", "z"),
     ("ñ", "n"), ("й", "и"), ("東京", "东京"), ("กา", "ก"), ("नि", "न"), ("a b", "ab")],
)  # fmt: skip
def test_what_tells_names_apart_stays(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@settings(max_examples=150)
@given(texts)
def test_every_unicode_form_of_a_text_folds_alike(text: str) -> None:
    folded = fold(text)
    assert fold(folded) == folded
    for form in ("NFC", "NFD"):
        assert fold(unicodedata.normalize(form, text)) == folded


@settings(max_examples=150)
@given(texts)
def test_a_text_is_the_row_of_its_clusters(text: str) -> None:
    spans = cluster_spans(text)
    assert [start for start, _ in spans] == [
        *([0] if text else []),
        *(end for _, end in spans[:-1]),
    ]
    assert spans[-1][1] == len(text) if text else not spans
    assert " ".join("".join(fold_cluster(text[a:b]) for a, b in spans).split()) == fold(text)


@settings(max_examples=150)
@given(st.lists(texts, max_size=5))
def test_many_texts_fold_by_table_as_by_rule(some: list[str]) -> None:
    stream = unit_stream(some, folding_tables())
    bounds = [0, *(stream.breaks + 1).tolist()]
    for number, text in enumerate(some):
        units = stream.units[bounds[number] : bounds[number + 1] - 1].tolist()
        assert "".join(map(chr, units)).strip(" ") == fold(text)


@settings(max_examples=150)
@given(texts)
def test_units_lead_back_to_the_clusters_they_come_from(text: str) -> None:
    stream = unit_stream([text], folding_tables())
    units = np.arange(int(stream.breaks[0]))
    if stream.begins is not None:
        units = units[stream.begins[:-1]]
    spans = dict.fromkeys(
        zip(
            stream.first_characters(units).tolist(),
            stream.end_characters(units).tolist(),
            strict=True,
        )
    )
    assert set(spans) <= set(cluster_spans(text))
    kept = [span for span in spans if fold_cluster(text[slice(*span)]) != " "]
    assert kept == [
        (start, end)
        for start, end in cluster_spans(text)
        if fold_cluster(text[start:end]) not in ("", " ")
    ]


def test_tables_say_of_every_character_what_folding_does() -> None:
    tables = folding_tables()
    assert len(tables.units) == len(tables.flags) == BREAK + 1
    everything = [*range(0x3400), *range(0xA000, 0xAC10), *range(0xD7A0, 0x32400, 7)]
    everything += [*range(0xF900, 0x10000), *range(0x40000, BREAK, 997), *range(0xE0000, 0xE0200)]
    for point in everything:
        folded, unit = fold_cluster(chr(point)), int(tables.units[point])
        if unit == DROPPED:
            assert not folded
        elif unit != COMPLEX:
            assert folded == chr(unit)
        assert folded == " " or folded == folded.strip(" ")
        assert bool(tables.flags[point] & CONTINUING) == is_continuing(chr(point))
        assert bool(tables.flags[point] & APART) == chr(point).isspace()


def test_scripts_without_blanks_are_told_from_those_with_them() -> None:
    tables = folding_tables()
    for character in "aжα한नআమ٣9é_اא":
        assert tables.flags[ord(character)] & WORD, character
    for character in "東々〇カがーｶㄅกำๆລកမ်၉ꦏ\U00020000\U00031350 .'-👨":
        assert not tables.flags[ord(character)] & WORD, character
    assert len(set(unspaced_characters())) > 90_000


def test_little_words_are_folded_and_begin_no_other_way_than_their_flags_say() -> None:
    rules = border_rules()
    for word in [*rules.elided, *(word for word, _ in (*rules.begins, *rules.ends))]:
        assert word == fold(word) != ""
    assert rules.apostrophe == "'"
