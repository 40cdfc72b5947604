"""Damaged and foreign directories: one line that says what is wrong and where."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from luke_files import (
    GOLDEN,
    LUKE,
    as_old_file,
    as_shards,
    change_config,
    change_tensors,
    copy_of,
    tensors_of,
)

from exonym.foundation.errors import FormatError, InputError
from exonym.modeling import EntityEncoder, EntityMaskedLM, load_model


@pytest.fixture
def luke(tmp_path: Path) -> Path:
    """A copy of the golden LUKE checkpoint that a test may damage."""
    return copy_of("luke", tmp_path)


def refused(directory: Path, message: str, kind: type[InputError] = FormatError) -> str:
    """The one line of the error, which names the directory."""
    with pytest.raises(kind, match=message) as raised:
        EntityMaskedLM.from_pretrained(directory)
    assert str(directory) in str(raised.value)
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("model_type", "bert", "expected model_type 'luke', found 'bert'"),
        ("hidden_act", "relu", "hidden_act 'relu' is not supported"),
        (
            "use_entity_aware_attention",
            True,
            r"self.e2e_query.bias' is missing \(12 such\). Set \"use_entity_aware_attention\" to",
        ),
        ("use_entity_aware_attention", "yes", "must be true or false, got 'yes'"),
        ("hidden_size", "wide", "hidden_size must be a whole number of at least 1, got 'wide'"),
        ("hidden_size", 25, "hidden_size=25 is not divisible by num_attention_heads=4"),
        ("num_attention_heads", 0, "num_attention_heads must be"),
        ("num_attention_heads", True, "num_attention_heads must be"),
        ("max_position_embeddings", 2, "max_position_embeddings=2 leaves no position"),
        ("pad_token_id", None, ""),
        ("pad_token_id", 60, "pad_token_id must be a word id below 60, got 60"),
        ("layer_norm_eps", "small", "layer_norm_eps must be a number from 0 to inf"),
        ("hidden_dropout_prob", 2, "hidden_dropout_prob must be a number from 0 to 1, got 2"),
        ("entity_position_pooling", "max", "must be 'mean' or 'sum', got 'max'"),
        ("id2label", {"0": "a", "2": "b"}, "must name the rows 0 to 1 and no other, see '1'"),
        ("id2label", ["a"], "id2label must give a name for each row"),
        ("num_labels", 0, "num_labels must be a whole number of at least 1"),
        ("vocab_size", None, "the field 'vocab_size' is missing"),
        (
            "vocab_size",
            61,
            r"word_embeddings.weight' has shape \(60, 24\), config.json says \(61, 24\)|"
            r"'lm_head.bias' has shape \(60,\), config.json says \(61,\)",
        ),
        ("entity_vocab_size", 29, r"has shape \(30.*\), config.json says \(29"),
        ("entity_vocab_size", 10**18, "no model can have this shape"),
        ("num_hidden_layers", 3, r"'luke.encoder.layer.2\S+' is missing \(16 such\)"),
        ("num_hidden_layers", 1, r"'luke.encoder.layer.1\S+' is not known .* \(16 such\)"),
    ],
)
def test_a_config_that_does_not_fit_is_a_format_error(
    field: str, value: object, message: str, luke: Path
) -> None:
    change_config(luke, **{field: value})
    if message:
        refused(luke, message)
    else:  # a field that transformers has a default for
        assert EntityMaskedLM.from_pretrained(luke).config.pad_token_id == 1


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff", b""])
def test_a_config_that_is_no_json_object_is_a_format_error(content: bytes, luke: Path) -> None:
    (luke / "config.json").write_bytes(content)
    refused(luke, r"config\.json")


def test_missing_files_are_named(luke: Path, tmp_path: Path) -> None:
    (luke / "model.safetensors").unlink()
    refused(luke, r"neither model\.safetensors nor pytorch_model\.bin", InputError)
    (luke / "config.json").unlink()
    refused(luke, r"no checkpoint here \(no config\.json\)", InputError)
    refused(tmp_path / "nowhere", "no such directory", InputError)


def test_a_missing_tensor_is_named(luke: Path) -> None:
    change_tensors(luke, entity_predictions__bias=None)
    refused(luke, r"'entity_predictions\.bias' is missing \(1 such\)")


def test_a_decoder_of_another_shape_than_its_table_is_an_error_with_both(luke: Path) -> None:
    change_tensors(luke, entity_predictions__decoder__weight=torch.zeros(31, 16))
    refused(luke, r"'entity_predictions.decoder.weight' has shape \(31, 16\), .* says \(30, 16\)")


def test_a_kept_tensor_of_another_shape_is_an_error(luke: Path) -> None:
    change_tensors(luke, luke__pooler__dense__weight=torch.zeros(3, 3))
    refused(luke, r"'luke.pooler.dense.weight' has shape \(3, 3\), config.json says \(24, 24\)")


def test_a_tensor_of_whole_numbers_is_an_error(luke: Path) -> None:
    change_tensors(luke, lm_head__bias=torch.zeros(60, dtype=torch.int8))
    refused(luke, "'lm_head.bias' holds int8, expected floating point")


def test_a_vocabulary_larger_than_the_table_is_an_error_with_both_shapes(luke: Path) -> None:
    message = r"has shape \(30, 16\), the entity vocabulary beside it needs \(31, 16\)"
    names = {name: row for row, name in enumerate(("[PAD]", "[UNK]", "[MASK]", "[MASK2]"))}
    for last, fits in ((29, True), (8, True), (30, False)):
        (luke / "entity_vocab.json").write_text(json.dumps({**names, "en:Tokyo": last}))
        if fits:
            EntityMaskedLM.from_pretrained(luke)
        else:
            refused(luke, message)
    (luke / "entity_vocab.json").unlink()
    (luke / "entities").mkdir()
    (luke / "entities" / "manifest.json").write_text(json.dumps({"rows": 31}))
    refused(luke, message)


@pytest.mark.parametrize("kept", [0, 7, 1000, 50_000])
def test_a_truncated_safetensors_file_is_a_format_error(kept: int, luke: Path) -> None:
    path = luke / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    refused(luke, r"model\.safetensors: cannot be read .* fetch it again")


@pytest.mark.parametrize("kept", [0, 100, 30_000])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_truncated_pytorch_file_is_a_format_error(kept: int, zipped: bool, luke: Path) -> None:
    path = as_old_file(luke)
    if not zipped:
        whole = torch.load(path, weights_only=True)
        torch.save(whole, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes()[:kept])
    refused(luke, r"pytorch_model\.bin: ")


@pytest.mark.parametrize("kind", ["safetensors", "bin"])
def test_a_damaged_or_missing_shard_is_named(kind: str, luke: Path) -> None:
    shard = as_shards(luke, kind)[1]
    shard.write_bytes(shard.read_bytes()[:-100])
    refused(luke, rf"{shard.name}: cannot be read")
    shard.unlink()
    refused(luke, f"the shard {shard.name} is missing. Fetch all files")


def test_a_shard_without_a_tensor_that_the_index_places_there_is_an_error(luke: Path) -> None:
    as_shards(luke)
    index = luke / "model.safetensors.index.json"
    places = json.loads(index.read_bytes())
    places["weight_map"]["luke.gone"] = "model-00001-of-00002.safetensors"
    index.write_text(json.dumps(places))
    refused(luke, r"00001-of-00002.*'luke.gone' is missing \(1 such\), which the index places here")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not valid JSON"),
        ("{}", "expected a weight_map"),
        ('{"weight_map": {}}', "expected a weight_map"),
        ('{"weight_map": {"a": "../x.safetensors"}}', r"found '\.\./x\.safetensors'"),
        ('{"weight_map": {"a": "pytorch_model.bin"}}', r"the name of a \.safetensors file"),
        ('{"weight_map": {"a": 3}}', "found 3"),
    ],
)
def test_a_damaged_index_is_a_format_error(content: str, message: str, luke: Path) -> None:
    as_shards(luke)
    (luke / "model.safetensors.index.json").write_text(content)
    refused(luke, message)


class Hostile:
    """A pickle that runs a command when it is read."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


