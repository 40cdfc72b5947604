"""The order of sequences: sampled by size, every one once an epoch, any step alone computable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from exonym.corpus import Corpus, LanguageSampling, PretrainingStream
from exonym.foundation.errors import ConfigError, InputError
from exonym.foundation.seeds import generator

SIZES = {"de": 40, "en": 160, "ja": 9, "sw": 1, "te": 0}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, make_corpus: Callable[..., Path]) -> Corpus:
    return Corpus.open(make_corpus(tmp_path_factory.mktemp("stream") / "corpus", SIZES))


def stream(corpus: Corpus, **options: object) -> PretrainingStream:
    defaults = {"batch_sequences": 8, "sampling": LanguageSampling(0.7), "seed": 5}
    return PretrainingStream(corpus, **{**defaults, **options})  # type: ignore[arg-type]


def drawn(corpus: Corpus, steps: int, **options: object) -> list[tuple[int, int]]:
    order = stream(corpus, **options)
    return [tuple(pair) for step in range(steps) for pair in order.references(step).tolist()]


@pytest.mark.parametrize("alpha", [0.0, 0.7, 1.0])
def test_languages_are_drawn_by_their_size_to_the_alpha(alpha: float, corpus: Corpus) -> None:
    steps = 1600
    seen = Counter(
        language for language, _ in drawn(corpus, steps, sampling=LanguageSampling(alpha))
    )
    sizes = np.array([size for size in SIZES.values() if size], dtype=float)
    expected = sizes**alpha / (sizes**alpha).sum() * steps * 8
    observed = np.array([seen[language] for language in range(4)])
    assert seen[4] == 0
    chi_square = float(((observed - expected) ** 2 / expected).sum())
    assert chi_square < 16.3  # 3 degrees of freedom, p = 0.001; the seed is fixed


def test_every_sequence_is_seen_once_before_any_is_seen_again(corpus: Corpus) -> None:
    by_language: dict[int, list[int]] = {}
    for start in range(0, 320, 32):  # the order of the draws is that of the blocks
        block = sorted(drawn_block(corpus, start))
        for language, index in block:
            by_language.setdefault(language, []).append(index)
    for language, indices in by_language.items():
        size = list(SIZES.values())[language]
        counts = Counter(indices)
        assert max(counts.values()) - min(counts.get(i, 0) for i in range(size)) <= 1


def drawn_block(corpus: Corpus, start: int) -> list[tuple[int, int]]:
    order = stream(corpus)
    return [
        tuple(pair) for step in range(start, start + 32) for pair in order.references(step).tolist()
    ]


def test_the_order_is_that_of_the_seed_and_the_epoch(corpus: Corpus) -> None:
    """The n-th draw of a language is the n-th entry of its epochs' permutations, block by block."""
    names = list(SIZES)
    endless = {
        language: [
            index
            for epoch in range(200)
            for index in generator(5, "epoch", name, epoch).permutation(SIZES[name]).tolist()
        ]
        for language, name in enumerate(names)
    }
    begun = Counter[int]()
    for start in range(0, 320, 32):
        block = drawn_block(corpus, start)
        for language in range(len(names)):
            found = sorted(index for code, index in block if code == language)
            expected = endless[language][begun[language] :][: len(found)]
            assert found == sorted(expected)
            begun[language] += len(found)
    assert begun.total() == 320 * 8


def test_any_step_can_be_computed_alone(corpus: Corpus) -> None:
    order = stream(corpus)
    sequential = [order.references(step).tolist() for step in range(130)]
    for step in (129, 0, 64, 63, 31, 32, 100):
        assert stream(corpus).references(step).tolist() == sequential[step]
        assert order.references(step).tolist() == sequential[step]


def test_ranks_split_what_one_process_would_see(corpus: Corpus) -> None:
    whole = stream(corpus, batch_sequences=12)
    ranks = [stream(corpus, batch_sequences=4, rank=rank, world=3) for rank in range(3)]
    for step in (0, 5, 40):
        parts = [rank.references(step).tolist() for rank in ranks]
        assert [len(part) for part in parts] == [4, 4, 4]
        assert sorted(pair for part in parts for pair in part) == sorted(
            whole.references(step).tolist()
        )


def test_another_seed_gives_another_order(corpus: Corpus) -> None:
    assert drawn(corpus, 3) == drawn(corpus, 3)
    assert drawn(corpus, 3) != drawn(corpus, 3, seed=6)


def test_a_batch_holds_the_sequences_it_refers_to(corpus: Corpus) -> None:
    order = stream(corpus)
    names = list(SIZES)
    for (language, index), sequence, name in zip(
        order.references(7), order.batch(7), order.languages(7), strict=True
    ):
        assert names[language] == name
        for got, expected in zip(sequence, corpus.languages[name][int(index)], strict=True):
            assert got.tolist() == expected.tolist()


def test_batches_hold_sequences_of_similar_length(corpus: Corpus) -> None:
    order = stream(corpus)
    lengths = [[len(words) for words, *_ in order.batch(step)] for step in range(64)]
    padded = sum(max(batch) * len(batch) for batch in lengths)
    assert sum(map(sum, lengths)) > 0.9 * padded


def test_impossible_samplings_are_errors() -> None:
    with pytest.raises(ConfigError, match=r"alpha must lie in \[0, 1\], got 1\.5"):
        LanguageSampling(1.5)
    with pytest.raises(InputError, match="no sequence in any language"):
        LanguageSampling().probabilities([0, 0])
