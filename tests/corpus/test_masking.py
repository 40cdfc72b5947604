"""Masking: how many, which, and what takes their place (paper, section 3.1)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exonym.corpus import Corpus, MaskedBatch, Masking, mask_batch
from exonym.foundation.errors import ConfigError
from exonym.tokenization import EntityTokenizer

Sequence = tuple[np.ndarray, np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def tokenizer(
    tmp_path_factory: pytest.TempPathFactory, make_corpus: Callable[..., Path]
) -> EntityTokenizer:
    return Corpus.open(make_corpus(tmp_path_factory.mktemp("m") / "c", {"en": 1})).tokenizer()


@st.composite
def sequences(draw: st.DrawFn) -> list[Sequence]:
    result = []
    for _ in range(draw(st.integers(1, 5))):
        length, count = draw(st.integers(1, 60)), draw(st.integers(0, 12))
        starts = [draw(st.integers(0, length - 1)) for _ in range(count)]
        spans = [(start, draw(st.integers(start + 1, length))) for start in starts]
        result.append(
            (
                np.arange(5, 5 + length, dtype=np.int32),
                np.arange(4, 4 + count, dtype=np.int32),
                np.array(spans, np.int32).reshape(-1, 2),
            )
        )
    return result


def many(count: int = 400, words: int = 100, entities: int = 10) -> list[Sequence]:
    spans = np.array([[8 * i, 8 * i + 3] for i in range(entities)], np.int32)
    return [
        (np.full(words, 50, np.int32), np.full(entities, 9, np.int32), spans) for _ in range(count)
    ]


def masked(
    tokenizer: EntityTokenizer, given: list[Sequence], masking: Masking, seed: int = 0
) -> MaskedBatch:
    return mask_batch(given, tokenizer, masking, np.random.default_rng(seed))


def per_row(positions: np.ndarray, shape: tuple[int, ...]) -> list[int]:
    return np.bincount(positions // shape[1], minlength=shape[0]).tolist()


@settings(max_examples=150, deadline=None)
@given(given=sequences(), rate=st.sampled_from([0.0, 0.15, 0.5, 1.0]), seed=st.integers(0, 9))
def test_exactly_the_rate_is_masked_in_every_sequence_and_at_least_one(
    given: list[Sequence], rate: float, seed: int, tokenizer: EntityTokenizer
) -> None:
    batch = masked(tokenizer, given, Masking(rate, rate), seed)
    for positions, shape, sizes in (
        (batch.word_positions, batch.input_ids.shape, [len(s[0]) for s in given]),
        (batch.entity_positions, batch.entity_ids.shape, [len(s[1]) for s in given]),
    ):
        least = 1 if rate else 0
        expected = [min(max(round(rate * size), least), size) for size in sizes]
        if shape[1]:
            assert per_row(positions, shape) == expected
        assert len(set(positions.tolist())) == len(positions)


@settings(max_examples=150, deadline=None)
@given(given=sequences(), hidden=st.sampled_from([0.0, 0.6, 1.0]), seed=st.integers(0, 9))
def test_targets_are_the_originals_and_everything_else_stays(
    given: list[Sequence], hidden: float, seed: int, tokenizer: EntityTokenizer
) -> None:
    words, entities = tokenizer.words, tokenizer.entities
    batch = masked(tokenizer, given, Masking(hidden_words=hidden), seed)
    original = np.full(batch.input_ids.shape, words.pad_id)
    rows = np.full(batch.entity_ids.shape, entities.pad_row)
    may_be_hidden = np.zeros(batch.input_ids.shape, bool)
    chosen = np.zeros(batch.entity_ids.shape, bool)
    chosen.reshape(-1)[batch.entity_positions] = True
    for i, (pieces, its_rows, spans) in enumerate(given):
        original[i, : len(pieces) + 2] = [words.bos_id, *pieces, words.eos_id]
        rows[i, : len(its_rows)] = its_rows
        assert batch.attention_mask[i].sum() == len(pieces) + 2
        assert batch.entity_attention_mask[i].sum() == len(its_rows)
        for j, (start, end) in enumerate(spans):
            positions = batch.entity_position_ids[i, j]
            assert positions[positions >= 0].tolist() == list(range(start + 1, end + 1))[:30]
            if chosen[i, j]:
                may_be_hidden[i, start + 1 : end + 1] = True
    assert batch.word_targets.tolist() == original.reshape(-1)[batch.word_positions].tolist()
    assert batch.entity_targets.tolist() == rows.reshape(-1)[batch.entity_positions].tolist()
    assert (batch.entity_ids[chosen] == entities.mask_row).all()
    assert (batch.entity_ids[~chosen] == rows[~chosen]).all()
    changed = batch.input_ids != original
    targets = np.zeros_like(changed)
    targets.reshape(-1)[batch.word_positions] = True
    assert not (changed & ~targets & ~may_be_hidden).any()
    assert (batch.input_ids[changed & ~targets] == words.mask_id).all()
    if hidden == 1.0:
        assert (batch.input_ids[may_be_hidden] == words.mask_id).all()
    special = np.isin(original, [words.bos_id, words.pad_id, words.eos_id])
    assert not (special & (changed | targets)).any()


def test_80_10_10(tokenizer: EntityTokenizer) -> None:
    words = tokenizer.words
    batch = masked(tokenizer, many(), Masking(0.15, 0.0))
    replaced = batch.input_ids.reshape(-1)[batch.word_positions]
    count = len(replaced)
    assert count == 400 * 15
    for share, seen in (
        (0.8, (replaced == words.mask_id).sum()),
        (0.1, (replaced == 50).sum()),
        (0.1, ((replaced != words.mask_id) & (replaced != 50)).sum()),
    ):
        sigma = (share * (1 - share) * count) ** 0.5
        assert abs(seen - share * count) < 4 * sigma


def test_random_pieces_are_drawn_evenly_and_never_special(tokenizer: EntityTokenizer) -> None:
    words = tokenizer.words
    batch = masked(tokenizer, many(), Masking(1.0, 0.0))
    seen = batch.input_ids.reshape(-1)[batch.word_positions]
    seen = seen[(seen != words.mask_id) & (seen != 50)]
    special = set(words.added.by_id)
    assert not special & set(seen.tolist())
    ordinary = len(words) - len(special)
    assert len(set(seen.tolist())) > 0.98 * ordinary
    assert {4, words.mask_id - 1} <= set(seen.tolist())
    halves = (seen < words.mask_id / 2).mean()
    assert halves == pytest.approx(0.5, abs=0.05)


def test_words_under_masked_entities_are_hidden_at_their_rate(tokenizer: EntityTokenizer) -> None:
    batch = masked(tokenizer, many(), Masking(0.0, 0.5, hidden_words=0.6))
    rows, columns = np.divmod(batch.entity_positions, 10)
    hidden = [
        (batch.input_ids[r, 8 * c + 1 : 8 * c + 4] == tokenizer.words.mask_id).all()
        for r, c in zip(rows, columns, strict=True)
    ]
    assert len(hidden) == 400 * 5
    assert np.mean(hidden) == pytest.approx(0.6, abs=4 * (0.24 / 2000) ** 0.5)
    assert (batch.input_ids == tokenizer.words.mask_id).sum() == 3 * sum(hidden)
    assert len(batch.word_positions) == 0


def test_every_place_is_chosen_equally_often(tokenizer: EntityTokenizer) -> None:
    batch = masked(tokenizer, many(2000, words=20, entities=4), Masking(0.15, 0.25))
    words = np.bincount(batch.word_positions % 22, minlength=22)
    assert words[0] == words[21] == 0
    assert words[1:21].min() > 240  # 300 expected, sigma 16
    assert words[1:21].max() < 360
    entities = np.bincount(batch.entity_positions % 4, minlength=4)
    assert entities.min() > 410  # 500 expected, sigma 19
    assert entities.max() < 590


def test_words_only_leaves_entities_out_and_masks_words_alike(tokenizer: EntityTokenizer) -> None:
    batch = masked(tokenizer, many(3), Masking(hidden_words=1.0, with_entities=False))
    assert batch.entity_ids.shape == (3, 0)
    assert batch.entity_position_ids.shape[:2] == (3, 0)
    assert len(batch.entity_positions) == len(batch.entity_targets) == 0
    assert per_row(batch.word_positions, batch.input_ids.shape) == [15, 15, 15]


def test_the_same_generator_gives_the_same_batch(tokenizer: EntityTokenizer) -> None:
    one, other = (masked(tokenizer, many(5), Masking(hidden_words=0.5), 3) for _ in range(2))
    for name in MaskedBatch.__slots__:
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    another = masked(tokenizer, many(5), Masking(hidden_words=0.5), 4)
    assert not np.array_equal(one.word_positions, another.word_positions)


def test_the_input_is_not_changed(tokenizer: EntityTokenizer) -> None:
    given = many(4)
    masked(tokenizer, given, Masking(hidden_words=1.0))
    for words, rows, spans in given:
        assert (words == 50).all()
        assert (rows == 9).all()
        assert spans[0].tolist() == [0, 3]


@pytest.mark.parametrize("name", ["word_rate", "entity_rate", "hidden_words"])
def test_a_rate_outside_0_to_1_is_a_config_error(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"{name} must lie in \[0, 1\], got 1\.2"):
        Masking(**{name: 1.2})


def test_names_of_visible_entities_are_hidden_at_their_own_rate(tokenizer: EntityTokenizer) -> None:
    batch = masked(tokenizer, many(), Masking(word_rate=0.0, hidden_names=0.3))
    chosen = np.zeros(batch.entity_ids.shape, bool)
    chosen.reshape(-1)[batch.entity_positions] = True
    rows = np.arange(len(batch.input_ids))[:, None]
    hidden = batch.input_ids[rows, batch.entity_position_ids[:, :, 0]] == tokenizer.words.mask_id
    assert not hidden[chosen].any()
    assert abs(hidden[~chosen].mean() - 0.3) < 0.03


def test_unlinked_names_keep_their_words_and_lose_their_entity(tokenizer: EntityTokenizer) -> None:
    given = many()
    batch = masked(tokenizer, given, Masking(word_rate=0.0, unlinked_names=0.4))
    chosen = np.zeros(batch.entity_ids.shape, bool)
    chosen.reshape(-1)[batch.entity_positions] = True
    assert batch.entity_attention_mask[chosen].all()
    assert abs((~batch.entity_attention_mask[~chosen]).mean() - 0.4) < 0.03
    assert (batch.entity_ids[~batch.entity_attention_mask] == tokenizer.entities.pad_row).all()
    assert not (batch.input_ids == tokenizer.words.mask_id).any()
