"""What the pages say can be done: commands and Python run, targets, options and links exist.

A page's ``console`` and ``python`` blocks run in order, in one empty directory. A line that ends in
``# needs …`` is only parsed, and so is Python with such a line. The world and the training are made
smaller than the pages say; else nothing is changed.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
WRITTEN = [*PAGES, ROOT / "CHANGELOG.md"]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")
_FIELD = re.compile(r"`(masking|model|sampling)\.(?!py\b|safetensors\b)(\w+)\b(?!\()")
_NOT_RUN = "# needs "
_SMALL = 200
"""Entities of a world that is written as the page says; a larger one becomes `_SMALL_WORLD`, which
has the names that pages look up."""
_SMALL_WORLD = ["--entities", "120", "--languages", "en,de,ja,sw"]
_FEW_STEPS = ["--set", "batch_sequences=8"]
for _stage in ("backbone", "entities", "all"):
    _FEW_STEPS += ["--set", f"stages.{_stage}.steps=3"]


@dataclass(frozen=True)
class Block:
    page: Path
    line: int
    kind: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(page, text.count("\n", 0, match.start()) + 2, match[1], match[2])
        for match in _FENCE.finditer(text)
    ]


def commands(block: Block) -> list[str]:
    lines = block.text.splitlines()
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


def is_small(options: list[str]) -> bool:
    """Whether a page's own world is small enough."""
    return "--entities" in options and int(options[options.index("--entities") + 1]) <= _SMALL


def smaller(words: list[str]) -> list[str]:
    """The same command on a world and with a training of seconds."""
    match words[1:]:
        case ["atlas", "write", *rest] if "--table" not in rest and not is_small(rest):
            return [*words, *_SMALL_WORLD]
        case ["quickstart", *_]:
            return [*words, *_SMALL_WORLD, *_FEW_STEPS, "--vocabulary-size", "2000"]
        case ["pretrain", *rest] if "mluke-atlas" in rest or "--recipe" not in rest:
            return [*words, *_FEW_STEPS]
        case _:
            return words


def exonym(words: list[str], monkeypatch: pytest.MonkeyPatch) -> int:
    """Run the command in this process, which saves loading torch for every line."""
    from exonym.cli import main

    monkeypatch.setattr(sys, "argv", words)
    try:
        main()
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else int(done.code is not None)
    return 0


def require_known_command(words: list[str]) -> None:
    """The sub-command, its options and its arguments exist; nothing runs."""
    import typer

    from exonym.cli.app import app

    command: Any = typer.main.get_command(app)
    names = words[1:]
    while hasattr(command, "commands"):
        assert names, f"{shlex.join(words)}: a sub-command is missing"
        assert names[0] in command.commands, f"{shlex.join(words)}: no command {names[0]!r}"
        command, names = command.commands[names[0]], names[1:]
    if "--help" not in names:
        command.make_context(words[0], names)


def make_targets() -> set[str]:
    lines = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    return {line.partition(":")[0] for line in lines if re.match(r"[a-z]+:", line)}


def carry_out(command: str, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = shlex.split(command, comments=True)
    while "=" in words[0]:  # variables of the shell
        words = words[1:]
    program = Path(words[0]).name
    if program == "make":
        unknown = {word for word in words[1:] if "=" not in word} - make_targets()
        assert not unknown, f"{place}: no such target in the Makefile: {unknown}"
    elif program == "exonym":
        require_known_command(words)
        if _NOT_RUN not in command:
            status = exonym(smaller(words), monkeypatch)
            assert status == 0, f"{place}: `{command}` ended with status {status}"
    else:
        assert _NOT_RUN in command, f"{place}: say what `{command}` needs, it cannot be run here"
        for word in words[1:]:
            if word.startswith("tools/"):
                assert (ROOT / word).is_file(), f"{place}: no {word}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_says_can_be_done(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks(page):
        if block.kind == "console":
            for command in commands(block):
                carry_out(command, block.place, monkeypatch)
        elif block.kind == "python":
            code = compile("\n" * (block.line - 1) + block.text, page, "exec")
            if _NOT_RUN not in block.text:
                exec(code, names)
        elif block.kind == "toml":
            first = block.text.splitlines()[0]
            assert first.startswith("# "), f"{block.place}: begin with the file's name"
            Path(first.removeprefix("# ")).write_text(block.text, encoding="utf-8")


def examples(command: Any, words: list[str]) -> Iterator[tuple[list[str], str | None]]:
    """Each command with the example in its help."""
    if hasattr(command, "commands"):
        for name, inner in command.commands.items():
            yield from examples(inner, [*words, name])
    else:
        found = re.search(r"^Example: (.+)$", command.help or "", re.MULTILINE)
        yield words, found[1] if found else None


def test_every_command_has_an_example_of_itself_with_options_that_exist() -> None:
    import typer

    from exonym.cli.app import app

    for words, example in examples(typer.main.get_command(app), ["exonym"]):
        assert example is not None, f"{shlex.join(words)} --help has no example"
        given = shlex.split(example)
        assert given[: len(words)] == words, example
        require_known_command(given)


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.stem)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in _LINK.findall(page.read_text(encoding="utf-8")):
        if target.startswith("http"):
            continue
        path, _, anchor = target.partition("#")
        other = (page.parent / path).resolve() if path else page
        assert other.exists(), f"{page.name}: {target} leads nowhere"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", other.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
            assert anchor in anchors, f"{page.name}: {target} names no heading"


