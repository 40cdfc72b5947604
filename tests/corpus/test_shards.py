"""Sequences on disk come back as written; damage is an error, not a wrong batch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exonym.corpus import Corpus, Sequences
from exonym.corpus.shards import SequenceWriter, join_sequences
from exonym.foundation.errors import FormatError, InputError, VersionError
from exonym.foundation.files import read_json, write_json

ids = st.integers(0, 2**31 - 1)
spans = st.lists(st.tuples(st.integers(0, 600), st.integers(0, 600)), max_size=4)
sequences = st.lists(st.tuples(st.lists(ids, max_size=6), spans), max_size=6)


@settings(max_examples=60)
@given(written=sequences)
def test_sequences_come_back_as_written(
    written: list[tuple[list[int], list[tuple[int, int]]]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    directory = tmp_path_factory.mktemp("shards") / "en"
    with SequenceWriter(directory) as writer:
        for words, pairs in written:
            rows = np.arange(len(pairs), dtype=np.int32)
            writer.append(np.array(words, np.int32), rows, np.array(pairs, np.int32).reshape(-1, 2))
    opened = Sequences.open(directory)
    assert len(opened) == len(written)
    for index, (words, pairs) in enumerate(written):
        got_words, rows, got_spans = opened[index]
        assert got_words.tolist() == words
        assert rows.tolist() == list(range(len(pairs)))
        assert got_spans.tolist() == [list(pair) for pair in pairs]
        assert got_words.dtype == rows.dtype == got_spans.dtype == np.int32


def truncate(name: str, count: int) -> Callable[[Path], None]:
    def damage(directory: Path) -> None:
        content = (directory / name).read_bytes()
        (directory / name).write_bytes(content[: len(content) - count])

    return damage


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda d: (d / "words.i32").unlink(), "cannot be read"),
        (truncate("words.i32", 4), "do not fit together. Build the corpus again"),
        (truncate("words.i32", 3), "cannot be read"),
        (truncate("entities.i32", 4), "do not fit together"),
        (truncate("spans.i32", 8), "do not fit together"),
        (truncate("spans.i32", 4), "cannot be read"),
        (truncate("word_offsets.i64", 8), "do not fit together"),
        (truncate("entity_offsets.i64", 5), "cannot be read"),
        (lambda d: (d / "word_offsets.i64").write_bytes(b""), "do not fit together"),
    ],
)
def test_a_damaged_language_is_a_format_error_that_names_it(
    damage: Callable[[Path], None],
    message: str,
    tmp_path: Path,
    make_corpus: Callable[..., Path],
) -> None:
    corpus = make_corpus(tmp_path / "corpus", {"en": 3, "ja": 2})
    damage(corpus / "ja")
    with pytest.raises(FormatError, match=message) as raised:
        Corpus.open(corpus)
    assert str(corpus / "ja") in str(raised.value)


def test_a_corpus_knows_its_languages_tokenizer_and_entities(
    tmp_path: Path, make_corpus: Callable[..., Path]
) -> None:
    corpus = Corpus.open(make_corpus(tmp_path / "corpus", {"ja": 2, "en": 3, "sw": 0}))
    assert list(corpus.languages) == ["en", "ja", "sw"]
    assert [len(s) for s in corpus.languages.values()] == [3, 2, 0]
    assert len(corpus.entities()) == 16
    assert corpus.tokenizer().words.added.ids["<ent2>"] == len(corpus.tokenizer().words) - 1


def test_a_directory_that_is_no_corpus_says_how_to_make_one(
    tmp_path: Path, make_corpus: Callable[..., Path]
) -> None:
    with pytest.raises(InputError, match="exonym corpus build"):
        Corpus.open(tmp_path)
    corpus = make_corpus(tmp_path / "corpus", {"en": 1})
    manifest = read_json(corpus / "manifest.json")
    write_json(corpus / "manifest.json", {**manifest, "version": 99})
    with pytest.raises(VersionError, match="version 99"):
        Corpus.open(corpus)


def test_joined_parts_are_what_one_writer_writes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    sequences = [
        (
            rng.integers(0, 99, words).astype(np.int32),
            rng.integers(0, 9, entities).astype(np.int32),
            rng.integers(0, 5, (entities, 2)).astype(np.int32),
        )
        for words, entities in ((3, 1), (5, 2), (1, 1), (7, 3))
    ]
    borders = {"one": (0, 2), "none": (2, 2), "two": (2, 4), "whole": (0, 4)}
    for name, (first, last) in borders.items():
        with SequenceWriter(tmp_path / name) as writer:
            for sequence in sequences[first:last]:
                writer.append(*sequence)
    join_sequences([tmp_path / name for name in ("one", "none", "two")], tmp_path / "joined")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["joined", "whole"]
    for file in (tmp_path / "whole").iterdir():
        assert (tmp_path / "joined" / file.name).read_bytes() == file.read_bytes()
