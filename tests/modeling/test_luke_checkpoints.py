"""Checkpoint directories against the oracle's (tools/golden_luke.py), and damaged ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import orjson
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from exonym.foundation.errors import FormatError, InputError
from exonym.modeling import EncoderConfig, EntityEncoder, EntityMaskedLM

GOLDEN = Path(__file__).parent / "golden"
LUKE, XLMR = GOLDEN / "luke", GOLDEN / "xlmr"
TOLERANCE = 1e-5


def expected(directory: Path) -> dict[str, Tensor]:
    with np.load(directory / "expected.npz") as file:
        return {name: torch.from_numpy(file[name]) for name in file.files}


def close(ours: Tensor, theirs: Tensor, mask: Tensor) -> bool:
    return torch.allclose(ours[mask.bool()], theirs[mask.bool()], rtol=0, atol=TOLERANCE)


@pytest.fixture
def luke(tmp_path: Path) -> Path:
    """A copy of the golden LUKE checkpoint that a test may damage."""
    return Path(shutil.copytree(LUKE, tmp_path / "luke"))


@torch.no_grad()
def test_a_luke_checkpoint_gives_the_oracles_numbers() -> None:
    model, golden = EntityMaskedLM.from_pretrained(LUKE).eval(), expected(LUKE)
    batch = {n: golden[n] for n in golden if n.endswith(("ids", "mask"))}
    output = model(**batch)
    words, entities = golden["attention_mask"], golden["entity_attention_mask"]
    assert output.entity_last_hidden_state is not None
    assert close(output.last_hidden_state, golden["last_hidden_state"], words)
    assert close(output.entity_last_hidden_state, golden["entity_last_hidden_state"], entities)
    assert close(model.word_logits(output.last_hidden_state), golden["word_logits"], words)
    assert close(
        model.entity_logits(output.entity_last_hidden_state), golden["entity_logits"], entities
    )


@torch.no_grad()
def test_the_golden_numbers_notice_another_pooling() -> None:
    """The batch has mentions of several pieces, so mean and sum must differ on it."""
    golden = expected(LUKE)
    config = orjson.loads((LUKE / "config.json").read_bytes())
    model = EntityMaskedLM(EncoderConfig.from_json({**config, "entity_position_pooling": "sum"}))
    model.load_state_dict(EntityMaskedLM.from_pretrained(LUKE).state_dict())
    output = model.eval()(**{n: golden[n] for n in golden if n.endswith(("ids", "mask"))})
    assert output.entity_last_hidden_state is not None
    mask = golden["entity_attention_mask"]
    assert not close(output.entity_last_hidden_state, golden["entity_last_hidden_state"], mask)


def test_we_write_the_tensors_that_the_oracle_has_and_no_tied_one_twice(tmp_path: Path) -> None:
    names = orjson.loads((LUKE / "names.json").read_bytes())
    EntityMaskedLM.from_pretrained(LUKE).save_pretrained(tmp_path)
    written = load_file(tmp_path / "model.safetensors")
    assert sorted(written) == sorted(set(names["all_tensors"]) - set(names["tied_tensors"]))


def test_saving_and_loading_changes_no_bit(tmp_path: Path) -> None:
    model = EntityMaskedLM.from_pretrained(LUKE)
    model.save_pretrained(tmp_path)
    again = EntityMaskedLM.from_pretrained(tmp_path)
    assert again.config == model.config
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name


def test_the_config_keeps_what_the_oracle_reads(tmp_path: Path) -> None:
    EntityMaskedLM.from_pretrained(LUKE).save_pretrained(tmp_path)
    ours = orjson.loads((tmp_path / "config.json").read_bytes())
    theirs = orjson.loads((LUKE / "config.json").read_bytes())
    passed_over = {
        "dtype",
        "transformers_version",
        "classifier_dropout",
        "cls_entity_prediction",
        "use_cache",
        "position_embedding_type",
    }
    assert {k: ours.get(k) for k in theirs.keys() - passed_over} == {
        k: v for k, v in theirs.items() if k not in passed_over
    }


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


def test_a_backbone_may_be_an_old_pytorch_file_and_give_its_positions_to_entities(
    tmp_path: Path,
) -> None:
    shutil.copy(XLMR / "config.json", tmp_path)
    weights = load_file(XLMR / "model.safetensors")
    weights["roberta.embeddings.position_ids"] = torch.arange(20)[None]
    torch.save(weights, tmp_path / "pytorch_model.bin")
    model = EntityMaskedLM.from_backbone(tmp_path, entity_vocab_size=9, entity_emb_size=6)
    model.copy_word_positions()
    words = weights["roberta.embeddings.position_embeddings.weight"]
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


def test_the_queries_of_entity_aware_attention_in_released_files_are_passed_over(
    luke: Path,
) -> None:
    weights = load_file(luke / "model.safetensors")
    for kind in ("w2e", "e2w", "e2e"):
        for end in ("weight", "bias"):
            name = f"luke.encoder.layer.0.attention.self.{kind}_query.{end}"
            weights[name] = torch.zeros(24, 24) if end == "weight" else torch.zeros(24)
    save_file(weights, luke / "model.safetensors")
    assert (
        EntityMaskedLM.from_pretrained(luke).state_dict().keys()
        == EntityMaskedLM.from_pretrained(LUKE).state_dict().keys()
    )


def change_config(directory: Path, **values: object) -> None:
    config = orjson.loads((directory / "config.json").read_bytes())
    (directory / "config.json").write_bytes(orjson.dumps({**config, **values}))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("model_type", "bert", "expected model_type 'luke', found 'bert'"),
        ("hidden_act", "relu", "hidden_act 'relu' is not supported"),
        ("use_entity_aware_attention", True, "use_entity_aware_attention is true"),
        ("hidden_size", "wide", "hidden_size must be a whole number of at least 1, got 'wide'"),
        ("hidden_size", 25, "hidden_size=25 is not divisible by num_attention_heads=4"),
        ("num_attention_heads", 0, "num_attention_heads must be"),
        ("max_position_embeddings", 2, "max_position_embeddings=2 leaves no position"),
        (
            "vocab_size",
            61,
            r"'\S+word_embeddings.weight' has shape \(60, 24\), .* says \(61, 24\)|"
            r"'lm_head.bias' has shape \(60,\), .* says \(61,\)",
        ),
        ("num_hidden_layers", 3, r"'luke.encoder.layer.2\S+' is missing \(16 such\)"),
        ("num_hidden_layers", 1, r"'luke.encoder.layer.1\S+' is not known \(16 such\)"),
    ],
)
def test_a_config_that_does_not_fit_is_a_format_error(
    field: str, value: object, message: str, luke: Path
) -> None:
    change_config(luke, **{field: value})
    with pytest.raises(FormatError, match=message) as raised:
        EntityMaskedLM.from_pretrained(luke)
    assert str(luke) in str(raised.value)


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff"])
def test_a_config_that_is_no_json_object_is_a_format_error(content: bytes, luke: Path) -> None:
    (luke / "config.json").write_bytes(content)
    with pytest.raises(FormatError, match=r"config\.json"):
        EntityMaskedLM.from_pretrained(luke)


def test_a_missing_tensor_is_named(luke: Path) -> None:
    weights = load_file(luke / "model.safetensors")
    del weights["entity_predictions.bias"]
    save_file(weights, luke / "model.safetensors")
    with pytest.raises(FormatError, match=r"'entity_predictions\.bias' is missing \(1 such\)"):
        EntityMaskedLM.from_pretrained(luke)


@pytest.mark.parametrize("kept", [0, 7, 1000, 50_000])
def test_a_truncated_safetensors_file_is_a_format_error(kept: int, luke: Path) -> None:
    path = luke / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(FormatError, match=r"model\.safetensors: cannot be read"):
        EntityMaskedLM.from_pretrained(luke)


@pytest.mark.parametrize("kept", [0, 100, 30_000])
def test_a_truncated_pytorch_file_is_a_format_error(kept: int, luke: Path) -> None:
    path = luke / "pytorch_model.bin"
    torch.save(load_file(luke / "model.safetensors"), path)
    (luke / "model.safetensors").unlink()
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(FormatError, match=r"pytorch_model\.bin: cannot be read"):
        EntityMaskedLM.from_pretrained(luke)


def test_a_pytorch_file_that_holds_no_tensors_is_a_format_error(luke: Path) -> None:
    (luke / "model.safetensors").unlink()
    torch.save([1, 2], luke / "pytorch_model.bin")
    with pytest.raises(FormatError, match="expected tensors by name, found list"):
        EntityMaskedLM.from_pretrained(luke)


def test_a_directory_without_config_or_weights_is_an_input_error(luke: Path) -> None:
    (luke / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"neither model\.safetensors nor pytorch_model\.bin"):
        EntityMaskedLM.from_pretrained(luke)
    (luke / "config.json").unlink()
    with pytest.raises(InputError, match=r"no checkpoint here \(no config\.json\)"):
        EntityMaskedLM.from_pretrained(luke)


def test_a_backbone_of_another_kind_is_a_format_error(luke: Path) -> None:
    change_config(luke, model_type="bert")
    with pytest.raises(FormatError, match="expected an XLM-R checkpoint, found model_type 'bert'"):
        EntityMaskedLM.from_backbone(luke, entity_vocab_size=4)


@pytest.mark.parametrize("heads", [True, False])
def test_an_encoder_is_read_from_a_checkpoint_with_or_without_heads(
    heads: bool, tmp_path: Path
) -> None:
    model, golden = EntityMaskedLM.from_pretrained(LUKE), expected(LUKE)
    (model if heads else model.luke).save_pretrained(tmp_path)
    encoder = EntityEncoder.from_pretrained(tmp_path).eval()
    for name, tensor in model.luke.state_dict().items():
        assert torch.equal(encoder.state_dict()[name], tensor), name
    output = encoder(input_ids=golden["input_ids"], attention_mask=golden["attention_mask"])
    assert output.last_hidden_state.shape[-1] == model.config.hidden_size
