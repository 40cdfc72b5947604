"""``exonym checkpoint show`` and ``check``: what they say of good and of damaged directories."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from commands import Command
from safetensors.torch import load_file, save_file

from exonym.knowledge import EntityVocabulary
from exonym.knowledge.vocabulary import SPECIAL_ENTITIES, VocabularyRow
from exonym.modeling import EncoderConfig, EntityMaskedLM, Pretrained
from exonym.modeling.classifiers import ARCHITECTURES
from exonym.tokenization import EntityTokenizer, WordTokenizer
from loopback_hub import LoopbackHub, loopback_hub, point_at
from tiny_models import tiny_config

NAMES = (*SPECIAL_ENTITIES, "Q1490", "Q17", "Q64")
WEIGHTS = "model.safetensors"
DECODER, TABLE = "lm_head.decoder.weight", "luke.embeddings.word_embeddings.weight"
ENTITIES = "luke.entity_embeddings.entity_embeddings.weight"


@pytest.fixture(scope="module")
def parts(
    tiny_tokenizer_directory: Path, tmp_path_factory: pytest.TempPathFactory
) -> EntityTokenizer:
    rows = [VocabularyRow(name, {"en": name} if name[0] == "Q" else {}, 0) for name in NAMES]
    path = tmp_path_factory.mktemp("vocabulary") / "entities"
    vocabulary = EntityVocabulary.write(path, rows)
    return EntityTokenizer(WordTokenizer.from_directory(tiny_tokenizer_directory), vocabulary)


@pytest.fixture(scope="module")
def make(parts: EntityTokenizer) -> Callable[..., Path]:
    """Writes a whole small checkpoint: ``make(directory, "LukeForMaskedLM", labels=...)``."""

    def write(directory: Path, architecture: str = "LukeForMaskedLM", **changes: Any) -> Path:
        changes = {"max_position_embeddings": 130, **changes}
        config = tiny_config(len(parts.words), len(parts.entities), **changes)
        torch.manual_seed(0)
        model: Pretrained = ARCHITECTURES[architecture](config)
        model.apply(model.initialise)
        model.save_pretrained(directory)
        parts.save_pretrained(directory)
        return directory

    return write


@pytest.fixture(scope="module")
def good(make: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("good") / "model")


@pytest.fixture
def copy(good: Path, tmp_path: Path) -> Path:
    """A good checkpoint to damage."""
    return shutil.copytree(good, tmp_path / "copy")


def change_json(path: Path, **changes: Any) -> None:
    content = {**json.loads(path.read_bytes()), **changes}
    path.write_text(json.dumps({name: v for name, v in content.items() if v is not None}))


def change_tensors(directory: Path, change: Callable[[dict[str, torch.Tensor]], Any]) -> None:
    tensors = {name: tensor.clone() for name, tensor in load_file(directory / WEIGHTS).items()}
    change(tensors)
    save_file(tensors, directory / WEIGHTS, metadata={"format": "pt"})


def findings(exonym: Command, directory: Path, *, status: int) -> dict[str, tuple[str, str]]:
    """Verdict and text by subject; the worst one where a subject has several."""
    done = exonym("checkpoint", "check", directory, "--json")
    assert done.status == status, done.out + done.err
    assert "Traceback" not in done.err
    content = json.loads(done.out)
    assert content["intact"] == (status == 0)
    found: dict[str, tuple[str, str]] = {}
    for finding in content["findings"]:
        assert "\n" not in finding["text"]
        worse = ("ok", "warning", "FAIL").index(finding["verdict"])
        known = found.get(finding["subject"], ("ok", ""))
        if worse >= ("ok", "warning", "FAIL").index(known[0]):
            found[finding["subject"]] = (finding["verdict"], finding["text"])
    return found


def failure(exonym: Command, directory: Path, subject: str) -> str:
    """The text of the only check that fails."""
    found = findings(exonym, directory, status=1)
    assert [name for name, (verdict, _) in found.items() if verdict == "FAIL"] == [subject]
    return found[subject][1]


def test_a_good_checkpoint_passes_every_check(exonym: Command, good: Path) -> None:
    done = exonym("checkpoint", "check", good)
    assert done.status == 0
    lines = done.out.splitlines()
    assert lines[-1] == f"{good}: intact ({len(lines) - 1} checks, 0 failed, 1 warnings)"
    verdicts = {line[9:].split(":")[0]: line[:9].strip() for line in lines[:-1]}
    assert verdicts.pop("masked words") == "warning"  # it is random
    assert set(verdicts.values()) == {"ok"}
    assert {"configuration", "tensors", "values", "dtype", "decoders", "computation"} <= set(
        verdicts
    )
    assert {"word ids", "word table", "markers", "entity rows", "special entities"} <= set(verdicts)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("aware", [False, True])
def test_every_head_is_run(
    exonym: Command, make: Callable[..., Path], tmp_path: Path, architecture: str, aware: bool
) -> None:
    directory = make(tmp_path / "model", architecture, use_entity_aware_attention=aware)
    verdict, text = findings(exonym, directory, status=0)["computation"]
    assert verdict == "ok"
    assert "finite on sentences in en de" in text


def test_a_trained_word_head_is_told_from_a_random_one(
    exonym: Command, copy: Path, good: Path
) -> None:
    """A model that knows the sentences: its tables are trained on them for a moment."""
    model = EntityMaskedLM.from_pretrained(good)
    words = WordTokenizer.from_directory(good)
    from exonym.modeling.selftest import _SENTENCES

    tokenizer = EntityTokenizer(words, EntityVocabulary.from_pretrained(good))
    batch = tokenizer([text for _, text, *_ in _SENTENCES]).to("cpu")
    torch.manual_seed(0)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(60):
        mask = batch["attention_mask"] & (torch.rand(batch["input_ids"].shape) < 0.3)
        inputs = torch.where(mask, words.mask_id, batch["input_ids"])
        output = model(**{**batch, "input_ids": inputs})
        logits = model.word_logits(output.last_hidden_state[mask])
        loss = torch.nn.functional.cross_entropy(logits, batch["input_ids"][mask])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.save_pretrained(copy)
    verdict, text = findings(exonym, copy, status=0)["masked words"]
    assert verdict == "ok", text


def test_the_configuration_is_read_first(exonym: Command, copy: Path) -> None:
    (copy / "config.json").write_text("{")
    assert "not valid JSON" in failure(exonym, copy, "configuration")
    (copy / "config.json").unlink()
    assert "no config.json" in failure(exonym, copy, "configuration")


def test_a_missing_tensor_and_one_of_another_shape_are_named(exonym: Command, copy: Path) -> None:
    change_tensors(copy, lambda tensors: tensors.pop("lm_head.dense.bias"))
    assert "'lm_head.dense.bias' is missing" in failure(exonym, copy, "tensors")
    change_tensors(copy, lambda tensors: tensors.update({"lm_head.dense.bias": torch.zeros(3)}))
    assert "has shape (3,), config.json says (16,)" in failure(exonym, copy, "tensors")


def test_a_file_cut_short_is_named(exonym: Command, copy: Path) -> None:
    path = copy / WEIGHTS
    path.write_bytes(path.read_bytes()[:-100])
    assert f"{WEIGHTS}: cannot be read" in failure(exonym, copy, "tensors")


def test_missing_weights_are_said(exonym: Command, copy: Path) -> None:
    (copy / WEIGHTS).unlink()
    assert "neither model.safetensors nor" in failure(exonym, copy, "tensors")


class _Hostile:
    def __reduce__(self) -> tuple[Any, ...]:
        import os

        return os.system, ("touch hacked",)


def test_a_pickle_that_would_run_code_is_refused(
    exonym: Command, copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (copy / WEIGHTS).unlink()
    (copy / "pytorch_model.bin").write_bytes(pickle.dumps({"a": _Hostile()}))
    assert "refused, because reading it would run code" in failure(exonym, copy, "tensors")
    assert not (tmp_path / "hacked").exists()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_no_number_fails(exonym: Command, copy: Path, value: float) -> None:
    def spoil(tensors: dict[str, torch.Tensor]) -> None:
        tensors["luke.encoder.layer.1.output.dense.weight"][3, 5] = value

    change_tensors(copy, spoil)
    text = failure(exonym, copy, "values")
    assert text.startswith("'luke.encoder.layer.1.output.dense.weight' has values")


def test_decoders_may_be_stored_if_they_are_their_tables(exonym: Command, copy: Path) -> None:
    change_tensors(copy, lambda t: t.update({DECODER: t[TABLE].clone()}))
    assert findings(exonym, copy, status=0)["decoders"] == (
        "ok",
        "stored, and equal to the tables they are tied to",
    )
    change_tensors(copy, lambda t: t.update({DECODER: torch.randn(t[TABLE].shape)}))
    text = failure(exonym, copy, "decoders")
    assert text.startswith(f"{DECODER} differ from the tables")


def test_dtypes_are_told(exonym: Command, copy: Path) -> None:
    change_tensors(copy, lambda t: t.update({n: x.half() for n, x in t.items()}))
    assert findings(exonym, copy, status=0)["dtype"] == ("ok", "float16 throughout")
    change_tensors(copy, lambda t: t.update({TABLE: t[TABLE].float()}))
    assert findings(exonym, copy, status=0)["dtype"] == ("warning", "mixed: float16, float32")


def test_tensors_of_no_part_are_a_warning(exonym: Command, copy: Path) -> None:
    change_tensors(copy, lambda t: t.update({"classifier.weight": torch.zeros(2, 16)}))
    verdict, text = findings(exonym, copy, status=0)["tensors"]
    assert verdict == "warning"
    assert text.endswith("classifier.weight")


def test_a_word_table_too_small_for_the_ids_fails(
    exonym: Command, make: Callable[..., Path], parts: EntityTokenizer, tmp_path: Path
) -> None:
    directory = make(tmp_path / "model", vocab_size=len(parts.words) - 1)
    found = findings(exonym, directory, status=1)
    assert found["word table"][0] == "FAIL"
    assert "'<ent2>' and what follows have none" in found["word table"][1]
    assert found["markers"][0] == "FAIL"
    assert found["computation"] == ("warning", "not tried, because of the above")


def test_spare_rows_of_words_are_no_fault(
    exonym: Command, make: Callable[..., Path], parts: EntityTokenizer, tmp_path: Path
) -> None:
    directory = make(tmp_path / "model", vocab_size=len(parts.words) + 6)
    assert findings(exonym, directory, status=0)["word table"][1].endswith("; 6 rows are spare")


def test_entity_tables_and_vocabularies_belong_together(
    exonym: Command, make: Callable[..., Path], tmp_path: Path
) -> None:
    larger = make(tmp_path / "larger", entity_vocab_size=len(NAMES) + 2)
    shutil.rmtree(larger / "entities")
    verdict, text = findings(exonym, larger, status=0)["entity rows"]
    assert verdict == "warning"
    assert "the last 2 stand for no entity" in text
    smaller = make(tmp_path / "smaller", entity_vocab_size=len(NAMES) - 1)
    shutil.rmtree(smaller / "entities")
    found = findings(exonym, smaller, status=1)
    text = "the vocabulary has 7 rows, the table 6: they do not belong together"
    assert found["entity rows"] == ("FAIL", text)
    assert found["tensors"][0] == "FAIL"


def test_a_vocabulary_without_a_special_row_fails(exonym: Command, copy: Path) -> None:
    shutil.rmtree(copy / "entities")
    change_json(copy / "entity_vocab.json", **{"[MASK]": None})
    assert "[MASK]" in failure(exonym, copy, "entity rows")


def test_special_entities_need_vectors(exonym: Command, copy: Path) -> None:
    def empty(row: int) -> None:
        change_tensors(copy, lambda tensors: tensors[ENTITIES][row].zero_())

    empty(0)  # [PAD]
    assert findings(exonym, copy, status=0)["special entities"][0] == "ok"
    empty(1)
    assert findings(exonym, copy, status=0)["special entities"][0] == "warning"
    empty(2)
    assert "[MASK] (row 2) is all zeros" in failure(exonym, copy, "special entities")


def test_a_new_lite_model_of_transformers_has_zeros_in_row_0(exonym: Command, copy: Path) -> None:
    shutil.rmtree(copy / "entities")
    rows = {"[MASK]": 0, "[UNK]": 1, "[PAD]": 2, "[MASK2]": 3}
    (copy / "entity_vocab.json").write_text(json.dumps(rows))
    change_json(copy / "config.json", entity_vocab_size=4)
    heads = ("entity_predictions.bias", ENTITIES)
    change_tensors(copy, lambda t: t.update({name: t[name][:4].clone() for name in heads}))
    change_tensors(copy, lambda tensors: tensors[ENTITIES][0].zero_())
    verdict, text = findings(exonym, copy, status=0)["special entities"]
    assert verdict == "warning"
    assert "begins with zeros in row 0" in text
    assert "lite (special entities only), 4 rows" in exonym("checkpoint", "show", copy).out


def as_transformers_5(directory: Path) -> None:
    """Make the tokenizer files those that transformers 5 writes over mLUKE's."""
    path = directory / "tokenizer.json"
    content = json.loads(path.read_bytes())
    pieces = content["model"]["vocab"]
    first = [["<unk>", 0.0], ["<s>", 0.0], ["</s>", 0.0]]
    content["model"].update(vocab=[*first, *pieces[4:-1]], unk_id=0)
    last = len(content["model"]["vocab"])
    tokens = ["<unk>", "<s>", "</s>", "<pad>", "<mask>", "<ent>", "<ent2>"]
    places = [0, 1, 2, last, last + 1, last + 2, last + 3]
    like = content["added_tokens"][0]
    content["added_tokens"] = [
        {**like, "content": token, "id": place} for token, place in zip(tokens, places, strict=True)
    ]
    path.write_text(json.dumps(content))
    rows = json.loads((directory / "entity_vocab.json").read_bytes())
    fields = {"backend": "tokenizers", "extra_special_tokens": ["<ent>", "<ent2>"]}
    config = {**fields, "entity_vocab": rows, "tokenizer_class": "MLukeTokenizer"}
    (directory / "tokenizer_config.json").write_text(json.dumps(config))


