"""What trains in which stage, what is logged, and what cannot be trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from exonym.corpus import Corpus, Masking
from exonym.foundation.errors import ConfigError, ResourceError
from exonym.modeling import EntityMaskedLM
from exonym.modeling.checkpoint import read_weights
from exonym.tokenization import EntityTokenizer
from exonym.training import ModelShape, Recipe, Stage, pretrain
from exonym.training.checkpoints import Place
from exonym.training.initial import initial_model
from exonym.training.optimizer import decays, make_optimizer
from exonym.training.run_folder import read_metrics

GOLDEN = Path(__file__).parents[1] / "modeling" / "golden"


def weights(run: Path) -> dict[str, Tensor]:
    return EntityMaskedLM.from_pretrained(run / "model").state_dict()


def one_stage(recipe: Recipe, **stage: Any) -> Recipe:
    return replace(recipe, stages=(Stage("only", 4, 1e-2, **stage),))


def initial(recipe: Recipe, corpus: Path) -> dict[str, Tensor]:
    """The weights before the first step."""
    opened = Corpus.open(corpus)
    return initial_model(opened, opened.tokenizer(), recipe).state_dict()


def used(name: str, objectives: tuple[str, ...]) -> bool:
    """Whether a parameter gets a gradient from these objectives."""
    if "entities" not in objectives:
        return not EntityMaskedLM.is_new(name)
    return "words" in objectives or not name.startswith("lm_head")


@pytest.mark.parametrize(
    ("train", "objectives"),
    [
        ("new", ("words", "entities")),
        ("new", ("entities",)),
        ("words", ("words",)),
        ("words", ("words", "entities")),
        ("all", ("words", "entities")),
        ("all", ("words",)),
    ],
)
def test_a_stage_moves_what_it_trains_and_no_bit_of_the_rest(
    train: str, objectives: tuple[str, ...], recipe: Recipe, corpus: Path, tmp_path: Path
) -> None:
    recipe = one_stage(recipe, train=train, objectives=objectives)
    start = Stage("start", 1, 1e-3, train="words", objectives=("words",))
    before: dict[str, Tensor] = {}

    def remember_the_start(place: Place) -> None:
        if place == Place(stage=1, step=1):
            before.update(read_weights(tmp_path / "run" / "checkpoints" / "00-00000001" / "model"))

    recipe = replace(recipe, stages=(start, *recipe.stages))
    pretrain(corpus, tmp_path / "run", recipe, on_step=remember_the_start)
    after = weights(tmp_path / "run")
    for name, tensor in after.items():
        new = EntityMaskedLM.is_new(name)
        trained = train == "all" or new == (train == "new")
        moved = not torch.equal(tensor, before[name])
        if trained and used(name, objectives) and not name.endswith("key.bias"):
            assert moved, name  # softmax does not feel a key's bias
        elif not (trained and used(name, objectives)):
            assert not moved, name


def test_weight_decay_spares_biases_and_layer_normalisation(recipe: Recipe) -> None:
    config = recipe.model.config(words=20, entities=9)
    model = EntityMaskedLM(config)
    optimizer = make_optimizer(model, recipe, Stage("all", 1, 1e-3))
    decayed, spared = optimizer.param_groups
    assert (decayed["weight_decay"], spared["weight_decay"]) == (0.01, 0.0)
    assert all(parameter.dim() == 2 for parameter in decayed["params"])
    assert all(parameter.dim() == 1 for parameter in spared["params"])
    count = len(decayed["params"]) + len(spared["params"])
    assert count == len(list(model.parameters()))
    assert not decays("luke.encoder.layer.0.output.LayerNorm.weight")
    assert not decays("lm_head.layer_norm.weight")
    assert not decays("entity_predictions.bias")
    assert decays("luke.entity_embeddings.entity_embedding_dense.weight")
    assert optimizer.defaults["betas"] == (0.9, 0.999)
    assert optimizer.defaults["eps"] == 1e-6


def test_the_schedule_warms_up_and_decays_in_every_stage() -> None:
    stage = Stage("s", steps=10, learning_rate=1.0, warmup_steps=4)
    rates = [stage.rate(step) for step in range(10)]
    assert rates[:4] == [0.25, 0.5, 0.75, 1.0]
    assert rates[4:] == pytest.approx([1.0, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6])
    assert Stage("s", 5, 1.0).rate(0) == 1.0


def test_a_small_corpus_is_learnt_by_heart(
    recipe: Recipe, make_corpus: Callable[..., Path], tmp_path: Path
) -> None:
    corpus = make_corpus(tmp_path / "corpus", {"en": 6})
    shape = replace(recipe.model, dropout=0.0)
    long = replace(recipe, model=shape, stages=(Stage("all", 200, 2e-2, 5),))
    run = pretrain(corpus, tmp_path / "run", long)
    records = list(read_metrics(run.path, "train"))
    assert [record["step"] for record in records] == list(range(10, 201, 10))
    assert {record["stage"] for record in records} == {"all"}
    for loss in ("words", "entities"):
        assert records[-1][loss] < 0.8 * records[0][loss]
        assert 0 <= records[0][f"{loss}_accuracy"] < records[-1][f"{loss}_accuracy"] <= 1
    assert run.words > 200 * 4 * 6
    assert run.seconds > 0


def test_the_rate_of_the_schedule_is_the_rate_of_the_step(
    recipe: Recipe, corpus: Path, tmp_path: Path
) -> None:
    """Adam's first step moves a weight by the learning rate, here a thousandth of the peak."""
    before = initial(recipe, corpus)
    warming = replace(recipe, weight_decay=0.0, stages=(Stage("all", 1, 1e-1, 1000),))
    pretrain(corpus, tmp_path / "run", warming)
    after = weights(tmp_path / "run")
    moved = max(float((after[name] - before[name]).abs().max()) for name in before)
    assert moved == pytest.approx(1e-4, rel=0.02)


