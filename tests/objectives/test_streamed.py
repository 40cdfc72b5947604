"""`streamed_cross_entropy` against a brute-force twin in float64."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from exonym.objectives import IGNORED, Loss, streamed_cross_entropy, sweeps
from exonym.objectives.precision import Precision


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many blocks and chunks even of small tables."""
    monkeypatch.setattr(sweeps, "BLOCK_ROWS", 50)
    monkeypatch.setitem(sweeps.KEPT_BYTES, "cpu", 1)


def inputs_of(
    targets: int, rows: int, width: int = 8, dtype: torch.dtype = torch.float64, seed: int = 0
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    states, table, bias = (
        torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype).requires_grad_()
        for shape in ((targets, width), (rows, width), (rows,))
    )
    return states, table, bias, torch.randint(rows, (targets,), generator=generator)


class Twin:
    """The full softmax in numpy, by its textbook formulas."""

    def __init__(self, states: Tensor, table: Tensor, bias: Tensor, targets: Tensor) -> None:
        s, t, b = (x.detach().double().numpy() for x in (states, table, bias))
        logits = s @ t.T + b
        top = logits.max(1, keepdims=True)
        weights = np.exp(logits - top)
        real = targets.numpy() != IGNORED
        places = (np.flatnonzero(real), targets.numpy()[real])
        self.nats = np.zeros(len(s))
        self.nats[real] = (top[:, 0] + np.log(weights.sum(1)))[real] - logits[places]
        self.correct = logits.argmax(1) == targets.numpy()
        surplus = weights / weights.sum(1, keepdims=True)
        surplus[places] -= 1
        surplus[~real] = 0
        self.states, self.table, self.bias = surplus @ t, surplus.T @ s, surplus.sum(0)


def assert_equals_twin(
    inputs: tuple[Tensor, Tensor, Tensor, Tensor], tolerance: float, scale: float = 0.25
) -> Loss:
    twin = Twin(*inputs)
    loss = streamed_cross_entropy(*inputs)
    np.testing.assert_allclose(loss.nats.numpy(), twin.nats, rtol=max(tolerance, 1e-6), atol=1e-5)
    assert loss.total.item() == pytest.approx(twin.nats.sum(), rel=max(tolerance, 1e-7), abs=1e-5)
    assert loss.correct.tolist() == twin.correct.tolist()
    (loss.total * scale).backward()
    for tensor, expected in zip(inputs[:3], (twin.states, twin.table, twin.bias), strict=True):
        assert tensor.grad is not None
        assert tensor.grad.dtype == tensor.dtype
        np.testing.assert_allclose(
            tensor.grad.double().numpy(), expected * scale, rtol=tolerance, atol=tolerance
        )
    return loss


@settings(max_examples=60)
@given(
    targets=st.integers(0, 70),
    rows=st.integers(1, 130),
    width=st.integers(1, 9),
    block=st.integers(1, 140),
    kept=st.sampled_from([1, 130 * 8 * 20, 1 << 20]),
    ignored=st.floats(0, 1),
    seed=st.integers(0, 1000),
)
def test_any_shape_any_block_and_any_chunk_give_the_full_softmax(
    targets: int, rows: int, width: int, block: int, kept: int, ignored: float, seed: int
) -> None:
    inputs = inputs_of(targets, rows, width, seed=seed)
    inputs[3][torch.rand(targets) < ignored] = IGNORED
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweeps, "BLOCK_ROWS", block)
        patch.setitem(sweeps.KEPT_BYTES, "cpu", kept)
        assert_equals_twin(inputs, 1e-10)


def test_float32_is_within_1e_5_of_float64(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "BLOCK_ROWS", 1000)
    inputs = inputs_of(90, 30_000, 16, torch.float32)
    with torch.no_grad():
        inputs[3][:5] = (inputs[0] @ inputs[1].T + inputs[2]).argmax(1)[:5]
    assert assert_equals_twin(inputs, 1e-5).correct[:5].all()


def test_gradients_pass_gradcheck() -> None:
    *inputs, targets = inputs_of(4, 60, 2)
    targets[1] = IGNORED
    assert torch.autograd.gradcheck(
        lambda *tensors: streamed_cross_entropy(*tensors, targets).total, inputs
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [1e4, -1e4])
def test_extreme_logits_neither_overflow_nor_vanish(size: float, dtype: torch.dtype) -> None:
    states, table, bias, targets = inputs_of(8, 120, 4, dtype)
    with torch.no_grad():
        states.copy_(torch.eye(4).repeat(2, 1))
        table.zero_()
        table[60] = size  # exact in every type, so that the twin sees the same logits
        bias.zero_()
        targets[:4] = 60
    loss = assert_equals_twin((states, table, bias, targets), 1e-6)
    assert torch.isfinite(loss.nats).all()


