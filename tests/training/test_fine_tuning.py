"""Fine-tuning: what is learnt, that it is AdamW, what is kept, and what is said when it fails."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from exonym.foundation.errors import ConfigError, ExonymError, InputError
from exonym.modeling.classifiers import EntityClassifier
from exonym.training.fine_tuning import FineTuning, LearnerLoss, fine_tune
from exonym.training.fine_tuning_batches import epoch_batches, parts_of
from tiny_models import tiny_config

PIECES, ROWS, MASK = 30, 12, 2
FAST = FineTuning(learning_rate=1e-2, epochs=6, precision="float32")


@dataclass(frozen=True)
class Example:
    pieces: tuple[int, ...]
    row: int
    label: int

    @property
    def length(self) -> int:
        return len(self.pieces) + 1


def examples(count: int, *, seed: int = 0) -> list[Example]:
    """The label says whether half the pieces are number 7."""
    random = np.random.default_rng(seed)
    made = []
    for number in range(count):
        pieces = random.integers(8, PIECES, size=int(random.integers(2, 9))).tolist()
        if number % 2:
            pieces[::2] = [7] * len(pieces[::2])
        made.append(Example(tuple(pieces), int(random.integers(MASK, ROWS)), number % 2))
    return made


class Toy:
    """Two labels for a text with one entity."""

    main = "accuracy"

    def __init__(
        self, features: Sequence[Example], held_out: Sequence[Example] = (), *, dropout: float = 0.1
    ) -> None:
        torch.manual_seed(5)
        config = tiny_config(
            PIECES,
            ROWS,
            num_hidden_layers=1,
            max_position_embeddings=20,
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=dropout,
            initializer_range=0.2,
            labels=("no", "yes"),
        )
        self.model = EntityClassifier(config)
        self.features, self.held_out = list(features), list(held_out)
        self.seen: list[list[Example]] = []

    def logits(self, batch: Sequence[Example]) -> Tensor:
        width = max(len(one.pieces) for one in batch)
        ids = torch.tensor([[*one.pieces, *[1] * (width - len(one.pieces))] for one in batch])
        device = next(self.model.parameters()).device
        count = len(batch)
        inputs = {
            "input_ids": ids,
            "attention_mask": ids != 1,
            "entity_ids": torch.tensor([[one.row] for one in batch]),
            "entity_attention_mask": torch.ones(count, 1, dtype=torch.bool),
            "entity_position_ids": torch.zeros(count, 1, 1, dtype=torch.long),
        }
        logits: Tensor = self.model(**{name: x.to(device) for name, x in inputs.items()}).logits
        return logits.float()

    def loss(self, features: Sequence[Example]) -> LearnerLoss:
        assert self.model.training
        self.seen.append(list(features))
        logits = self.logits(features)
        labels = torch.tensor([one.label for one in features], device=logits.device)
        return LearnerLoss(F.cross_entropy(logits, labels, reduction="sum"), len(features))

    def validate(self) -> Mapping[str, float]:
        assert not self.model.training
        assert not torch.is_grad_enabled()
        if not self.held_out:
            return {}
        guessed = self.logits(self.held_out).argmax(-1).tolist()
        right = [g == one.label for g, one in zip(guessed, self.held_out, strict=True)]
        return {"accuracy": sum(right) / len(right)}

    def save(self, directory: Path) -> None:
        self.model.save_pretrained(directory)


class Scripted(Toy):
    """Its validation scores are given; it remembers the weights of each."""

    def __init__(self, *args: Any, scores: Sequence[float], **options: Any) -> None:
        super().__init__(*args, **options)
        self.scores, self.states = list(scores), list[dict[str, Tensor]]()

    def validate(self) -> Mapping[str, float]:
        self.states.append(weights(self.model))
        return {"accuracy": self.scores[len(self.states) - 1]}


def weights(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def same(left: Mapping[str, Tensor], right: Mapping[str, Tensor]) -> bool:
    return left.keys() == right.keys() and all(left[k].equal(right[k]) for k in left)


def assert_near(left: Mapping[str, Tensor], right: Mapping[str, Tensor]) -> None:
    """A key's bias changes no attention: its gradient is rounding, which AdamW scales up."""
    assert left.keys() == right.keys()
    for name in left:
        if not name.endswith("key.bias"):
            torch.testing.assert_close(left[name], right[name], rtol=1e-3, atol=1e-5, msg=name)


WORDS = "luke.embeddings.word_embeddings.weight"
ENTITIES = "luke.entity_embeddings.entity_embeddings.weight"


