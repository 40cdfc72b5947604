"""One step: its gradient is that of the whole batch; what is no number stops it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from exonym.corpus import Corpus, MaskedBatch
from exonym.modeling import EntityMaskedLM, embeddings
from exonym.objectives import pages, streamed
from exonym.training import Recipe, Stage, estimate, pretrain
from exonym.training.checkpoints import Place
from exonym.training.engine import Engine
from exonym.training.initial import initial_model
from exonym.training.optimizer import make_optimizer, set_rate
from exonym.training.run_folder import read_metrics
from exonym.training.stage_run import Setting, StageRun
from exonym.training.trouble import NotANumberError


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine() as engine:
        yield engine


@pytest.fixture
def still(recipe: Recipe) -> Recipe:
    """Both objectives over sequences of unequal lengths, without dropout."""
    return replace(
        recipe,
        stages=(Stage("all", 5, 1e-2),),
        model=replace(recipe.model, dropout=0.0),
        batch_sequences=11,
    )


def setting_of(recipe: Recipe, corpus: Path, engine: Engine) -> Setting:
    opened = Corpus.open(corpus)
    return Setting(opened, opened.tokenizer(), recipe, engine, bfloat16=False)


def stage_run(recipe: Recipe, corpus: Path, engine: Engine, *, double: bool = False) -> StageRun:
    setting = setting_of(recipe, corpus, engine)
    model = initial_model(setting.corpus, setting.tokenizer, recipe)
    return StageRun(setting, 0, model.double() if double else model)


def gradients(run: StageRun) -> dict[str, Tensor]:
    named = run.module.model.named_parameters()  # type: ignore[union-attr, operator]
    return {name: parameter.grad.clone() for name, parameter in named if parameter.grad is not None}


def whole_batch_loss(model: EntityMaskedLM, batch: MaskedBatch) -> Tensor:
    """The loss of one large batch, by full logits: the definition."""

    def tensor(array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.asarray(array))

    output = model(
        input_ids=tensor(batch.input_ids),
        attention_mask=tensor(batch.attention_mask),
        entity_ids=tensor(batch.entity_ids),
        entity_attention_mask=tensor(batch.entity_attention_mask),
        entity_position_ids=tensor(batch.entity_position_ids),
    )
    words = output.last_hidden_state.flatten(0, 1)[tensor(batch.word_positions)]
    entities = output.entity_last_hidden_state.flatten(0, 1)[tensor(batch.entity_positions)]
    return F.cross_entropy(
        model.word_logits(words), tensor(batch.word_targets).long()
    ) + F.cross_entropy(model.entity_logits(entities), tensor(batch.entity_targets).long())


@pytest.mark.parametrize("at_once", [None, 1, 2, 4])
def test_accumulated_gradients_are_those_of_the_whole_batch_in_float64(
    at_once: int | None, still: Recipe, corpus: Path, engine: Engine
) -> None:
    """Micro-batches have unequal numbers of masked words and entities; each target counts alike."""
    run = stage_run(replace(still, sequences_at_once=at_once), corpus, engine, double=True)
    share = run.share(0)
    assert len(share.batches) == {None: 1, 1: 11, 2: 6, 4: 3}[at_once]
    counts = {(len(b.word_targets), len(b.entity_targets)) for b in share.batches}
    assert at_once is None or len(counts) > 1
    run.optimizer.step = lambda: None  # type: ignore[method-assign, assignment]
    run.step(0, share, None, norm=True)
    accumulated = gradients(run)

    twin = stage_run(still, corpus, engine, double=True)
    (batch,) = twin.share(0).batches
    model: EntityMaskedLM = twin.module.model  # type: ignore[assignment]
    whole_batch_loss(model.train(), batch).backward()
    expected = gradients(twin)
    assert accumulated.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(accumulated[name], gradient, atol=1e-9, rtol=1e-7, msg=name)


def test_tables_whose_look_ups_only_add_to_the_heads_gradient_get_the_same_gradient(
    still: Recipe, corpus: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    tied = stage_run(still, corpus, engine, double=True)
    tied.optimizer.step = lambda: None  # type: ignore[method-assign, assignment]
    tied.step(0, tied.share(0), None, norm=True)
    assert tied.module.model.luke.entity_embeddings.tied is not None  # type: ignore[union-attr]

    def dense(table: torch.nn.Embedding, rows: Tensor, **_: object) -> Tensor:
        return F.embedding(rows, table.weight)

    monkeypatch.setattr(embeddings, "look_up", dense)
    twin = stage_run(still, corpus, engine, double=True)
    twin.optimizer.step = lambda: None  # type: ignore[method-assign, assignment]
    twin.step(0, twin.share(0), None, norm=True)
    for (name, one), other in zip(gradients(tied).items(), gradients(twin).values(), strict=True):
        assert not one.is_sparse
        torch.testing.assert_close(one, other, atol=1e-12, rtol=1e-10, msg=name)


@pytest.mark.parametrize("large", [1, 1 << 40], ids=["huge pages", "plain memory"])
def test_the_heads_gradient_becomes_the_tables_without_a_copy(
    large: int, still: Recipe, corpus: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "LARGE", large)
    given: list[int] = []
    run = stage_run(still, corpus, engine)
    run.optimizer.step = lambda: None  # type: ignore[method-assign, assignment]
    kept = streamed.sweep

    def spy(*arguments: object) -> object:
        swept = kept(*arguments)  # type: ignore[arg-type]
        given.append(swept.table.data_ptr())  # type: ignore[union-attr]
        return swept

    monkeypatch.setattr(streamed, "sweep", spy)
    run.step(0, run.share(0), None, norm=True)
    luke = run.module.model.luke  # type: ignore[union-attr]
    tables = (luke.embeddings.word_embeddings, luke.entity_embeddings.entity_embeddings)
    assert {table.weight.grad.data_ptr() for table in tables} == set(given)  # type: ignore[union-attr, operator]


def test_a_head_without_its_objective_leaves_the_look_ups_dense(
    still: Recipe, corpus: Path, engine: Engine
) -> None:
    alone = replace(still, stages=(Stage("all", 5, 1e-2, objectives=("entities",)),))
    run = stage_run(alone, corpus, engine)
    run.step(0, run.share(0), None, norm=True)
    assert all(not gradient.is_sparse for gradient in gradients(run).values())


def test_clipping_scales_all_gradients_to_the_norm(
    still: Recipe, corpus: Path, engine: Engine
) -> None:
    run = stage_run(still, corpus, engine)
    run.optimizer.step = lambda: None  # type: ignore[method-assign, assignment]
    norm = run.step(0, run.share(0), None, norm=True)
    free = gradients(run)
    assert norm == pytest.approx(float(sum(g.double().pow(2).sum() for g in free.values())) ** 0.5)
    clipped = stage_run(replace(still, max_gradient_norm=norm / 4), corpus, engine)
    clipped.optimizer.step = lambda: None  # type: ignore[method-assign, assignment]
    assert clipped.step(0, clipped.share(0), None, norm=True) == pytest.approx(norm)
    for name, gradient in gradients(clipped).items():
        torch.testing.assert_close(gradient, free[name] / 4)


def test_rate_factors_and_frozen_patterns_reach_the_parameters(
    still: Recipe, corpus: Path, tmp_path: Path
) -> None:
    """Adam's first step moves a weight by its learning rate; a frozen one by nothing."""
    table = "luke.entity_embeddings.entity_embeddings.weight"
    stage = Stage("all", 1, 1e-3, freeze=("luke.encoder.*",), rate_factors={table: 0.1, "new": 0.5})
    recipe = replace(still, stages=(stage,), weight_decay=0.0)
    opened = Corpus.open(corpus)
    before = initial_model(opened, opened.tokenizer(), recipe).state_dict()
    run = pretrain(corpus, tmp_path / "run", recipe)
    after = EntityMaskedLM.from_pretrained(run.model).state_dict()
    for name, tensor in before.items():
        moved = float((after[name] - tensor).abs().max())
        if name.startswith("luke.encoder."):
            assert torch.equal(after[name], tensor), name
        else:
            factor = 0.1 if name == table else 0.5 if EntityMaskedLM.is_new(name) else 1.0
            assert moved == pytest.approx(1e-3 * factor, rel=0.05), name


