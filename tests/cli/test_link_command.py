"""``exonym link`` and ``exonym kb add``: any text in, every format out, one line of error."""

from __future__ import annotations

import bz2
import io
import json
import shutil
import sys
from pathlib import Path

import pytest
from commands import Command, World

from exonym.text import AnnotatedText, Mention, read_annotated

ENGLISH = "Tokyo is the capital of Japan."
JAPANESE = "日本の首都は東京である。"


@pytest.fixture(scope="session")
def kb(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A knowledge base of this file alone: an index is made beside it."""
    path = tmp_path_factory.mktemp("link") / "kb"
    shutil.copytree(world.kb, path)
    return path


@pytest.fixture
def own_kb(kb: Path, tmp_path: Path) -> Path:
    """One to add names to."""
    return Path(shutil.copytree(kb, tmp_path / "own"))


def mentions(line: str) -> list[tuple[str, str | None]]:
    text = AnnotatedText.from_json(json.loads(line))
    return [(text.surface(mention), mention.entity) for mention in text.mentions]


def piped(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_a_text_is_listed_with_its_entities(kb: Path, exonym: Command) -> None:
    done = exonym("link", "--kb", kb, "--language", "en", ENGLISH)
    assert done.status == 0, done.err
    head, columns, *rows = done.out.splitlines()
    assert head == f"[en] {ENGLISH}"
    assert columns.split()[:5] == ["mention", "from", "to", "entity", "name"]
    assert rows[0].split()[:5] == ["Tokyo", "0", "5", "Q1490", "Tokyo"]
    assert ["Japan", "24", "29", "Q17", "Japan"] in [row.split()[:5] for row in rows]


def test_as_json_it_is_an_annotated_text(kb: Path, exonym: Command) -> None:
    done = exonym("link", "--kb", kb, "--language", "ja", JAPANESE, "--json")
    assert ("東京", "Q1490") in mentions(done.out)
    assert json.loads(done.out)["text"] == JAPANESE


def test_the_language_is_found_for_each_text(kb: Path, exonym: Command) -> None:
    done = exonym("link", "--kb", kb, "--json", ENGLISH, JAPANESE)
    assert [json.loads(line)["language"] for line in done.out.splitlines()] == ["en", "ja"]


def test_a_file_gives_as_many_lines_as_it_has(kb: Path, tmp_path: Path, exonym: Command) -> None:
    file = tmp_path / "texts.txt.bz2"
    file.write_bytes(bz2.compress(f"{ENGLISH}\r\n\nNothing here\n{ENGLISH}".encode()))
    done = exonym("link", "--kb", kb, "--language", "en", file)
    assert done.status == 0
    lines = done.out.splitlines()
    assert [json.loads(line)["text"] for line in lines] == [ENGLISH, "", "Nothing here", ENGLISH]
    assert lines[0] == lines[3]
    assert ("Tokyo", "Q1490") in mentions(lines[0])
    assert "Linking: 4 texts" in done.err


def test_a_pipe_is_read_and_may_have_objects(
    kb: Path, exonym: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = AnnotatedText(JAPANESE, "ja", source="line 1").to_json()
    piped(monkeypatch, json.dumps(given).encode() + b"\n" + b'{"text": "Tokio", "language": "de"}')
    done = exonym("link", "--kb", kb, "--input", "jsonl", "--language", "en", "-")
    first, second = done.out.splitlines()
    assert ("東京", "Q1490") in mentions(first)
    assert json.loads(first)["source"] == "line 1"
    assert mentions(second) == [("Tokio", "Q1490")]


def test_what_was_linked_can_be_linked_again(kb: Path, tmp_path: Path, exonym: Command) -> None:
    first, second = tmp_path / "a.jsonl.gz", tmp_path / "b.jsonl"
    assert exonym("link", "--kb", kb, "--language", "en", ENGLISH, "--out", first).status == 0
    assert exonym("link", "--kb", kb, first, "--out", second).status == 0
    assert list(read_annotated(first)) == list(read_annotated(second))


def test_mentions_that_texts_bring_are_linked_as_they_are(
    kb: Path, tmp_path: Path, exonym: Command
) -> None:
    file = tmp_path / "given.jsonl"
    text = AnnotatedText(ENGLISH, "en", (Mention(24, 29), Mention(6, 8)))
    file.write_text(json.dumps(text.to_json()))
    done = exonym("link", "--kb", kb, "--given-mentions", file, "--explain")
    links = json.loads(done.out)["links"]
    assert [(link["surface"], link["entity"]) for link in links] == [("Japan", "Q17"), ("is", None)]


@pytest.mark.parametrize(
    ("name", "begins", "holds"),
    [
        ("a.jsonl", '{"text"', '"entity":"Q1490"'),
        ("a.conll", "-DOCSTART- (1 en)\nTokyo\tB\tTokyo\tQ1490\tTokyo\n", "\nJapan\tB\tJapan\tQ17"),
        ("a.ttl", "@prefix", "itsrdf:taIdentRef <http://www.wikidata.org/entity/Q1490> ;"),
        ("a.html", "<!DOCTYPE html>", 'title="Q1490 Tokyo, '),
        ("a.txt", "[en] Tokyo is", "Q1490"),
        ("a", '{"text"', '"entity":"Q1490"'),
    ],
)
def test_the_name_of_the_file_decides_the_format(
    name: str, begins: str, holds: str, kb: Path, tmp_path: Path, exonym: Command
) -> None:
    out = tmp_path / name
    done = exonym("link", "--kb", kb, "--language", "en", ENGLISH, "--out", out)
    assert (done.status, done.out) == (0, "")
    text = out.read_text(encoding="utf-8")
    assert text.startswith(begins)
    assert holds in text
    format = {".ttl": "nif", "": "jsonl", ".txt": "text"}.get(out.suffix, out.suffix[1:])
    printed = exonym("link", "--kb", kb, "--language", "en", ENGLISH, "--format", format)
    assert printed.out == text


def test_names_of_texts_in_nif_may_be_ones_own(kb: Path, exonym: Command) -> None:
    arguments = ("link", "--kb", kb, "--language", "en", ENGLISH, "--format", "nif")
    assert "<urn:exonym:text/1#offset_0_5>" in exonym(*arguments).out
    done = exonym(*arguments, "--base", "http://example.org/")
    assert "<http://example.org/text/1#offset_0_5>" in done.out
    assert "Give an IRI" in exonym(*arguments, "--base", "nowhere").error


def test_explained_it_shows_candidates_and_why_one_won(kb: Path, exonym: Command) -> None:
    arguments = ("link", "--kb", kb, "--language", "en", "Tokyo", "--explain")
    done = exonym(*arguments)
    shown = [line.split() for line in done.out.splitlines()]
    assert ["candidate", "name", "known", "in", "links", "prior", "score"] in shown
    assert any(line.startswith("'Tokyo', 0 to 5: ") for line in done.out.splitlines())
    (link,) = json.loads(exonym(*arguments, "--json").out)["links"]
    assert link["candidates"][0]["entity"] == "Q1490"
    assert link["candidates"][0]["label"] == "Tokyo"
    assert link["why"]


def test_overlapping_mentions_that_conll_cannot_hold_are_counted(
    kb: Path, tmp_path: Path, exonym: Command
) -> None:
    file = tmp_path / "given.jsonl"
    text = AnnotatedText(ENGLISH, "en", (Mention(0, 5), Mention(0, 8)))
    file.write_text(json.dumps(text.to_json()))
    done = exonym("link", "--kb", kb, "--given-mentions", file, "--format", "conll")
    assert "Left out of the CoNLL: 1 (mentions that overlap another)" in done.err


def test_options_of_linking_reach_the_linker(kb: Path, exonym: Command) -> None:
    arguments = ("link", "--kb", kb, "--language", "en", "Tokio or Tokyo", "--json")
    assert mentions(exonym(*arguments).out) == [("Tokio", "Q1490"), ("Tokyo", "Q1490")]
    done = exonym(*arguments, "--no-across-languages")
    assert mentions(done.out) == [("Tokyo", "Q1490")]
    assert mentions(exonym(*arguments, "--min-link-probability", "1").out) == []
    for option, value in (
        ("--cover", "some"), ("--scorer", "mind"), ("--order", "random"),
        ("--nil-threshold", "2"), ("--most-candidates", "0"), ("--prior-weight", "-1"),
        ("--batch-size", "0"), ("--processes", "0"),
    ):  # fmt: skip
        done = exonym(*arguments, option, value)
        assert (done.status, done.out) == (2, "")
        assert option[2:].replace("-", "_") in done.error.replace("-", "_")


def test_a_model_reads_the_context(kb: Path, world: World, exonym: Command) -> None:
    arguments = ("link", "--kb", kb, "--language", "en", ENGLISH, "--explain")
    done = exonym(*arguments, "--model", world.run / "model", "--json")
    assert done.status == 0, done.err
    assert json.loads(done.out)["text"] == ENGLISH
    assert "needs a model" in exonym(*arguments, "--scorer", "words").error
    assert exonym(*arguments, "--model", kb).status == 2


def test_bad_lines_are_named_and_nothing_half_written_is_left(
    kb: Path, tmp_path: Path, exonym: Command
) -> None:
    texts, objects = tmp_path / "bad.txt", tmp_path / "bad.jsonl"
    texts.write_bytes(b"Tokyo\nM\xfcnchen\n")
    objects.write_bytes(b'{"text": "Tokyo", "language": "en"}\n{"text": "Tokyo", "id": 3}\n')
    for file, message in ((texts, "bad.txt:2: not UTF-8"), (objects, "bad.jsonl:2: unknown field")):
        done = exonym("link", "--kb", kb, "--language", "en", file, "--out", tmp_path / "out.jsonl")
        assert done.status == 2
        assert message in done.error
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.jsonl", "bad.txt"]


def test_what_is_wrong_with_a_command_is_said_in_a_line(
    kb: Path, tmp_path: Path, exonym: Command
) -> None:
    for arguments, message in (
        (("--kb", tmp_path, "Tokyo"), "exonym kb build"),
        (("--kb", kb, tmp_path), "is a directory"),
        (("--kb", kb, "Tokyo", "--format", "xml"), "There are jsonl, conll, nif, html, text"),
        (("--kb", kb, "Tokyo", "--input", "csv"), "There are text, jsonl"),
        (("--kb", kb, "Tokyo", "--json", "--format", "nif"), "do not go together"),
        (("--kb", kb, "Tokyo", "--language", "english"), "here: de, en, ja"),
    ):
        done = exonym("link", *arguments)
        assert (done.status, done.out) == (2, "")
        assert message in done.error


def test_a_language_that_the_knowledge_base_lacks_is_said(kb: Path, exonym: Command) -> None:
    done = exonym("link", "--kb", kb, "--language", "sw", "Tokyo", "--json")
    assert "no language 'sw'" in done.err
    assert mentions(done.out) == [("Tokyo", "Q1490")]


def test_a_text_that_looks_like_a_file_is_said_to_be_none(kb: Path, exonym: Command) -> None:
    done = exonym("link", "--kb", kb, "--language", "en", "texts.jsonl")
    assert done.status == 0
    assert "There is no file texts.jsonl" in done.err
    long = exonym("link", "--kb", kb, "--language", "en", "Tokyo " * 2000, "--json")
    assert len(mentions(long.out)) == 2000


def test_a_terminal_is_not_sent_the_control_characters_of_a_text(kb: Path, exonym: Command) -> None:
    done = exonym("link", "--kb", kb, "--language", "en", "\x1b[2JTokyo\x07\udcff")
    assert done.status == 0
    assert "[en] ␛[2JTokyo␇\ufffd" in done.out


# exonym kb add


def test_a_name_that_was_added_is_found_at_once(own_kb: Path, exonym: Command) -> None:
    ask = ("link", "--kb", own_kb, "--language", "en", "The Big Sushi is large", "--json")
    assert ("The Big Sushi", "Q1490") not in mentions(exonym(*ask).out)
    before = {path: path.read_bytes() for path in own_kb.iterdir() if path.is_file()}
    add = ("kb", "add", own_kb, "The Big Sushi", "--entity", "Q1490", "--language", "en")
    done = exonym(*add)
    assert done.status == 0, done.err
    assert "1 names of Q1490 added" in done.out
    assert ("The Big Sushi", "Q1490") in mentions(exonym(*ask).out)
    assert "Nothing new" in exonym(*add).out
    assert {path: path.read_bytes() for path in before} == before


def test_an_entity_that_was_added_is_found_by_all_its_names(own_kb: Path, exonym: Command) -> None:
    done = exonym(
        "kb", "add", own_kb, "Exonym Works", "Exoworks", "--entity", "ours:1", "--new",
        "--language", "en", "--description", "a made-up firm", "--json",
    )  # fmt: skip
    assert json.loads(done.out) == {
        "entity": "ours:1", "language": "en", "names": ["Exonym Works", "Exoworks"], "added": 2
    }  # fmt: skip
    assert exonym(
        "kb", "add", own_kb, "エクソニム社", "--entity", "ours:1", "--language", "ja"
    ).status == 0  # fmt: skip
    texts = ("Exonym Works is in Tokyo.", "We like Exoworks.")
    found = exonym("link", "--kb", own_kb, "--language", "en", *texts)
    rows = [line.split() for line in found.out.splitlines() if "ours:1" in line]
    assert [row[:2] for row in rows] == [["Exonym", "Works"], ["Exoworks", "8"]]
    assert all(row[-4:-2] == ["Exonym", "Works"] for row in rows), "its label, whatever its name"
    japanese = exonym("link", "--kb", own_kb, "--language", "ja", "エクソニム社は", "--json")
    assert mentions(japanese.out) == [("エクソニム社", "ours:1")]


def test_what_cannot_be_added_is_said_in_a_line(own_kb: Path, exonym: Command) -> None:
    for arguments, message in (
        (("x", "--entity", "Q0", "--language", "en"), "no entity 'Q0'"),
        (("x", "--entity", "Q17", "--language", "en", "--new"), "already"),
        (("x", "--entity", "Q17", "--language", "english"), "no language 'english'"),
        (("x", "--entity", "Q17", "--language", "en", "--description", "d"), "--new"),
        ((" ", "--entity", "Q17", "--language", "en"), "surface"),
    ):
        done = exonym("kb", "add", own_kb, *arguments)
        assert (done.status, done.out) == (2, "")
        assert message in done.error
    assert not (own_kb.parent / "own.linking" / "additions.jsonl").exists()