def test_a_learner_learns_and_the_history_tells_of_it() -> None:
    learner = Toy(examples(80), examples(40, seed=1))
    history = fine_tune(learner, FAST, progress=False)
    assert history.scores["accuracy"] > 0.9
    assert history.steps == 60
    assert history.examples == 480
    assert [one.step for one in history.validations] == [10, 20, 30, 40, 50, 60]
    assert [one.epoch for one in history.validations] == [1, 2, 3, 4, 5, 6]
    assert history.losses[-1] < history.losses[0] / 2
    assert history.best_epoch == history.best + 1
    assert history.tokens_per_second > 0
    assert history.precision == "float32"
    with torch.no_grad():
        assert dict(learner.validate()) == dict(history.scores)  # the model is the best one
    assert history.to_json()["validations"][0]["scores"].keys() == {"accuracy"}


def test_the_same_seed_gives_the_same_bits_whatever_torch_drew_before() -> None:
    states = []
    for seed in (1, 1, 2):
        learner = Toy(examples(30), examples(10, seed=1))
        torch.manual_seed(len(states))
        before = torch.get_rng_state()
        fine_tune(learner, replace(FAST, epochs=2, seed=seed), progress=False)
        assert torch.get_rng_state().equal(before)
        states.append(weights(learner.model))
    assert same(states[0], states[1])
    assert not same(states[0], states[2])


@pytest.mark.parametrize("max_norm", [None, 0.5])
def test_it_is_adamw_with_warmup_and_linear_decay(max_norm: float | None) -> None:
    """A twin: PyTorch's plain AdamW over all weights, with the rates written out."""
    given = examples(21)
    recipe = replace(
        FAST, epochs=2, warmup_share=0.4, weight_decay=0.1, max_gradient_norm=max_norm,
        entity_table="all",
    )  # fmt: skip
    learner, twin = Toy(given, dropout=0.0), Toy(given, dropout=0.0)
    fine_tune(learner, recipe, progress=False)

    spared = {name for name, _ in twin.model.named_parameters() if "Norm" in name or "bias" in name}
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for n, p in twin.model.named_parameters() if n not in spared]},
            {
                "params": [p for n, p in twin.model.named_parameters() if n in spared],
                "weight_decay": 0.0,
            },
        ],
        weight_decay=0.1,
        eps=1e-8,
    )
    rates = [0.5, 1.0, 4 / 4, 3 / 4, 2 / 4, 1 / 4]  # two steps up, then four down
    lengths = np.array([one.length for one in given])
    batches = [
        batch
        for epoch in range(2)
        for batch in epoch_batches(lengths, 8, seed=0, epoch=epoch, bucket_batches=16)
    ]
    assert len(batches) == len(rates)
    twin.model.train()
    for rate, batch in zip(rates, batches, strict=True):
        loss = twin.loss([given[i] for i in batch])
        optimizer.zero_grad()
        (loss.total / loss.count).backward()
        if max_norm is not None:
            nn.utils.clip_grad_norm_(twin.model.parameters(), max_norm)
        for group in optimizer.param_groups:
            group["lr"] = 1e-2 * rate
        optimizer.step()
    assert_near(weights(learner.model), weights(twin.model))


def test_a_batch_in_parts_is_the_same_batch() -> None:
    results = []
    for most in (10_000, 20, 1):
        learner = Toy(examples(30), dropout=0.0)
        recipe = replace(FAST, epochs=1, pieces_at_once=most)
        fine_tune(learner, recipe, progress=False)
        results.append((weights(learner.model), max(len(part) for part in learner.seen)))
    assert [most for _, most in results] == [8, results[1][1], 1]
    assert 1 < results[1][1] < 8
    for state, _ in results[1:]:
        assert_near(state, results[0][0])


def test_rows_that_every_batch_has_train_as_in_adamw_and_no_others_move() -> None:
    """Every example names row 4 and piece 9, and nothing else."""
    given = [Example((9,) * (1 + number % 3), 4, number % 2) for number in range(24)]
    states = {}
    for kind in ("all", "seen"):
        learner = Toy(given, dropout=0.0)
        start = weights(learner.model)
        recipe = replace(FAST, epochs=3, word_table=kind, entity_table=kind)
        fine_tune(learner, recipe, progress=False)
        states[kind] = weights(learner.model)
    for name, row in ((WORDS, 9), (ENTITIES, 4)):
        moved, unmoved = states["seen"][name], start[name]
        torch.testing.assert_close(moved[row], states["all"][name][row], rtol=1e-4, atol=1e-6)
        assert not moved[row].equal(unmoved[row])
        others = [i for i in range(len(moved)) if i != row]
        assert moved[others].equal(unmoved[others])
    torch.testing.assert_close(
        states["seen"]["classifier.weight"], states["all"]["classifier.weight"],
        rtol=1e-4, atol=1e-6,
    )  # fmt: skip