def test_a_directory_that_transformers_5_wrote_is_named(exonym: Command, copy: Path) -> None:
    as_transformers_5(copy)
    whole = findings(exonym, copy, status=1)["word ids"]
    assert whole[0] == "FAIL"
    assert "was written by transformers 5" in whole[1]
    (copy / "sentencepiece.bpe.model").unlink()
    (copy / "entity_vocab.json").unlink()
    shutil.rmtree(copy / "entities")
    found = findings(exonym, copy, status=1)
    assert "was written by transformers 5, whose word ids are off by one" in found["word ids"][1]
    assert "has put the entity vocabulary into tokenizer_config" in found["entity rows"][1]
    shown = exonym("checkpoint", "show", copy)
    assert shown.status == 0
    assert "of transformers 5" in shown.out


def test_what_the_check_advises_repairs_such_a_directory(
    exonym: Command, copy: Path, good: Path
) -> None:
    as_transformers_5(copy)
    shutil.rmtree(copy / "entities")
    (copy / "tokenizer.json").unlink()
    (copy / "tokenizer_config.json").unlink()
    found = findings(exonym, copy, status=0)
    assert found["word ids"][0] == found["markers"][0] == "ok"
    assert found["entity rows"][0] == "ok"
    ours = EntityTokenizer.from_pretrained(good)("Tokyo und Berlin").input_ids
    assert (EntityTokenizer.from_pretrained(copy)("Tokyo und Berlin").input_ids == ours).all()


