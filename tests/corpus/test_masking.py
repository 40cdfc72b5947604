"""Masking: how many, which, and what takes their place (paper, section 3.1)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from false_alarms import as_often, fits, independent
from hypothesis import given, settings
from hypothesis import strategies as st
from in_memory import Given, alike, corpus_of

from exonym.corpus import Corpus, MaskedBatch, Masking
from exonym.corpus.draws import sequence_keys
from exonym.corpus.gathering import SequenceReader
from exonym.corpus.masking import mask_sequences
from exonym.foundation.errors import ConfigError
from exonym.tokenization import EntityTokenizer

RATES = st.sampled_from([0.0, 0.15, 0.5, 1.0])
CHANCES = st.sampled_from([0.0, 0.6, 1.0])


@pytest.fixture(scope="module")
def tokenizer(
    tmp_path_factory: pytest.TempPathFactory, make_corpus: Callable[..., Path]
) -> EntityTokenizer:
    return Corpus.open(make_corpus(tmp_path_factory.mktemp("m") / "c", {"en": 1})).tokenizer()


@st.composite
def sequences(draw: st.DrawFn) -> list[Given]:
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


@st.composite
def maskings(draw: st.DrawFn) -> Masking:
    return Masking(draw(RATES), draw(RATES), draw(CHANCES), draw(CHANCES), draw(CHANCES))


def masked(
    tokenizer: EntityTokenizer, given: list[Given], masking: Masking, seed: int = 0
) -> MaskedBatch:
    reader, places = SequenceReader(corpus_of({"en": given})), np.arange(len(given))
    extents = reader.extents(np.stack([np.zeros_like(places), places], axis=1), places)
    read = reader.read(extents, pad_id=tokenizer.words.pad_id, with_entities=masking.with_entities)
    return mask_sequences(read, sequence_keys(seed, places), tokenizer, masking)


# A twin of the masking in loops over one sequence, after the text of docs/corpus.md. It is given
# the random numbers by their names, as whole numbers from SplitMix64, and shares no code.


def splitmix(state: int) -> int:
    wrap = 1 << 64
    state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 % wrap
    state = (state ^ (state >> 27)) * 0x94D049BB133111EB % wrap
    return state ^ (state >> 31)


class Twin:
    """One sequence, masked in loops; the attributes are those of a batch, without padding."""

    def __init__(
        self, sequence: Given, place: int, seed: int, masking: Masking, tokenizer: EntityTokenizer
    ) -> None:
        self.key = splitmix((seed + (place + 1) * 0x9E3779B97F4A7C15) % (1 << 64))
        words, entities = tokenizer.words, tokenizer.entities
        pieces, rows, spans = (part.tolist() for part in sequence)
        self.input_ids = [words.bos_id, *pieces, words.eos_id]
        self.entity_ids, self.attended, self.positions = [], [], []
        self.word_targets, self.entity_targets = {}, {}
        rows = rows if masking.with_entities else []
        chosen = self.lots(3, len(rows), masking.entity_rate)
        for column in self.lots(0, len(pieces), masking.word_rate):
            self.word_targets[column + 1] = pieces[column]
            dice = self.chance(1, column)
            if dice < 0.8:
                self.input_ids[column + 1] = words.mask_id
            elif dice < 0.9:
                ordinary = range(words.unk_id + 1, words.mask_id)
                self.input_ids[column + 1] = ordinary[int(self.chance(2, column) * len(ordinary))]
        for column, (row, (start, end)) in enumerate(zip(rows, spans, strict=False)):
            if column in chosen:
                self.entity_targets[column] = row
                there, hidden, row = True, masking.hidden_words, entities.mask_row
            else:
                there = self.chance(4, column) >= masking.unlinked_names
                hidden, row = masking.hidden_names, row if there else entities.pad_row
            self.entity_ids.append(row)
            self.attended.append(there)
            self.positions.append(list(range(start + 1, end + 1))[:30] if there else [])
            if there and self.chance(5, column) < hidden:
                for place_of_piece in range(start + 1, end + 1):
                    self.input_ids[place_of_piece] = words.mask_id

    def number(self, purpose: int, column: int) -> int:
        counter = (purpose << 32) + column
        return splitmix((self.key + counter * 0x9E3779B97F4A7C15) % (1 << 64))

    def chance(self, purpose: int, column: int) -> float:
        return (self.number(purpose, column) >> 11) / (1 << 53)

    def lots(self, purpose: int, places: int, rate: float) -> list[int]:
        """The places that draw the smallest lots; equal in 44 bits, the first."""
        count = 0 if rate == 0 or places == 0 else max(1, round(rate * places))
        order = sorted(range(places), key=lambda i: (self.number(purpose, i) >> 20, i))
        return sorted(order[:count])


@settings(max_examples=100)
@given(given=sequences(), masking=maskings(), seed=st.integers(0, 9), alone=st.booleans())
def test_a_batch_is_what_its_twin_in_loops_makes_of_each_sequence(
    given: list[Given], masking: Masking, seed: int, alone: bool, tokenizer: EntityTokenizer
) -> None:
    if alone:
        masking = Masking(masking.word_rate, with_entities=False)
    batch = masked(tokenizer, given, masking, seed)
    width, entities = batch.input_ids.shape[1], batch.entity_ids.shape[1]
    word_targets = dict(zip(batch.word_positions.tolist(), batch.word_targets, strict=True))
    rows = dict(zip(batch.entity_positions.tolist(), batch.entity_targets, strict=True))
    for i, sequence in enumerate(given):
        twin = Twin(sequence, i, seed, masking, tokenizer)
        n, m = len(twin.input_ids), len(twin.entity_ids)
        assert batch.input_ids[i].tolist() == [
            *twin.input_ids,
            *[tokenizer.words.pad_id] * (width - n),
        ]
        assert batch.attention_mask[i].tolist() == [True] * n + [False] * (width - n)
        assert batch.entity_ids[i].tolist() == [
            *twin.entity_ids,
            *[tokenizer.entities.pad_row] * (entities - m),
        ]
        assert batch.entity_attention_mask[i].tolist() == [
            *twin.attended,
            *[False] * (entities - m),
        ]
        for column, positions in enumerate(batch.entity_position_ids[i].tolist()):
            expected = twin.positions[column] if column < m else []
            assert positions == expected + [-1] * (len(positions) - len(expected))
        for column, piece in twin.word_targets.items():
            assert word_targets.pop(i * width + column) == piece
        for column, row in twin.entity_targets.items():
            assert rows.pop(i * entities + column) == row
    assert not word_targets
    assert not rows
    assert (np.diff(batch.word_positions) > 0).all()
    assert (np.diff(batch.entity_positions) > 0).all()


def per_row(positions: np.ndarray, shape: tuple[int, ...]) -> list[int]:
    return np.bincount(positions // shape[1], minlength=shape[0]).tolist()


@settings(max_examples=60)
@given(given=sequences(), rate=RATES, seed=st.integers(0, 9))
def test_exactly_the_rate_is_masked_in_every_sequence_and_at_least_one(
    given: list[Given], rate: float, seed: int, tokenizer: EntityTokenizer
) -> None:
    masking = Masking(rate, rate)
    batch = masked(tokenizer, given, masking, seed)
    for positions, shape, sizes, foretold in (
        (batch.word_positions, batch.input_ids.shape, [len(s[0]) for s in given], "word_targets"),
        (
            batch.entity_positions, batch.entity_ids.shape, [len(s[1]) for s in given],
            "entity_targets",
        ),
    ):  # fmt: skip
        least = 1 if rate else 0
        expected = [min(max(round(rate * size), least), size) for size in sizes]
        if shape[1]:
            assert per_row(positions, shape) == expected
        assert getattr(masking, foretold)(np.array(sizes)).tolist() == expected


@settings(max_examples=60)
@given(given=sequences(), hidden=CHANCES, seed=st.integers(0, 9))
def test_targets_are_the_originals_and_everything_else_stays(
    given: list[Given], hidden: float, seed: int, tokenizer: EntityTokenizer
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
        for j, (start, end) in enumerate(spans):
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
    batch = masked(tokenizer, alike(4000, 100, 0), Masking())
    replaced = batch.input_ids.reshape(-1)[batch.word_positions]
    assert len(replaced) == 4000 * 15
    ordinary = words.mask_id - words.unk_id - 1
    by_chance = 0.1 / ordinary  # a random piece may be the one that was there
    masks, same = int((replaced == words.mask_id).sum()), int((replaced == 50).sum())
    expected = np.array([0.8, 0.1 + by_chance, 0.1 - by_chance]) * len(replaced)
    assert fits([masks, same, len(replaced) - masks - same], expected)


def test_random_pieces_are_drawn_evenly_and_never_special(tokenizer: EntityTokenizer) -> None:
    words = tokenizer.words
    batch = masked(tokenizer, alike(2000, 100, 0), Masking(1.0))
    seen = np.bincount(batch.input_ids.reshape(-1)[batch.word_positions], minlength=len(words))
    special = sorted(set(words.added.by_id) - {words.mask_id})
    assert not seen[special].any()
    assert not seen[: words.unk_id + 1].any()
    others = np.delete(seen[words.unk_id + 1 : words.mask_id], 50 - words.unk_id - 1)
    assert seen[50] + seen[words.mask_id] + others.sum() == 200_000
    assert fits(others, np.full(len(others), others.sum() / len(others)))


def test_every_place_is_chosen_equally_often_and_alone(tokenizer: EntityTokenizer) -> None:
    batch = masked(tokenizer, alike(20_000, 20, 4), Masking(0.15, 0.25))
    columns = batch.word_positions % batch.input_ids.shape[1]
    words = np.bincount(columns, minlength=22)
    assert words[0] == words[21] == 0
    # Three of twenty without repetition vary less than a chi-square expects: the bound holds.
    assert fits(words[1:21], np.full(20, 3000.0))
    assert fits(np.bincount(batch.entity_positions % 4, minlength=4), np.full(4, 5000.0))
    # Of all pairs of places each is as likely as any other.
    one, two, three = columns.reshape(-1, 3).T - 1
    pairs = np.zeros((20, 20))
    for first, second in ((one, two), (one, three), (two, three)):
        np.add.at(pairs, (first, second), 1)
    upper = pairs[np.triu_indices(20, 1)]
    assert fits(upper, np.full(190, 60_000 / 190))


def test_sequences_are_masked_independently_of_each_other(tokenizer: EntityTokenizer) -> None:
    batch = masked(tokenizer, alike(20_000, 20, 10), Masking(0.15, 0.1))
    for positions, width, each in (
        (batch.word_positions, batch.input_ids.shape[1], 3),
        (batch.entity_positions, 10, 1),
    ):
        first = positions.reshape(-1, each)[:, 0] % width // 2
        used = int(first.max()) + 1
        table = np.zeros((used, used))
        np.add.at(table, (first[0::2], first[1::2]), 1)
        common = table.sum(axis=0) > 500
        assert independent(table[np.ix_(common, common)])


def test_words_and_entities_are_chosen_independently(tokenizer: EntityTokenizer) -> None:
    batch = masked(tokenizer, alike(20_000, 10, 10), Masking(0.1, 0.1))
    table = np.zeros((10, 10))
    np.add.at(table, (batch.word_positions % 12 - 1, batch.entity_positions % 10), 1)
    assert independent(table)


def test_words_under_masked_entities_are_hidden_at_their_rate(tokenizer: EntityTokenizer) -> None:
    batch = masked(tokenizer, alike(2000, 100, 10), Masking(0.0, 0.5, hidden_words=0.6))
    rows, columns = np.divmod(batch.entity_positions, 10)
    under = batch.input_ids[rows[:, None], 8 * columns[:, None] + np.arange(1, 4)]
    hidden = (under == tokenizer.words.mask_id).all(axis=1)
    assert len(hidden) == 2000 * 5
    assert as_often(int(hidden.sum()), len(hidden), 0.6)
    assert (batch.input_ids == tokenizer.words.mask_id).sum() == 3 * hidden.sum()
    assert len(batch.word_positions) == 0


def test_names_of_visible_entities_are_hidden_at_their_own_rate(tokenizer: EntityTokenizer) -> None:
    batch = masked(tokenizer, alike(2000, 100, 10), Masking(word_rate=0.0, hidden_names=0.3))
    chosen = np.zeros(batch.entity_ids.shape, bool)
    chosen.reshape(-1)[batch.entity_positions] = True
    rows = np.arange(len(batch.input_ids))[:, None]
    hidden = batch.input_ids[rows, batch.entity_position_ids[:, :, 0]] == tokenizer.words.mask_id
    assert not hidden[chosen].any()
    assert as_often(int(hidden[~chosen].sum()), int((~chosen).sum()), 0.3)


def test_unlinked_names_keep_their_words_and_lose_their_entity(tokenizer: EntityTokenizer) -> None:
    masking = Masking(word_rate=0.0, hidden_names=1.0, unlinked_names=0.4)
    batch = masked(tokenizer, alike(2000, 100, 10), masking)
    chosen = np.zeros(batch.entity_ids.shape, bool)
    chosen.reshape(-1)[batch.entity_positions] = True
    unlinked = ~batch.entity_attention_mask
    assert not unlinked[chosen].any()
    assert as_often(int(unlinked.sum()), int((~chosen).sum()), 0.4)
    assert (batch.entity_ids[unlinked] == tokenizer.entities.pad_row).all()
    assert (batch.entity_position_ids[unlinked] == -1).all()
    hidden = (batch.input_ids == tokenizer.words.mask_id)[:, 1:81].reshape(-1, 10, 8)[:, :, 0]
    assert (hidden == (~chosen & ~unlinked)).all()


def test_words_only_leaves_entities_out_and_masks_words_alike(tokenizer: EntityTokenizer) -> None:
    given = alike(30, 100, 10)
    batch = masked(tokenizer, given, Masking(hidden_words=1.0, with_entities=False))
    assert batch.entity_ids.shape == (30, 0)
    assert batch.entity_position_ids.shape[:2] == (30, 0)
    assert len(batch.entity_positions) == len(batch.entity_targets) == 0
    both = masked(tokenizer, given, Masking())
    assert batch.input_ids.tolist() == both.input_ids.tolist()
    assert batch.word_positions.tolist() == both.word_positions.tolist()


def test_options_that_are_off_do_not_change_what_the_others_draw(
    tokenizer: EntityTokenizer,
) -> None:
    given = alike(30, 100, 10)
    plain, unlinked = (masked(tokenizer, given, Masking(unlinked_names=u)) for u in (0.0, 0.5))
    assert plain.input_ids.tolist() == unlinked.input_ids.tolist()
    assert plain.entity_targets.tolist() == unlinked.entity_targets.tolist()
    assert plain.entity_ids.tolist() != unlinked.entity_ids.tolist()


def test_another_seed_gives_other_masks(tokenizer: EntityTokenizer) -> None:
    one, same, other = (masked(tokenizer, alike(5), Masking(), seed) for seed in (3, 3, 4))
    for name in MaskedBatch.__slots__:
        assert np.array_equal(getattr(one, name), getattr(same, name)), name
    assert one.word_positions.tolist() != other.word_positions.tolist()


def test_the_corpus_is_not_changed(tokenizer: EntityTokenizer) -> None:
    given = alike(4, 100, 10)
    masked(tokenizer, given, Masking(hidden_words=1.0))
    for words, rows, spans in given:
        assert (words == 50).all()
        assert (rows == 9).all()
        assert spans[0].tolist() == [0, 3]


@pytest.mark.parametrize("name", ["word_rate", "entity_rate", "hidden_words"])
def test_a_rate_outside_0_to_1_is_a_config_error(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"{name} must lie in \[0, 1\], got 1\.2"):
        Masking(**{name: 1.2})
