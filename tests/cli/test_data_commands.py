"""``exonym data``: checking files of questions, and putting entities into them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import Command, World

from exonym.knowledge import KnowledgeBase
from exonym.tasks.qa import read_examples
from exonym.tasks.qa.annotation_files import QuestionAnnotations

Write = Callable[..., Path]


@pytest.fixture
def write(world: World, tmp_path: Path) -> Write:
    """Writes questions about the first article with a link, in SQuAD's layout."""
    kb = KnowledgeBase.open(world.kb)
    article = next(a for a in kb.articles("en") if any(t.mentions for t in a.paragraphs))
    text = next(text for text in article.paragraphs if text.mentions)
    answer = {"text": text.text[:3], "answer_start": 0}

    def file(name: str = "dev-v1.1.json", **changes: Any) -> Path:
        asked = {"id": "1", "question": text.text, "answers": [answer | changes]}
        paragraph = {"context": text.text, "qas": [asked]}
        value = {"data": [{"title": article.title, "paragraphs": [paragraph]}]}
        (tmp_path / name).write_text(json.dumps(value, indent=1), encoding="utf-8")
        return tmp_path / name

    return file


def test_a_good_file_is_described_and_shown(write: Write, exonym: Command) -> None:
    path = write()
    (example,) = read_examples(path).examples
    shown = exonym("data", "check", "qa", path)
    assert (shown.status, shown.err) == (0, "")
    assert f"{path}: one document in SQuAD's layout; 1 questions" in shown.out
    assert f"1: {example.question.text}" in shown.out
    assert f"= {example.answers[0].text} [0, 3)" in shown.out
    as_json = exonym("data", "check", "qa", path, "--json")
    assert json.loads(as_json.out)["problems"] == []


def test_what_is_wrong_is_printed_line_by_line_with_status_2(write: Write, exonym: Command) -> None:
    path = write(answer_start=1)
    lines = path.read_text().splitlines()
    line = next(number for number, text in enumerate(lines) if '"id"' in text)  # behind its bracket
    shown = exonym("data", "check", "qa", path)
    assert shown.status == 2
    assert f"{path}:{line}: question 1: the answer" in shown.out
    as_json = exonym("data", "check", "qa", path, "--json")
    assert as_json.status == 2
    (problem,) = json.loads(as_json.out)["problems"]
    assert problem["line"] == line
    many = path.with_suffix(".jsonl")
    lines = ['{"id": 1, "question": "a", "context": "b"}', *["[]"] * 30]
    many.write_text("\n".join(lines))
    cut = exonym("data", "check", "qa", many, "--language", "en")
    assert f"{many}:21: expected a JSON object\nand 10 more; --json has all\n" in cut.out


def test_entities_are_put_into_files_and_counted(
    world: World, write: Write, exonym: Command, tmp_path: Path
) -> None:
    out = tmp_path / "linked"
    files = [write(), write("xquad.de.json")]
    done = exonym("data", "link", "qa", *files, "--kb", world.kb, "--out", out)
    assert done.status == 0, done.err
    written = QuestionAnnotations.open(out)
    assert written.names == ("dev-v1.1", "xquad.de")
    (example,) = written.questions("dev-v1.1")
    assert example.context.mentions == example.question.mentions != ()
    assert "questions with a mention" in done.out
    checked = exonym("data", "check", "qa", out / "dev-v1.1.jsonl")
    mention = example.context.mentions[0]
    assert f"[{example.context.surface(mention)}|{mention.entity}]" in checked.out
    again = exonym("data", "link", "qa", files[0], "--kb", world.kb, "--out", out)
    assert again.status == 2
    assert "already exists" in again.error
    over = exonym(
        "data", "link", "qa", files[0], "--kb", world.kb, "--out", out, "--overwrite", "--json"
    )
    assert json.loads(over.out) == QuestionAnnotations.open(out).manifest


def test_options_reach_the_rule(
    world: World, write: Write, exonym: Command, tmp_path: Path
) -> None:
    options = ("--min-link-probability", "0.5", "--min-prior", "0.2", "--subject",
               "--source-language", "en", "--language", "de",
               "--question-language", "ja")  # fmt: skip
    done = exonym(
        "data", "link", "qa", write(), "--kb", world.kb, "--out", tmp_path / "o", *options, "--json"
    )
    manifest = json.loads(done.out)
    assert manifest["rule"] == {
        "source_language": "en",
        "min_link_probability": 0.5,
        "min_prior": 0.2,
        "subject": True,
        "linker": None,
    }
    assert set(manifest["languages"]) == {"de", "ja"}


def test_texts_without_an_article_are_linked_on_demand(
    world: World, write: Write, exonym: Command, tmp_path: Path
) -> None:
    path = write()
    path.write_text(path.read_text().replace('"title": "', '"title": "Nothing like '))
    arguments = ("data", "link", "qa", path, "--kb", world.kb, "--json", "--out")
    without = json.loads(exonym(*arguments, tmp_path / "without").out)
    assert without["languages"]["en"]["mentions in questions"] == 0
    assert without["files"]["dev-v1.1"]["titles"]["en"]["articles"] == 0
    done = exonym(*arguments, tmp_path / "linked", "--general")
    assert done.status == 0, done.err
    linked = json.loads(done.out)
    assert linked["rule"]["linker"] == "prior"
    assert linked["languages"]["en"]["texts linked without an article"] == 1
    assert linked["languages"]["en"]["mentions in questions"] > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--source-language", "fr"), "no language 'fr' here for the titles"),
        (("--language", "sw"), "none of the questions' languages (sw) is here"),
        (("--model", "none"), "--model is for texts without a known article"),
        (("--min-prior", "2"), "min_prior must lie between 0 and 1, got 2.0"),
    ],
)
def test_impossible_options_are_refused_in_a_line(
    options: tuple[str, ...],
    message: str,
    world: World,
    write: Write,
    exonym: Command,
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    wrong = exonym("data", "link", "qa", write(), "--kb", world.kb, "--out", out, *options)
    assert wrong.status == 2
    assert message in wrong.error
    assert not out.exists()