def test_a_row_moves_in_the_steps_whose_batch_has_it() -> None:
    """Rows that come and go, against AdamW of each row by itself."""
    given = examples(40)
    learner = Toy(given, dropout=0.0)
    start = weights(learner.model)[ENTITIES]
    gradients: list[Tensor] = []

    class Watched(Toy):
        def loss(self, features: Sequence[Example]) -> LearnerLoss:
            loss = super().loss(features)
            table = self.model.luke.entity_embeddings.entity_embeddings.weight
            (gradient,) = torch.autograd.grad(
                loss.total / loss.count, table, retain_graph=True, materialize_grads=True
            )
            gradients.append(gradient.to_dense())
            return loss

    learner = Watched(given, dropout=0.0)
    recipe = replace(FAST, epochs=2, batch_size=3, warmup_share=0.0, max_gradient_norm=None)
    steps = fine_tune(learner, recipe, progress=False).steps
    expected = start.clone()
    for row in range(ROWS):
        alone = nn.Parameter(start[row].clone())
        optimizer = torch.optim.AdamW([alone], weight_decay=0.01)
        for step, gradient in enumerate(gradients):
            if gradient[row].any():
                alone.grad = gradient[row]
                optimizer.param_groups[0]["lr"] = 1e-2 * (steps - step) / steps
                optimizer.step()
        expected[row] = alone.detach()
    torch.testing.assert_close(weights(learner.model)[ENTITIES], expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["all", "seen", "frozen"])
def test_the_best_epochs_weights_come_back(kind: Any) -> None:
    scores = [0.1, 0.7, 0.6, math.nan, 0.2]
    # Of small batches, so that some rows are first seen late.
    recipe = replace(
        FAST, steps=5, validate_steps=1, batch_size=2, patience=None, word_table=kind,
        entity_table=kind,
    )  # fmt: skip
    learner = Scripted(examples(40), scores=scores)
    history = fine_tune(learner, recipe, progress=False)
    assert history.best == 1
    assert same(weights(learner.model), learner.states[1])
    assert not same(learner.states[1], learner.states[4])
    assert not learner.model.training


def test_the_last_weights_stay_when_they_are_the_best() -> None:
    learner = Scripted(examples(20), scores=[0.1, 0.2, 0.3])
    history = fine_tune(learner, replace(FAST, epochs=3), progress=False)
    assert history.best == 2
    assert same(weights(learner.model), learner.states[2])


def test_it_stops_when_patience_is_over() -> None:
    learner = Scripted(examples(20), scores=[0.0, 0.0, 0.0, 0.5, 0.4, 0.1, 0.9])
    history = fine_tune(learner, replace(FAST, epochs=7, patience=2), progress=False)
    assert len(history.validations) == 6
    assert history.best_epoch == 4
    assert same(weights(learner.model), learner.states[3])


def test_of_equal_epochs_the_last_is_kept() -> None:
    learner = Scripted(examples(20), scores=[0.2, 0.5, 0.5, 0.1])
    assert fine_tune(learner, replace(FAST, epochs=4), progress=False).best_epoch == 3


def test_without_a_validation_set_the_last_weights_stay() -> None:
    learner = Toy(examples(20))
    history = fine_tune(learner, replace(FAST, epochs=4, patience=1), progress=False)
    assert history.best_epoch == 4
    assert history.scores == {}


@pytest.mark.parametrize("kind", ["seen", "frozen"])
def test_what_is_frozen_stays_and_flags_are_put_back(kind: Any) -> None:
    learner = Toy(examples(20))
    learner.model.luke.encoder.layer[0].output.dense.weight.requires_grad_(False)
    flags = {name: p.requires_grad for name, p in learner.model.named_parameters()}
    start = weights(learner.model)
    fine_tune(learner, replace(FAST, epochs=1, entity_table=kind, word_table=kind), progress=False)
    after = weights(learner.model)
    own = "luke.encoder.layer.0.output.dense.weight"
    assert after[own].equal(start[own])
    assert after[WORDS].equal(start[WORDS]) == (kind == "frozen")
    assert after[ENTITIES].equal(start[ENTITIES]) == (kind == "frozen")
    assert {name: p.requires_grad for name, p in learner.model.named_parameters()} == flags
    assert all(p.grad is None for p in learner.model.parameters())
    assert not learner.model.luke.embeddings.touched_rows_only
    assert not learner.model.luke.entity_embeddings.touched_rows_only


def test_a_loss_that_is_no_number_names_its_examples() -> None:
    class Broken(Toy):
        def loss(self, features: Sequence[Example]) -> LearnerLoss:
            loss = super().loss(features)
            broken = any(one is self.features[11] for one in features)
            return LearnerLoss(loss.total * math.nan if broken else loss.total, loss.count)

    learner = Broken(examples(20))
    with pytest.raises(ExonymError, match=r"the loss was nan; its training examples.*\b11\b") as e:
        fine_tune(learner, FAST, progress=False)
    assert "\n" not in str(e.value)
    assert all(torch.isfinite(p).all() for p in learner.model.parameters())
    assert not learner.model.luke.entity_embeddings.touched_rows_only  # flags, here as well