def test_another_tokenizer_json_beside_the_model_is_a_warning(exonym: Command, copy: Path) -> None:
    content = json.loads((copy / "tokenizer.json").read_bytes())
    content["model"]["vocab"][10][0] = "another"
    (copy / "tokenizer.json").write_text(json.dumps(content))
    verdict, text = findings(exonym, copy, status=0)["tokenizer.json"]
    assert verdict == "warning"
    assert "tokenizer.json has other pieces" in text


def test_markers_elsewhere_are_a_warning(
    exonym: Command, make: Callable[..., Path], parts: EntityTokenizer, tmp_path: Path
) -> None:
    directory = make(tmp_path / "model", vocab_size=len(parts.words) + 2)
    mask = parts.words.mask_id
    path = directory / "tokenizer_config.json"
    tokens = json.loads(path.read_bytes())["added_tokens_decoder"]
    moved = {
        str(int(place) + 2) if int(place) > mask else place: token
        for place, token in tokens.items()
    }
    change_json(path, added_tokens_decoder=moved)
    verdict, text = findings(exonym, directory, status=0)["markers"]
    assert verdict == "warning"
    assert text.startswith(f"<ent> {mask + 3}, <ent2> {mask + 4}; released checkpoints have")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_weights_alone_are_checked_as_far_as_they_go(
    exonym: Command, make: Callable[..., Path], tmp_path: Path, architecture: str
) -> None:
    alone = make(tmp_path / "model", architecture)
    for path in [
        *alone.glob("*token*"),
        *alone.glob("sentencepiece*"),
        alone / "entity_vocab.json",
    ]:
        path.unlink()
    shutil.rmtree(alone / "entities")
    found = findings(exonym, alone, status=0)
    assert found["word ids"] == ("warning", "not checked: no tokenizer here")
    assert found["entity rows"][0] == "warning"
    assert found["values"][0] == "ok"
    assert found["computation"][1].endswith("are finite on arbitrary ids")


