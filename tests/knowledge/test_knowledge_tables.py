"""Tables on disk answer as lists and dictionaries would."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exonym.foundation.errors import FormatError
from exonym.knowledge.tables import (
    HashFunction,
    IndexedStrings,
    StringTable,
    StringTableWriter,
    TextsByLanguage,
    TextsByLanguageWriter,
    group_starts,
    hash64,
    write_hash_index,
)


def _table(directory: Path, texts: list[str], hash_function: HashFunction) -> IndexedStrings:
    with StringTableWriter(directory, "words") as writer:
        for text in texts:
            writer.append(text)
    write_hash_index(directory, "words", hash_function=hash_function)
    return IndexedStrings(directory, "words", hash_function=hash_function)


HASHES: dict[str, HashFunction] = {
    "blake2b": hash64,
    "all collide": lambda _: 2**64 - 1,
    "many collide": lambda data: len(data) % 3,
}


@pytest.mark.parametrize("hash_function", HASHES.values(), ids=HASHES.keys())
@given(
    texts=st.lists(st.text(max_size=8), unique=True, max_size=40),
    queries=st.lists(st.text(max_size=8), max_size=10),
)
def test_a_look_up_finds_what_a_dictionary_finds_even_when_hashes_collide(
    hash_function: HashFunction, texts: list[str], queries: list[str]
) -> None:
    twin = {text: row for row, text in enumerate(texts)}
    with tempfile.TemporaryDirectory() as directory:
        table = _table(Path(directory), texts, hash_function)
        assert [table[row] for row in range(len(table))] == texts
        for query in (*texts, *queries):
            assert table.find(query) == twin.get(query)
        found = table.find_all([*texts, *queries])
        assert found.tolist() == [twin.get(query, -1) for query in (*texts, *queries)]
        assert table.strings(0, len(texts)) == texts
        assert not list(table.repeated())


@pytest.mark.parametrize("hash_function", HASHES.values(), ids=HASHES.keys())
@given(st.lists(st.sampled_from(["a", "b", "cc", "dd", "eee"]), max_size=12))
def test_repeated_strings_are_listed_even_when_hashes_collide(
    hash_function: HashFunction, texts: list[str]
) -> None:
    places = {text: [i for i, other in enumerate(texts) if other == text] for text in texts}
    with tempfile.TemporaryDirectory() as directory:
        repeated = list(_table(Path(directory), texts, hash_function).repeated())
    assert sorted(repeated) == sorted(rows for rows in places.values() if len(rows) > 1)


def test_of_equal_strings_the_first_row_is_found(tmp_path: Path) -> None:
    assert _table(tmp_path, ["a", "b", "a"], hash64).find("a") == 0


def test_a_query_with_characters_that_no_file_can_hold_is_just_not_found(tmp_path: Path) -> None:
    assert _table(tmp_path, ["a"], hash64).find("\ud83d") is None


def test_the_hash_is_the_same_on_every_machine() -> None:
    assert hash64("東京".encode()) == 17306041243353289198


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["de", "en", "ja", "xx"]), st.text(max_size=5)), max_size=20
    ),
    st.integers(0, 3),
)
def test_texts_by_language_answer_as_dictionaries(texts: list[dict[str, str]], more: int) -> None:
    languages = {"de": 0, "en": 1, "ja": 2}
    with tempfile.TemporaryDirectory() as directory:
        writer = TextsByLanguageWriter(Path(directory), "labels", languages)
        for entry in texts:
            writer.append(entry)
        writer.close()
        table = TextsByLanguage(Path(directory), "labels")
        for owner, entry in enumerate([*texts, *[{}] * more]):
            for language, number in languages.items():
                assert table.get(owner, number) == entry.get(language)


@given(st.lists(st.integers(0, 9), max_size=30), st.integers(10, 12))
def test_group_starts_cut_a_sorted_column_into_its_owners(owners: list[int], count: int) -> None:
    column = np.array(sorted(owners), dtype=np.int64)
    starts = group_starts(column, count).astype(int)
    assert len(starts) == count + 1
    for owner in range(count):
        assert column[starts[owner] : starts[owner + 1]].tolist() == [owner] * owners.count(owner)


@pytest.mark.parametrize("file", ["words.utf8", "words.offsets.npy"])
def test_a_truncated_or_missing_file_is_named(tmp_path: Path, file: str) -> None:
    _table(tmp_path, ["東京", "日本", *map(str, range(100))], hash64)
    path = tmp_path / file
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(FormatError, match=f"{file}.*Build the directory anew"):
        StringTable(tmp_path, "words")
    path.unlink()
    with pytest.raises(FormatError, match=f"{file}.*Build the directory anew"):
        StringTable(tmp_path, "words")