def test_a_gradient_that_is_no_number_moves_nothing() -> None:
    class Steep(Toy):
        def loss(self, _: Sequence[Example]) -> LearnerLoss:
            weight = self.model.classifier.weight
            return LearnerLoss((weight - weight.detach()).abs().sqrt().sum(), 1)  # 0, slope inf

    learner = Steep(examples(8))
    start = weights(learner.model)
    with pytest.raises(ExonymError, match="the norm of the gradients was"):
        fine_tune(learner, FAST, progress=False)
    assert same(weights(learner.model), start)


def test_bfloat16_products_learn_too() -> None:
    learner = Toy(examples(80), examples(40, seed=1))
    history = fine_tune(learner, replace(FAST, precision="bfloat16"), progress=False)
    assert history.precision == "bfloat16"
    assert history.scores["accuracy"] > 0.9
    assert all(p.dtype == torch.float32 for p in learner.model.parameters())


def test_nothing_to_train_on_or_nothing_to_train_is_said() -> None:
    with pytest.raises(InputError, match="no example"):
        fine_tune(Toy([]), FAST, progress=False)
    learner = Toy(examples(4))
    learner.model.requires_grad_(False)
    with pytest.raises(ConfigError, match="nothing of the model"):
        fine_tune(learner, FAST, progress=False)


def test_a_validation_without_the_main_score_is_said() -> None:
    learner = Toy(examples(4), examples(4))
    learner.main = "f1"
    with pytest.raises(ConfigError, match="accuracy, and no 'f1'"):
        fine_tune(learner, FAST, progress=False)


def test_memory_that_runs_out_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    learner = Toy(examples(4))
    monkeypatch.setattr(learner, "loss", _no_memory)
    with pytest.raises(ExonymError, match=r"ran out of memory\. Lower pieces_at_once"):
        fine_tune(learner, FAST, progress=False)


def _no_memory(_: object) -> LearnerLoss:
    raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate")


def test_progress_says_loss_speed_and_best_score(capsys: pytest.CaptureFixture[str]) -> None:
    fine_tune(Toy(examples(20), examples(4)), replace(FAST, epochs=2))
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("fine-tuning: 6/6 steps")
    assert "loss " in line
    assert " tokens/s, accuracy " in line


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("batch_size", 0), ("epochs", 0), ("steps", 0), ("patience", 0), ("pieces_at_once", 0),
        ("learning_rate", 0.0), ("learning_rate", math.nan), ("max_gradient_norm", -1.0),
        ("warmup_share", 1.0), ("adam_beta1", -0.1), ("weight_decay", -1.0),
        ("entity_table", "some"), ("precision", "float16"),
    ],
)  # fmt: skip
def test_impossible_recipes_are_refused(field: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=field):
        FineTuning(**{field: value})


@given(
    st.lists(st.integers(1, 50), min_size=1, max_size=70), st.integers(1, 9), st.integers(1, 5)
)  # fmt: skip
def test_every_epoch_has_every_example_once(lengths: list[int], size: int, bucket: int) -> None:
    sizes = np.array(lengths)
    first, second = (
        epoch_batches(sizes, size, seed=3, epoch=epoch, bucket_batches=bucket) for epoch in (0, 1)
    )
    for batches in (first, second):
        assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
        assert max(map(len, batches)) <= size
        assert len(batches) == -(-len(lengths) // size)
    again = epoch_batches(sizes, size, seed=3, epoch=1, bucket_batches=bucket)
    assert [b.tolist() for b in again] == [b.tolist() for b in second]


@given(st.lists(st.integers(1, 50), min_size=1, max_size=30), st.integers(1, 120))
def test_parts_are_the_batch_and_no_longer_than_allowed(lengths: list[int], most: int) -> None:
    sizes = np.array(lengths)
    batch = np.arange(len(lengths))[::-1]
    parts = list(parts_of(batch, sizes, most))
    assert np.concatenate(parts).tolist() == batch.tolist()
    assert all(len(part) == 1 or len(part) * sizes[part].max() <= most for part in parts)


def test_batches_have_similar_lengths() -> None:
    lengths = np.random.default_rng(0).integers(5, 400, size=2000)
    widths = {
        bucket: sum(
            len(batch) * int(lengths[batch].max())
            for batch in epoch_batches(lengths, 8, seed=0, epoch=0, bucket_batches=bucket)
        )
        / lengths.sum()
        for bucket in (1, 16)
    }
    assert widths[16] < 1.1 < 1.5 < widths[1]