def test_rows_that_a_bias_of_minus_infinity_excludes_take_no_part() -> None:
    states, table, bias, targets = inputs_of(6, 200)
    targets.clamp_(min=100)
    with torch.no_grad():
        bias[:100] = -torch.inf
    whole = streamed_cross_entropy(states, table, bias, targets)
    part = streamed_cross_entropy(states, table[100:], bias[100:], targets - 100)
    assert torch.allclose(whole.nats, part.nats, rtol=1e-6)
    whole.total.backward()
    assert table.grad is not None
    assert table.grad[:100].abs().max() < 1e-30
    assert torch.isfinite(table.grad).all()


def test_not_a_number_comes_out() -> None:
    states, table, bias, targets = inputs_of(3, 120)
    with torch.no_grad():
        table[110, 0] = torch.nan
    loss = streamed_cross_entropy(states, table, bias, targets)
    assert loss.total.isnan()
    assert not loss.correct.any()


def test_of_equal_logits_the_lowest_row_is_predicted() -> None:
    states = torch.ones(5, 2)
    table, bias = torch.zeros(120, 2), torch.zeros(120)
    table[[10, 30, 70]] = 1.0
    loss = streamed_cross_entropy(states, table, bias, torch.tensor([10, 30, 70, 11, IGNORED]))
    assert loss.correct.tolist() == [True, False, False, False, False]


@pytest.mark.parametrize("targets", [[], [IGNORED, IGNORED]])
def test_without_targets_the_loss_is_a_connected_zero(targets: list[int]) -> None:
    states, table, bias, _ = inputs_of(len(targets), 120)
    loss = streamed_cross_entropy(states, table, bias, torch.tensor(targets, dtype=torch.long))
    assert loss.total.item() == 0
    loss.total.backward()
    for tensor in (states, table, bias):
        assert tensor.grad is not None
        assert (tensor.grad == 0).all()


