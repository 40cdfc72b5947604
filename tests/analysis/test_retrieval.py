"""Contextualised word retrieval: ranks against a twin, spans from parallel questions, vectors."""

from __future__ import annotations

import itertools
from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from exonym.analysis.retrieval import (
    AlignedSpan,
    _by_chance,
    aligned_spans,
    reciprocal_ranks,
    retrieve,
    span_vectors,
)
from exonym.foundation.errors import InputError
from exonym.knowledge import EntityVocabulary
from exonym.knowledge.vocabulary import SPECIAL_ENTITIES, VocabularyRow
from exonym.modeling import EntityEncoder
from exonym.tasks.qa import GoldAnswer, QuestionExample, read_examples
from exonym.text import AnnotatedText, Mention
from exonym.tokenization import EntityTokenizer, WordTokenizer
from tiny_models import tiny_config


def question(number: str, context: str, answer: str, language: str = "en") -> QuestionExample:
    asked, passage = AnnotatedText("?", language), AnnotatedText(context, language)
    return QuestionExample(number, asked, passage, (GoldAnswer(answer, context.index(answer)),))


def twin(query: np.ndarray, candidates: np.ndarray, right: set[int]) -> float:
    """Sort all candidates, wrong ones first among equals, and look for a right one."""
    cosines = [
        round(float(query @ one / np.linalg.norm(query) / np.linalg.norm(one)), 10)
        for one in candidates
    ]
    order = sorted(range(len(candidates)), key=lambda place: (-cosines[place], place in right))
    return 1 / (1 + next(rank for rank, place in enumerate(order) if place in right))


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 999), st.booleans())
@settings(max_examples=150)
def test_ranks_equal_their_twin(queries: int, candidates: int, seed: int, alike: bool) -> None:
    rng = np.random.default_rng(seed)
    size = (queries + candidates, 3)
    vectors = rng.integers(1, 3, size=size).astype(float) if alike else rng.normal(size=size)
    right = [
        {int(place) for place in rng.integers(candidates, size=rng.integers(1, 3))}
        for _ in range(queries)
    ]
    found = reciprocal_ranks(vectors[:queries], vectors[queries:], right)
    wanted = [
        twin(one, vectors[queries:], its) for one, its in zip(vectors[:queries], right, strict=True)
    ]
    assert found.tolist() == pytest.approx(wanted)


def test_a_model_for_which_all_is_alike_comes_last() -> None:
    same = np.ones((7, 4))
    assert reciprocal_ranks(same, same, [{place} for place in range(7)]).tolist() == [1 / 7] * 7


@pytest.mark.parametrize(("right", "candidates"), [(1, 1), (1, 5), (2, 5), (3, 4), (5, 5)])
def test_chance_is_the_mean_over_all_orders(right: int, candidates: int) -> None:
    total = Fraction(0)
    orders = list(itertools.permutations(range(candidates)))
    for order in orders:
        total += Fraction(1, 1 + min(order.index(place) for place in range(right)))
    assert _by_chance([right], candidates) == pytest.approx(float(total / len(orders)))


def test_answers_to_the_same_questions_are_aligned() -> None:
    examples = {
        "en": [question("a", "In Rome.", "Rome"), question("b", "In Oslo.", "Oslo"),
               question("c", "In Lima.", "Lima")],
        "de": [question("b", "Zu Oslo.", "Oslo"), question("a", "Zu Rom.", "Rom")],
        "sw": [question("a", "Roma.", "Roma"), question("x", "Lima.", "Lima")],
        "th": [QuestionExample("a", AnnotatedText("?", "th"), AnnotatedText("x", "th"))],
    }  # fmt: skip
    spans = aligned_spans(examples)
    assert {code: [span.key for span in some] for code, some in spans.items()} == {
        "de": ["b", "a"], "en": ["a", "b"], "sw": ["a"],
    }  # fmt: skip
    assert [(s.start, s.end) for s in spans["en"]] == [(3, 7), (3, 7)]
    with pytest.raises(InputError, match="needed are contexts in 'ja'"):
        aligned_spans(examples, "ja")
    with pytest.raises(InputError, match="no question of 'en'"):
        aligned_spans({"en": examples["en"][2:], "de": examples["de"]})


def spans_of(language: str, *places: tuple[str, str, int]) -> list[AlignedSpan]:
    return [
        AlignedSpan(key, AnnotatedText(text, language), start, start + 1)
        for key, text, start in places
    ]


def test_questions_with_the_same_answer_are_one_candidate_and_share_what_is_right() -> None:
    spans = {
        "en": spans_of("en", ("a", "xyz", 0), ("b", "xyz", 0), ("c", "xyz", 2)),
        "de": spans_of("de", ("a", "uvw", 0), ("b", "uvw", 1), ("c", "uvw", 1)),
    }
    along = np.eye(3)
    vectors = {"en": along[[0, 0, 2]], "de": along[[1, 0, 0]]}
    found = retrieve(spans, vectors)
    # Candidates: uvw at 0 (a) and at 1 (b and c). a and b stand at one place: both are right.
    assert found.scores == (("de", "a", 1.0), ("de", "b", 1.0), ("de", "c", 0.5))
    assert found.accuracy == {"de": 2 / 3}
    assert found.chance == {"de": pytest.approx((1 + 1 + 0.75) / 3)}


