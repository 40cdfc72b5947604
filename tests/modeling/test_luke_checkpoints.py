"""The oracle's numbers (tools/golden_luke.py) from the oracle's checkpoints, and what we write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
import torch
from luke_files import (
    GOLDEN,
    LUKE,
    XLMR,
    as_old_file,
    change_config,
    close,
    config_of,
    copy_of,
    expected,
    inputs,
    spans,
    tensors_of,
)
from torch import Tensor

from exonym.foundation.errors import FormatError
from exonym.modeling import (
    EncoderConfig,
    EntityClassifier,
    EntityEncoder,
    EntityMaskedLM,
    EntityPairClassifier,
    EntitySpanClassifier,
    Pretrained,
    QuestionAnswering,
    SequenceClassifier,
    TokenClassifier,
    load_model,
)

VARIANTS = sorted(path.parent.name for path in GOLDEN.glob("*/config.json") if path.parent != XLMR)
MASKED = ("luke", "lite", "aware", "large")
CLASSES = {
    "entity": EntityClassifier,
    "pair": EntityPairClassifier,
    "span": EntitySpanClassifier,
    "sequence": SequenceClassifier,
    "token": TokenClassifier,
    "answer": QuestionAnswering,
    "wide-table": EntityEncoder,
    **dict.fromkeys(MASKED, EntityMaskedLM),
}


def encoder_of(model: Pretrained) -> EntityEncoder:
    encoder = model if isinstance(model, EntityEncoder) else model.luke
    assert isinstance(encoder, EntityEncoder)
    return encoder


def agrees(model: Pretrained, golden: dict[str, Tensor]) -> bool:
    """Whether a model computes the oracle's states, with and without entities."""
    output = encoder_of(model)(**inputs(golden))
    words_only = {name: golden[name] for name in ("input_ids", "attention_mask")}
    words, entities = golden["attention_mask"], golden["entity_attention_mask"]
    return (
        close(output.last_hidden_state, golden["last_hidden_state"], words)
        and close(output.entity_last_hidden_state, golden["entity_last_hidden_state"], entities)
        and close(encoder_of(model)(**words_only).last_hidden_state, golden["words_only"], words)
    )


@pytest.mark.parametrize("name", VARIANTS)
@torch.no_grad()
def test_a_checkpoint_gives_the_oracles_states(name: str) -> None:
    model = load_model(GOLDEN / name)
    assert type(model) is CLASSES[name]
    assert not model.training
    assert agrees(model, expected(GOLDEN / name))


@pytest.mark.parametrize("name", MASKED)
@torch.no_grad()
def test_masked_words_and_entities_get_the_oracles_logits(name: str) -> None:
    model, golden = EntityMaskedLM.from_pretrained(GOLDEN / name), expected(GOLDEN / name)
    output = model(**inputs(golden))
    assert output.entity_last_hidden_state is not None
    words, entities = golden["attention_mask"].bool(), golden["entity_attention_mask"].bool()
    word_logits = model.word_logits(output.last_hidden_state[words])
    entity_logits = model.entity_logits(output.entity_last_hidden_state[entities])
    torch.testing.assert_close(word_logits, golden["word_logits"][words], rtol=0, atol=1e-5)
    torch.testing.assert_close(entity_logits, golden["entity_logits"][entities], rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "shape", "needed"),
    [
        ("entity", (4, 4), 1),  # texts that have at least one entity
        ("pair", (4, 4), 2),
        ("span", (4, 3, 4), None),
        ("sequence", (4, 3), 0),
        ("token", (4, 12, 5), None),
    ],
)
@torch.no_grad()
def test_a_classifier_gives_the_oracles_logits(
    name: str, shape: tuple[int, ...], needed: int | None
) -> None:
    model, golden = CLASSES[name].from_pretrained(GOLDEN / name), expected(GOLDEN / name)
    more = spans(golden) if name == "span" else {}
    output = model(**inputs(golden), **more)
    assert output.logits.shape == shape == (*shape[:-1], model.config.num_labels)
    entities = golden["entity_attention_mask"].bool()
    mask = entities if name == "span" else golden["attention_mask"].bool()
    if needed is not None:
        mask = entities.sum(dim=1) >= needed
    assert close(output.logits, golden["logits"], mask)
    assert output.last_hidden_state.shape == golden["last_hidden_state"].shape
    assert output.entity_last_hidden_state.shape == golden["entity_last_hidden_state"].shape