@pytest.mark.parametrize("form", ["zip", "old", "bare", "beside tensors"])
def test_a_pickle_that_would_run_code_is_refused_and_runs_nothing(form: str, luke: Path) -> None:
    path, mark = luke / "pytorch_model.bin", luke / "ran"
    hostile = Hostile(f"touch {mark}")
    weights = tensors_of(luke)
    (luke / "model.safetensors").unlink()
    if form == "zip":
        torch.save(hostile, path)
    elif form == "old":
        torch.save(hostile, path, _use_new_zipfile_serialization=False)
    elif form == "bare":
        path.write_bytes(pickle.dumps(hostile))
    else:
        torch.save({**weights, "more": hostile}, path)
    line = refused(luke, "refused, because reading it would run code.*model.safetensors")
    assert form == "bare" or "system" in line
    assert not mark.exists()


@pytest.mark.parametrize(
    ("value", "found"),
    [([1, 2], "list"), ({"a": torch.zeros(1), "b": "text"}, "str"), (torch.zeros(2), "one tensor")],
)
def test_a_pytorch_file_that_holds_no_tensors_by_name_is_a_format_error(
    value: object, found: str, luke: Path
) -> None:
    (luke / "model.safetensors").unlink()
    torch.save(value, luke / "pytorch_model.bin")
    refused(luke, f"expected tensors by name, found {found}")


@settings(max_examples=60)
@given(data=st.data())
def test_no_damage_gives_more_than_an_error_of_ours(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Bytes changed or cut anywhere: the model loads, or there is one line about the file."""
    directory = copy_of("lite", tmp_path_factory.mktemp("damaged"))
    old = data.draw(st.booleans(), label="pickle")
    path = as_old_file(directory) if old else directory / "model.safetensors"
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 3), label="changes")):
        place = data.draw(st.integers(0, min(len(content) - 1, 8000)), label="place")
        content[place] = data.draw(st.integers(0, 255), label="byte")
    path.write_bytes(content[: data.draw(st.integers(0, len(content)), label="kept")])
    line = f"{directory} "  # one line that names the place
    try:
        EntityMaskedLM.from_pretrained(directory)
    except InputError as error:
        line = str(error)
    assert "\n" not in line
    assert str(directory) in line


def test_a_directory_of_another_model_is_refused_by_every_class(tmp_path: Path) -> None:
    directory = copy_of("xlmr", tmp_path)
    for load in (EntityEncoder.from_pretrained, EntityMaskedLM.from_pretrained):
        with pytest.raises(FormatError, match="expected model_type 'luke', found 'xlm-roberta'"):
            load(directory)
    with pytest.raises(FormatError, match=r"architectures is \['XLMRobertaForMaskedLM'\]"):
        load_model(directory)


def test_the_golden_files_are_small() -> None:
    assert sum(path.stat().st_size for path in GOLDEN.rglob("*") if path.is_file()) < 1_000_000
    assert LUKE.is_dir()
