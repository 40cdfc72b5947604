"""Entity table, entity head and vocabulary change together, and nothing else changes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from exonym.foundation.errors import ConfigError, ExistsError, FormatError, InputError
from exonym.knowledge import EntityVocabulary
from exonym.modeling import EntityMaskedLM
from exonym.modeling.conversion import Changes, convert_checkpoint
from exonym.modeling.entity_rows import AddedEntity, random_rows, read_added
from exonym.tokenization import WordTokenizer
from tiny_models import tiny_config

NAMES = {
    "[PAD]": 0, "[UNK]": 1, "[MASK]": 2,
    "en:Tokyo": 3, "ja:東京都": 3, "de:Tokio": 3,
    "en:Paris": 4,
    "ja:京都市": 5,
    "sw:Dodoma": 6,
    "[MASK2]": 7,
}  # fmt: skip
ROWS = 8
TABLE = "luke.entity_embeddings.entity_embeddings.weight"
BIAS = "entity_predictions.bias"


@pytest.fixture(scope="module")
def model_directory(
    tiny_tokenizer_directory: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A checkpoint laid out as the released ones are, with random weights."""
    directory = tmp_path_factory.mktemp("model")
    words = WordTokenizer.from_directory(tiny_tokenizer_directory)
    words.save(directory)
    config = tiny_config(
        len(words), ROWS, num_hidden_layers=1, intermediate_size=16, max_position_embeddings=64
    )
    torch.manual_seed(0)
    model = EntityMaskedLM(config)
    with torch.no_grad():
        model.entity_predictions.bias.copy_(torch.arange(ROWS))
    model.eval().save_pretrained(directory)
    (directory / "entity_vocab.json").write_text(json.dumps(NAMES), "utf-8")
    (directory / "optimizer.pt").write_bytes(b"not for the reader")
    return directory


def _tensors(directory: Path) -> dict[str, torch.Tensor]:
    return load_file(directory / "model.safetensors")