def test_states_that_are_not_finite_fail(exonym: Command, copy: Path) -> None:
    change_tensors(copy, lambda tensors: tensors[TABLE].fill_(3e38))
    text = failure(exonym, copy, "computation")
    assert "last_hidden_state, entity_last_hidden_state are not finite on sentences" in text


def test_show_tells_what_is_inside(exonym: Command, good: Path, parts: EntityTokenizer) -> None:
    done = exonym("checkpoint", "show", good)
    assert done.status == 0
    lines = {line.strip().split("  ")[0]: line for line in done.out.splitlines()}
    assert "masked words and masked entities (LukeForMaskedLM)" in lines["head"]
    assert "2 layers, 16 wide, 2 heads, 24 within" in lines["size"]
    assert "at most 128 pieces" in lines["text"]
    assert f"{len(parts.words):,}; <mask> {parts.words.mask_id}, <ent> " in lines["ids"]
    assert "tied to their tables, not stored" in lines["decoders"]
    assert "[PAD] 0, [UNK] 1, [MASK] 2, [MASK2] 3" in lines["special rows"]
    assert "1: en" in lines["languages"]


def test_show_as_json_counts_every_number_once(exonym: Command, good: Path) -> None:
    content = json.loads(exonym("checkpoint", "show", good, "--json").out)
    tensors = load_file(good / WEIGHTS)
    assert sum(content["parameters"].values()) == sum(map(torch.numel, tensors.values()))
    assert content["parameters"]["word table"] == tensors[TABLE].numel()
    assert content["parameters"]["entity table"] == tensors[ENTITIES].numel()
    assert content["dtypes"] == {"float32": sum(content["parameters"].values())}
    assert content["files"] == {WEIGHTS: (good / WEIGHTS).stat().st_size}
    assert content["entities"]["rows"] == len(NAMES)
    assert content["tokenizer"]["style"] == "4.57"
    assert content["labels"] is None


