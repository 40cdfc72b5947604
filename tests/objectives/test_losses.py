"""The objectives on a small model; the loss itself is tested in `test_streamed`."""

from __future__ import annotations

import pytest
import torch

from exonym.modeling import EncoderConfig, EncoderOutput, EntityMaskedLM
from exonym.objectives import masked_entity_prediction, masked_language_modeling


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


def test_no_target_is_a_zero_that_can_be_differentiated(model: EntityMaskedLM) -> None:
    nothing = torch.zeros(0, dtype=torch.long)
    loss = masked_language_modeling(model, output_of(), nothing, nothing)
    assert (loss.total.item(), loss.nats.shape, loss.correct.shape) == (0.0, (0,), (0,))
    loss.total.backward()
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
        expected = -rows.log_softmax(-1)[torch.arange(3), targets]
        targets[1] = best = int(rows[1].argmax())
        expected[1] = -rows[1].log_softmax(-1)[best]
    loss = objective(model, output, positions, targets)
    assert loss.nats.tolist() == pytest.approx(expected.tolist(), rel=1e-5)
    assert loss.total.item() == pytest.approx(float(expected.sum()), rel=1e-5)
    assert loss.correct.tolist() == (rows.argmax(-1) == targets).tolist()
    assert loss.correct[1]


def test_the_gradient_reaches_the_tied_tables(model: EntityMaskedLM) -> None:
    positions, targets = torch.tensor([0, 3]), torch.tensor([6, 9])
    loss = masked_language_modeling(model, output_of(), positions, targets).total
    loss = loss + masked_entity_prediction(model, output_of(), positions, targets).total
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
    before.total.backward()
    optimizer.step()
    after = masked_entity_prediction(model, output_of(), positions, targets)
    assert after.total.item() < before.total.item()


def test_entities_cannot_be_predicted_without_entities(model: EntityMaskedLM) -> None:
    positions = torch.tensor([0])
    output = EncoderOutput(torch.zeros(1, 2, 8))
    with pytest.raises(ValueError, match="needs a batch with entities"):
        masked_entity_prediction(model, output, positions, positions)
