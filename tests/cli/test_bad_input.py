"""Whatever is wrong with the input: one line, the right exit status, nothing left behind."""

from __future__ import annotations

import bz2
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import Command, World

DUMP = "dewiki-20260101-pages-articles.xml"
WIKIDATA = "wikidata-20260101-all.json"


@pytest.fixture
def german(world: World) -> bytes:
    """A good dump."""
    return bz2.decompress((world.atlas / f"{DUMP}.bz2").read_bytes())


@pytest.fixture
def items(world: World) -> bytes:
    """A good Wikidata dump."""
    return bz2.decompress((world.atlas / f"{WIKIDATA}.bz2").read_bytes())


def names(directory: Path) -> list[str]:
    """Everything in a directory, hidden files too."""
    return sorted(path.name for path in directory.iterdir())


def without_siteinfo(dump: bytes) -> bytes:
    return re.sub(rb"<siteinfo>.*</siteinfo>", b"", dump, flags=re.DOTALL)


def of_unknown_language(dump: bytes) -> bytes:
    for old, new in ((b"dewiki", b"qqwiki"), (b'xml:lang="de"', b'xml:lang="qq"')):
        dump = dump.replace(old, new)
    return dump.replace(b"de.wikipedia", b"qq.wikipedia")


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        (DUMP, lambda dump: dump[:20_000], r"the XML ends early, in .*--keep-going"),
        (f"{DUMP}.bz2", lambda dump: bz2.compress(dump)[:-200], r"data end early or are damaged"),
        (f"{DUMP}.bz2", lambda dump: dump, r"compressed data"),
        (DUMP, lambda _: b"hello, this is no XML\n", r"not a MediaWiki export: not XML"),
        (DUMP, lambda _: b"<html><body/></html>\n", r"not a MediaWiki export"),
        (DUMP, lambda _: b"", r"not a MediaWiki export|empty"),
        (DUMP, without_siteinfo, r"there is no <siteinfo> .*--keep-going"),
        ("qqwiki-20260101-pages-articles.xml", of_unknown_language,
         r"'qqwiki' \(language 'qq'\) is not a known Wikipedia.*--any-language"),
    ],
    ids=["truncated", "truncated bz2", "no bz2", "no XML", "HTML", "empty", "no siteinfo",
         "unknown language"],
)  # fmt: skip
def test_a_damaged_dump(
    name: str,
    damage: Callable[[bytes], bytes],
    message: str,
    german: bytes,
    tmp_path: Path,
    exonym: Command,
) -> None:
    (tmp_path / name).write_bytes(damage(german))
    done = exonym("kb", "build", "--dumps", tmp_path / name, "--out", tmp_path / "kb")
    assert done.status == 2
    assert re.search(message, done.error), done.error
    assert str(tmp_path / name) in done.error
    assert done.out == ""
    # A file whose head is whole is read; what was done before the damage is kept.
    assert set(names(tmp_path)) - {"kb.building"} == {name}


def test_a_truncated_dump_is_used_as_far_as_it_goes_and_counted_if_one_says_so(
    german: bytes, tmp_path: Path, exonym: Command
) -> None:
    (tmp_path / DUMP).write_bytes(german[:60_000])
    arguments = ("kb", "build", "--dumps", tmp_path / DUMP, "--out", tmp_path / "kb", "--json")
    done = exonym(*arguments, "--keep-going")
    assert done.status == 0
    (report,) = json.loads(done.out)["files"]
    assert report["counts"]["articles"] > 0
    assert sum(report["skipped"].values()) > 0


def test_broken_lines_of_wikidata(
    german: bytes, items: bytes, tmp_path: Path, exonym: Command
) -> None:
    lines = items.splitlines(keepends=True)
    lines[4] = b'{"type": "item", "id": \n'
    (tmp_path / "dumps").mkdir()
    (tmp_path / "dumps" / WIKIDATA).write_bytes(b"".join(lines))
    (tmp_path / "dumps" / DUMP).write_bytes(german)
    arguments = ("kb", "build", "--dumps", tmp_path / "dumps", "--out", tmp_path / "kb")
    done = exonym(*arguments)
    assert done.status == 2
    assert f"{WIKIDATA}:5" in done.error
    assert names(tmp_path) == ["dumps", "kb.building"]
    done = exonym(*arguments, "--keep-going", "--json")
    assert done.status == 0
    (report,) = [f for f in json.loads(done.out)["files"] if f["language"] is None]
    assert 1 in report["skipped"].values()