@torch.no_grad()
def test_answers_get_the_oracles_logits() -> None:
    model, golden = (
        QuestionAnswering.from_pretrained(GOLDEN / "answer"),
        expected(GOLDEN / "answer"),
    )
    output = model(**inputs(golden))
    assert output.start_logits.shape == (4, 12)
    assert close(output.start_logits, golden["start_logits"], golden["attention_mask"])
    assert close(output.end_logits, golden["end_logits"], golden["attention_mask"])
    assert not torch.equal(output.start_logits, output.end_logits)


@torch.no_grad()
def test_an_encoder_has_the_oracles_pooler() -> None:
    golden = expected(GOLDEN / "wide-table")
    output = EntityEncoder.from_pretrained(GOLDEN / "wide-table")(**inputs(golden))
    assert close(output.pooler_output, golden["pooler_output"], torch.ones(4))


@torch.no_grad()
def test_extra_queries_are_used_when_the_config_asks_for_them_and_kept_when_it_does_not(
    tmp_path: Path,
) -> None:
    directory = copy_of("aware", tmp_path)
    aware, plain = expected(directory), expected(directory, "expected-plain")
    change_config(directory, use_entity_aware_attention=False)
    model = load_model(directory)
    assert agrees(model, plain)
    assert not agrees(model, aware)
    model.save_pretrained(tmp_path / "saved")
    saved = tensors_of(tmp_path / "saved")
    names = [name for name in tensors_of(directory) if "2e_query" in name or "e2w_query" in name]
    assert len(names) == 12
    assert model.load_report is not None
    assert set(names) <= set(model.load_report.kept)
    for name in names:
        assert torch.equal(saved[name], tensors_of(directory)[name])
    change_config(tmp_path / "saved", use_entity_aware_attention=True)
    assert agrees(load_model(tmp_path / "saved"), aware)


@torch.no_grad()
def test_the_golden_numbers_notice_another_pooling() -> None:
    """The batch has mentions of several pieces, so mean and sum must differ on it."""
    config = {**config_of(LUKE), "entity_position_pooling": "sum"}
    model = EntityMaskedLM(EncoderConfig.from_json(config)).eval()
    model.load_state_dict(EntityMaskedLM.from_pretrained(LUKE).state_dict())
    assert not agrees(model, expected(LUKE))


def test_we_write_the_tensors_that_the_oracle_has_and_no_tied_one_twice(tmp_path: Path) -> None:
    names = orjson.loads((LUKE / "names.json").read_bytes())
    EntityMaskedLM.from_pretrained(LUKE).save_pretrained(tmp_path)
    wanted = set(names["all_tensors"]) - set(names["tied_tensors"])
    assert tensors_of(tmp_path).keys() == wanted


@pytest.mark.parametrize("name", VARIANTS)
def test_saving_writes_the_tensors_and_the_config_that_were_read(name: str, tmp_path: Path) -> None:
    load_model(GOLDEN / name).save_pretrained(tmp_path / "saved")
    before, after = tensors_of(GOLDEN / name), tensors_of(tmp_path / "saved")
    assert before.keys() == after.keys()
    for tensor, values in before.items():
        assert torch.equal(after[tensor], values), tensor
    theirs, ours = config_of(GOLDEN / name), config_of(tmp_path / "saved")
    assert ours["torch_dtype"] == theirs.pop("dtype") == "float32"
    assert {field: ours.get(field) for field in theirs} == theirs
    again = load_model(tmp_path / "saved")
    assert again.config == load_model(GOLDEN / name).config


def test_a_new_model_has_a_pooler_of_zeros_in_its_directory(tmp_path: Path) -> None:
    config = EncoderConfig.from_json(config_of(LUKE))
    EntityMaskedLM(config).save_pretrained(tmp_path)
    pooler = {name: t for name, t in tensors_of(tmp_path).items() if "pooler" in name}
    assert sorted(pooler) == ["luke.pooler.dense.bias", "luke.pooler.dense.weight"]
    assert not any(tensor.any() for tensor in pooler.values())
    assert EntityMaskedLM.from_pretrained(tmp_path).config == config


def test_a_saved_directory_may_be_the_one_it_was_loaded_from(tmp_path: Path) -> None:
    directory = copy_of("luke", tmp_path)
    before = tensors_of(directory)
    EntityMaskedLM.from_pretrained(directory).save_pretrained(directory)
    after = tensors_of(directory)
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
    assert not [path for path in directory.iterdir() if "partial" in path.name]
    # Others may read it as far as they may read other files (safetensors writes it 0600).
    modes = {(directory / name).stat().st_mode for name in ("config.json", "model.safetensors")}
    assert len(modes) == 1


