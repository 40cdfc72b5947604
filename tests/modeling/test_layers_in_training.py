"""What a training step computes on a CPU is what plain PyTorch computes, with less."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from exonym.modeling import EntityEncoder, attention, dropout, encoder, feed_forward
from exonym.modeling.attention import attend
from exonym.modeling.dropout import dropout_add
from exonym.modeling.packing import pack, pad
from tiny_models import NO_DROPOUT, tiny_config


def gradients(function: Callable[..., Tensor], *inputs: Tensor) -> list[Tensor]:
    """Of a weighted sum, in the inputs; and the value."""
    inputs = tuple(tensor.detach().requires_grad_() for tensor in inputs)
    value = function(*inputs)
    weights = torch.randn(value.shape, generator=torch.Generator().manual_seed(5)).to(value.dtype)
    (value * weights).sum().backward()
    return [value.detach(), *(tensor.grad for tensor in inputs if tensor.grad is not None)]


def assert_same(one: list[Tensor], other: list[Tensor], within: float) -> None:
    assert len(one) == len(other)
    for mine, theirs in zip(one, other, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=within)


# --- dropout --------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.001, 0.1, 0.5, 0.9])
def test_the_asked_share_is_dropped_and_the_mean_stays(rate: float) -> None:
    torch.manual_seed(0)
    count = 500_003
    values = dropout_add(torch.ones(count), None, rate, True)
    dropped = int((values == 0).sum())
    error = (count * rate * (1 - rate)) ** 0.5
    assert abs(dropped - count * rate) < 4 * error + count / 2**15
    assert set(values.unique().tolist()) == {0.0, values.max().item()}
    assert values.max().item() == pytest.approx(1 / (1 - rate), rel=4e-4)


def test_neighbours_halves_and_draws_are_independent() -> None:
    torch.manual_seed(1)
    first, second = (dropout_add(torch.ones(1 << 20), None, 0.5, True) == 0 for _ in range(2))
    half = len(first) // 2
    for one, other in (
        (first, second),
        (first[1:], first[:-1]),
        (first[4:], first[:-4]),
        (first[:half], first[half:]),  # two elements come from each 32 bits
    ):
        both = (one & other).double().mean().item()
        assert abs(both - 0.25) < 4 * (0.25 * 0.75 / len(one)) ** 0.5


def test_a_mask_follows_from_pytorchs_generator() -> None:
    values = torch.randn(1000)
    torch.manual_seed(3)
    first, second = (dropout_add(values, None, 0.3, True) for _ in range(2))
    torch.manual_seed(3)
    assert torch.equal(dropout_add(values, None, 0.3, True), first)
    assert not torch.equal(first, second)


@pytest.mark.parametrize("chunk", [7, 1 << 20])
def test_the_gradient_has_the_mask_of_the_value(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dropout, "_CHUNK", chunk)
    values, residual = torch.randn(5, 9, dtype=torch.float64).t(), torch.zeros(9, 5).double()
    torch.manual_seed(4)
    kept = dropout_add(torch.ones(9, 5).double(), None, 0.4, True)
    for other in (None, residual + 2.0):

        def ours(values: Tensor, other: Tensor | None = other) -> Tensor:
            torch.manual_seed(4)
            return dropout_add(values, other, 0.4, True)

        def plain(values: Tensor, other: Tensor | None = other) -> Tensor:
            return values * kept + (0 if other is None else other)

        assert_same(gradients(ours, values), gradients(plain, values), 1e-12)
    through = gradients(lambda rest: dropout_add(values, rest, 0.4, True), residual)[1]
    assert_same([through], gradients(lambda rest: rest * 1, residual)[1:], 0)


@pytest.mark.parametrize(("rate", "training"), [(0.0, True), (1e-6, True), (0.5, False)])
def test_nothing_is_dropped_without_a_rate_or_training(rate: float, training: bool) -> None:
    values = torch.randn(100)
    assert torch.equal(dropout_add(values, None, rate, training), values)
    assert torch.equal(dropout_add(values, values, rate, training), values + values)


def test_a_rate_of_one_drops_everything() -> None:
    assert not dropout_add(torch.randn(100), None, 1.0, True).any()


# --- attention ------------------------------------------------------------------------------------


def blocks(width: int = 4) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    query, key = (torch.randn(3, 2, 5, width, dtype=torch.float64) for _ in range(2))
    value = torch.randn(3, 5, 2, 6, dtype=torch.float64).transpose(1, 2)
    mask = torch.arange(5) < torch.tensor([5, 3, 1])[:, None]
    return query, key, value, mask[:, None, None, :]


def plain_attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    scores = query @ key.transpose(-1, -2) * 0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    return scores.softmax(-1) @ value


@pytest.mark.parametrize("at_once", [1, 30, 60, 1 << 19])
@pytest.mark.parametrize("masked", [True, False])
def test_attention_without_dropout_is_the_definition(
    at_once: int, masked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention, "_WEIGHTS", at_once)
    *inputs, mask = blocks()
    chosen = mask if masked else None
    ours = gradients(lambda *tensors: attend(*tensors, chosen, 0.5, 0.0), *inputs)
    assert_same(ours, gradients(lambda *t: plain_attention(*t, chosen), *inputs), 1e-12)


@pytest.mark.parametrize("at_once", [1, 30, 60, 1 << 19])
def test_attention_drops_the_same_weights_forward_and_backward(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention, "_WEIGHTS", at_once)
    query, key, value, mask = blocks()
    one = torch.eye(5).double().expand(3, 2, 5, 5)  # as values, they show the weights

    def run(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        torch.manual_seed(7)
        return attend(query, key, value, mask, 0.5, 0.4)

    whole = plain_attention(query, key, one, mask)
    factors = torch.where(whole > 0, run(query, key, one) / whole, 0)
    kept = factors.max()
    assert kept.item() == pytest.approx(1 / 0.6, rel=1e-3)
    assert ((factors < 1e-9) | (factors - kept < 1e-9)).all()

    def plain(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        return (plain_attention(query, key, one, mask) * factors) @ value

    assert_same(gradients(run, query, key, value), gradients(plain, query, key, value), 1e-12)


def test_dropout_of_attention_keeps_the_mean() -> None:
    torch.manual_seed(0)
    query = torch.zeros(400, 2, 5, 4)
    mixed = attend(query, query, torch.ones(400, 2, 5, 3), None, 0.5, 0.2)
    assert mixed.mean().item() == pytest.approx(1.0, abs=0.02)
    assert (mixed[..., 0] == 1.0).double().mean().item() < 0.01  # 0.2 * 5 weights gone, on average
    assert torch.equal(mixed[..., 0], mixed[..., 1])  # weights are dropped, not values


# --- feed-forward ---------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 4, 100])
@pytest.mark.parametrize("frozen", [(), (0,), (0, 1, 2, 3), (2, 3)])
def test_feed_forward_is_the_plain_one(
    rows: int, frozen: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_forward, "_ROWS", rows)
    torch.manual_seed(0)
    inward, outward = nn.Linear(6, 24).double(), nn.Linear(24, 6).double()
    weights = [*inward.parameters(), *outward.parameters()]
    for number in frozen:
        weights[number].requires_grad_(False)

    def run(function: Callable[[Tensor], Tensor]) -> list[Tensor]:
        for weight in weights:
            weight.grad = None
        results = gradients(function, torch.randn(11, 6).double())
        return results + [weight.grad for weight in weights if weight.grad is not None]

    torch.manual_seed(1)
    ours = run(lambda states: feed_forward.feed_forward(states, inward, outward))
    torch.manual_seed(1)
    plain = run(lambda states: outward(F.gelu(inward(states))))
    assert len(ours) == 6 - len(frozen)
    assert_same(ours, plain, 1e-12)


# --- packing --------------------------------------------------------------------------------------


def encoder_and_batch(lengths: list[int], **shape: Any) -> tuple[EntityEncoder, dict[str, Tensor]]:
    torch.manual_seed(0)
    config = tiny_config(50, 20, max_position_embeddings=40, **NO_DROPOUT, **shape)
    words = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    entities = torch.arange(3) < torch.tensor([length % 4 for length in lengths])[:, None]
    size = (*entities.shape, 4)
    batch = {
        "input_ids": torch.where(words, torch.randint(5, 50, words.shape), 1),
        "attention_mask": words,
        "entity_ids": torch.where(entities, torch.randint(4, 20, entities.shape), 0),
        "entity_attention_mask": entities,
        "entity_position_ids": torch.randint(-1, min(lengths), size),
    }
    return EntityEncoder(config).train(), batch


def step(model: EntityEncoder, batch: dict[str, Tensor]) -> list[Tensor]:
    """The states of a batch, and the gradients of all parameters."""
    model.zero_grad()
    output = model(**batch)
    assert output.entity_last_hidden_state is not None
    loss = (output.last_hidden_state**3).sum() + (output.entity_last_hidden_state**3).sum()
    loss.backward()
    grads = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    return [output.last_hidden_state.detach(), output.entity_last_hidden_state.detach(), *grads]


@pytest.mark.parametrize("entity_aware", [False, True])
@pytest.mark.parametrize("alone_from", [1, 9, 1000])
@pytest.mark.parametrize("multiple", [1, 64])
def test_a_packed_step_has_the_states_and_gradients_of_the_padded_one(
    entity_aware: bool, alone_from: int, multiple: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, batch = encoder_and_batch(
        [30, 5, 12, 12, 29, 7], use_entity_aware_attention=entity_aware
    )
    model.double()
    monkeypatch.setattr(EntityEncoder, "_packing", lambda _, *masks: pad(*masks))
    padded = step(model, batch)
    monkeypatch.setattr(
        EntityEncoder,
        "_packing",
        lambda _, *masks: pack(*masks, alone_from=alone_from, multiple=multiple),
    )
    packed = step(model, batch)
    assert_same(packed, padded, 1e-10)


def test_a_step_in_float32_is_within_1e_5_of_the_padded_one() -> None:
    model, batch = encoder_and_batch([30, 5, 12, 12, 29, 7])
    packed = step(model, batch)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EntityEncoder, "_packing", lambda _, *masks: pad(*masks))
        padded = step(model, batch)
    scale = max(float(tensor.abs().max()) for tensor in padded)
    assert_same(packed, padded, 1e-5 * max(scale, 1.0))


def test_dropout_in_training_reaches_every_part_and_repeats_from_its_seed() -> None:
    model, batch = encoder_and_batch([30, 5, 12])
    without = step(model, batch)
    for part in ("hidden", "attention"):
        model, batch = encoder_and_batch([30, 5, 12])
        for module in model.modules():
            if part == "hidden" and isinstance(module, nn.Dropout):
                module.p = 0.3
            elif part == "attention" and hasattr(module, "mix"):
                module.dropout = 0.3
        torch.manual_seed(9)
        first = step(model, batch)
        torch.manual_seed(9)
        assert_same(first, step(model, batch), 0)
        assert not torch.allclose(first[0], without[0], atol=1e-3)
        model.eval()
        assert_same(step(model, batch), without, 1e-6)


@pytest.mark.parametrize("rate", [0.0, 0.1])
def test_a_bfloat16_step_packs_into_whole_blocks_and_is_near_float32(
    rate: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder, "_MULTIPLE", 32)
    model, batch = encoder_and_batch([30, 5, 12, 7])
    exact = step(model, batch)
    seen = []
    layers = model.encoder.forward
    monkeypatch.setattr(
        model.encoder,
        "forward",
        lambda rows, groups: seen.append(len(rows)) or layers(rows, groups),
    )
    for module in model.modules():
        if hasattr(module, "mix"):
            module.dropout = rate
    with torch.autocast("cpu", dtype=torch.bfloat16):
        near = step(model, batch)
    assert seen == [64]  # 54 words and 7 entities
    if rate == 0.0:
        difference = torch.cat([(a - b).flatten() for a, b in zip(near, exact, strict=True)])
        whole = torch.cat([tensor.flatten() for tensor in exact])
        assert difference.norm() < 0.05 * whole.norm()
    else:
        assert all(tensor.isfinite().all() for tensor in near)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), min_size=1, max_size=6),
    st.integers(1, 40),
    st.one_of(st.none(), st.integers(1, 12)),
)
def test_every_real_row_has_one_place_whatever_fills_the_matrix(
    sizes: list[tuple[int, int]], multiple: int, alone_from: int | None
) -> None:
    words = torch.arange(9) < torch.tensor([size for size, _ in sizes])[:, None]
    entities = torch.arange(3) < torch.tensor([size for _, size in sizes])[:, None]
    plan = pack(words, entities, multiple=multiple, alone_from=alone_from)
    real = int(words.sum() + entities.sum())
    assert len(plan.order) == -(-real // multiple) * multiple
    rows = torch.cat([plan.word_rows, plan.entity_rows])
    assert sorted(rows.tolist()) == list(range(real))
    assert plan.order[rows].tolist() == list(range(real))
    if real:
        assert plan.groups[-1].rows.stop == len(plan.order)
        buckets = [bucket for group in plan.groups for bucket in group.buckets]
        assert sum(bucket.rows.stop - bucket.rows.start for bucket in buckets) == real
        if alone_from is not None:
            assert all(bucket.mask is None for bucket in buckets if bucket.length >= alone_from)
