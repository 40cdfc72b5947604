"""Reading the sequences of a batch: what the corpus has of each, padded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exonym.corpus import Corpus
from exonym.corpus.gathering import SequenceReader

SIZES = {"de": 40, "en": 160, "ja": 9, "te": 0}
PAD = 1


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, make_corpus: Callable[..., Path]) -> Corpus:
    return Corpus.open(make_corpus(tmp_path_factory.mktemp("reader") / "corpus", SIZES))


REFERENCE = st.sampled_from(list(enumerate(SIZES.values()))[:3]).flatmap(
    lambda pair: st.tuples(st.just(pair[0]), st.integers(0, pair[1] - 1))
)


@settings(max_examples=60)
@given(chosen=st.lists(REFERENCE, min_size=1, max_size=12), with_entities=st.booleans())
def test_every_sequence_is_read_whole_and_what_is_beside_it_is_padding(
    chosen: list[tuple[int, int]], with_entities: bool, corpus: Corpus
) -> None:
    reader, names = SequenceReader(corpus), list(SIZES)
    extents = reader.extents(np.array(chosen), np.arange(len(chosen)))
    read = reader.read(extents, pad_id=PAD, with_entities=with_entities)
    given = [corpus.languages[names[language]][index] for language, index in chosen]
    assert extents.word_counts.tolist() == [len(words) for words, _, _ in given]
    assert extents.entity_counts.tolist() == [len(rows) for _, rows, _ in given]
    assert read.words.shape[1] == max(len(words) for words, _, _ in given) + 2
    for row, (words, entities, spans) in enumerate(given):
        count = len(entities) if with_entities else 0
        assert read.entity_counts[row] == count
        behind = read.words.shape[1] - len(words) - 1
        assert read.words[row].tolist() == [PAD, *words.tolist(), *[PAD] * behind]
        assert read.entities[row, :count].tolist() == entities[:count].tolist()
        assert read.spans[row, :count].tolist() == (spans[:count] + 1).tolist()
        assert not read.entities[row, count:].any()
        assert not read.spans[row, count:].any()


def test_some_of_a_batch_keep_their_places(corpus: Corpus) -> None:
    reader = SequenceReader(corpus)
    references = np.array([[1, 5], [0, 3], [1, 5], [2, 8]])
    part = reader.extents(references, np.arange(4)).take(np.array([1, 3]))
    assert part.places.tolist() == [1, 3]
    assert part.references.tolist() == [[0, 3], [2, 8]]
    whole = corpus.languages["ja"].word_offsets
    assert part.word_starts.tolist()[1] == whole[8]
    assert part.word_counts.tolist()[1] == whole[9] - whole[8]


def test_reading_changes_nothing_on_disk(corpus: Corpus) -> None:
    reader = SequenceReader(corpus)
    read = reader.read(
        reader.extents(np.array([[1, 0]]), np.arange(1)), pad_id=PAD, with_entities=True
    )
    read.words[:] = 7
    read.spans[:] = 7
    assert not (corpus.languages["en"][0][0] == 7).all()
