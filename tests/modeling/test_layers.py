"""What leaving out padding, grouping and laid-out weights promise: the numbers stay the same."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from exonym.foundation.errors import InputError
from exonym.modeling import EntityEncoder, prepared
from exonym.modeling import encoder as encoder_module
from exonym.modeling.packing import pack, pad
from tiny_models import tiny_config

CONFIG = tiny_config(60, 20, hidden_size=32, intermediate_size=48, max_position_embeddings=66)
Batch = dict[str, Tensor]


def make(entity_aware: bool = False, **changes: Any) -> EntityEncoder:
    torch.manual_seed(0)
    shape = replace(CONFIG, use_entity_aware_attention=entity_aware, **changes)
    encoder = EntityEncoder(shape)
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return encoder.eval()


def batch(words: list[int], entities: list[int] | None, *, holes: bool = False) -> Batch:
    """Items with so many words and entities each; with holes, padding lies anywhere."""
    torch.manual_seed(sum(words))
    tensors: Batch = {"input_ids": torch.ones(len(words), max(words), dtype=torch.long)}
    tensors["attention_mask"] = torch.zeros_like(tensors["input_ids"])
    for item, count in enumerate(words):
        places = torch.randperm(max(words))[:count].sort().values if holes else torch.arange(count)
        tensors["input_ids"][item, places] = torch.randint(3, 60, (count,))
        tensors["attention_mask"][item, places] = 1
    if entities is None:
        return tensors
    shape = (len(words), max(entities))
    tensors["entity_ids"] = torch.randint(0, 20, shape)
    tensors["entity_attention_mask"] = (
        torch.arange(shape[1])[None] < torch.tensor(entities)[:, None]
    ).long()
    positions = torch.randint(-1, max(words), (*shape, 5))
    tensors["entity_position_ids"] = positions
    return tensors


def reference(encoder: EntityEncoder, tensors: Batch) -> Tensor:
    """(batch, words + entities, hidden) from the definition: padded, masked, head by head."""
    ids, heads = tensors["input_ids"], encoder.config.num_attention_heads
    embed, embed_entities = encoder.embeddings, encoder.entity_embeddings
    used = (ids != 1).long()
    states = embed.word_embeddings(ids) + embed.position_embeddings(used.cumsum(1) * used + 1)
    states = embed.LayerNorm(states + embed.token_type_embeddings.weight[0])
    mask, words = tensors["attention_mask"].bool(), ids.shape[1]
    if "entity_ids" in tensors:
        there = (tensors["entity_position_ids"] >= 0)[..., None]
        positions = embed_entities.position_embeddings(tensors["entity_position_ids"].clamp(min=0))
        entities = embed_entities.entity_embeddings(tensors["entity_ids"])
        entities = embed_entities.entity_embedding_dense(entities)
        entities = entities + (positions * there).sum(2) / there.sum(2).clamp(min=1)
        entities = embed_entities.LayerNorm(
            entities + embed_entities.token_type_embeddings.weight[0]
        )
        states = torch.cat([states, entities], dim=1)
        mask = torch.cat([mask, tensors["entity_attention_mask"].bool()], dim=1)
    for layer in encoder.encoder.layer:
        attend = layer.attention["self"]
        kinds = [attend.query] * 4
        if encoder.config.use_entity_aware_attention and "entity_ids" in tensors:
            kinds = [attend.query, attend.w2e_query, attend.e2w_query, attend.e2e_query]
        key, value = attend.key(states), attend.value(states)
        mixed = []
        for part in torch.arange(states.shape[-1]).chunk(heads):
            scores = torch.zeros(*states.shape[:2], states.shape[1])
            for kind, query in enumerate(kinds):
                row, column = slice(words), slice(words)
                if kind >= 2:
                    row = slice(words, None)
                if kind % 2:
                    column = slice(words, None)
                product = query(states)[..., part] @ key[..., part].transpose(1, 2)
                scores[:, row, column] = product[:, row, column] / len(part) ** 0.5
            scores = scores.masked_fill(~mask[:, None], -1e9)
            mixed.append(scores.softmax(-1) @ value[..., part])
        out = layer.attention["output"]
        states = out.LayerNorm(states + out.dense(torch.cat(mixed, dim=-1)))
        inner = layer.output.dense(F.gelu(layer.intermediate["dense"](states)))
        states = layer.output.LayerNorm(states + inner)
    return states * mask[..., None]


def run(encoder: EntityEncoder, tensors: Batch) -> Tensor:
    output = encoder(**tensors)
    if output.entity_last_hidden_state is None:
        return output.last_hidden_state
    return torch.cat([output.last_hidden_state, output.entity_last_hidden_state], dim=1)


BATCHES = {
    "one": batch([9], [2]),
    "one without entities": batch([9], None),
    "full": batch([9, 9, 9], [2, 2, 2]),
    "mixed": batch([40, 3, 12, 1, 11, 40, 64], [3, 0, 1, 1, 0, 4, 2]),
    "mixed without entities": batch([40, 3, 12, 1, 11, 40, 64], None),
    "holes": batch([40, 3, 12, 30], [3, 0, 1, 1], holes=True),
    "no entity at all": batch([7, 5], [0, 0]) | batch([7, 5], [2, 2]) | {
        "entity_attention_mask": torch.zeros(2, 2)
    },
    "an item without anything": batch([7, 0, 5], [1, 0, 2]),
}  # fmt: skip


@pytest.mark.parametrize("entity_aware", [False, True], ids=["plain", "entity-aware"])
@pytest.mark.parametrize("how", ["inference", "grouped", "aligned", "gradients", "padded"])
@pytest.mark.parametrize("name", BATCHES)
def test_states_are_those_of_the_definition(
    name: str, how: str, entity_aware: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder, tensors = make(entity_aware), BATCHES[name]
    with torch.no_grad():
        expected = reference(encoder, tensors)
    if how == "padded":
        monkeypatch.setattr(encoder_module, "pack", lambda *masks, **_: pad(*masks))
    if how == "grouped":
        monkeypatch.setattr(encoder_module, "MOST_ROWS", 20)
    if how == "aligned":
        monkeypatch.setattr(encoder_module, "alignment", lambda _: 16)
    with torch.set_grad_enabled(how == "gradients"):
        states = run(encoder, tensors)
    torch.testing.assert_close(states, expected, rtol=0, atol=1e-5)
    padding = tensors["attention_mask"] == 0
    assert (states[:, : padding.shape[1]][padding] == 0).all()


@settings(max_examples=40)
@given(
    items=st.lists(st.tuples(st.integers(1, 30), st.integers(0, 5)), min_size=1, max_size=9),
    entity_aware=st.booleans(),
    holes=st.booleans(),
    most=st.none() | st.integers(1, 80),
    align=st.sampled_from([1, 2, 8]),
)
def test_a_text_has_the_same_states_in_any_company(
    items: list[tuple[int, int]], entity_aware: bool, holes: bool, most: int | None, align: int
) -> None:
    encoder = make(entity_aware)
    words, entities = [list(column) for column in zip(*items, strict=True)]
    tensors = batch(words, entities, holes=holes)
    with pytest.MonkeyPatch.context() as patch, torch.no_grad():
        patch.setattr(encoder_module, "MOST_ROWS", most)
        patch.setattr(encoder_module, "alignment", lambda _: align)
        together = run(encoder, tensors)
        for item in range(len(items)):
            alone = run(
                encoder, {name: tensor[item : item + 1] for name, tensor in tensors.items()}
            )
            torch.testing.assert_close(together[item : item + 1], alone, rtol=0, atol=1e-5)


@pytest.mark.parametrize("entity_aware", [False, True], ids=["plain", "entity-aware"])
def test_gradients_are_those_of_the_definition(entity_aware: bool) -> None:
    encoder, tensors = make(entity_aware).double(), BATCHES["mixed"]
    weights = torch.randn(7, 68, 32, dtype=torch.double)
    torch.set_default_dtype(torch.double)
    try:
        (reference(encoder, tensors) * weights).sum().backward()
    finally:
        torch.set_default_dtype(torch.float32)
    expected = {name: p.grad for name, p in encoder.named_parameters()}
    encoder.zero_grad(set_to_none=True)
    (run(encoder, tensors) * weights).sum().backward()
    for name, parameter in encoder.named_parameters():
        assert (parameter.grad is None) == (expected[name] is None), name
        if parameter.grad is not None:
            torch.testing.assert_close(parameter.grad, expected[name])


def test_dropout_is_on_in_training_only() -> None:
    encoder, tensors = make(hidden_dropout_prob=0.5), BATCHES["mixed"]
    with torch.no_grad():
        assert torch.equal(run(encoder, tensors), run(encoder, tensors))
        encoder.train()
        assert not torch.equal(run(encoder, tensors), run(encoder, tensors))


@pytest.mark.parametrize("rows", [1, 20, 200])
def test_bfloat16_states_are_near_those_of_float32(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when products are cut for oneDNN."""
    monkeypatch.setattr(prepared, "_IDLE", (rows, 1000))
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    encoder, tensors = make(), BATCHES["mixed"]
    with torch.no_grad():
        exact = run(encoder, tensors)
        near = run(encoder.bfloat16(), tensors)
    assert near.dtype == torch.bfloat16
    assert (near.float() - exact).norm() < 0.03 * exact.norm()