def _config(directory: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((directory / "config.json").read_text("utf-8"))
    return value


def _exported(directory: Path) -> dict[str, int]:
    value: dict[str, int] = json.loads((directory / "entity_vocab.json").read_text("utf-8"))
    return value


def _check_rows(source: Path, out: Path, expected: list[int]) -> None:
    """The entity tensors have these rows of the source's, and all others are the same."""
    before, after = _tensors(source), _tensors(out)
    assert before.keys() == after.keys()
    for name, tensor in before.items():
        kept = tensor[expected] if name in (TABLE, BIAS) else tensor
        assert torch.equal(after[name][: len(kept)], kept), name
    assert _config(out)["entity_vocab_size"] == len(after[TABLE])


def _logits(directory: Path, rows: list[int]) -> torch.Tensor:
    """What the model computes over two entities, with entity logits of some rows."""
    model = EntityMaskedLM.from_pretrained(directory)
    with torch.no_grad():
        output = model(
            input_ids=torch.tensor([[0, 9, 10, 11, 2]]),
            attention_mask=torch.ones(1, 5, dtype=torch.long),
            entity_ids=torch.tensor([rows]),
            entity_attention_mask=torch.ones(1, len(rows), dtype=torch.long),
            entity_position_ids=torch.tensor([[[1, -1], [2, 3]]]),
        )
        return model.entity_logits(output.entity_last_hidden_state)[..., rows]


def test_without_changes_everything_stays(model_directory: Path, tmp_path: Path) -> None:
    done = convert_checkpoint(model_directory, tmp_path / "out", Changes())
    _check_rows(model_directory, tmp_path / "out", [*range(ROWS)])
    assert _exported(tmp_path / "out") == NAMES
    assert done.rows == (ROWS, ROWS)
    assert done.changed == ()
    assert done.files_left_out == ("optimizer.pt",)
    assert not (tmp_path / "out" / "optimizer.pt").exists()
    opened = EntityVocabulary.from_pretrained(tmp_path / "out")
    assert opened.path == tmp_path / "out" / "entities"
    assert {name: opened.row(name) for name in NAMES} == NAMES


def test_languages_keep_rows_with_a_title_in_them_and_those_titles(
    model_directory: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = convert_checkpoint(model_directory, out, Changes(languages=("en", "ja")))
    _check_rows(model_directory, out, [0, 1, 2, 3, 4, 5, 7])
    assert _exported(out) == {
        "[PAD]": 0, "[UNK]": 1, "[MASK]": 2, "en:Tokyo": 3, "ja:東京都": 3, "en:Paris": 4,
        "ja:京都市": 5, "[MASK2]": 6,
    }  # fmt: skip
    assert done.rows_left_out == {"no title in the languages": 1}
    assert done.names_left_out == 2
    assert done.names == (10, 8)
    assert set(done.changed) == {TABLE, BIAS}
    torch.testing.assert_close(_logits(out, [3, 6]), _logits(model_directory, [3, 7]))


def test_entities_keep_their_rows_and_unknown_ones_are_named(
    model_directory: Path, tmp_path: Path
) -> None:
    keys = ["en:Paris", "de:Tokio", "en:Nowhere"]
    done = convert_checkpoint(model_directory, tmp_path / "out", Changes(entities=keys))
    _check_rows(model_directory, tmp_path / "out", [0, 1, 2, 3, 4, 7])
    assert done.unknown == ("en:Nowhere",)
    assert done.rows_left_out == {"not among the entities": 2}
    assert _exported(tmp_path / "out")["ja:東京都"] == 3
    with pytest.raises(InputError, match="none of the entities to keep has a row"):
        convert_checkpoint(model_directory, tmp_path / "none", Changes(entities=["en:Nowhere"]))


def test_a_lite_model_has_the_special_rows_only(model_directory: Path, tmp_path: Path) -> None:
    done = convert_checkpoint(model_directory, tmp_path / "out", Changes(lite=True))
    _check_rows(model_directory, tmp_path / "out", [0, 1, 2, 7])
    assert _exported(tmp_path / "out") == {"[PAD]": 0, "[UNK]": 1, "[MASK]": 2, "[MASK2]": 3}
    assert done.rows == (ROWS, 4)
    # To the last bit or two: the product with the table adds up by its size.
    torch.testing.assert_close(_logits(tmp_path / "out", [2, 3]), _logits(model_directory, [2, 7]))
    with pytest.raises(ConfigError, match="lite"):
        Changes(lite=True, languages=("en",))


def test_added_entities_start_from_the_mask_a_vector_or_their_names(
    model_directory: Path, tmp_path: Path
) -> None:
    vector = tuple(float(i) for i in range(8))
    added = [
        AddedEntity("Q90", {"en": "Berlin"}),
        AddedEntity("Q64", {"en": "Tokyo (novel)", "de": "Hauptstadt"}, "names"),
        AddedEntity("en:Deutschland", {}, vector),
    ]
    for out in (tmp_path / "one", tmp_path / "two"):
        done = convert_checkpoint(model_directory, out, Changes(added=added))
        assert done.added == 3
        assert done.rows == (ROWS, ROWS + 3)
    one, two = _tensors(tmp_path / "one"), _tensors(tmp_path / "two")
    assert torch.equal(one[TABLE], two[TABLE])
    before = _tensors(model_directory)
    assert torch.equal(one[TABLE][8], before[TABLE][2])
    assert one[TABLE][10].tolist() == list(vector)
    assert one[BIAS][8:].tolist() == [4.5] * 3  # the mean of rows 3 to 6
    assert torch.allclose(one[TABLE][9], _from_names(model_directory, before), atol=1e-6)
    vocabulary = EntityVocabulary.from_pretrained(tmp_path / "one")
    assert vocabulary.row("Q64") == vocabulary.row("en:Tokyo (novel)") == 9
    assert vocabulary.key(9) == "Q64"
    assert _exported(tmp_path / "one")["de:Hauptstadt"] == 9


def _from_names(directory: Path, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """The definition once more, in numpy: nearest to the mean word, as long as other rows."""
    words = tensors["luke.embeddings.word_embeddings.weight"].double().numpy()
    projection = tensors["luke.entity_embeddings.entity_embedding_dense.weight"].double().numpy()
    table = tensors[TABLE].double().numpy()
    tokenizer = WordTokenizer.from_directory(directory)
    names = tokenizer.encode_words(["Hauptstadt", "Tokyo"])
    mean = np.mean([words[ids].mean(axis=0) for ids in names], axis=0)
    row = np.linalg.pinv(projection) @ mean
    length = np.linalg.norm(table[3:7], axis=1).mean()
    return torch.from_numpy(row * length / np.linalg.norm(row)).float()


def test_a_lite_model_can_have_added_entities(model_directory: Path, tmp_path: Path) -> None:
    changes = Changes(lite=True, added=[AddedEntity("en:Tokyo", {"ja": "東京都"}, "names")])
    convert_checkpoint(model_directory, tmp_path / "out", changes)
    assert _exported(tmp_path / "out")["ja:東京都"] == 4
    assert EntityMaskedLM.from_pretrained(tmp_path / "out").config.entity_vocab_size == 5


@pytest.mark.parametrize(
    ("entity", "message"),
    [
        (AddedEntity("Q1", {"en": "Tokyo"}), "'en:Tokyo' has two rows"),
        (AddedEntity("Q1", {}, (1.0,)), "the vector of 'Q1' has 1 numbers, expected 8"),
        (AddedEntity("Q1", {}, (float("nan"),) * 8), "finite"),
        (AddedEntity("Q1", {}, "names"), "'Q1' has no title to make its row from"),
    ],
)
def test_an_impossible_new_entity_is_refused(
    model_directory: Path, tmp_path: Path, entity: AddedEntity, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        convert_checkpoint(model_directory, tmp_path / "out", Changes(added=[entity]))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"titles": {}}', "key must be"),
        ('{"key": "[MASK]"}', "key must be"),
        ('{"key": "Q1", "titles": ["Tokyo"]}', "titles must be an object"),
        ('{"key": "Q1", "from": "nothing"}', "from must be"),
        ('{"key": "Q1", "vector": "1"}', "vector must be a list"),
        ('{"key": "Q1", "vector": [1], "from": "names"}', "not both"),
        ('{"key": "Q1", "form": "names"}', "no field 'form'"),
    ],
)
def test_a_line_of_another_form_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "added.jsonl"
    path.write_text('{"key": "Q2"}\n' + line + "\n")
    with pytest.raises(FormatError, match=rf"added\.jsonl:2: .*{message}"):
        read_added(path)


def test_lines_of_added_entities_are_read(tmp_path: Path) -> None:
    path = tmp_path / "added.jsonl"
    path.write_text(
        '{"key": "Q1", "titles": {"en": "A"}, "from": "names"}\n{"key": "Q2", "vector": [1, 2.5]}\n'
    )
    assert read_added(path) == [
        AddedEntity("Q1", {"en": "A"}, "names"),
        AddedEntity("Q2", {}, (1.0, 2.5)),
    ]


def test_the_dtype_of_all_tensors_changes(model_directory: Path, tmp_path: Path) -> None:
    convert_checkpoint(model_directory, tmp_path / "out", Changes(dtype="bfloat16"))
    tensors = _tensors(tmp_path / "out")
    assert {tensor.dtype for tensor in tensors.values()} == {torch.bfloat16}
    assert _config(tmp_path / "out")["dtype"] == "bfloat16"
    assert torch.equal(tensors[TABLE], _tensors(model_directory)[TABLE].bfloat16())


def _with_bin(source: Path, directory: Path, tensors: Mapping[str, torch.Tensor]) -> Path:
    shutil.copytree(source, directory, ignore=shutil.ignore_patterns("model.safetensors"))
    torch.save(dict(tensors), directory / "pytorch_model.bin")
    return directory


def test_an_old_file_becomes_safetensors_and_tied_decoders_are_left_out(
    model_directory: Path, tmp_path: Path
) -> None:
    tensors = _tensors(model_directory)
    old = {
        **tensors,
        "entity_predictions.decoder.weight": tensors[TABLE],
        "lm_head.decoder.bias": tensors["lm_head.bias"] + 1,
        "luke.embeddings.position_ids": torch.arange(64)[None],
    }
    source = _with_bin(model_directory, tmp_path / "old", old)
    done = convert_checkpoint(source, tmp_path / "out", Changes(languages=("sw",)))
    _check_rows(model_directory, tmp_path / "out", [0, 1, 2, 6, 7])
    assert done.left_out == {
        "entity_predictions.decoder.weight": f"is {TABLE}",
        "lm_head.decoder.bias": "differed from lm_head.bias, which counts",
    }
    assert not (tmp_path / "out" / "pytorch_model.bin").exists()


def test_an_encoder_without_heads_is_converted_too(model_directory: Path, tmp_path: Path) -> None:
    tensors = {
        name.removeprefix("luke."): tensor
        for name, tensor in _tensors(model_directory).items()
        if name.startswith("luke.")
    }
    source = _with_bin(model_directory, tmp_path / "bare", tensors)
    done = convert_checkpoint(source, tmp_path / "out", Changes(lite=True))
    assert done.changed == (TABLE.removeprefix("luke."),)
    assert len(_tensors(tmp_path / "out")[TABLE.removeprefix("luke.")]) == 4


def test_rows_that_the_vocabulary_does_not_reach_go_when_rows_change(
    model_directory: Path, tmp_path: Path
) -> None:
    source = tmp_path / "larger"
    shutil.copytree(model_directory, source)
    tensors = _tensors(source)
    for name in (TABLE, BIAS):
        tensors[name] = torch.cat([tensors[name], tensors[name][:3]])
    save_file(tensors, source / "model.safetensors")
    config = {**_config(source), "entity_vocab_size": ROWS + 3}
    (source / "config.json").write_text(json.dumps(config))
    assert convert_checkpoint(source, tmp_path / "same", Changes()).rows == (11, 11)
    done = convert_checkpoint(source, tmp_path / "out", Changes(added=[AddedEntity("Q1")]))
    assert done.rows == (11, 9)
    assert done.rows_left_out == {"beyond the vocabulary": 3}
    assert _exported(tmp_path / "out")["Q1"] == 8


def test_tensors_and_vocabulary_that_do_not_fit_are_refused(
    model_directory: Path, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    shutil.copytree(model_directory, source)
    (source / "entity_vocab.json").write_text(json.dumps({**NAMES, "en:More": 8}))
    with pytest.raises(FormatError, match="the entity vocabulary has 9 rows, the entity table 8"):
        convert_checkpoint(source, tmp_path / "out", Changes())
    config = {**_config(source), "entity_vocab_size": 9}
    (source / "config.json").write_text(json.dumps(config))
    with pytest.raises(FormatError, match=rf"{TABLE}.*\(8, 8\), config.json says \(9, 8\)"):
        convert_checkpoint(source, tmp_path / "out", Changes())


def test_unknown_languages_and_places_are_refused(model_directory: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no title in the language 'th', only in: de, en, ja, sw"):
        convert_checkpoint(model_directory, tmp_path / "out", Changes(languages=("en", "th")))
    with pytest.raises(InputError, match="onto itself"):
        convert_checkpoint(model_directory, model_directory, Changes(), overwrite=True)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "file").touch()
    with pytest.raises(ExistsError):
        convert_checkpoint(model_directory, tmp_path / "out", Changes())
    convert_checkpoint(model_directory, tmp_path / "out", Changes(), overwrite=True)
    assert not (tmp_path / "out" / "file").exists()


def test_random_entities_leave_everything_else_as_it_is(
    model_directory: Path, tmp_path: Path
) -> None:
    def drawn(name: str, seed: int, **changes: Any) -> tuple[Path, torch.Tensor]:
        out = tmp_path / name
        done = convert_checkpoint(model_directory, out, Changes(random_entities=seed, **changes))
        assert done.redrawn == len(_tensors(out)[TABLE]) - 4
        return out, _tensors(out)[TABLE]

    before = _tensors(model_directory)
    out, table = drawn("a", 7)
    for name, tensor in _tensors(out).items():
        if name != TABLE:
            assert torch.equal(tensor, before[name]), name
    special, entities = [0, 1, 2, 7], [3, 4, 5, 6]
    assert torch.equal(table[special], before[TABLE][special])
    assert (table[entities] != before[TABLE][entities]).all()
    assert _exported(out) == _exported(model_directory)
    assert _config(out)["entity_vocab_size"] == ROWS
    assert torch.equal(drawn("b", 7)[1], table)
    assert not torch.equal(drawn("c", 8)[1], table)
    lite = _tensors(drawn("lite", 7, lite=True)[0])[TABLE]
    assert torch.equal(lite, before[TABLE][special])


def test_random_rows_are_drawn_as_new_weights_are() -> None:
    table = torch.ones(4000, 16, dtype=torch.bfloat16)
    rows = random_rows(table, (3, 9), 0.02, seed=1)
    assert rows.dtype == torch.bfloat16
    assert (rows[[3, 9]] == 1).all()
    others = np.delete(rows.float().numpy(), [3, 9], axis=0)
    assert abs(others.mean()) < 5 * 0.02 / np.sqrt(others.size)
    assert abs(others.std() / 0.02 - 1) < 0.01