def test_the_index_leads_to_every_page() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        assert page.stem == "index" or f"({page.name})" in index, f"{page.name} is not in the index"


def test_the_description_has_the_order_of_rooms_that_the_linter_keeps() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert " > ".join(layers) in page
    rooms = {path.parent.name for path in (ROOT / "src" / "exonym").glob("*/__init__.py")}
    assert rooms == set(layers)


def test_the_pages_name_every_field_of_a_recipe_and_no_other() -> None:
    from exonym.corpus import LanguageSampling, Masking
    from exonym.training import Recipe
    from exonym.training.recipe import ModelShape

    page = (ROOT / "docs" / "pretraining.md").read_text(encoding="utf-8")
    inner = {"name", "stages", "model", "masking", "sampling", "departures"}
    there = {"masking": Masking, "sampling": LanguageSampling, "model": ModelShape}
    names = {kind: {field.name for field in fields(room)} for kind, room in there.items()}
    wanted = ({field.name for field in fields(Recipe)} - inner) | names["masking"]
    unnamed = {name for name in wanted if f"`{name}`" not in page and f"{name}=" not in page}
    assert unnamed <= {"with_entities"}, "docs/pretraining.md does not name them"
    for path in WRITTEN:
        text = path.read_text(encoding="utf-8")
        for kind, name in _FIELD.findall(text):
            assert name in names[kind], f"{path.name}: a recipe has no {kind}.{name}"


def run_tool(*arguments: str) -> subprocess.CompletedProcess[str]:
    tool = [sys.executable, str(ROOT / "tools" / "readme_figures.py"), *arguments]
    return subprocess.run(tool, capture_output=True, text=True, check=False)


def test_the_figures_in_the_readme_are_those_that_were_kept() -> None:
    printed = run_tool()
    assert printed.returncode == 0, printed.stderr
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = readme.split("<!-- quickstart:begin -->\n")[1].split("\n<!-- quickstart:end -->")[0]
    assert shown == printed.stdout.rstrip("\n")


def test_the_tool_for_the_figures_says_what_is_wrong_with_a_file(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    path.write_text('{"exonym": "0.1.0"}')
    wrong = run_tool(str(path))
    assert wrong.returncode == 2
    assert wrong.stderr.startswith(f"error: {path}: not the summary of a quickstart (no field")
    assert wrong.stderr.count("\n") == 1
    absent = run_tool(str(tmp_path / "none.json"))
    assert absent.returncode == 2
    assert "no such file" in absent.stderr


def test_pages_do_not_name_places_of_one_machine() -> None:
    for page in WRITTEN:
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"(?<![\w.])/(?:home|tmp|root|work|Users)/", text), page.name


def made_up_summary(kinds: tuple[str, ...]) -> dict[str, Any]:
    from exonym.reports.verdict import NAMES

    row = {"accuracy": 0.25, "low": 0.2, "high": 0.31, "questions": 1234, "by_language": {}}
    return {
        "exonym": "0.1.0",
        "seed": 3,
        "atlas": {"entities": 600},
        "corpus": {"languages": {"en": {}, "sw": {}}},
        "seconds": 90.0,
        "peak_memory_mib": 1024.4,
        "threads": 2,
        "cloze": {kind: dict.fromkeys(NAMES, row) for kind in kinds},
    }


@pytest.mark.parametrize("kinds", [("untold", "control"), ("untold",)])
def test_written_figures_stand_in_the_readme_and_are_kept(
    kinds: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import readme_figures

    readme, kept = tmp_path / "README.md", tmp_path / "results" / "quickstart.json"
    readme.write_text("before\n<!-- quickstart:begin -->\nold\n<!-- quickstart:end -->\nafter\n")
    monkeypatch.setattr(readme_figures, "README", readme)
    monkeypatch.setattr(readme_figures, "KEPT", kept)
    path = tmp_path / "summary.json"
    path.write_text(json.dumps(made_up_summary(kinds)), encoding="utf-8")
    assert readme_figures.main([str(path), "--write"]) == 0
    printed = capsys.readouterr().out
    assert readme.read_text(encoding="utf-8") == (
        f"before\n<!-- quickstart:begin -->\n{printed}<!-- quickstart:end -->\nafter\n"
    )
    cells = " | ".join(["0.250 (0.200 to 0.310)"] * len(kinds))
    assert f"\n| mLUKE-E([X]&[Y]) | {cells} |\n" in printed
    assert "1,234 questions" in printed
    assert "1.5 minutes and at most 1,024 MiB on 2 threads." in printed
    assert readme_figures.main([]) == 0
    assert capsys.readouterr().out == printed