def test_nothing_half_written_has_a_final_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = EntityMaskedLM.from_pretrained(LUKE)

    def half(tensors: Any, path: Path, **_: Any) -> None:  # noqa: ARG001
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr("exonym.modeling.checkpoint.save_file", half)
    there = copy_of("luke", tmp_path)
    for directory in (tmp_path / "new", there):
        with pytest.raises(OSError, match="disk full"):
            model.save_pretrained(directory)
    assert not (tmp_path / "new").exists()
    assert (there / "model.safetensors").read_bytes() == (LUKE / "model.safetensors").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["luke"]


@torch.no_grad()
def test_an_xlmr_backbone_gives_the_oracles_word_states() -> None:
    golden = expected(XLMR)
    torch.manual_seed(0)
    model = EntityMaskedLM.from_backbone(XLMR, entity_vocab_size=9, entity_emb_size=6).eval()
    output = model(input_ids=golden["input_ids"], attention_mask=golden["attention_mask"])
    assert output.entity_last_hidden_state is None
    mask = golden["attention_mask"]
    assert close(output.last_hidden_state, golden["last_hidden_state"], mask)
    assert close(model.word_logits(output.last_hidden_state), golden["word_logits"], mask)
    assert model.config.other == {}


def test_a_backbone_may_be_an_old_pytorch_file_and_give_its_positions_to_entities(
    tmp_path: Path,
) -> None:
    directory = copy_of("xlmr", tmp_path)
    words = tensors_of(directory)["roberta.embeddings.position_embeddings.weight"]
    as_old_file(directory, roberta__embeddings__position_ids=torch.arange(20)[None])
    model = EntityMaskedLM.from_backbone(directory, entity_vocab_size=9, entity_emb_size=6)
    model.copy_word_positions()
    # Entities count pieces from 0, XLM-R's words from 2.
    entities = model.luke.entity_embeddings.position_embeddings.weight
    assert torch.equal(entities[:18], words[2:])


def test_a_luke_checkpoint_can_be_a_backbone_with_another_entity_table() -> None:
    model, source = (
        EntityMaskedLM.from_backbone(LUKE, entity_vocab_size=5, entity_emb_size=8),
        EntityMaskedLM.from_pretrained(LUKE),
    )
    assert model.luke.entity_embeddings.entity_embeddings.weight.shape == (5, 8)
    assert torch.equal(
        model.luke.embeddings.word_embeddings.weight, source.luke.embeddings.word_embeddings.weight
    )
    assert model.load_report is not None
    assert "entity_predictions.bias" in model.load_report.unexpected


def test_a_backbone_of_another_kind_is_a_format_error(tmp_path: Path) -> None:
    directory = copy_of("luke", tmp_path)
    change_config(directory, model_type="bert")
    with pytest.raises(FormatError, match="expected an XLM-R checkpoint, found model_type 'bert'"):
        EntityMaskedLM.from_backbone(directory, entity_vocab_size=4)


@pytest.mark.parametrize("heads", [True, False])
def test_an_encoder_is_read_from_a_checkpoint_with_or_without_heads(
    heads: bool, tmp_path: Path
) -> None:
    model = EntityMaskedLM.from_pretrained(LUKE)
    (model if heads else model.luke).save_pretrained(tmp_path)
    encoder = EntityEncoder.from_pretrained(tmp_path)
    for name, tensor in model.luke.state_dict().items():
        assert torch.equal(encoder.state_dict()[name], tensor), name
    assert agrees(encoder, expected(LUKE))
    pooler = tensors_of(LUKE)["luke.pooler.dense.weight"]
    assert encoder.pooler is not None
    assert torch.equal(encoder.pooler.dense.weight, pooler)


def test_words_added_to_a_backbone_start_as_others_and_change_nothing_else() -> None:
    plain = EntityMaskedLM.from_backbone(XLMR, entity_vocab_size=9, entity_emb_size=6)
    grown = EntityMaskedLM.from_backbone(
        XLMR, entity_vocab_size=9, entity_emb_size=6, added_words_like=(7, 11)
    )
    size = plain.config.vocab_size
    assert grown.config.vocab_size == size + 2
    for name in ("luke.embeddings.word_embeddings.weight", "lm_head.bias"):
        before, after = plain.state_dict()[name], grown.state_dict()[name]
        assert torch.equal(after[:size], before)
        assert torch.equal(after[size:], before[[7, 11]])
