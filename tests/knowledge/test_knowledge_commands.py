"""``exonym kb``: what a person sees and what a program reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from exonym.cli.kb import app
from exonym.foundation.errors import ExonymError
from exonym.knowledge import KnowledgeBase


def _run(*arguments: object) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def _json(*arguments: object) -> Any:
    return json.loads(_run(*arguments, "--json").stdout)


def test_build_takes_several_paths_after_dumps_and_reports(dumps: Path, tmp_path: Path) -> None:
    files = sorted(path for path in dumps.iterdir() if "wiki" in path.name)
    result = _run("build", "--dumps", *files, "--out", tmp_path / "kb")
    assert result.exit_code == 0
    assert "dewiki-20260101-pages-articles.xml.bz2" in result.stdout
    assert "exonym kb lookup" in result.stdout
    assert KnowledgeBase.open(tmp_path / "kb").languages == ("de", "ja")


def test_build_without_wikidata_says_so(dumps: Path, tmp_path: Path) -> None:
    options = ("--dumps", dumps / "jawiki-20260102-pages-articles.xml", "--out", tmp_path / "kb")
    assert "No Wikidata dump" in _run("build", *options).stdout


def test_build_restricts_languages_and_prints_json(dumps: Path, tmp_path: Path) -> None:
    manifest = _json("build", "--dumps", dumps, "--out", tmp_path / "kb", "--languages", "ja")
    assert list(manifest["languages"]) == ["ja"]


def test_show_prints_the_counts_or_the_manifest(kb: KnowledgeBase) -> None:
    assert _json("show", kb.path) == kb.manifest
    shown = _run("show", kb.path).stdout
    assert "Passed over README.txt: not a dump" in shown
    assert "claim about an item left out: 1" in shown


@pytest.mark.parametrize("query", ["Q1490", "ja:東京都", "Tokio", "Tōkyō", "東京"])
def test_lookup_finds_by_item_title_key_title_redirect_and_name(
    kb: KnowledgeBase, query: str
) -> None:
    found = _json("lookup", kb.path, query)
    assert found["entity"]["key"] == "Q1490"
    assert found["entity"]["languages"]["ja"]["title"] == "東京都"
    assert found["entity"]["triples"][0]["object"] == "Q17"


def test_lookup_shows_names_candidates_and_facts_with_labels(kb: KnowledgeBase) -> None:
    shown = _run("lookup", kb.path, "Japan", "--language", "de").stdout
    for part in ("Q17", "日本", "das Land (1)", "P36 Hauptstadt", "Q1490 Tokio", "1.000"):
        assert part in shown


def test_lookup_says_how_often_a_name_is_a_link_and_show_takes_a_query_too(
    kb: KnowledgeBase,
) -> None:
    shown = _run("lookup", kb.path, "東京", "--language", "ja").stdout
    assert "A link of all times that it stands in the text: ja 0.500" in shown
    assert _json("show", kb.path, "東京") == _json("lookup", kb.path, "東京")


def test_a_dry_run_says_what_a_build_takes_and_writes_nothing(
    dumps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("--dumps", dumps, "--out", tmp_path / "kb", "--dry-run")
    shown = _run("build", *options).stdout
    assert "GB of memory. Nothing was written." in shown
    assert not list(tmp_path.iterdir())
    expected = _json("build", *options)
    assert {row[0] for row in expected["files"]} >= {"dewiki-20260101-pages-articles.xml.bz2"}
    assert expected["free_gb"] > 0
    monkeypatch.setattr("exonym.wikimedia.estimate.WIKI_DISK", 1e15)
    with pytest.raises(ExonymError, match=r"needs about .* GB of disk, .* GB are free"):
        _run("build", *options[:-1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("Nirgendwo",), "nothing is called 'Nirgendwo'"), (("Q17", "--language", "fr"), "only de")],
)
def test_lookup_of_nothing_says_what_to_do(
    kb: KnowledgeBase, arguments: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ExonymError, match=message):
        _run("lookup", kb.path, *arguments)


@pytest.mark.parametrize("command", ["build", "show", "lookup"])
def test_help_has_an_example(command: str) -> None:
    assert f"Example: exonym kb {command}" in " ".join(_run(command, "--help").stdout.split())