def test_show_tells_labels_queries_and_sizes(
    exonym: Command, make: Callable[..., Path], tmp_path: Path
) -> None:
    directory = make(
        tmp_path / "model",
        "LukeForEntitySpanClassification",
        labels=("O", "PER", "LOC"),
        use_entity_aware_attention=True,
    )
    shown = exonym("checkpoint", "show", directory).out
    assert "labels for spans of words" in shown
    assert "3: O, PER, LOC" in shown
    assert "entity-aware: own queries" in shown
    change_json(directory / "config.json", use_entity_aware_attention=False)
    shown = exonym("checkpoint", "show", directory).out
    assert "queries of entity-aware attention are in the files, unused" in shown


def test_show_tells_the_files_of_2021_shards_and_pickles(
    exonym: Command, copy: Path, parts: EntityTokenizer
) -> None:
    tensors = load_file(copy / WEIGHTS)
    (copy / WEIGHTS).unlink()
    half = len(tensors) // 2
    shards = {"pytorch_model-00001-of-00002.bin": list(tensors)[:half]}
    shards["pytorch_model-00002-of-00002.bin"] = list(tensors)[half:]
    for name, members in shards.items():
        torch.save({member: tensors[member] for member in members}, copy / name)
    places = {member: name for name, members in shards.items() for member in members}
    (copy / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": places}))
    (copy / "tokenizer.json").unlink()
    (copy / "tokenizer_config.json").write_text('{"tokenizer_class": "MLukeTokenizer"}')
    added = {"<ent>": parts.words.mask_id + 1, "<ent2>": parts.words.mask_id + 2}
    (copy / "added_tokens.json").write_text(json.dumps(added))
    shown = exonym("checkpoint", "show", copy).out
    assert "pickle, 2 shards" in shown
    assert "of 2021 (special_tokens_map.json, added_tokens.json)" in shown
    assert findings(exonym, copy, status=0)["markers"][0] == "ok"
    (copy / "pytorch_model-00002-of-00002.bin").unlink()
    text = failure(exonym, copy, "tensors")
    assert "the shard pytorch_model-00002-of-00002.bin is missing" in text


def test_the_released_sizes_have_names() -> None:
    from exonym.modeling.inspection import Contents

    def size(**shape: int) -> str | None:
        config = EncoderConfig(vocab_size=9, entity_vocab_size=4, **shape)
        return Contents(Path(), None, config, None, {}, {}, {}, {}, {}).size

    assert size() == "base"
    large = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16}
    assert size(**large) == "large"
    assert size(hidden_size=48) is None


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    monkeypatch.setenv("EXONYM_CACHE", str(tmp_path / "exonym"))
    with loopback_hub() as server:
        point_at(server, tmp_path / "cache", monkeypatch)
        yield server


