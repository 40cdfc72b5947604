"""The order of sequences: sampled by size, every one once an epoch, any step alone computable."""

from __future__ import annotations

import itertools
import threading
from collections import Counter

import numpy as np
import pytest
from false_alarms import fits, independent
from hypothesis import given, settings
from hypothesis import strategies as st
from in_memory import alike, corpus_of

from exonym.corpus import LanguageSampling, PretrainingStream, stream
from exonym.foundation.errors import ConfigError, InputError

SIZES = {"de": 400, "en": 1600, "ja": 90, "sw": 1, "te": 0}
CORPUS = corpus_of({code: alike(size, 2, 1) for code, size in SIZES.items()})


def make(batch_sequences: int = 8, alpha: float = 0.7, **options: int) -> PretrainingStream:
    return PretrainingStream(
        CORPUS,
        batch_sequences=batch_sequences,
        sampling=LanguageSampling(alpha),
        **{"seed": 5, **options},
    )


def drawn(count: int, **options: float) -> np.ndarray:
    """The first references of all."""
    return make(batch_sequences=count, **options).references(0)  # type: ignore[arg-type]


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "BLOCK", 96)
    monkeypatch.setattr(stream, "_GROUP", 20)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 0.7, 1.0])
@pytest.mark.parametrize("held_out", [0, 10])
def test_languages_are_drawn_by_what_is_left_of_them_to_the_alpha(
    alpha: float, held_out: int
) -> None:
    count = 150_000
    languages = drawn(count, alpha=alpha, held_out=held_out)[:, 0]
    left = np.array([396, 1590, 90, 1] if held_out else [400, 1600, 90, 1], float)
    seen = np.bincount(languages, minlength=5)
    assert seen[4] == 0
    assert fits(seen[:4], left**alpha / (left**alpha).sum() * count)


def test_draws_are_independent_of_those_before_them() -> None:
    languages = drawn(200_000, alpha=0.3)[:, 0]
    for distance in (1, 2, 192):
        table = np.zeros((4, 4))
        np.add.at(table, (languages[:-distance], languages[distance:]), 1)
        assert independent(table)


@pytest.mark.usefixtures("small_blocks")
def test_every_sequence_is_seen_once_before_any_is_seen_again() -> None:
    references = drawn(20_000)
    for language, size in enumerate(SIZES.values()):
        indices = references[references[:, 0] == language, 1]
        for start in range(0, len(indices) - size + 1, max(size, 1)):
            assert sorted(indices[start : start + size]) == list(range(size))
        rest = indices[len(indices) // max(size, 1) * size :]
        assert len(set(rest.tolist())) == len(rest)


@pytest.mark.parametrize("group", [20, 500])  # one epoch of 90 sequences at a time, and five
def test_every_epoch_has_an_order_of_its_own(group: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_GROUP", group)
    references = drawn(30_000)
    indices = references[references[:, 0] == 2, 1]  # 90 sequences
    epochs = indices[: len(indices) // 90 * 90].reshape(-1, 90)
    assert len(epochs) > 20
    assert len({tuple(epoch) for epoch in epochs.tolist()}) == len(epochs)


@pytest.mark.usefixtures("small_blocks")
def test_held_out_sequences_are_never_drawn_and_all_others_are() -> None:
    order = make(held_out=10)
    references = make(batch_sequences=20_000, held_out=10).references(0)
    for language, (size, part) in enumerate(zip(SIZES.values(), order.held_out, strict=True)):
        assert len(part) == min(10, size // 100)
        seen = set(references[references[:, 0] == language, 1].tolist())
        assert seen == set(range(size)) - set(part.indices.tolist())


def test_what_is_held_out_does_not_depend_on_the_seed() -> None:
    parts = [[part.indices.tolist() for part in make(held_out=9, seed=s).held_out] for s in (1, 2)]
    assert parts[0] == parts[1]


@settings(max_examples=30)
@given(steps=st.lists(st.integers(0, 60), min_size=1, max_size=6), batch=st.integers(1, 70))
def test_any_step_can_be_computed_alone_whatever_the_batch(steps: list[int], batch: int) -> None:
    """The draws are one row, of which each batch is a stretch."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "BLOCK", 96)
        whole = drawn(61 * 70).tolist()
        order = make(batch_sequences=batch)
        for step in steps:
            assert order.references(step).tolist() == whole[batch * step : batch * (step + 1)]


@pytest.mark.usefixtures("small_blocks")
def test_a_late_step_is_the_same_on_the_way_and_at_once() -> None:
    on_the_way = make()
    sequential = [on_the_way.references(step).tolist() for step in range(600)]
    assert make().references(599).tolist() == sequential[599]
    assert on_the_way.references(0).tolist() == sequential[0]


def test_another_seed_gives_another_order() -> None:
    assert drawn(30).tolist() == drawn(30).tolist()
    assert drawn(30).tolist() != drawn(30, seed=6).tolist()


@pytest.mark.usefixtures("small_blocks")
def test_threads_do_not_disturb_each_other() -> None:
    expected = [make().references(step).tolist() for step in range(80)]
    order, found = make(), dict[int, list[list[int]]]()

    def ask(steps: range) -> None:
        for step in steps:
            found[step] = order.references(step).tolist()

    threads = [threading.Thread(target=ask, args=(range(i, 80, 4),)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[step] for step in range(80)] == expected


def test_a_language_of_one_sequence_takes_its_turns() -> None:
    counts = Counter(drawn(50_000, alpha=0.0)[:, 0].tolist())
    assert sorted(counts) == [0, 1, 2, 3]
    assert fits([counts[code] for code in range(4)], [12_500] * 4)


def test_references_are_languages_and_sequences_of_the_corpus() -> None:
    order = make()
    assert order.languages == tuple(SIZES)
    for step in itertools.chain(range(20), (10**6,)):
        for language, index in order.references(step).tolist():
            assert 0 <= index < SIZES[order.languages[language]]


def test_impossible_samplings_are_errors() -> None:
    with pytest.raises(ConfigError, match=r"alpha must lie in \[0, 1\], got 1\.5"):
        LanguageSampling(1.5)
    with pytest.raises(InputError, match="no sequence in any language"):
        LanguageSampling().probabilities([0, 0])
    with pytest.raises(ConfigError, match="batch_sequences must be at least 1, got 0"):
        make(batch_sequences=0)
    with pytest.raises(ConfigError, match="held_out_sequences must be at least 0"):
        make(held_out=-2)
