"""Names found in texts: the same as the brute-force twin finds, whatever the text."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import unicodedata
from pathlib import Path

import brute_force
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exonym.linking.folding import fold
from exonym.linking.name_index import NameIndex

ALPHABETS = {
    "latin": "aAeEsSßﬁ '’.-é\u0301\u0323\u0331hHoOæ",
    "turkish": "iIİıj\u0307\u0301gğĞ 'ş",
    "elided": "lLdDaàAelLnO'’ʼ \u00adbqu",
    "greek": "αΑᾳσςΣ\u0345\u0301 ά",
    "cyrillic": "еёЁЕ\u0308й'пя -",
    "arabic": "محدواأآلبيیكک \u064e\u0651\u0653\u0654\u0640\u200c\u200fة",
    "hangul": "서울은에는가각\u1100\u1161\u11a8ㄱㅏ \u115f도로",
    "thai": "กขาิ่้ำไ\u0e4d\u200ba ",
    "han": "東京都京a1年 ・·\u3000々",
    "kana": "かガｶﾞﾊﾟ\u3099\u309a゛ー ハ",
    "bengali": "কােৌনি়য়\u09cd ",
    "width": "Ａａ１1Ｂb　 ㎞…½",
    "odd": "a \u200b\u200d\ufeff\u2060\u034f👨👩🏽\ufe0f\x00\n\ud800ﷺ¨゛",
}
EVERYTHING = "".join(ALPHABETS.values())


def found(index: NameIndex, names: list[str], texts: list[str]) -> list[tuple[int, int, int, str]]:
    result = index.find(texts)
    columns = (result.text, result.start, result.end, result.name)
    return [
        (text, start, end, fold(names[int(index.surfaces(name)[0])]))
        for text, start, end, name in zip(*(column.tolist() for column in columns), strict=True)
    ]


@st.composite
def texts_and_names(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    alphabet = st.sampled_from(draw(st.sampled_from([*ALPHABETS.values(), EVERYTHING])))
    texts = draw(st.lists(st.text(alphabet, max_size=14), max_size=4))
    names = draw(st.lists(st.text(alphabet, max_size=3), max_size=3))
    for text in texts:
        for _ in range(draw(st.integers(0, 3))):
            start, end = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 2)))
            form = draw(st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
            names.append(unicodedata.normalize(form, text[start:end]))
            if draw(st.booleans()):
                names[-1] = names[-1].upper()
    return texts, names


@settings(max_examples=120)
@given(texts_and_names())
def test_the_same_is_found_as_by_brute_force(case: tuple[list[str], list[str]]) -> None:
    texts, names = case
    assert found(NameIndex.of(names), names, texts) == brute_force.find(names, texts)


@pytest.mark.parametrize("alphabet", ALPHABETS)
def test_the_same_is_found_as_by_brute_force_in(alphabet: str) -> None:
    rng = random.Random(alphabet)
    characters = ALPHABETS[alphabet]

    def draw(most: int) -> str:
        return "".join(rng.choices(characters, k=rng.randint(0, most)))

    texts = [draw(12) for _ in range(150)]
    names = [draw(3) for _ in range(150)]
    expected = brute_force.find(names, texts)
    assert len(expected) > 20
    assert found(NameIndex.of(names), names, texts) == expected


@pytest.mark.parametrize(
    ("text", "name", "surfaces"),
    [
        ("Aus NEW\n\u00a0York!", "New York", ["NEW\n\u00a0York"]),
        ("Yorkshire, Newyork, York's, York-Town", "York", ["York", "York"]),
        ("İstanbul, ISTANBUL ve ıstanbul'da", "Istanbul", ["İstanbul", "ISTANBUL", "ıstanbul"]),
        ("DIYARBAKIR, Diyarbakır", "Diyarbakır", ["DIYARBAKIR", "Diyarbakır"]),
        ("In der Straße, STRASSE und ſtraſſe", "Straße", ["Straße", "STRASSE", "ſtraſſe"]),
        ("dell’Italia, l'Italia, Un'Italia", "Italia", ["Italia", "Italia", "Italia"]),
        ("O'Brien, Xi'an; 'Brien", "Brien", ["Brien"]),
        ("Прип'ять, п’ять", "ять", []),
        ("мой ЕЛЬЦИН и Ёлка", "ёлка", ["Ёлка"]),
        ("مُحَمَّدٌ، محمــد", "محمد", ["مُحَمَّدٌ", "محمــد"]),
        ("والقاهرة بالقاهرة القاهرة", "القاهرة", ["القاهرة"] * 3),
        ("أحمد", "احمد", []),
        ("서울은 서울에서 서울시 서울", "서울", ["서울", "서울", "서울"]),
        ("日本の東京都に", "東京", ["東京"]),
        ("ﾄｳｷｮｳとＴＯＫＹＯ", "トウキョウ", ["ﾄｳｷｮｳ"]),
        ("ﾄｳｷｮｳとＴＯＫＹＯ", "Tokyo", ["ＴＯＫＹＯ"]),
        ("カガ", "カ", ["カ"]),
        ("ｶｶﾞ", "カ", ["ｶ"]),
        ("ในกรุงเทพฯ", "กรุงเทพ", ["กรุงเทพ"]),
        ("กรุงเทพ่", "กรุงเทพ", []),
        ("在London的", "london", ["London"]),
        ("Mos\u00adkau \u200eMoskau\u200f", "Moskau", ["Mos\u00adkau", "Moskau"]),
        ("Moskau", "Mos", []),
        ("约翰•史密斯", "约翰·史密斯", ["约翰•史密斯"]),
        ("Rhein–Main Rhein‑Main", "Rhein-Main", ["Rhein–Main", "Rhein‑Main"]),
        ("e\u0301te\u0301 ete", "été", ["e\u0301te\u0301"]),
        ("e\u0301te\u0301 ete", "ete", ["ete"]),
        ("👨\u200d👩\u200d👧 👨", "👨", ["👨"]),
        ("a\x00b \ud800 b", "\ud800", ["\ud800"]),
        ("می‌خواهم", "میخواهم", ["می‌خواهم"]),
    ],
)
def test_a_name_is_found_as_people_write_it(text: str, name: str, surfaces: list[str]) -> None:
    result = NameIndex.of([name]).find([text])
    pairs = zip(result.start.tolist(), result.end.tolist(), strict=True)
    assert [text[start:end] for start, end in pairs] == surfaces


def test_names_of_several_languages_are_found_in_one_text() -> None:
    names = ["Tokyo", "東京", "Токио", "طوكيو", "โตเกียว", "도쿄", "টোকিও"]
    text = "Tokyo東京、Токио و طوكيو, โตเกียวและ도쿄는 টোকিও."
    result = found(NameIndex.of(names), names, [text])
    assert [text[start:end] for _, start, end, _ in result] == names


def test_nested_and_overlapping_names_are_all_found_in_order() -> None:
    names = ["New York", "York", "New", "New York City", "York City", "New York City Hall"]
    text = "In New York City, New York"
    surfaces = [text[start:end] for _, start, end, _ in found(NameIndex.of(names), names, [text])]
    assert surfaces == [
        "New", "New York", "New York City", "York", "York City", "New", "New York", "York",
    ]  # fmt: skip


def test_surfaces_are_all_names_with_one_folded_form() -> None:
    names = ["Rom", "ROM", "", "Roma", "rom", "\u200b", "Ｒｏｍ"]
    index = NameIndex.of(names)
    assert len(index) == 2
    result = index.find(["Rom Roma"])
    assert [index.surfaces(name).tolist() for name in result.name.tolist()] == [[0, 1, 4, 6], [3]]
    owners, rows = index.surfaces_of(result.name[::-1])
    assert owners.tolist() == [0, 1, 1, 1, 1]
    assert rows.tolist() == [3, 0, 1, 4, 6]


def test_hostile_texts_do_no_harm() -> None:
    rng = np.random.default_rng(6)
    ranges = [(0, 0x250), (0x300, 0x370), (0x590, 0x700), (0xE00, 0xE80), (0x1100, 0x1200)]
    ranges += [(0x2000, 0x2070), (0x3040, 0x3100), (0xAC00, 0xAD00), (0xD800, 0xE000)]
    ranges += [(0xFB00, 0xFFFF), (0x1F3F0, 0x1F480), (0xE0000, 0xE0200), (0, 0x110000)]
    pool = np.concatenate([rng.integers(*bounds, 300) for bounds in ranges])
    pool = np.concatenate([pool, np.repeat([ord(c) for c in EVERYTHING + " '-"], 10)])
    sizes = rng.integers(0, 14, 100_000)
    letters = "".join(map(chr, rng.choice(pool, int(sizes.sum())).tolist()))
    ends = np.cumsum(sizes).tolist()
    texts = [letters[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    names = [text[:size] for text, size in zip(texts, rng.integers(0, 4, 40_000), strict=False)]
    index = NameIndex.of(names)
    result = index.find(texts)
    assert len(result) > 50_000
    forms: dict[int, str] = {}
    columns = (result.text, result.start, result.end, result.name)
    seen = set()
    for text, start, end, name in zip(*(column.tolist() for column in columns), strict=True):
        surface = texts[text][start:end]
        assert len(surface) == end - start > 0
        if (surface, name) not in seen:
            seen.add((surface, name))
            if name not in forms:
                forms[name] = fold(names[int(index.surfaces(name)[0])])
            assert fold(surface) == forms[name]


@pytest.mark.parametrize(
    "text",
    ["a" * 1_000_000, "東" * 300_000, "\u0301" * 300_000, "\u200b" * 300_000, "\x00" * 300_000,
     "e\u0301" * 200_000, "\ud800" * 100_000, " " * 500_000, "가" * 100_000, "'" * 300_000],
)  # fmt: skip
def test_a_very_long_text_is_read_like_a_short_one(text: str) -> None:
    index = NameIndex.of(["york", "東", "東東", "e\u0301 york"])
    result = index.find([f"York {text} York", f"{text}"])
    assert len(result) == 2 + 2 * (2 * text.count("東") - ("東" in text))
    assert (result.start[0], result.end[0]) == (0, 4)
    last = np.flatnonzero(result.text == 0)[-1]
    assert (result.start[last], result.end[last]) == (len(text) + 6, len(text) + 10)


def test_ten_thousand_mentions_in_one_text_are_found() -> None:
    result = NameIndex.of(["Paris"]).find(["Paris, " * 10_000])
    assert result.start.tolist() == list(range(0, 70_000, 7))


def test_no_name_reaches_from_one_text_into_the_next() -> None:
    names = ["ab", "a b", "a\nb", "東京"]
    assert len(NameIndex.of(names).find(["a", "b", "東", "京", "", "a", ""])) == 0


def test_the_same_is_found_in_many_texts_as_in_each() -> None:
    rng = random.Random(3)
    texts = ["".join(rng.choices(EVERYTHING, k=rng.randint(0, 400))) for _ in range(400)]
    index = NameIndex.of(["".join(rng.choices(EVERYTHING, k=2)) for _ in range(500)])
    together = index.find(texts)
    alone = [index.find([text]) for text in texts]
    assert together.text.tolist() == [n for n, one in enumerate(alone) for _ in range(len(one))]
    for part in ("start", "end", "name"):
        joined = np.concatenate([getattr(one, part) for one in alone])
        assert getattr(together, part).tolist() == joined.tolist()


def test_an_index_without_names_finds_nothing() -> None:
    for names in ([], ["", " ", "\u200b"]):
        index = NameIndex.of(names)
        assert len(index) == 0
        assert len(index.find(["a b", "東京", ""])) == 0
    assert len(NameIndex.of(["a"]).find([])) == 0


def test_the_benchmark_finds_names_in_small_worlds(tmp_path: Path) -> None:
    script = Path(__file__).resolve().parents[2] / "benchmarks" / "linking.py"
    figures = tmp_path / "figures.json"
    small = ["--names", "200", "--megabytes", "0.02", "--rounds", "1", "--peers"]
    command = [sys.executable, str(script), *small, "--json", str(figures)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for result in json.loads(figures.read_text()):
        assert result["found"] > 100
        assert result["exonym"]["megabytes_a_second"] > 0
