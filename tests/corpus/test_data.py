"""The batches of pretraining: the same, however they are shared out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from false_alarms import as_often, independent
from hypothesis import given, settings
from hypothesis import strategies as st
from in_memory import alike, corpus_of

from exonym.corpus import Corpus, LanguageSampling, MaskedBatch, Masking, PretrainingData
from exonym.corpus.data import deal
from exonym.foundation.errors import ConfigError, InputError
from exonym.tokenization import EntityTokenizer

SIZES = {"de": 400, "en": 1600, "ja": 90, "te": 0}
PAD = 1  # the piece <pad>
EVERYTHING = Masking(0.15, 0.15, hidden_words=0.6, hidden_names=0.4, unlinked_names=0.3)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, make_corpus: Callable[..., Path]) -> Corpus:
    return Corpus.open(make_corpus(tmp_path_factory.mktemp("data") / "corpus", SIZES))


@pytest.fixture(scope="module")
def tokenizer(corpus: Corpus) -> EntityTokenizer:
    return corpus.tokenizer()


def make(
    corpus: Corpus,
    tokenizer: EntityTokenizer,
    *,
    masking: Masking = EVERYTHING,
    batch_sequences: int = 24,
    seed: int = 3,
    stage: str = "all",
    held_out: int = 10,
) -> PretrainingData:
    return PretrainingData(
        corpus,
        tokenizer,
        masking=masking,
        sampling=LanguageSampling(0.7),
        batch_sequences=batch_sequences,
        seed=seed,
        stage=stage,
        held_out=held_out,
    )


def by_place(batches: Iterable[MaskedBatch]) -> dict[int, tuple[object, ...]]:
    """What each sequence became, as bytes and without padding, by its place in the whole batch."""
    found = {}
    for batch in batches:
        entities = batch.entity_ids.shape[1]
        assert batch.attention_mask.any(axis=0).all(), "wider than the longest sequence"
        assert (batch.input_ids[~batch.attention_mask] == PAD).all()
        for row, place in enumerate(batch.places.tolist()):
            length = int(batch.attention_mask[row].sum())
            assert batch.attention_mask[row, :length].all()
            count = int(np.flatnonzero(batch.entity_attention_mask[row]).max(initial=-1)) + 1
            words = batch.word_positions // batch.input_ids.shape[1] == row
            rows = batch.entity_positions // max(entities, 1) == row
            positions = [ids[ids >= 0].tobytes() for ids in batch.entity_position_ids[row, :count]]
            assert place not in found
            found[place] = (
                batch.input_ids[row, :length].tobytes(),
                batch.entity_ids[row, :count].tobytes(),
                batch.entity_attention_mask[row, :count].tobytes(),
                positions,
                (batch.word_positions[words] % batch.input_ids.shape[1]).tobytes(),
                batch.word_targets[words].tobytes(),
                (batch.entity_positions[rows] % max(entities, 1)).tobytes(),
                batch.entity_targets[rows].tobytes(),
                int(batch.languages[row]),
                batch.references[row].tobytes(),
            )
    return found


@settings(max_examples=40)
@given(
    world=st.integers(1, 6),
    parts=st.integers(1, 5),
    extra=st.integers(0, 20),
    step=st.integers(0, 5000),
    with_entities=st.booleans(),
)
def test_the_shares_of_all_processes_are_the_whole_byte_for_byte(
    world: int,
    parts: int,
    extra: int,
    step: int,
    with_entities: bool,
    corpus: Corpus,
    tokenizer: EntityTokenizer,
) -> None:
    masking = EVERYTHING if with_entities else Masking(with_entities=False)
    data = make(corpus, tokenizer, masking=masking, batch_sequences=world * parts + extra)
    whole = data.share(step)
    shares = [data.share(step, rank=rank, world=world, parts=parts) for rank in range(world)]
    assert [len(share.batches) for share in shares] == [parts] * world
    assert min(len(batch.places) for share in shares for batch in share.batches) >= 1
    together = by_place(batch for share in shares for batch in share.batches)
    assert together == by_place(whole.batches)
    assert sorted(together) == list(range(data.batch_sequences))
    for share in shares:
        for name in ("step", "word_targets", "entity_targets", "pieces", "entities"):
            assert getattr(share, name) == getattr(whole, name), name


def test_a_batch_of_one_process_is_the_step_in_its_order(
    corpus: Corpus, tokenizer: EntityTokenizer
) -> None:
    data = make(corpus, tokenizer)
    (batch,) = data.share(7).batches
    assert batch.places.tolist() == list(range(24))
    assert batch.references.tolist() == data.references(7).tolist()
    assert batch.languages.dtype == np.int32
    assert batch.languages.tolist() == data.references(7)[:, 0].tolist()
    for row, (language, index) in enumerate(batch.references.tolist()):
        words, rows, _ = corpus.languages[data.languages[language]][index]
        assert batch.attention_mask[row].sum() == len(words) + 2
        targets = batch.entity_targets[batch.entity_positions // batch.entity_ids.shape[1] == row]
        assert set(targets.tolist()) <= set(rows.tolist())


@pytest.mark.parametrize("masking", [EVERYTHING, Masking(0.5, 0.0), Masking(with_entities=False)])
def test_counts_are_those_of_the_whole_batch_and_come_true(
    masking: Masking, corpus: Corpus, tokenizer: EntityTokenizer
) -> None:
    data = make(corpus, tokenizer, masking=masking, batch_sequences=50)
    for step in range(20):
        share = data.share(step, rank=2, world=3, parts=2)
        (whole,) = data.share(step).batches
        assert share.word_targets == len(whole.word_targets)
        assert share.entity_targets == len(whole.entity_targets)
        assert share.pieces == whole.attention_mask.sum()
        given = [corpus.languages[data.languages[k]][i] for k, i in data.references(step).tolist()]
        entities = sum(len(rows) for _, rows, _ in given) if masking.with_entities else 0
        assert share.entities == entities


@given(sizes=st.lists(st.integers(1, 640), min_size=1, max_size=200), hands=st.integers(1, 40))
def test_hands_differ_by_at_most_one_item_and_the_size_of_the_largest(
    sizes: list[int], hands: int
) -> None:
    dealt = deal(np.array(sizes), hands)
    items = np.bincount(dealt, minlength=hands)
    loads = np.bincount(dealt, weights=sizes, minlength=hands)
    assert len(items) == hands
    assert items.max() - items.min() <= 1
    assert loads.max() - loads.min() <= max(sizes)


def test_dealing_forwards_and_backwards_makes_even_steps_equal() -> None:
    """Sizes with equal distances between them: each hand gets the same, in another order."""
    for hands in (2, 3, 8):
        sizes = np.random.default_rng(hands).permutation(np.arange(1, 4 * hands + 1))
        loads = np.bincount(deal(sizes, hands), weights=sizes)
        assert loads.tolist() == [sizes.sum() / hands] * hands


def test_eight_processes_get_pieces_and_entities_within_two_percent() -> None:
    sizes = np.random.default_rng(0).integers(20, 513, 2048)
    loads = np.bincount(deal(sizes, 8), weights=sizes)
    assert loads.max() < 1.02 * loads.min()


def test_seed_stage_and_step_name_the_masks(corpus: Corpus, tokenizer: EntityTokenizer) -> None:
    data = make(corpus, tokenizer)
    again = make(corpus, tokenizer)
    one = by_place(data.share(3).batches)
    assert one == by_place(again.share(3).batches)
    assert one == by_place(data.share(3).batches)
    for other in (
        data.share(4),
        make(corpus, tokenizer, seed=4).share(3),
        make(corpus, tokenizer, stage="entities").share(3),
    ):
        assert one != by_place(other.batches)


def test_every_stage_seed_and_step_has_masks_of_its_own(tokenizer: EntityTokenizer) -> None:
    """All sequences are equal, so it is the masks that differ, not the order."""
    corpus = corpus_of({"en": alike(8, 20, 5)})
    places = {
        make(corpus, tokenizer, masking=Masking(), **options)  # type: ignore[arg-type]
        .share(step)
        .batches[0]
        .word_positions.tobytes()
        for options in ({}, {"stage": "entities"}, {"seed": 4})
        for step in (0, 1)
    }
    assert len(places) == 6


def test_masks_of_other_ranks_steps_and_places_are_independent(tokenizer: EntityTokenizer) -> None:
    """All sequences are equal, so only the random numbers can differ."""
    corpus = corpus_of({"en": alike(8, 20, 5)})
    data = make(corpus, tokenizer, masking=Masking(), batch_sequences=1000, held_out=0)
    first = np.empty((40, 2, 500), dtype=int)  # step, rank, sequence: its first masked piece
    for step in range(40):
        for rank in (0, 1):
            (batch,) = data.share(step, rank=rank, world=2).batches
            first[step, rank] = batch.word_positions.reshape(500, 3)[:, 0] % 22
    classes = first // 4
    for one, other in (
        (classes[:, 0], classes[:, 1]),  # ranks
        (classes[1:], classes[:-1]),  # steps
        (classes[:, :, 1:], classes[:, :, :-1]),  # places
    ):
        table = np.zeros((6, 6))
        np.add.at(table, (one.ravel(), other.ravel()), 1)
        used = table.sum(axis=0) > 1000
        assert used.sum() >= 3
        assert independent(table[np.ix_(used, used)])


def test_ranks_see_different_sequences_and_all_languages(
    corpus: Corpus, tokenizer: EntityTokenizer
) -> None:
    """In the public code all ranks draw the same languages; here each has draws of its own."""
    data = make(corpus, tokenizer, batch_sequences=16)
    drawn: list[list[np.ndarray]] = [[], []]
    for step in range(40):
        for rank in (0, 1):
            (batch,) = data.share(step, rank=rank, world=2).batches
            drawn[rank].append(batch.references)
    zero, one = (np.concatenate(part) for part in drawn)
    # 640 draws of 2,090 sequences: only "ja" has come around.
    pairs = [{tuple(pair) for pair in part.tolist() if pair[0] != 2} for part in (zero, one)]
    assert not pairs[0] & pairs[1]
    p = np.bincount(np.concatenate([zero, one])[:, 0], minlength=4) / 640
    for part in (zero, one):
        for language in range(3):
            count = int((part[:, 0] == language).sum())
            assert as_often(count, len(part), float(p[language]))
    assert any(a[:, 0].tolist() != b[:, 0].tolist() for a, b in zip(*drawn, strict=True))


def test_the_control_without_entities_sees_the_same_words_and_masks(
    corpus: Corpus, tokenizer: EntityTokenizer
) -> None:
    both = make(corpus, tokenizer, masking=Masking())
    words = make(corpus, tokenizer, masking=Masking(with_entities=False))
    for step in (0, 90):
        with_entities, alone = (data.share(step, world=2, rank=1) for data in (both, words))
        assert alone.entity_targets == alone.entities == 0
        assert alone.word_targets == with_entities.word_targets
        (one,), (other,) = both.share(step).batches, words.share(step).batches
        assert one.input_ids.tobytes() == other.input_ids.tobytes()
        assert one.word_positions.tobytes() == other.word_positions.tobytes()
        assert other.entity_ids.shape == (24, 0)


def test_held_out_batches_are_the_same_in_every_run(
    corpus: Corpus, tokenizer: EntityTokenizer
) -> None:
    data = make(corpus, tokenizer)
    other = make(corpus, tokenizer, seed=99, stage="entities", batch_sequences=5)
    for language, size in SIZES.items():
        batches = list(data.held_out_batches(language, 3))
        assert [len(batch.places) for batch in batches] == [3] * (len(batches) - 1) + (
            [len(batches[-1].places)] if batches else []
        )
        assert by_place(batches) == by_place(other.held_out_batches(language, 100))
        held_out = data.held_out_sequences(language).tolist()
        assert len(held_out) == min(10, size // 100)
        references = [pair for batch in batches for pair in batch.references.tolist()]
        assert references == [[data.languages.index(language), index] for index in held_out]


def test_held_out_sequences_are_never_trained_on(
    corpus: Corpus, tokenizer: EntityTokenizer
) -> None:
    data = make(corpus, tokenizer, batch_sequences=1000)
    seen = {tuple(pair) for step in range(8) for pair in data.references(step).tolist()}
    for index, language in enumerate(data.languages):
        held_out = {(index, number) for number in data.held_out_sequences(language).tolist()}
        assert not seen & held_out
        assert len({pair for pair in seen if pair[0] == index} | held_out) == SIZES[language]


def test_masks_of_held_out_sequences_differ_from_each_other(tokenizer: EntityTokenizer) -> None:
    data = make(corpus_of({"en": alike(2000), "de": alike(2000)}), tokenizer, held_out=20)
    found = [by_place(data.held_out_batches(language, 20)) for language in ("en", "de")]
    targets = {entry[4] for part in found for entry in part.values()}
    assert len(targets) > 35  # of 1,140 choices of three in twenty


def test_what_cannot_be_shared_out_is_a_config_error(
    corpus: Corpus, tokenizer: EntityTokenizer
) -> None:
    data = make(corpus, tokenizer, batch_sequences=7)
    with pytest.raises(
        ConfigError,
        match=r"7 sequences a step cannot be shared out among 2 processes with 4 micro-batches "
        r"each\. Raise batch_sequences to at least 8 \(--set batch_sequences=8\)",
    ):
        data.share(0, rank=0, world=2, parts=4)
    with pytest.raises(ConfigError, match="there is no process 2 of 2"):
        data.share(0, rank=2, world=2)
    with pytest.raises(InputError, match="the corpus has no language 'xx', only de, en, ja, te"):
        data.held_out_batches("xx", 4)
    with pytest.raises(ConfigError, match="batch_sequences must be at least 1, got 0"):
        data.held_out_batches("en", 0)
