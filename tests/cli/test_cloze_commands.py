"""``exonym evaluate cloze`` and ``exonym data check cloze``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from commands import Command, World

from exonym.knowledge import EntityVocabulary

ROWS = ["chance", "most_frequent", "mluke_w", "mluke_e_y", "mluke_e_xy"]


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXONYM_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def asked(world: World, exonym: Command) -> Any:
    """Asks the world's model, and returns what was printed."""

    def ask(*more: object, model: Path | None = None) -> Any:
        given = model or world.run
        done = exonym(
            "evaluate", "cloze", "--model", given, "--questions", world.atlas / "cloze",
            "--json", *more,
        )  # fmt: skip
        assert done.status == 0, done.err
        return json.loads(done.out)

    return ask


def test_the_default_is_the_papers_first_table(asked: Any) -> None:
    found = asked()
    assert found["options"] == {
        "candidates": "typed",
        "unknown": "leave-out",
        "asking": ["words", "entity-y", "entity-xy"],
    }
    counts = found["counts"]
    assert counts["asked"] == counts["answerable"] <= counts["questions"]
    assert 0 < counts["known"] <= counts["candidates"]
    assert counts["share"] == counts["known"] / counts["candidates"]
    for kind, rows in found["accuracy"].items():
        assert list(rows) == ROWS
        assert list(found["bias"][kind]) == ROWS[1:]


def test_the_options_choose_tables_ways_languages_and_relations(asked: Any) -> None:
    everything = asked("--unknown", "words", "--candidates", "full")
    assert everything["counts"]["asked"] == everything["counts"]["questions"]
    assert everything["options"]["candidates"] == "full"
    some = asked("--relations", "P36", "--languages", "ja", "--asking", "entity-xy")
    assert some["counts"]["questions"] < everything["counts"]["questions"]
    for rows in some["accuracy"].values():
        assert list(rows) == [*ROWS[:2], "mluke_e_xy"]
        assert list(rows["chance"]["by_language"]) == ["ja"]


def test_tables_are_printed_and_written(world: World, exonym: Command, tmp_path: Path) -> None:
    command = (
        "evaluate", "cloze", "--model", world.run / "model", "--control", world.run,
        "--questions", world.atlas / "cloze" / "de", "--by-language",
    )  # fmt: skip
    shown = exonym(*command, "--out", tmp_path / "table.md")
    assert shown.status == 0, shown.err
    assert "\nQuestions and candidates\n" in shown.out
    assert ", by language\n" in shown.out
    assert any(
        line.startswith("candidates in the entity vocabulary") for line in shown.out.splitlines()
    )
    text = (tmp_path / "table.md").read_text(encoding="utf-8")
    assert text.startswith("## ")
    assert "\n| words_only | 0." in text
    assert "Without a row in the entity vocabulary: leave-out." in text


def test_a_checkpoint_that_knows_titles_needs_a_knowledge_base(
    world: World, asked: Any, exonym: Command, tmp_path: Path
) -> None:
    """As the released ones; with one, it answers as the model that knows items."""
    released = tmp_path / "released"
    shutil.copytree(world.run / "model", released)
    shutil.rmtree(released / "entities")
    names = json.loads((released / "entity_vocab.json").read_bytes())
    titles = {name: row for name, row in names.items() if ":" in name or name.startswith("[")}
    assert any(name.startswith("en:") for name in titles)
    (released / "entity_vocab.json").write_text(json.dumps(titles), encoding="utf-8")
    questions = world.atlas / "cloze"
    done = exonym("evaluate", "cloze", "--model", released, "--questions", questions)
    assert done.status == 2
    assert "--kb KB" in done.error
    assert "exonym checkpoint convert MODEL OUT --kb KB" in done.error
    assert EntityVocabulary.from_pretrained(released).row("Q17") is None
    some = ("--relations", "P30,P36,P37")  # all of whose entities are items
    whole = asked(*some)
    assert asked(*some, "--kb", world.kb, model=released) == whole
    converted = exonym("checkpoint", "convert", released, tmp_path / "c", "--kb", world.kb)
    assert converted.status == 0, converted.err
    assert asked(*some, model=tmp_path / "c") == whole, "the remedy works"


def test_what_is_wrong_with_files_stops_or_is_counted(
    world: World, asked: Any, exonym: Command, tmp_path: Path
) -> None:
    questions = tmp_path / "cloze"
    shutil.copytree(world.atlas / "cloze", questions)
    path = min((questions / "en").glob("P*.jsonl"))
    with path.open("ab") as stream:
        stream.write(b'{"sub_uri": "Q1"\n')
    lines = len(path.read_bytes().splitlines())
    command = ("evaluate", "cloze", "--model", world.run, "--questions", questions)
    done = exonym(*command)
    assert done.status == 2
    assert f"{path}:{lines}: not valid JSON" in done.error
    assert "--keep-going" in done.error
    kept = exonym(*command, "--keep-going", "--json")
    found, whole = json.loads(kept.out), asked()
    assert found["counts"]["left_out"].pop("lines that cannot be read") == 1
    assert found == whole
    checked = exonym("data", "check", "cloze", questions)
    assert (checked.status, checked.err) == (2, "")
    assert f"{path}:{lines}: not valid JSON" in checked.out
    assert "to be mended: 1; or left out" in checked.out


@pytest.mark.parametrize("part", ["", "en", "en/P36.jsonl"])
def test_files_of_facts_are_checked_and_shown(part: str, world: World, exonym: Command) -> None:
    path = world.atlas / "cloze" / part
    plain = exonym("data", "check", "cloze", path)
    assert (plain.status, plain.err) == (0, "")
    assert " questions; " in plain.out
    seen = exonym("data", "check", "cloze", path, "--model", world.run, "--json")
    found = json.loads(seen.out)
    assert found["problems"] == []
    assert len(found["examples"]) == 3
    assert all("<mask>" in example for example in found["examples"])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("--candidates some", "--candidates: must be typed or full, got 'some'"),
        ("--unknown drop", "--unknown: must be leave-out or words or keep, got 'drop'"),
        ("--asking entity", "--asking: must be words or entity-y or entity-xy, got 'entity'"),
        ("--asking ,", "--asking names nothing"),
        ("--relations P9", "no questions of the relation 'P9'; there are P"),
        ("--relations ,", "--relations names nothing"),
        ("--languages xx", "no questions in 'xx'"),
        ("--kb nowhere", "no such directory"),
        ("--device warp", "no device 'warp' here"),
        ("--asking entity-y --control {run}", "the words-only control is asked by words"),
    ],
)
def test_impossible_options_are_one_line(
    more: str, message: str, world: World, exonym: Command
) -> None:
    done = exonym(
        "evaluate", "cloze", "--model", world.run, "--questions", world.atlas / "cloze",
        *more.format(run=world.run).split(),
    )  # fmt: skip
    assert done.status == 2
    assert message in done.error
