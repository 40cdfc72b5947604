"""Forms of checkpoints on disk, and the report of what became of their tensors."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from luke_files import (
    GOLDEN,
    LUKE,
    as_old_file,
    as_shards,
    change_config,
    change_tensors,
    close,
    copy_of,
    expected,
    inputs,
    tensors_of,
)
from safetensors.torch import save_file

from exonym.foundation.errors import ConfigError, FormatError, InputError
from exonym.modeling import (
    EncoderConfig,
    EntityClassifier,
    EntityEncoder,
    EntityMaskedLM,
    EntityPairClassifier,
    EntitySpanClassifier,
    LoadReport,
    Pretrained,
    QuestionAnswering,
    SequenceClassifier,
    TokenClassifier,
    load_model,
)

TABLE = "luke.embeddings.word_embeddings.weight"
CLASSIFIERS = (
    EntityClassifier,
    EntityPairClassifier,
    EntitySpanClassifier,
    SequenceClassifier,
    TokenClassifier,
)


@pytest.fixture
def luke(tmp_path: Path) -> Path:
    """A copy of the golden LUKE checkpoint that a test may change."""
    return copy_of("luke", tmp_path)


def report(model: Pretrained) -> LoadReport:
    assert model.load_report is not None
    return model.load_report


def same_as_golden(model: EntityMaskedLM) -> bool:
    state = EntityMaskedLM.from_pretrained(LUKE).state_dict()
    return all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())


def test_the_report_of_a_whole_checkpoint_says_where_it_is_from_and_what_is_kept() -> None:
    found = report(EntityMaskedLM.from_pretrained(LUKE))
    assert found == LoadReport(
        directory=LUKE,
        files=("model.safetensors",),
        dtype=torch.float32,
        stored_dtypes=(torch.float32,),
        kept=("luke.pooler.dense.bias", "luke.pooler.dense.weight"),
    )
    assert not found.sharded
    assert EntityMaskedLM(EncoderConfig(9, 9, 8, 4, 1, 1, 8)).load_report is None


@pytest.mark.parametrize("kind", ["safetensors", "bin"])
def test_shards_are_one_checkpoint(kind: str, luke: Path) -> None:
    shards = as_shards(luke, kind)
    model = EntityMaskedLM.from_pretrained(luke)
    assert same_as_golden(model)
    assert report(model).files == tuple(path.name for path in shards)
    assert report(model).sharded


@pytest.mark.parametrize("zipped", [True, False])
def test_an_old_pytorch_file_is_read_with_its_tied_decoders_and_old_names(
    zipped: bool, luke: Path
) -> None:
    weights = tensors_of(luke)
    weights["lm_head.decoder.weight"] = weights[TABLE]
    weights["lm_head.decoder.bias"] = weights["lm_head.bias"].clone()
    weights["luke.embeddings.position_ids"] = torch.arange(20)[None]
    renamed = {}
    for name, tensor in weights.items():
        old = name.replace("LayerNorm.weight", "LayerNorm.gamma")
        renamed[old.replace("LayerNorm.bias", "LayerNorm.beta")] = tensor
    assert any("gamma" in name for name in renamed)
    (luke / "model.safetensors").unlink()
    torch.save(renamed, luke / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)
    model = EntityMaskedLM.from_pretrained(luke)
    assert same_as_golden(model)
    assert report(model).tied == ("lm_head.decoder.weight", "lm_head.decoder.bias")
    assert report(model).unexpected == report(model).differing == ()


def test_of_several_forms_safetensors_count(luke: Path) -> None:
    weights = {name: torch.zeros_like(tensor) for name, tensor in tensors_of(luke).items()}
    torch.save(weights, luke / "pytorch_model.bin")
    assert same_as_golden(EntityMaskedLM.from_pretrained(luke))


def test_a_decoder_that_differs_from_its_table_is_reported_and_the_table_counts(luke: Path) -> None:
    """transformers 5 does not tie LUKE's decoder and writes it with random values."""
    change_tensors(luke, lm_head__decoder__weight=torch.randn(60, 24))
    with pytest.warns(UserWarning, match=r"lm_head\.decoder\.weight differ from the tables"):
        model = EntityMaskedLM.from_pretrained(luke)
    assert same_as_golden(model)
    assert report(model).differing == ("lm_head.decoder.weight",)


def test_a_table_that_is_stored_under_its_decoders_name_only_is_found(luke: Path) -> None:
    table = tensors_of(luke)[TABLE]
    change_tensors(luke, luke__embeddings__word_embeddings__weight=None)
    change_tensors(luke, lm_head__decoder__weight=table)
    assert same_as_golden(EntityMaskedLM.from_pretrained(luke))


