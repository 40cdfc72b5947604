"""What scoring entities promises: the numbers of the full logits, without making them."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from exonym.foundation.errors import InputError
from exonym.modeling import EntityMaskedLM, scoring
from exonym.modeling.scoring import score_candidates, top_entities
from tiny_models import tiny_config

ROWS = 50


@pytest.fixture(scope="module")
def model() -> EntityMaskedLM:
    torch.manual_seed(0)
    shape = tiny_config(
        30, ROWS, num_hidden_layers=1, intermediate_size=20, max_position_embeddings=16
    )
    model = EntityMaskedLM(shape).eval()
    torch.nn.init.normal_(model.entity_predictions.bias, std=0.2)
    return model


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "_BLOCK", 24)


@pytest.mark.usefixtures("small_blocks")
def test_candidates_have_the_scores_of_the_full_logits(model: EntityMaskedLM) -> None:
    states = torch.randn(5, 16)
    candidates = torch.randint(0, ROWS, (5, 4))
    candidates[1, 2:] = candidates[3] = -1
    scored = score_candidates(model, states, candidates)
    full = model.entity_logits(states).gather(1, candidates.clamp(min=0))
    torch.testing.assert_close(scored.scores, full.masked_fill(candidates < 0, float("-inf")))
    assert torch.equal(scored.rows, candidates)
    assert not scored.scores.requires_grad


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("k", [1, 3, 12, ROWS, ROWS + 7])
def test_the_best_of_all_are_those_of_the_full_logits(model: EntityMaskedLM, k: int) -> None:
    states = torch.randn(6, 16)
    found = top_entities(model, states, k)
    full = model.entity_logits(states).sort(dim=1, descending=True, stable=True)
    assert torch.equal(found.rows, full.indices[:, :k])
    torch.testing.assert_close(found.scores, full.values[:, :k])


@given(
    logits=st.lists(st.lists(st.integers(-2, 2), min_size=13, max_size=13), min_size=1, max_size=4),
    k=st.integers(1, 13),
    part=st.integers(1, 13),
)
def test_equal_scores_come_in_the_order_of_their_rows(
    logits: list[list[int]], k: int, part: int
) -> None:
    scores = torch.tensor(logits, dtype=torch.float32)
    best = scoring.EntityScores(
        torch.full((len(logits), k), -1), torch.full((len(logits), k), float("-inf"))
    )
    for start in range(0, 13, part):
        best = scoring._merge(best, scores[:, start : start + part], start)
    for row, found, values in zip(logits, best.rows.tolist(), best.scores.tolist(), strict=True):
        expected = sorted(range(13), key=lambda entity: (-row[entity], entity))[:k]
        assert found == expected
        assert values == [row[entity] for entity in expected]


def test_the_size_of_the_parts_changes_nothing(
    model: EntityMaskedLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = torch.randn(6, 16)
    whole = top_entities(model, states, 5)
    for block in (1, 60, 200):
        monkeypatch.setattr(scoring, "_BLOCK", block)
        assert torch.equal(top_entities(model, states, 5).rows, whole.rows)


def test_excluded_rows_are_never_found(model: EntityMaskedLM) -> None:
    states = torch.randn(3, 16)
    first = top_entities(model, states, 1).rows[:, 0].tolist()
    found = top_entities(model, states, ROWS, excluded=[0, 1, *first]).rows
    assert found.shape == (3, ROWS - len({0, 1, *first}))
    assert not set(found.flatten().tolist()) & {0, 1, *first, -1}


def test_a_state_that_is_no_number_finds_nothing(model: EntityMaskedLM) -> None:
    states = torch.randn(2, 16)
    states[0] = float("nan")
    found = top_entities(model, states, 3)
    assert found.rows[0].tolist() == [-1, -1, -1]
    assert torch.equal(found.rows[1], top_entities(model, states[1:], 3).rows[0])


def test_no_mentions_give_no_scores(model: EntityMaskedLM) -> None:
    none = torch.zeros(0, 16)
    assert top_entities(model, none, 3).rows.shape == (0, 3)
    assert score_candidates(model, none, torch.zeros(0, 2, dtype=torch.long)).scores.shape == (0, 2)


def test_wrong_arguments_are_input_errors(model: EntityMaskedLM) -> None:
    states = torch.randn(2, 16)
    with pytest.raises(InputError, match="k must be at least 1, got 0"):
        top_entities(model, states, 0)
    with pytest.raises(InputError, match=r"states must be \(mentions, hidden\), got \(1, 2, 16\)"):
        top_entities(model, states[None], 1)
    with pytest.raises(InputError, match=r"for 2 mentions, got \(3, 1\)"):
        score_candidates(model, states, torch.zeros(3, 1, dtype=torch.long))
    for wrong in (ROWS, -2):
        with pytest.raises(InputError, match=f"candidate {wrong} is no row .* \\(0 to 49\\)"):
            score_candidates(model, states, torch.tensor([[0], [wrong]]))
