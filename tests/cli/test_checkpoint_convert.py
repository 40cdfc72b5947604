"""`exonym checkpoint convert`, from options to files and what is printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import Command, World

from exonym.knowledge import EntityVocabulary


@pytest.fixture(scope="module")
def model(world: World) -> Path:
    return world.run / "model"


def test_languages_are_cut_down_and_counted(exonym: Command, model: Path, tmp_path: Path) -> None:
    before = EntityVocabulary.from_pretrained(model)
    done = exonym("checkpoint", "convert", model, tmp_path / "out", "--languages", "ja")
    assert done.status == 0
    after = EntityVocabulary.from_pretrained(tmp_path / "out")
    assert after.languages == ("ja",)
    japanese = [row for row in range(len(before)) if "ja" in before.titles(row)]
    assert len(after) == len(japanese) + 4
    assert f"{len(before):,}" in done.out
    assert "names of these rows, and in other languages" in done.out
    assert f"Checkpoint in {tmp_path / 'out'}." in done.out


def test_entities_are_added_and_the_report_is_json(
    exonym: Command, model: Path, tmp_path: Path
) -> None:
    added = tmp_path / "added.jsonl"
    added.write_text('{"key": "Q999999", "titles": {"en": "Utopia"}, "from": "names"}\n')
    done = exonym(
        "checkpoint", "convert", model, tmp_path / "out", "--lite", "--add", added,
        "--dtype", "bfloat16", "--json",
    )  # fmt: skip
    assert done.status == 0
    report = json.loads(done.out)
    assert report["added"] == 1
    assert report["rows"][1] == 5
    assert EntityVocabulary.from_pretrained(tmp_path / "out").row("en:Utopia") == 4
    assert json.loads((tmp_path / "out" / "config.json").read_text())["dtype"] == "bfloat16"


def test_items_come_from_a_knowledge_base(
    exonym: Command, world: World, model: Path, tmp_path: Path
) -> None:
    plain = tmp_path / "plain"
    assert exonym("checkpoint", "convert", model, plain).status == 0
    EntityVocabulary.import_json(plain / "entity_vocab.json", plain / "entities", overwrite=True)
    assert not EntityVocabulary.from_pretrained(plain).key(4).startswith("Q")
    done = exonym("checkpoint", "convert", plain, tmp_path / "out", "--kb", world.kb)
    assert done.status == 0
    assert "Wikidata items" in done.out
    items = EntityVocabulary.from_pretrained(tmp_path / "out")
    original = EntityVocabulary.from_pretrained(model)
    rows = range(len(original))
    assert [items.key(row) for row in rows] == [original.key(row) for row in rows]


def test_keys_come_from_a_file(exonym: Command, model: Path, tmp_path: Path) -> None:
    vocabulary = EntityVocabulary.from_pretrained(model)
    keys = tmp_path / "keys.txt"
    keys.write_text(f"{vocabulary.key(5)}\n\nen:No such entity\n", "utf-8")
    done = exonym("checkpoint", "convert", model, tmp_path / "out", "--entities", keys)
    assert done.status == 0
    assert "Without a row: en:No such entity" in done.out
    assert EntityVocabulary.from_pretrained(tmp_path / "out").key(4) == vocabulary.key(5)


def test_entities_are_drawn_at_random(exonym: Command, model: Path, tmp_path: Path) -> None:
    done = exonym("checkpoint", "convert", model, tmp_path / "out", "--random-entities", 3)
    assert done.status == 0
    entities = len(EntityVocabulary.from_pretrained(model)) - 4
    assert f"Drew the rows of {entities:,} entities at random." in done.out
    assert (model / "model.safetensors").stat().st_size == (
        tmp_path / "out" / "model.safetensors"
    ).stat().st_size


def test_wrong_input_is_one_line(exonym: Command, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    empty = tmp_path / "empty.txt"
    empty.write_text("\n")
    for options, message in (
        (("--languages", "xx"), "no title in the language 'xx'"),
        (("--lite", "--languages", "ja"), "lite keeps no entity"),
        (("--entities", tmp_path / "missing.txt"), "missing.txt: cannot be read"),
        (("--entities", empty), "expected a key on each line"),
        (("--add", tmp_path / "missing.jsonl"), "missing.jsonl: cannot be opened"),
        (("--kb", tmp_path), "not a directory of format 'exonym-knowledge-base'"),
    ):
        failed = exonym("checkpoint", "convert", model, out, *options)
        assert failed.status == 2
        assert message in failed.error
        assert not out.exists()
    assert exonym("checkpoint", "convert", tmp_path, out).status == 2