def test_the_result_is_a_checkpoint_with_its_tokenizer(
    short: Recipe, corpus: Path, tmp_path: Path
) -> None:
    run = pretrain(corpus, tmp_path / "run", short)
    assert run.model == tmp_path / "run" / "model"
    tokenizer = EntityTokenizer.from_pretrained(run.model)
    model = EntityMaskedLM.from_pretrained(run.model)
    assert model.config.vocab_size == len(tokenizer.words)
    assert model.config.entity_vocab_size == len(tokenizer.entities)
    assert model.config.entity_position_pooling == "mean"


def test_words_only_never_touches_the_entity_side(
    recipe: Recipe, corpus: Path, tmp_path: Path
) -> None:
    before = initial(recipe, corpus)
    control = replace(
        one_stage(recipe, objectives=("words",)), masking=Masking(with_entities=False)
    )
    pretrain(corpus, tmp_path / "run", control)
    after = weights(tmp_path / "run")
    new = [name for name in before if EntityMaskedLM.is_new(name)]
    assert new
    for name in new:
        assert torch.equal(before[name], after[name]), name


def test_bfloat16_trains_float32_weights(short: Recipe, corpus: Path, tmp_path: Path) -> None:
    run = pretrain(corpus, tmp_path / "run", replace(short, precision="bfloat16"))
    assert all(tensor.dtype == torch.float32 for tensor in weights(run.path).values())


def test_a_model_with_too_few_positions_for_the_corpus_is_a_config_error(
    short: Recipe, corpus: Path, tmp_path: Path
) -> None:
    small = replace(short, model=replace(short.model, max_position_embeddings=27))
    with pytest.raises(
        ConfigError, match=r"sequences of up to 26 pieces, .* 25\. .* at least 28, .* --max-words"
    ):
        pretrain(corpus, tmp_path / "run", small)


def test_a_backbone_that_does_not_fit_the_corpus_is_a_config_error(
    short: Recipe, corpus: Path, tmp_path: Path
) -> None:
    shape = replace(short.model, backbone=GOLDEN / "xlmr")
    with pytest.raises(ConfigError, match=r"config\.json: the model has 60 pieces, the corpus "):
        pretrain(corpus, tmp_path / "run", replace(short, model=shape))


def test_a_backbone_without_markers_gets_them(short: Recipe, corpus: Path, tmp_path: Path) -> None:
    words = Corpus.open(corpus).tokenizer().words
    torch.manual_seed(0)
    shape = replace(short.model, max_position_embeddings=60)
    backbone = EntityMaskedLM(shape.config(words=words.mask_id + 1, entities=5))
    backbone.save_pretrained(tmp_path / "xlmr")
    started = replace(short, model=replace(shape, backbone=tmp_path / "xlmr"))
    run = pretrain(corpus, tmp_path / "run", started)
    model = EntityMaskedLM.from_pretrained(run.model)
    assert model.config.vocab_size == len(words) == words.mask_id + 3


def test_a_model_too_large_for_the_machine_is_refused_with_its_size(
    short: Recipe, corpus: Path, tmp_path: Path
) -> None:
    huge = ModelShape(hidden_size=1 << 20, num_attention_heads=1, num_hidden_layers=8)
    with pytest.raises(ResourceError, match=r"needs at least \S+ GiB to train, \S+ GiB are free"):
        pretrain(corpus, tmp_path / "run", replace(short, model=huge))


def test_running_out_of_memory_is_one_line(
    short: Recipe, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def allocate(*_: object, **__: object) -> Tensor:
        return torch.empty(1 << 50)

    monkeypatch.setattr(EntityMaskedLM, "forward", allocate)
    with pytest.raises(ResourceError, match=r"ran out of memory\. Lower sequences_at_once"):
        pretrain(corpus, tmp_path / "run", short)


def test_other_errors_are_not_taken_for_missing_memory(
    short: Recipe, corpus: Path, tmp_path: Path
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("something else")

    fail_on_step: Callable[[Any], None] = fail
    with pytest.raises(RuntimeError, match="something else"):
        pretrain(corpus, tmp_path / "run", short, on_step=fail_on_step)


def test_new_parameters_alone_are_not_trained_over_random_words(
    recipe: Recipe, corpus: Path, tmp_path: Path
) -> None:
    alone = one_stage(recipe, train="new", objectives=("entities",))
    with pytest.raises(ConfigError, match=r"over words that nothing has trained.*model.backbone"):
        pretrain(corpus, tmp_path / "run", alone)
    assert not (tmp_path / "run").exists()
