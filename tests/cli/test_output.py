"""Tables for people and JSON for machines."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from commands import ENVIRONMENT, Command, World, start

from exonym.cli.output import print_table

ROWS = [("en", "a [red] word", 1234, 0.5, None), ("日本語", "b" * 120, 7, 0.25, 12)]
HEADER = ("language", "text", "count", "share", "gap")


def test_a_table_off_a_terminal_is_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("Figures", HEADER, ROWS)
    lines = capsys.readouterr().out.split("\n")
    assert len(lines) == 6, "a title, a header, two rows, an empty line"
    assert lines[0] == "Figures"
    assert lines[1].split() == list(HEADER)
    assert lines[2].split() == ["en", "a", "[red]", "word", "1,234", "0.500", "-"]
    assert lines[3].split() == ["日本語", "b" * 120, "7", "0.250", "12"]
    assert lines[4:] == ["", ""]
    assert not any(line != line.rstrip() for line in lines)


def test_text_stands_on_the_left_and_figures_on_the_right(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_table("", ("text", "figure"), [("a", 1), ("bb", 22_000), ("ccc", 3.5)])
    assert capsys.readouterr().out.split("\n")[1:5] == [
        "text  figure",
        "a          1",
        "bb    22,000",
        "ccc    3.500",
    ]


def test_a_table_without_rows_is_its_header(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("Nothing", ("a", "b"), [])
    assert capsys.readouterr().out.split("\n")[:2] == ["Nothing", "a  b"]


def an_entity(world: World) -> str:
    """Some entity that is asked about."""
    file = min((world.atlas / "cloze" / "en").glob("P*.jsonl"))
    return str(json.loads(file.read_bytes().splitlines()[0])["sub_uri"])


@pytest.fixture(scope="module")
def reading(world: World) -> dict[str, tuple[object, ...]]:
    """Commands that only read, and are quick."""
    return {
        "kb show": ("kb", "show", world.kb),
        "kb lookup": ("kb", "lookup", world.kb, an_entity(world)),
        "corpus show": ("corpus", "show", world.corpus),
        "evaluate cloze": (
            "evaluate", "cloze", "--model", world.run / "model",
            "--questions", world.atlas / "cloze", "--languages", "en",
        ),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["kb show", "kb lookup", "corpus show", "evaluate cloze"])
def test_json_alone_is_on_standard_output(
    name: str, reading: dict[str, tuple[object, ...]], exonym: Command
) -> None:
    shown = exonym(*reading[name], "--json")
    assert shown.status == 0, shown.err
    assert isinstance(json.loads(shown.out), dict)
    plain = exonym(*reading[name])
    assert plain.status == 0
    assert plain.out.strip()
    with pytest.raises(json.JSONDecodeError):
        json.loads(plain.out)


def test_json_of_commands_that_make_something(
    world: World, tmp_path: Path, exonym: Command
) -> None:
    made = json.loads(
        exonym("kb", "build", "--dumps", world.atlas, "--out", tmp_path / "kb", "--json").out
    )
    assert set(made["languages"]) == {"de", "en", "ja"}
    corpus = exonym(
        "corpus", "build", "--kb", world.kb, "--out", tmp_path / "corpus", "--json",
        "--vocabulary-size", 400, "--max-words", 40,
    )  # fmt: skip
    assert json.loads(corpus.out)["totals"]["sequences"] > 0
    run = exonym(
        "pretrain", "--corpus", world.corpus, "--out", tmp_path / "run", "--json",
        *world.small, "--stages", "backbone",
    )  # fmt: skip
    assert json.loads(run.out)["model"] == str(tmp_path / "run" / "model")


def test_figures_of_an_evaluation_are_written_where_asked(
    world: World, tmp_path: Path, exonym: Command
) -> None:
    model = world.run / "model"
    shown = exonym(
        "evaluate", "cloze", "--model", model, "--control", model, "--json",
        "--questions", world.atlas / "cloze", "--out", tmp_path / "figures.json",
    )  # fmt: skip
    figures = json.loads(shown.out)
    assert json.loads((tmp_path / "figures.json").read_bytes()) == figures
    assert {"told", "untold"} <= set(figures["accuracy"])
    for rows in figures["accuracy"].values():
        assert list(rows) == [
            "chance", "most_frequent", "words_only", "mluke_w", "mluke_e_y", "mluke_e_xy",
        ]  # fmt: skip
        for row in rows.values():
            assert set(row) == {"accuracy", "low", "high", "questions", "by_language"}
        assert rows["words_only"] == rows["mluke_w"], "the same model, asked the same way"


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_reader_that_has_gone_is_no_traceback(more: tuple[str, ...], world: World) -> None:
    process = start("kb", "show", world.kb, *more)
    assert process.stdout is not None
    process.stdout.close()  # as `| head -0` does
    assert process.stderr is not None
    err = process.stderr.read()
    assert process.wait() == 1
    assert err == ""


def test_head_gets_its_line(world: World) -> None:
    shell = f"{sys.executable} -m exonym kb show {world.kb} --json | head -1"
    done = subprocess.run(
        ["bash", "-c", shell], capture_output=True, text=True, env=ENVIRONMENT, check=True
    )
    assert (done.stdout, done.stderr) == ("{\n", "")


def test_import_exonym_loads_nothing_heavy() -> None:
    program = (
        "import sys, exonym;"
        "heavy = {'torch', 'lxml', 'matplotlib', 'transformers', 'numpy', 'pydantic', 'typer'};"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_the_command_line_starts_without_the_heavy_libraries() -> None:
    program = (
        "import sys, exonym.cli.app;"
        "print(sorted({'torch', 'lxml', 'matplotlib', 'transformers'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