@pytest.fixture
def old_kb(world: World, tmp_path: Path) -> Path:
    """A knowledge base of a version to come."""
    shutil.copytree(world.kb, tmp_path / "old")
    manifest = json.loads((tmp_path / "old" / "manifest.json").read_bytes())
    manifest["version"] = 99
    (tmp_path / "old" / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path / "old"


def test_a_knowledge_base_of_another_version(old_kb: Path, tmp_path: Path, exonym: Command) -> None:
    for arguments in (
        ("kb", "show", old_kb),
        ("kb", "lookup", old_kb, "Tokyo"),
        ("corpus", "build", "--kb", old_kb, "--out", tmp_path / "corpus"),
    ):
        done = exonym(*arguments)
        assert done.status == 2
        assert "format version 99, this Exonym reads version" in done.error
        assert "exonym kb build" in done.error
    assert names(tmp_path) == ["old"]


def test_what_exists_is_not_written_over(world: World, exonym: Command) -> None:
    before = {
        path: (path / "manifest.json").read_bytes()
        for path in (world.atlas, world.kb, world.corpus, world.run)
    }
    for arguments in (
        ("atlas", "write", "--out", world.atlas),
        ("kb", "build", "--dumps", world.atlas, "--out", world.kb),
        ("corpus", "build", "--kb", world.kb, "--out", world.corpus),
        ("pretrain", "--corpus", world.corpus, "--out", world.run, *world.small),
    ):
        done = exonym(*arguments)
        assert done.status == 2
        assert "exists" in done.error
        assert "--overwrite" in done.error
    assert all((path / "manifest.json").read_bytes() == data for path, data in before.items())


def test_the_wrong_kind_of_directory(world: World, tmp_path: Path, exonym: Command) -> None:
    model, questions = world.run / "model", world.atlas / "cloze"
    for arguments, remedy in (
        (("kb", "show", world.atlas), "exonym kb build"),
        (("corpus", "build", "--kb", world.atlas, "--out", tmp_path / "c"), "exonym kb build"),
        (("corpus", "show", world.kb), "exonym corpus build"),
        (("pretrain", "--corpus", world.kb, "--out", tmp_path / "r"), "exonym corpus build"),
        (("evaluate", "cloze", "--model", world.kb, "--questions", questions), "config.json"),
        (("evaluate", "cloze", "--model", model, "--questions", world.kb), "ATLAS/cloze"),
        (("quickstart", "--out", world.kb, "--overwrite"), "another --out"),
        (("kb", "show", tmp_path / "nowhere"), "exonym kb build"),
    ):
        done = exonym(*arguments)
        assert done.status == 2, arguments
        assert remedy in done.error, arguments
    assert names(tmp_path) == []
    assert exonym("kb", "show", world.kb).status == 0, "--overwrite deletes quickstarts only"


def test_a_model_larger_than_the_machine(world: World, tmp_path: Path, exonym: Command) -> None:
    done = exonym(
        "pretrain", "--corpus", world.corpus, "--out", tmp_path / "run", *world.small,
        "--set", "model.hidden_size=65536", "--set", "model.num_hidden_layers=96",
        "--set", "model.num_attention_heads=64",
    )  # fmt: skip
    assert done.status == 1
    assert re.search(r"needs at least [\d.]+ GiB to train, [\d.]+ GiB are free", done.error)
    assert "model.hidden_size" in done.error
    assert not (tmp_path / "run" / "model").exists()


def test_a_batch_larger_than_the_machine(world: World, tmp_path: Path, exonym: Command) -> None:
    done = exonym(
        "pretrain", "--corpus", world.corpus, "--out", tmp_path / "run", *world.small,
        "--set", "batch_sequences=1_000_000_000",
    )  # fmt: skip
    assert done.status == 1
    assert "sequences_at_once" in done.error
    assert not (tmp_path / "run" / "model").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("seed", "expected field=value"),
        ("colour=red", "colour"),
        ("model.colour=red", "model.colour"),
        ("stages.last.steps=3", "no stage 'last'"),
        ("stages.all.steps=many", "steps: .*integer"),
        ("stages.all.steps=0", "steps >= 1"),
        ("batch_sequences=-1", "batch_sequences .* at least 1"),
        ("model.num_attention_heads=3", "not divisible"),
        ("model.max_position_embeddings=9", "max_position_embeddings to at least"),
        ("model.backbone=nowhere", "nowhere: no checkpoint here"),
    ],
)
def test_an_impossible_recipe_names_the_field(
    change: str, message: str, world: World, tmp_path: Path, exonym: Command
) -> None:
    done = exonym(
        "pretrain", "--corpus", world.corpus, "--out", tmp_path / "run", *world.small,
        "--set", change,
    )  # fmt: skip
    assert done.status == 2
    assert re.search(message, done.error), done.error