def change_in_place(encoder: EntityEncoder) -> None:
    with torch.no_grad():
        for parameter in encoder.encoder.parameters():
            parameter.mul_(1.1)


def change_data(encoder: EntityEncoder) -> None:
    for parameter in encoder.encoder.parameters():
        parameter.data.mul_(1.1)
    encoder.eval()  # PyTorch does not count changes of .data


def load(encoder: EntityEncoder) -> None:
    encoder.load_state_dict({n: p * 1.1 for n, p in encoder.state_dict().items()})


def assign(encoder: EntityEncoder) -> None:
    encoder.load_state_dict({n: p * 1.1 for n, p in encoder.state_dict().items()}, assign=True)


def optimise(encoder: EntityEncoder) -> None:
    for parameter in encoder.parameters():
        parameter.grad = torch.ones_like(parameter)
    torch.optim.SGD(encoder.parameters(), lr=0.1).step()


@pytest.mark.parametrize("change", [change_in_place, change_data, load, assign, optimise])
def test_changed_weights_are_used_at_once(change: Any) -> None:
    encoder, tensors = make(), BATCHES["mixed"]
    with torch.no_grad():
        before = run(encoder, tensors)
    change(encoder)
    with torch.no_grad():
        after = run(encoder, tensors)
        torch.testing.assert_close(after, reference(encoder, tensors), rtol=0, atol=1e-5)
    assert not torch.allclose(before, after)