@pytest.mark.parametrize("trained", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1)])
def test_only_the_gradients_that_are_asked_for_are_computed(
    trained: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = inputs_of(20, 120)
    asked = []

    def spy(*arguments: object) -> sweeps.Swept:
        swept = sweeps.sweep(*arguments)  # type: ignore[arg-type]
        asked.append([swept.states, swept.table, swept.bias])
        return swept

    monkeypatch.setattr("exonym.objectives.streamed.sweep", spy)
    for tensor, trains in zip(inputs[:3], trained, strict=True):
        tensor.requires_grad_(bool(trains))
    streamed_cross_entropy(*inputs).total.backward()
    twin = Twin(*inputs)
    assert [gradient is not None for gradient in asked[0]] == [bool(one) for one in trained]
    for tensor, expected in zip(inputs[:3], (twin.states, twin.table, twin.bias), strict=True):
        if tensor.requires_grad:
            np.testing.assert_allclose(tensor.grad.numpy(), expected, atol=1e-12)
        else:
            assert tensor.grad is None


def test_without_grad_the_same_values_come() -> None:
    inputs = inputs_of(20, 120, dtype=torch.float32)
    trained = streamed_cross_entropy(*inputs)
    with torch.no_grad():
        evaluated = streamed_cross_entropy(*inputs)
    assert not evaluated.total.requires_grad
    assert torch.equal(trained.nats, evaluated.nats)
    assert torch.equal(trained.correct, evaluated.correct)


def test_two_calls_and_a_second_backward_give_the_same_bits() -> None:
    inputs = inputs_of(40, 300, dtype=torch.float32)
    gradients = []
    for _ in range(2):
        total = streamed_cross_entropy(*inputs).total / 3
        for retain in (True, False):
            gradients.append(torch.autograd.grad(total, inputs[:3], retain_graph=retain))
    for others in gradients[1:]:
        assert all(torch.equal(a, b) for a, b in zip(gradients[0], others, strict=True))


def test_a_parameter_takes_the_gradient_without_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[sweeps.Swept] = []

    def spy(*arguments: object) -> sweeps.Swept:
        made.append(sweeps.sweep(*arguments))  # type: ignore[arg-type]
        places.append(made[-1].table.data_ptr())  # type: ignore[union-attr]
        return made.pop()

    places: list[int] = []
    monkeypatch.setattr("exonym.objectives.streamed.sweep", spy)
    inputs = inputs_of(20, 120, dtype=torch.float32)
    streamed_cross_entropy(*inputs).total.backward()
    assert inputs[1].grad is not None
    assert inputs[1].grad.data_ptr() == places[0]


@pytest.fixture(params=[False, True], ids=["emulated", "native"])
def bfloat16_products(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[bool]:
    """Both ways of multiplying bfloat16: rounded factors in float32, or the type's own products."""
    monkeypatch.setattr("exonym.objectives.precision.multiplies_bfloat16", lambda: request.param)
    return request.param


def test_autocast_multiplies_in_its_type_and_returns_float32(bfloat16_products: bool) -> None:
    inputs = inputs_of(40, 300, 16, torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = streamed_cross_entropy(*inputs)
        precision = Precision.of(*inputs[:2])
    assert precision.product == (torch.bfloat16 if bfloat16_products else torch.float32)
    assert loss.total.dtype == loss.nats.dtype == torch.float32
    np.testing.assert_allclose(loss.nats.numpy(), Twin(*inputs).nats, rtol=0.01, atol=0.05)
    loss.total.backward()
    for tensor in inputs[:3]:
        assert tensor.grad is not None
        assert tensor.grad.dtype == torch.float32


@pytest.mark.usefixtures("bfloat16_products")
def test_under_autocast_gradients_are_as_near_to_float64_as_a_full_softmaxs() -> None:
    ours, full = np.zeros(3), np.zeros(3)
    for seed in range(4):  # of one seed alone, either may be nearer by chance
        inputs = inputs_of(40, 500, 16, torch.float32, seed)
        twin = Twin(*inputs)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            total = streamed_cross_entropy(*inputs).total
            usual = F.cross_entropy(F.linear(*inputs[:3]), inputs[3], reduction="sum")
        for errors, value in ((ours, total), (full, usual)):
            gradients = torch.autograd.grad(value, inputs[:3])
            for place, expected in enumerate((twin.states, twin.table, twin.bias)):
                errors[place] += ((gradients[place].double().numpy() - expected) ** 2).sum()
    assert (ours > 0).all()
    assert (ours**0.5 < 1.25 * full**0.5).all()


@pytest.mark.usefixtures("bfloat16_products")
def test_the_gradient_of_a_target_learnt_well_is_not_lost_in_rounding() -> None:
    states, table, bias, targets = inputs_of(1, 120, dtype=torch.float32)
    with torch.no_grad():
        states.zero_()[0, 0] = 1.0
        table.zero_()[7] = 0.0
        bias.zero_()[7] = 12.0
    targets[0] = 7
    twin = Twin(states, table, bias, targets)  # 119 others share a probability of 7e-4
    with torch.autocast("cpu", dtype=torch.bfloat16):
        streamed_cross_entropy(states, table, bias, targets).total.backward()
    assert table.grad is not None
    assert table.grad[7, 0].item() == pytest.approx(twin.table[7, 0], rel=1e-4)


@pytest.mark.usefixtures("bfloat16_products")
def test_many_bfloat16_rows_are_summed_in_float32() -> None:
    states, table = torch.zeros(3, 4), torch.zeros(50_000, 4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = streamed_cross_entropy(states, table, torch.zeros(50_000), torch.tensor([0, 1, 2]))
    assert loss.nats.tolist() == pytest.approx([np.log(50_000)] * 3, rel=1e-6)


def test_states_in_bfloat16_and_a_table_in_float32_need_no_autocast() -> None:
    states, table, bias, targets = inputs_of(20, 120, dtype=torch.float32)
    halved = states.detach().bfloat16().requires_grad_()
    loss = streamed_cross_entropy(halved, table, bias, targets)
    twin = Twin(halved, table, bias, targets)
    np.testing.assert_allclose(loss.nats.numpy(), twin.nats, atol=1e-5)
    loss.total.backward()
    assert halved.grad is not None
    assert halved.grad.dtype == torch.bfloat16


@pytest.mark.parametrize("wrong", [120, -1])
def test_a_target_outside_the_table_is_refused(wrong: int) -> None:
    states, table, bias, targets = inputs_of(3, 120)
    targets[1] = wrong
    with pytest.raises(IndexError, match=f"target {wrong} is no row of a table of 120"):
        streamed_cross_entropy(states, table, bias, targets)


def test_shapes_that_do_not_fit_are_refused() -> None:
    states, table, bias, targets = inputs_of(3, 120)
    with pytest.raises(ValueError, match="do not fit each other"):
        streamed_cross_entropy(states, table, bias[1:], targets)


MEMORY = """
import resource, torch
from exonym.objectives import streamed_cross_entropy, sweeps
torch.set_num_threads(1)
sweeps.KEPT_BYTES["cpu"] = 8 << 20
rows, targets, width = 30_000, 1_000, 4
shapes = (targets, width), (rows, width), (rows,)
states, table, bias = (torch.randn(shape, requires_grad=True) for shape in shapes)
small = streamed_cross_entropy(states[:64], table, bias, torch.arange(64)).total
small.backward()  # threads and libraries are there from here on
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
limit = used + (50 << 20)  # less than half of the logits' 114 MiB
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
streamed_cross_entropy(states, table, bias, torch.arange(targets)).total.backward()
try:
    torch.nn.functional.linear(states, table, bias)
except RuntimeError:
    print("only the streamed loss fits")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of address space is Linux's")
def test_memory_does_not_grow_as_targets_times_rows() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEMORY], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "only the streamed loss fits", done.stderr[-2000:]