def test_tensors_without_a_place_are_reported(luke: Path) -> None:
    change_tensors(luke, classifier__weight=torch.zeros(2, 2), other__thing=torch.zeros(1))
    found = report(EntityMaskedLM.from_pretrained(luke)).unexpected
    assert found == ("classifier.weight", "other.thing")
    heads = set(report(EntityEncoder.from_pretrained(luke)).unexpected)
    assert {"lm_head.bias", "entity_predictions.bias", "classifier.weight"} <= heads


@pytest.mark.parametrize("stored", [torch.float16, torch.bfloat16])
def test_half_precision_files_become_float32_unless_asked_otherwise(
    stored: torch.dtype, luke: Path
) -> None:
    halves = {name: tensor.to(stored) for name, tensor in tensors_of(luke).items()}
    save_file(halves, luke / "model.safetensors")
    for asked, given in (
        (torch.float32, torch.float32),
        ("auto", stored),
        ("bfloat16", torch.bfloat16),
        (torch.float64, torch.float64),
    ):
        model = EntityMaskedLM.from_pretrained(luke, dtype=asked)
        assert {parameter.dtype for parameter in model.parameters()} == {given}
        assert (report(model).dtype, report(model).stored_dtypes) == (given, (stored,))
        table = model.state_dict()[TABLE]
        assert torch.equal(table, halves[TABLE].to(given))


def test_a_saved_model_keeps_its_dtype(luke: Path, tmp_path: Path) -> None:
    EntityMaskedLM.from_pretrained(luke, dtype=torch.bfloat16).save_pretrained(tmp_path / "half")
    assert {tensor.dtype for tensor in tensors_of(tmp_path / "half").values()} == {torch.bfloat16}
    model = EntityMaskedLM.from_pretrained(tmp_path / "half", dtype="auto")
    assert report(model).dtype == torch.bfloat16


@pytest.mark.parametrize("dtype", ["int8", torch.int64, "wide", None])
def test_a_dtype_that_cannot_be_is_a_config_error(dtype: torch.dtype, luke: Path) -> None:
    with pytest.raises(ConfigError, match="dtype must be a floating-point dtype"):
        EntityMaskedLM.from_pretrained(luke, dtype=dtype)


def test_a_large_table_stays_in_the_file_and_writing_into_it_changes_no_file(
    luke: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exonym.modeling.loading._MAPPED_BYTES", 1000)
    before = (luke / "model.safetensors").read_bytes()
    model = EntityMaskedLM.from_pretrained(luke)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1)
    assert not same_as_golden(model)
    assert (luke / "model.safetensors").read_bytes() == before
    assert same_as_golden(EntityMaskedLM.from_pretrained(luke))


def test_parameters_can_be_trained_after_loading(luke: Path) -> None:
    model, golden = EntityMaskedLM.from_pretrained(luke).train(), expected(LUKE)
    output = model(**inputs(golden))
    output.last_hidden_state.sum().backward()
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert model.luke.embeddings.word_embeddings.weight.grad is not None


@pytest.mark.parametrize("model_class", CLASSIFIERS)
def test_a_new_head_on_a_pretraining_checkpoint(
    model_class: type[EntityClassifier], tmp_path: Path
) -> None:
    torch.manual_seed(0)
    labels = ("NIL", "LOC", "PER")
    model = model_class.from_pretrained(LUKE, new_head=True, labels=labels)
    found = report(model)
    head = [name for name, _ in model.named_parameters() if name.startswith("classifier.")]
    assert sorted(found.missing) == sorted(head)
    assert {"lm_head.bias", "entity_predictions.bias"} <= set(found.unexpected)
    assert model.classifier.weight.shape[0] == 3
    assert 0.01 < model.classifier.weight.std() < 0.03  # initializer_range
    assert model.config.labels == labels
    model.save_pretrained(tmp_path / "saved")
    again = load_model(tmp_path / "saved")
    assert type(again) is model_class
    assert again.config.id2label == {0: "NIL", 1: "LOC", 2: "PER"}
    for name, tensor in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name