def test_options_that_make_no_sense(world: World, tmp_path: Path, exonym: Command) -> None:
    out = tmp_path / "out"
    for arguments, message in (
        (("kb", "build", "--dumps", world.atlas, "--out", out, "--languages", "xx"), "'xx'"),
        (("kb", "build", "--dumps", world.atlas, "--out", out, "--languages", ", "), "no language"),
        (("corpus", "build", "--kb", world.kb, "--out", out, "--languages", "xx"), "'xx'"),
        (("corpus", "build", "--kb", world.kb, "--out", out, "--max-words", 0), "at least 1"),
        (("corpus", "build", "--kb", world.kb, "--out", out, "--tokenizer", world.kb),
         "no sentencepiece.bpe.model or tokenizer.json"),
        (("corpus", "show", world.corpus, "--language", "xx"), "it has de, en, ja"),
        (("pretrain", "--corpus", world.corpus, "--out", out, "--recipe", "huge"), "no recipe"),
        (("pretrain", "--corpus", world.corpus, "--out", out, "--stages", "last"), "no stage"),
        (("kb", "lookup", world.kb, "Nowhereville"), "nothing is called 'Nowhereville'"),
        (("kb", "lookup", world.kb, "Q1", "--language", "xx"), "no language 'xx'"),
        (("atlas", "write", "--out", out, "--table", tmp_path / "none"), "no such table"),
        (("atlas", "write", "--out", out, "--languages", "xx"), "languages xx"),
    ):  # fmt: skip
        done = exonym(*arguments)
        assert done.status == 2, arguments
        assert message in done.error, arguments
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    "arguments",
    [("nonsense",), ("kb", "build"), ("atlas", "write", "--out", "x", "--entities", "0"),
     ("kb", "show"), ("quickstart", "--entities", "-1"), ("pretrain", "--colour", "red")],
    ids=" ".join,
)  # fmt: skip
def test_a_wrong_command_line_says_what_is_wrong(
    arguments: tuple[str, ...], exonym: Command
) -> None:
    done = exonym(*arguments)
    assert (done.status, done.out) == (2, "")
    assert "Error: " in done.err
    assert "--help" in done.err
    assert "Traceback" not in done.err


def test_places_that_cannot_be_written(world: World, tmp_path: Path, exonym: Command) -> None:
    (tmp_path / "file").write_text("in the way")
    for arguments in (
        ("kb", "build", "--dumps", world.atlas, "--out", tmp_path / "file" / "kb"),
        ("pretrain", "--corpus", world.corpus, "--out", tmp_path / "file", *world.small),
        ("quickstart", "--out", tmp_path / "file"),
    ):
        done = exonym(*arguments)
        assert done.status == 2
        assert str(tmp_path / "file") in done.error
    assert (tmp_path / "file").read_text() == "in the way"
