"""The losses against float64 twins."""

from __future__ import annotations

import math

import pytest
import torch

from exonym.modeling import EncoderConfig, EncoderOutput, EntityMaskedLM
from exonym.objectives import masked_entity_prediction, masked_language_modeling
from exonym.objectives.loss import cross_entropy


@pytest.fixture
def model() -> EntityMaskedLM:
    torch.manual_seed(0)
    return EntityMaskedLM(
        EncoderConfig(
            vocab_size=20,
            entity_vocab_size=11,
            hidden_size=8,
            entity_emb_size=6,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=8,
            max_position_embeddings=10,
        )
    )


def output_of(words: int = 5, entities: int = 3) -> EncoderOutput:
    generator = torch.Generator().manual_seed(1)
    return EncoderOutput(
        torch.randn(2, words, 8, generator=generator),
        torch.randn(2, entities, 8, generator=generator),
    )


def test_cross_entropy_equals_a_float64_twin() -> None:
    generator = torch.Generator().manual_seed(2)
    logits = torch.randn(40, 7, generator=generator) * 5
    targets = torch.randint(0, 7, (40,), generator=generator)
    expected, correct = 0.0, 0
    for row, target in zip(logits.double().tolist(), targets.tolist(), strict=True):
        top = max(row)
        expected += top + math.log(sum(math.exp(x - top) for x in row)) - row[target]
        correct += row.index(top) == target
    loss = cross_entropy(logits, targets)
    assert loss.mean.item() == pytest.approx(expected / 40, rel=1e-6)
    assert (loss.correct, loss.targets) == (correct, 40)


def test_bfloat16_logits_are_summed_in_float32() -> None:
    logits = torch.zeros(3, 50_000, dtype=torch.bfloat16)
    loss = cross_entropy(logits, torch.zeros(3, dtype=torch.long))
    assert loss.mean.dtype == torch.float32
    assert loss.mean.item() == pytest.approx(math.log(50_000), rel=1e-6)


def test_no_target_is_a_zero_that_can_be_differentiated(model: EntityMaskedLM) -> None:
    nothing = torch.zeros(0, dtype=torch.long)
    loss = masked_language_modeling(model, output_of(), nothing, nothing)
    assert (loss.mean.item(), loss.correct, loss.targets) == (0.0, 0, 0)
    loss.mean.backward()
    gradient = model.luke.embeddings.word_embeddings.weight.grad
    assert gradient is not None
    assert (gradient == 0).all()


@pytest.mark.parametrize("kind", ["words", "entities"])
def test_targets_are_read_at_their_flat_positions(kind: str, model: EntityMaskedLM) -> None:
    output = output_of()
    objective, states, logits = {
        "words": (masked_language_modeling, output.last_hidden_state, model.word_logits),
        "entities": (
            masked_entity_prediction,
            output.entity_last_hidden_state,
            model.entity_logits,
        ),
    }[kind]
    assert states is not None
    width = states.shape[1]
    places = [(0, 1), (1, 0), (1, 2)]
    positions = torch.tensor([row * width + column for row, column in places])
    targets = torch.tensor([4, 7, 10])
    with torch.no_grad():
        rows = torch.stack([logits(states[row, column]) for row, column in places]).double()
        expected = -rows.log_softmax(-1)[torch.arange(3), targets].mean()
        best = rows.argmax(-1)
    loss = objective(model, output, positions, targets)
    assert loss.mean.item() == pytest.approx(float(expected), rel=1e-5)
    assert loss.correct == int((best == targets).sum())


def test_the_gradient_reaches_the_tied_tables(model: EntityMaskedLM) -> None:
    positions, targets = torch.tensor([0, 3]), torch.tensor([6, 9])
    loss = masked_language_modeling(model, output_of(), positions, targets).mean
    loss = loss + masked_entity_prediction(model, output_of(), positions, targets).mean
    loss.backward()
    words = model.luke.embeddings.word_embeddings.weight.grad
    entities = model.luke.entity_embeddings.entity_embeddings.weight.grad
    assert words is not None
    assert entities is not None
    assert (words[targets].abs().sum(-1) > 0).all()
    assert (entities[targets].abs().sum(-1) > 0).all()


def test_a_step_on_one_target_raises_its_probability(model: EntityMaskedLM) -> None:
    positions, targets = torch.tensor([2]), torch.tensor([5])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    before = masked_entity_prediction(model, output_of(), positions, targets)
    before.mean.backward()
    optimizer.step()
    after = masked_entity_prediction(model, output_of(), positions, targets)
    assert after.mean.item() < before.mean.item()


def test_entities_cannot_be_predicted_without_entities(model: EntityMaskedLM) -> None:
    positions = torch.tensor([0])
    output = EncoderOutput(torch.zeros(1, 2, 8))
    with pytest.raises(ValueError, match="needs a batch with entities"):
        masked_entity_prediction(model, output, positions, positions)