def test_a_new_head_is_drawn_from_torchs_random_numbers() -> None:
    def weight(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return EntityClassifier.from_pretrained(LUKE, new_head=True).classifier.weight

    assert torch.equal(weight(3), weight(3))
    assert not torch.equal(weight(3), weight(4))


def test_a_new_head_replaces_a_head_of_another_width() -> None:
    model = EntitySpanClassifier.from_pretrained(
        GOLDEN / "entity", new_head=True, labels=("a", "b", "c", "d", "e")
    )
    assert model.classifier.weight.shape == (5, 48)
    assert report(model).unexpected == ("classifier.bias", "classifier.weight")


def test_a_new_pooler_is_made_where_the_checkpoint_has_none() -> None:
    model = SequenceClassifier.from_pretrained(GOLDEN / "token", new_head=True)
    assert "luke.pooler.dense.weight" in report(model).missing
    assert model.luke.pooler is not None
    assert model.luke.pooler.dense.weight.any()
    with pytest.raises(FormatError, match=r"'luke\.pooler\.dense\.bias' is missing"):
        SequenceClassifier.from_pretrained(GOLDEN / "token")


def test_without_new_head_a_checkpoint_without_the_head_is_an_error_that_says_so() -> None:
    message = r"'classifier.bias' is missing \(2 such\).*pass new_head=True"
    with pytest.raises(FormatError, match=message):
        EntityClassifier.from_pretrained(LUKE)


def test_masked_words_need_the_head_that_was_pretrained() -> None:
    message = r"'entity_predictions.bias' is missing \(10 such\).*EntityEncoder.from_pretrained"
    with pytest.raises(FormatError, match=message):
        EntityMaskedLM.from_pretrained(GOLDEN / "token")


def test_a_head_of_another_kind_is_an_error_with_both_shapes() -> None:
    message = r"'classifier.weight' has shape \(4, 16\), config.json says \(4, 48\)"
    with pytest.raises(FormatError, match=message):
        EntitySpanClassifier.from_pretrained(GOLDEN / "entity")
    with pytest.raises(FormatError, match=r"'classifier.bias' is not known .* \(1 such\)"):
        EntityPairClassifier.from_pretrained(GOLDEN / "entity")


def test_answers_have_two_labels() -> None:
    with pytest.raises(ConfigError, match="2 labels, start and end, got 4"):
        QuestionAnswering.from_pretrained(GOLDEN / "entity", new_head=True)
    model = QuestionAnswering.from_pretrained(
        GOLDEN / "entity", new_head=True, labels=("start", "end")
    )
    assert sorted(report(model).missing) == ["qa_outputs.bias", "qa_outputs.weight"]


def test_heads_of_entities_need_their_entities() -> None:
    golden = expected(GOLDEN / "pair")
    pair = EntityPairClassifier.from_pretrained(GOLDEN / "pair")
    batch = inputs(golden)
    with pytest.raises(InputError, match="0 entities per text, this head needs at least 2"):
        pair(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"])
    one = {n: t[:, :1] if n.startswith("entity") else t for n, t in batch.items()}
    with pytest.raises(InputError, match="1 entities per text, this head needs at least 2"):
        pair(**one)
    span = EntitySpanClassifier.from_pretrained(GOLDEN / "span")
    starts = torch.zeros(4, 2)
    with pytest.raises(InputError, match=r"has shape \(4, 2\), the entities \(4, 3\)"):
        span(**batch, entity_start_positions=starts, entity_end_positions=starts)


@pytest.mark.parametrize(
    ("pooled", "config"),
    [(False, {}), (True, {"classifier_dropout": 0.25}), (True, {"classifier_dropout": None})],
)
def test_the_classifiers_dropout_is_the_configured_one(
    pooled: bool, config: dict[str, float | None]
) -> None:
    shape = EncoderConfig(9, 9, 8, 4, 1, 1, 8, hidden_dropout_prob=0.125, **config)  # type: ignore[arg-type]
    model = (SequenceClassifier if pooled else EntityClassifier)(shape)
    assert model.dropout.p == (config.get("classifier_dropout") or 0.125)


@torch.no_grad()
def test_loading_into_a_model_that_is_there_copies(luke: Path) -> None:
    model = EntityMaskedLM(EntityMaskedLM.from_pretrained(luke).config)
    before = model.luke.embeddings.word_embeddings.weight.data_ptr()
    model.load_pretrained(luke)
    assert same_as_golden(model)
    assert model.luke.embeddings.word_embeddings.weight.data_ptr() == before
    golden = expected(LUKE)
    output = model.eval()(**inputs(golden))
    mask = golden["attention_mask"]
    assert close(output.last_hidden_state, golden["last_hidden_state"], mask)


@pytest.mark.parametrize(
    ("named", "message"),
    [
        (["LukeForMultipleChoice"], r"architectures is \['LukeForMultipleChoice'\]; known are"),
        ("LukeModel", "architectures is 'LukeModel'"),
        (None, "architectures is None"),
    ],
)
def test_an_unknown_architecture_is_a_format_error(named: object, message: str, luke: Path) -> None:
    change_config(luke, architectures=named)
    with pytest.raises(FormatError, match=message):
        load_model(luke)


def test_an_old_file_with_a_head_is_found_by_its_architecture(tmp_path: Path) -> None:
    directory = copy_of("span", tmp_path)
    as_old_file(directory)
    assert isinstance(load_model(directory), EntitySpanClassifier)
