"""What the encoder promises beyond the oracle's numbers."""

from __future__ import annotations

import pytest
import torch

from exonym.foundation.errors import ConfigError, InputError
from exonym.modeling import EncoderConfig, EntityMaskedLM
from tiny_models import tiny_config

CONFIG = tiny_config(30, 12, intermediate_size=20, max_position_embeddings=16)


@pytest.fixture
def model() -> EntityMaskedLM:
    torch.manual_seed(0)
    return EntityMaskedLM(CONFIG).eval()


def batch(padding: int = 0) -> dict[str, torch.Tensor]:
    """One text with two mentions, behind it ``padding`` padded words and entities."""
    words = torch.tensor([[0, 7, 8, 9, 2] + [1] * padding])
    entities = torch.tensor([[4, 5] + [0] * padding])
    positions = torch.tensor([[[1, -1], [2, 3]] + [[-1, -1]] * padding])
    return {
        "input_ids": words,
        "attention_mask": torch.arange(5 + padding)[None] < 5,
        "entity_ids": entities,
        "entity_attention_mask": torch.arange(2 + padding)[None] < 2,
        "entity_position_ids": positions,
    }


@torch.no_grad()
def test_padding_changes_nothing(model: EntityMaskedLM) -> None:
    short, long = model(**batch()), model(**batch(padding=4))
    assert short.entity_last_hidden_state is not None
    assert long.entity_last_hidden_state is not None
    torch.testing.assert_close(short.last_hidden_state, long.last_hidden_state[:, :5])
    torch.testing.assert_close(short.entity_last_hidden_state, long.entity_last_hidden_state[:, :2])


@torch.no_grad()
def test_entities_and_words_see_each_other(model: EntityMaskedLM) -> None:
    one, other = batch(), batch()
    other["entity_ids"] = torch.tensor([[4, 6]])
    before, after = model(**one), model(**other)
    assert not torch.allclose(before.last_hidden_state, after.last_hidden_state)
    other = batch()
    other["input_ids"][0, 3] = 10
    assert before.entity_last_hidden_state is not None
    after = model(**other)
    assert after.entity_last_hidden_state is not None
    assert not torch.allclose(before.entity_last_hidden_state, after.entity_last_hidden_state)


@torch.no_grad()
def test_the_position_of_a_mention_is_the_mean_of_its_pieces(model: EntityMaskedLM) -> None:
    layer = model.luke.entity_embeddings
    table = layer.position_embeddings.weight
    embedded = layer.entity_embedding_dense(layer.entity_embeddings(torch.tensor([[4]])))
    plain = embedded + layer.token_type_embeddings.weight[0]
    for positions, pooled in (([2, 3, 7], table[[2, 3, 7]].mean(0)), ([5, -1, -1], table[5])):
        seen = layer(torch.tensor([[4]]), torch.tensor([[positions]]))
        torch.testing.assert_close(seen, layer.LayerNorm(plain + pooled))


def test_the_output_tables_are_the_input_tables(model: EntityMaskedLM) -> None:
    with torch.no_grad():
        model.luke.entity_embeddings.entity_embeddings.weight[3] = 0
        model.luke.embeddings.word_embeddings.weight[9] = 0
    states = torch.randn(4, 16)
    assert (model.entity_logits(states)[:, 3] == 0).all()
    assert (model.word_logits(states)[:, 9] == 0).all()
    assert not any("decoder" in name for name, _ in model.named_parameters())


def test_new_parameters_are_the_entity_side_only(model: EntityMaskedLM) -> None:
    new = {
        name.split(".")[0] + "." + name.split(".")[1]
        for name, _ in model.named_parameters()
        if model.is_new(name)
    }
    assert new == {
        "luke.entity_embeddings",
        "entity_predictions.bias",
        "entity_predictions.transform",
    }


def test_the_stated_bytes_are_close_to_the_real_ones(model: EntityMaskedLM) -> None:
    real = sum(parameter.numel() * 4 for parameter in model.parameters())
    assert 0.8 * real < CONFIG.parameter_bytes() <= real


def test_more_pieces_than_positions_is_an_input_error(model: EntityMaskedLM) -> None:
    assert CONFIG.max_words == 14
    words = torch.full((1, 15), 5)
    with pytest.raises(InputError, match="15 pieces, but this encoder has positions for 14"):
        model(input_ids=words, attention_mask=torch.ones_like(words))


def test_entity_arguments_go_together(model: EntityMaskedLM) -> None:
    incomplete = batch()
    del incomplete["entity_position_ids"]
    with pytest.raises(InputError, match="go together"):
        model(**incomplete)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden_size": 10, "num_attention_heads": 4}, "hidden_size=10 is not divisible"),
        ({"entity_vocab_size": 0}, "entity_vocab_size must be a whole number of at least 1"),
        ({"num_hidden_layers": 1.5}, "num_hidden_layers must be a whole number"),
    ],
)
def test_an_impossible_shape_is_a_config_error(changes: dict[str, int], message: str) -> None:
    shape = {"vocab_size": 9, "entity_vocab_size": 9, **changes}
    with pytest.raises(ConfigError, match=message):
        EncoderConfig(**shape)