@pytest.mark.parametrize("corrected", [True, False])
def test_adamw_is_its_definition_with_and_without_bias_correction(
    still: Recipe, corrected: bool
) -> None:
    recipe = replace(still, adam_bias_correction=corrected, adam_beta2=0.98, weight_decay=0.1)
    linear = torch.nn.Linear(4, 3, dtype=torch.float64)
    optimizer = make_optimizer(linear, recipe, Stage("all", 6, 1e-2))
    weight, bias = linear.weight.detach().clone(), linear.bias.detach().clone()
    twins = {"weight": weight, "bias": bias}
    means = {name: torch.zeros_like(twin) for name, twin in twins.items()}
    squares = {name: torch.zeros_like(twin) for name, twin in twins.items()}
    for step in range(6):
        rate = 1e-2 / (step + 1)
        for name, parameter in linear.named_parameters():
            parameter.grad = torch.randn_like(parameter)
            means[name].mul_(0.9).add_(parameter.grad, alpha=0.1)
            squares[name].mul_(0.98).addcmul_(parameter.grad, parameter.grad, value=0.02)
            first = 1 - 0.9 ** (step + 1) if corrected else 1.0
            second = 1 - 0.98 ** (step + 1) if corrected else 1.0
            if name == "weight":
                twins[name] *= 1 - rate * 0.1
            twins[name] -= rate * (means[name] / first) / ((squares[name] / second).sqrt() + 1e-6)
        set_rate(optimizer, rate, recipe, step)
        optimizer.step()
    torch.testing.assert_close(linear.weight, weight, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(linear.bias, bias, rtol=1e-9, atol=1e-12)


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_batch(
    still: Recipe, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def poison(place: Place) -> None:
        if place.step == 3:
            with torch.no_grad():
                models[-1].lm_head.bias[7] = float("inf")

    models: list[EntityMaskedLM] = []
    original = StageRun.__init__

    def remember(self: StageRun, setting: Setting, index: int, model: EntityMaskedLM) -> None:
        models.append(model)
        original(self, setting, index, model)

    monkeypatch.setattr(StageRun, "__init__", remember)
    recipe = replace(still, log_steps=1, checkpoint_seconds=0.0)
    with pytest.raises(NotANumberError, match=r"stage 'all', step 4: the loss was nan"):
        pretrain(corpus, tmp_path / "run", recipe, on_step=poison)
    (kept,) = (tmp_path / "run" / "stopped").iterdir()
    assert kept.name == "00-00000004-0.npz"
    with np.load(kept) as arrays:
        assert arrays["0.input_ids"].shape[0] == 11
        assert len(arrays["0.word_targets"]) > 0
        assert arrays["0.references"].shape == (11, 2)
    assert not (tmp_path / "run" / "model").exists()


def test_a_gradient_that_is_no_number_is_never_saved(
    still: Recipe, corpus: Path, tmp_path: Path
) -> None:
    recipe = replace(still, log_steps=1, max_gradient_norm=1.0, stages=(Stage("all", 3, 1e30),))
    with pytest.raises(NotANumberError, match=r"step \d: the (loss|norm of the gradients) was"):
        pretrain(corpus, tmp_path / "run", recipe)


def test_held_out_losses_are_of_sequences_that_are_never_trained_on(
    still: Recipe, corpus: Path, tmp_path: Path
) -> None:
    recipe = replace(still, evaluate_steps=2, stages=(Stage("all", 5, 1e-2),))
    run = pretrain(corpus, tmp_path / "run", recipe)
    measured = list(read_metrics(run.path, "held_out"))
    assert [record["step"] for record in measured] == [2, 4, 5]
    for record in measured:
        assert record["languages"].keys() == {"en"}  # a hundredth of 160; the others are smaller
        assert record["words"] == record["languages"]["en"]["words"]
        assert {"entities", "entities_accuracy", "words_targets"} <= record.keys()
    trained = list(read_metrics(run.path, "train"))
    assert {"de", "en", "ja"} == set(trained[-1]["languages"])
    nothing = pretrain(corpus, tmp_path / "nothing", replace(recipe, held_out_sequences=0))
    assert not list(read_metrics(nothing.path, "held_out"))
    never = pretrain(corpus, tmp_path / "never", replace(recipe, evaluate_steps=0))
    assert not list(read_metrics(never.path, "held_out"))


def test_an_estimate_writes_nothing_and_counts_everything(
    recipe: Recipe, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    expected = estimate(corpus, recipe, probe_steps=2)
    opened = Corpus.open(corpus)
    model = initial_model(opened, opened.tokenizer(), recipe)
    count = sum(parameter.numel() for parameter in model.parameters())
    assert expected.parameters == count
    backbone, new, everything = expected.stages
    assert backbone.trained + new.trained == everything.trained == count
    assert everything.state_mib == pytest.approx(16 * count / 2**20)
    assert [stage.steps for stage in expected.stages] == [14, 12, 15]
    assert expected.seconds == sum(stage.seconds for stage in expected.stages) > 0
    run = pretrain(corpus, tmp_path / "run", replace(recipe, keep_checkpoints=1, keep_every=10))
    sizes = [
        sum(path.stat().st_size for path in directory.rglob("*"))
        for directory in (run.path / "checkpoints").iterdir()
    ]
    assert max(sizes) / 2**20 == pytest.approx(expected.checkpoint_mib, rel=0.2)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
