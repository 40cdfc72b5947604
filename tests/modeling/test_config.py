"""`config.json`: what is read, what is kept, what stands for an absent field."""

from __future__ import annotations

from dataclasses import replace

import pytest
from luke_files import GOLDEN, config_of

from exonym.modeling import EncoderConfig

SMALLEST = {"model_type": "luke", "vocab_size": 9, "entity_vocab_size": 8}


def test_absent_fields_are_those_of_transformers_and_new_models_are_mlukes() -> None:
    read, new = EncoderConfig.from_json(SMALLEST), EncoderConfig(vocab_size=9, entity_vocab_size=8)
    assert (read.max_position_embeddings, new.max_position_embeddings) == (512, 514)
    assert (read.type_vocab_size, new.type_vocab_size) == (2, 1)
    assert (read.layer_norm_eps, new.layer_norm_eps) == (1e-12, 1e-5)
    assert (read.use_entity_aware_attention, new.use_entity_aware_attention) == (True, False)
    same = ("hidden_size", "entity_emb_size", "num_hidden_layers", "pad_token_id", "labels")
    assert all(getattr(read, name) == getattr(new, name) for name in same)


@pytest.mark.parametrize("config", [SMALLEST, config_of(GOLDEN / "token")])
def test_a_config_survives_writing(config: dict[str, object]) -> None:
    read = EncoderConfig.from_json(config)
    assert EncoderConfig.from_json(read.to_json()) == read


def test_fields_that_shape_nothing_are_kept() -> None:
    more = {
        "bert_model_name": "xlm-roberta-base",
        "cls_entity_prediction": False,
        "bos_token_id": 7,
    }
    written = EncoderConfig.from_json({**SMALLEST, **more}).to_json()
    assert {name: written[name] for name in more} == more
    assert written["eos_token_id"] == 2


def test_labels_are_read_by_row_and_written_as_transformers_has_them() -> None:
    names = {"1": "LOC", "0": "NIL", "2": "LOC"}
    read = EncoderConfig.from_json(
        {**SMALLEST, "id2label": names, "label2id": {"NIL": 0, "LOC": 1}}
    )
    assert read.labels == ("NIL", "LOC", "LOC")
    assert read.num_labels == 3
    assert read.to_json()["id2label"] == names
    assert read.to_json()["label2id"] == {"NIL": 0, "LOC": 1}
    other = replace(read, labels=("a", "b"))
    assert other.to_json()["label2id"] == {"a": 0, "b": 1}
    assert "id2label" not in replace(read, labels=("LABEL_0", "LABEL_1")).to_json()
    assert EncoderConfig.from_json({**SMALLEST, "num_labels": 3}).labels[2] == "LABEL_2"


def test_entity_aware_attention_has_three_more_projections() -> None:
    plain = EncoderConfig(vocab_size=9, entity_vocab_size=8, num_hidden_layers=2)
    more = replace(plain, use_entity_aware_attention=True).parameter_bytes()
    assert more - plain.parameter_bytes() == 4 * 2 * 3 * 768 * 768
