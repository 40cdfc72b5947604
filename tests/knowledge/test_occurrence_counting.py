"""Counting names in texts agrees with looking for each name in each text."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exonym.atlas.table import load_table
from exonym.foundation.errors import FormatError, InputError
from exonym.knowledge import occurrence_counting, token_spans
from exonym.knowledge.occurrence_counting import OccurrenceCounter
from exonym.knowledge.span_tables import HashFilter, HashTable
from exonym.knowledge.titles import plain_surface


def is_word(character: str) -> bool:
    if character in "\u200c\u200d":
        return True
    return re.fullmatch(r"[LMN].|Pc", unicodedata.category(character)) is not None


def is_border(text: str, place: int) -> bool:
    if place in (0, len(text)):
        return True
    return not (is_word(text[place - 1]) and is_word(text[place]))


def count_one(name: str, text: str, spaced: bool) -> int:
    """Occurrences by trying every place of a text."""
    name, text = plain_surface(name), plain_surface(text)
    places = [place for place in range(len(text)) if name and text.startswith(name, place)]
    if spaced:
        places = [p for p in places if is_border(text, p) and is_border(text, p + len(name))]
    return len(places)


def count_all(names: list[str], texts: list[str], spaced: bool) -> list[int]:
    return [sum(count_one(name, text, spaced) for text in texts) for name in names]


def count(names: list[str], texts: list[str], *, spaced: bool) -> list[int]:
    counter = OccurrenceCounter([name.encode() for name in names], spaced=spaced)
    counter.add(texts)
    return counter.counts.tolist()


BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
FEW = "aAb1 _-'’.\u0301\u200d\u200c\u0939\u093f\u094d東京กาé\u00a0\n\u3000\U0001f600"
NEAR = st.text(FEW, max_size=12)
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@settings(max_examples=200)
@given(
    st.lists(NEAR | ANY, max_size=8),
    st.lists(NEAR | ANY, max_size=6),
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), max_size=8),
    st.booleans(),
)
def test_counts_are_those_of_a_search_for_each_name(
    names: list[str], texts: list[str], pieces: list[tuple[int, int]], spaced: bool
) -> None:
    everything = "".join(texts)
    names = [*names, *(everything[start : start + size] for start, size in pieces)]
    assert count(names, texts, spaced=spaced) == count_all(names, texts, spaced)


@settings(max_examples=30)
@given(st.lists(st.text("ab ", min_size=1, max_size=7), min_size=1, max_size=30), st.booleans())
def test_long_texts_are_counted_across_the_seams_of_batches_and_windows(
    words: list[str], spaced: bool
) -> None:
    text = " ".join(words * 3)
    names = sorted({text[a : a + n] for a in range(0, len(text), 5) for n in (1, 2, 5, 11, 29)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(occurrence_counting, "_WINDOW", 3)
        patch.setattr(occurrence_counting, "_BATCH", 5)
        found = count(names, [text, *words], spaced=spaced)
    assert found == count_all(names, [text, *words], spaced)


def test_an_occurrence_ends_at_the_borders_of_words() -> None:
    text = "New York, New Yorker, York-New York's U.S.A. is in the U.S."
    found = count(["New York", "York", "New", "U.S.", "New York's", "S", "or"], [text], spaced=True)
    assert found == [2, 3, 3, 2, 1, 2, 0]
    assert count(["York", "or"], [text], spaced=False) == [4, 4]


def test_marks_digits_and_joiners_belong_to_words() -> None:
    assert count(["cafe"], ["cafe cafe\u0301 cafe2 cafe_"], spaced=True) == [1]
    assert count(["हिन्द"], ["हिन्दी हिन्द"], spaced=True) == [1]
    assert count(["می"], ["می\u200cخواهم می"], spaced=True) == [1]


def test_nested_and_overlapping_occurrences_all_count() -> None:
    assert count(["東", "東京", "東京都", "京都"], ["東京都と東京"], spaced=False) == [2, 2, 1, 1]
    assert count(["a a", "a", "a a a"], ["a a a a"], spaced=True) == [3, 4, 2]


def test_white_space_is_one_blank_in_names_and_texts_alike() -> None:
    names = ["New York", " New\u00a0 York ", "New\nYork"]
    assert count(names, ["New York. New\u3000York. New \t York."], spaced=True) == [3, 3, 3]


def test_names_do_not_reach_from_one_text_into_the_next() -> None:
    assert count(["New York", "New", "ab"], ["New", "York", "a", "b"], spaced=False) == [0, 1, 0]


def test_case_and_accents_tell_names_apart() -> None:
    texts = ["Côte cote co\u0302te"]
    assert count(["côte", "cote", "Côte", "co\u0302te"], texts, spaced=True) == [0, 1, 1, 1]


def test_nothing_in_nothing_is_nothing() -> None:
    assert count([], ["some text"], spaced=True) == []
    assert count(["", " ", "a"], [], spaced=True) == [0, 0, 0]
    assert count(["", " ", "a"], ["", " ", "\n"], spaced=False) == [0, 0, 0]


def test_a_name_given_twice_has_its_count_twice() -> None:
    assert count(["a", "b", "a"], ["a b a"], spaced=True) == [2, 1, 2]


def test_texts_may_hold_broken_characters() -> None:
    assert count(["a"], ["a \ud800 a\udfff", "\ud83d\ude00a"], spaced=True) == [3]


def test_counts_add_up_over_calls() -> None:
    counter = OccurrenceCounter([b"a", b"b"], spaced=True)
    counter.add(["a b"])
    counter.add(iter(["a", "a"]))
    assert counter.counts.tolist() == [3, 1]
    assert len(counter) == 2


def test_names_may_come_from_any_iterable() -> None:
    counter = OccurrenceCounter((name for name in (b"a", b"b")), spaced=True)
    counter.add(["b"])
    assert counter.counts.tolist() == [0, 1]


def test_a_saved_table_is_opened_with_counts_of_its_own(tmp_path: Path) -> None:
    names = [f"name {n}".encode() for n in range(300)] + [b"", b"name"]
    texts = [f"a name {n} {n}" for n in range(0, 600, 2)]
    whole = OccurrenceCounter(names, spaced=True)
    whole.add(texts)
    whole.save(tmp_path, "names")
    parts = [OccurrenceCounter.open(tmp_path, "names") for _ in range(2)]
    assert [part.counts.sum() for part in parts] == [0, 0]
    parts[0].add(texts[:100])
    parts[1].add(texts[100:])
    assert (parts[0].counts + parts[1].counts).tolist() == whole.counts.tolist()
    assert whole.counts.sum() == 150 + 300
    assert parts[0].spaced
    (tmp_path / "names.hash.npy").unlink()
    with pytest.raises(FormatError, match=r"names\.hash\.npy"):
        OccurrenceCounter.open(tmp_path, "names")


def test_the_same_names_give_the_same_table(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        OccurrenceCounter([b"b", b"a c", b"a"], spaced=True).save(tmp_path / name, "t")
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert len(files) == 6
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


def test_names_that_are_not_utf8_are_named() -> None:
    with pytest.raises(InputError, match="UTF-8") as caught:
        OccurrenceCounter([b"good", b"b\xffd"], spaced=True)
    assert "name 1" in str(caught.value)


def test_names_with_one_hash_are_not_mixed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = token_spans.letter_numbers
    seeds = []

    def all_letters_alike(seed: int) -> token_spans.Hashes:
        seeds.append(seed)
        return genuine(seed) if seed > 1 else np.ones(sys.maxunicode + 2, np.uint64)

    monkeypatch.setattr(token_spans, "letter_numbers", all_letters_alike)
    counter = OccurrenceCounter([b"aa", b"ab", b"aa"], spaced=True)
    assert sorted(set(seeds)) == [0, 1, 2]
    counter.add(["aa ab aa ac"])
    assert counter.counts.tolist() == [2, 1, 2]


def test_characters_of_words_are_letters_marks_numbers_and_joiners() -> None:
    table = token_spans.word_characters()
    assert len(table) == sys.maxunicode + 2
    for point in [*range(0x3000), 0x4E00, 0xAC00, 0xD800, 0x1F600, 0xE0100, sys.maxunicode]:
        assert table[point] == is_word(chr(point))
    assert not table[-1]


def test_white_space_is_what_python_takes_for_it() -> None:
    everything = map(chr, range(sys.maxunicode + 1))
    found = np.flatnonzero(token_spans.white_space()).tolist()
    assert found == [ord(character) for character in everything if character.isspace()]


@given(st.lists(st.integers(0, 2**64 - 1) | st.sampled_from([0, 1, 2**63, 2**64 - 2, 2**64 - 1])))
def test_tables_of_hashes_find_what_is_in_them_and_nothing_else(values: list[int]) -> None:
    hashes = np.array(values, np.uint64)
    table, slots = HashTable.build(hashes)
    ranks = {value: rank for rank, value in enumerate(sorted(set(values)))}
    assert slots.tolist() == [ranks[value] for value in values]
    assert len(table) == len(ranks)
    asked = [*values, *(value ^ 1 for value in values), 2**64 - 1]
    places, found = (part.tolist() for part in table.find(np.array(asked, np.uint64)))
    assert dict(zip(places, found, strict=True)) == {
        place: ranks[value] for place, value in enumerate(asked) if value in ranks
    }


def test_few_other_hashes_pass_a_filter() -> None:
    rng = np.random.default_rng(0)
    known, other = rng.integers(0, 2**64, (2, 50_000), np.uint64)
    sieve = HashFilter.build(known)
    assert sieve.may_contain(known).all()
    assert 0 < sieve.may_contain(other).mean() < 1 / 12


def test_hashes_of_many_like_spans_differ() -> None:
    """Every piece of up to 24 letters of a text of two letters: nearly as many hashes."""
    rng = np.random.default_rng(0)
    text = "".join(rng.choice(["a", "b"], 20_000))
    tokens = token_spans.cut_tokens([text], spaced=False)
    window = token_spans.SpanHasher(0).window(tokens, 0, len(tokens))
    starts = np.arange(len(text) - 24)
    for size in (1, 2, 12, 24):
        pieces = {text[start : start + size] for start in starts.tolist()}
        assert len(np.unique(window.hashes(starts, starts + size - 1))) == len(pieces)


def test_the_benchmark_counts_small_worlds(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    small = ["--names", "200", "--megabytes", "0.02", "--rounds", "1", "--peer-most", "0"]
    command = [sys.executable, str(BENCHMARKS / "occurrences.py"), *small, "--json", str(figures)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    spaced, unspaced = json.loads(figures.read_text())
    assert spaced["occurrences"] > 100
    assert unspaced["occurrences"] > 100
    assert spaced["exonym"]["counting_megabytes_per_second"] > 0


def test_the_table_of_the_scale_proof_is_a_table_of_the_promised_size(tmp_path: Path) -> None:
    path = tmp_path / "table.jsonl"
    command = [sys.executable, str(BENCHMARKS / "scale_world.py"), "--out", str(path)]
    done = subprocess.run(
        [*command, "--entities", "1000"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    table, counts = load_table(path), json.loads(done.stdout)
    names = [found for entity in table.entities.values() for found in entity.names.values()]
    assert len(table.languages()) == 24
    assert len(table.entities) == counts["entities"] == 1000
    assert len(table.facts) == counts["facts"] > 1500
    assert sum(map(len, names)) == counts["names"] > 10_000