def test_a_model_of_the_hub_is_fetched_checked_and_then_found_offline(
    exonym: Command, hub: LoopbackHub, copy: Path
) -> None:
    shutil.rmtree(copy / "entities")
    hub.add_directory("owner/model", copy)
    done = exonym("checkpoint", "check", "owner/model")
    assert done.status == 0, done.out
    assert "intact" in done.out
    assert "download owner/model: 7 files" in done.err
    hub.forget()
    shown = exonym("checkpoint", "show", "owner/model", "--local-files-only")
    assert shown.status == 0
    assert "masked words and masked entities" in shown.out
    assert hub.requests == []


@pytest.mark.parametrize("command", ["show", "check"])
def test_wrong_input_is_one_line_and_status_2(
    exonym: Command, hub: LoopbackHub, tmp_path: Path, command: str
) -> None:
    for name in ("owner/none", tmp_path / "none"):
        done = exonym("checkpoint", command, name)
        assert done.status == 2
        assert "no such directory" in done.error
    hub.add("owner/model", {"config.json": "{}"})
    done = exonym("checkpoint", command, "owner/model", "--revision", "v7")
    assert done.status == 2
    assert "has no revision 'v7'" in done.error


def test_show_needs_a_checkpoint(exonym: Command, tmp_path: Path) -> None:
    done = exonym("checkpoint", "show", tmp_path)
    assert done.status == 2
    assert "no checkpoint here (no config.json)" in done.error