def test_weights_are_laid_out_once_and_belong_to_no_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder, tensors, made = make(), BATCHES["one"], []
    whole = prepared.PreparedLinear.__init__

    def counted(self: prepared.PreparedLinear, *modules: Any) -> None:
        made.append(len(modules))
        whole(self, *modules)

    monkeypatch.setattr(prepared.PreparedLinear, "__init__", counted)
    with torch.no_grad():
        states = run(encoder, tensors)
        if not made:
            pytest.skip("this PyTorch or processor lays out no weights")
        run(encoder, tensors)
        assert made == [3, 1, 1, 1] * 2
        copied, pickled = copy.deepcopy(encoder), pickle.loads(pickle.dumps(encoder))
        for other in (copied, pickled):
            assert torch.equal(run(other, tensors), states)
        change_in_place(copied)
        assert torch.equal(run(encoder, tensors), states)


def test_a_compiled_encoder_sees_one_graph_with_the_same_states() -> None:
    encoder, graphs = make(entity_aware=True), []

    def backend(graph: torch.fx.GraphModule, _: Any) -> Any:
        graphs.append(graph)
        return graph.forward

    compiled = torch.compile(encoder, backend=backend, fullgraph=True, dynamic=True)
    with torch.no_grad():
        for name in ("mixed", "full", "holes"):
            states = run(compiled, BATCHES[name])
            torch.testing.assert_close(states, run(encoder, BATCHES[name]), rtol=0, atol=1e-5)
    assert len(graphs) == 1


def test_items_of_like_length_share_a_bucket() -> None:
    lengths = torch.tensor([100, 20, 10, 95, 100, 1, 0])
    words = torch.arange(100) < lengths[:, None]
    (group,) = pack(words).groups
    assert [(bucket.items, bucket.length) for bucket in group.buckets] == [
        (3, 100),
        (2, 20),
        (1, 1),
    ]
    (group,) = pack(words, mixed_lengths=True).groups
    assert [(bucket.items, bucket.length) for bucket in group.buckets] == [(6, 100)]
    (group,) = pack(words, align=8).groups
    assert [(bucket.length, bucket.spread is None) for bucket in group.buckets] == [
        (104, True),  # 17 rows of padding beside 295 stay in the matrix
        (24, False),  # 18 beside 30 do not
        (8, False),
    ]
    groups = pack(words, most_rows=120).groups
    assert [group.rows.stop - group.rows.start for group in groups] == [100, 100, 115, 11]


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("attention_mask", (1, 8)),
        ("entity_attention_mask", (1, 1)),
        ("entity_position_ids", (1, 3, 5)),
    ],
)
def test_masks_of_another_shape_are_input_errors(name: str, shape: tuple[int, ...]) -> None:
    wrong = BATCHES["one"] | {name: torch.ones(shape, dtype=torch.long)}
    with pytest.raises(InputError, match=rf"{name} is for \(1, \d\), but \w+ is \(1, \d\)"):
        make()(**wrong)