def test_perfect_and_shuffled_translations() -> None:
    rng = np.random.default_rng(0)
    texts = "".join(chr(0x4E00 + number) for number in range(60))
    spans = {
        code: spans_of(code, *((f"q{number}", texts, number) for number in range(60)))
        for code in ("en", "de", "sw")
    }
    meanings = rng.normal(size=(60, 8))
    vectors = {"en": meanings, "de": meanings, "sw": rng.normal(size=(60, 8))}
    found = retrieve(spans, vectors)
    assert found.estimate.by_language["de"] == 1
    assert found.estimate.by_language["sw"] == pytest.approx(found.chance["sw"], abs=0.06)
    assert found.estimate.accuracy == pytest.approx(sum(found.estimate.by_language.values()) / 2)
    assert found.estimate.low < found.estimate.accuracy < found.estimate.high
    rows = found.rows()
    assert [row["language"] for row in rows] == ["de", "sw", "mean"]
    assert rows[-1]["queries"] == 120


@pytest.fixture(scope="module")
def tokenizer(
    tiny_tokenizer_directory: Path, tmp_path_factory: pytest.TempPathFactory
) -> EntityTokenizer:
    path = tmp_path_factory.mktemp("retrieval") / "entities"
    names = (*SPECIAL_ENTITIES, "Q1", "Q2")
    EntityVocabulary.write(path, [VocabularyRow(name, {}, 0) for name in names])
    words = WordTokenizer.from_directory(tiny_tokenizer_directory)
    return EntityTokenizer(words, EntityVocabulary.open(path))


@pytest.fixture(scope="module")
def encoder(tokenizer: EntityTokenizer) -> EntityEncoder:
    torch.manual_seed(0)
    config = tiny_config(
        len(tokenizer.words),
        len(tokenizer.entities),
        max_position_embeddings=42,
        initializer_range=0.5,
    )
    return EntityEncoder(config).eval()


TEXT = "Tokyo is the capital of Japan and its largest city."


def test_a_span_is_the_mean_of_its_pieces(
    tokenizer: EntityTokenizer, encoder: EntityEncoder
) -> None:
    spans = [
        AlignedSpan("a", AnnotatedText(TEXT, "en"), 24, 29),
        AlignedSpan("b", AnnotatedText("東京都は日本の首都である。", "ja"), 4, 6),
        AlignedSpan("c", AnnotatedText(TEXT, "en"), 0, 20),
    ]
    found = span_vectors(encoder, tokenizer, spans, batch_size=2)
    for row, span in enumerate(spans):
        batch = tokenizer(span.text)
        with torch.no_grad():
            states = encoder(**batch.to("cpu")).last_hidden_state[0].double().numpy()
        offsets = batch.texts[0].offsets.tolist()
        inside = [
            piece
            for piece, (start, end) in enumerate(offsets)
            if 0 < piece < len(offsets) - 1 and start < span.end and end > span.start
        ]
        assert inside
        np.testing.assert_allclose(found[row], states[inside].mean(axis=0), atol=1e-5)


def test_entities_count_where_they_are_wanted_and_known(
    tokenizer: EntityTokenizer, encoder: EntityEncoder
) -> None:
    plain = AnnotatedText(TEXT, "en")
    known = AnnotatedText(TEXT, "en", (Mention(0, 5, "Q1"), Mention(6, 8, "Q99"), Mention(9, 12)))
    counts: Counter[str] = Counter()

    def vector(text: AnnotatedText, entities: bool) -> np.ndarray:
        spans = [AlignedSpan("a", text, 24, 29)]
        return span_vectors(encoder, tokenizer, spans, entities=entities, counts=counts)[0]

    assert (vector(known, False) == vector(plain, True)).all()
    assert not counts["mentions given"]
    assert abs(vector(known, True) - vector(plain, True)).max() > 1e-3
    assert counts["mentions given"] == 1
    assert counts["mentions whose entity is not in the vocabulary"] == 2


def test_long_contexts_become_windows_around_their_span(
    tokenizer: EntityTokenizer, encoder: EntityEncoder
) -> None:
    long = f"{TEXT} " * 8
    place = long.index("Japan", 250)
    counts: Counter[str] = Counter()
    spans = [AlignedSpan("a", AnnotatedText(long, "en"), place, place + 5)]
    far = span_vectors(encoder, tokenizer, spans, counts=counts)
    assert counts["contexts cut to a window"] == 1
    moved = [AlignedSpan("a", AnnotatedText(f"Nairobi {long}", "en"), place + 8, place + 13)]
    np.testing.assert_allclose(span_vectors(encoder, tokenizer, moved), far, atol=1e-6)


def test_a_span_of_blanks_is_refused(tokenizer: EntityTokenizer, encoder: EntityEncoder) -> None:
    spans = [AlignedSpan("a", AnnotatedText("ab" + " " * 9, "en", source="f:1"), 5, 6)]
    with pytest.raises(InputError, match="has no piece") as raised:
        span_vectors(encoder, tokenizer, spans)
    assert raised.value.where == "f:1"


def test_real_parallel_answers_are_found_and_ranked(
    shared_data: Path, tokenizer: EntityTokenizer, encoder: EntityEncoder
) -> None:
    examples = {
        code: read_examples(shared_data / "xquad" / f"xquad.{code}.json").examples[:40]
        for code in ("en", "es", "ar")
    }
    spans = aligned_spans(examples)
    vectors = {code: span_vectors(encoder, tokenizer, some) for code, some in spans.items()}
    found = retrieve(spans, vectors)
    assert found.estimate.questions == 80
    assert 0 < found.estimate.low <= found.estimate.high <= 1
