"""The report of training runs, on folders of made-up figures."""

from __future__ import annotations

import re
import shutil
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html
from made_up_run import LANGUAGES, losses, recipe, records, write_run
from test_quickstart_report import HOSTILE, Balance, text_of

from exonym.cli.report import report
from exonym.foundation.errors import FormatError, InputError, MissingExtraError
from exonym.reports import read_run, run_state, summarise, write_run_report
from exonym.reports.run_charts import shown, thinned
from exonym.reports.runs import RUN_FORMAT, Run, Series


def page(out: Path, *paths: Path) -> html.HtmlElement:
    written = write_run_report([read_run(path) for path in paths], out / "report.html")
    return html.fromstring(written.read_text(encoding="utf-8"))


def table(tree: html.HtmlElement, caption: str) -> list[list[str]]:
    """A table's rows, its head first."""
    found = [
        t for t in tree.xpath("//table") if text_of(t.xpath("./caption")[0]).startswith(caption)
    ]
    assert len(found) == 1, f"{len(found)} tables begin with {caption!r}"
    return [[text_of(cell) for cell in row.xpath("./*")] for row in found[0].xpath(".//tr")]


def curves(tree: html.HtmlElement, key: str) -> list[tuple[str, int]]:
    """Colour and number of points of every line of a chart, grid and legend left out."""
    chart = tree.xpath(f"//svg[starts-with(@aria-labelledby, '{key}-title')]")[0]
    lines = []
    for line in chart.xpath("./polyline"):
        colour = re.search(r"stroke:var\(--([a-z-]+)\)", line.get("style"))
        assert colour is not None
        if colour[1] != "rule" and not line.get("style").endswith(("width:2", "4 3")):
            lines.append((colour[1], len(line.get("points").split())))
    return lines


@pytest.fixture
def middle(tmp_path: Path) -> Path:
    """A run killed, or still going, at step 230 of its second stage."""
    return write_run(tmp_path / "middle", steps=330, checkpoints=("00-00000100", "01-00000200"))


@pytest.fixture
def done(tmp_path: Path) -> Path:
    return write_run(tmp_path / "done", finished=True, worse=0.5)


# --- reading --------------------------------------------------------------------------------


def test_a_run_in_the_middle_says_where_it_is_and_how_long_it_takes(middle: Path) -> None:
    found = summarise(read_run(middle))
    assert found["stage"] == "all"
    assert (found["step"], found["stage_steps"]) == (230, 400)
    assert (found["steps_done"], found["steps"]) == (330, 500)
    assert found["seconds_per_step"] == pytest.approx(0.5)
    assert found["seconds_left"] == pytest.approx(85)
    assert found["train"]["words"] == losses(330 / 500, 930)["words"]
    assert found["held_out"]["entities"] == losses(300 / 500, 60)["entities"] + 0.25
    assert set(found["languages"]) == set(LANGUAGES)
    assert found["languages"]["sw"]["train"]["words_targets"] == 30
    assert found["checkpoints"] == [
        {"stage": "entities", "step": 100, "bytes": 3 * 2**20 + 18, "held_out": 4.125},
        {"stage": "all", "step": 200, "bytes": 3 * 2**20 + 18, "held_out": 4.125},
    ]
    assert found["passed_over"] == {}
    assert not found["finished"]
    orjson.dumps(found)


def test_the_pace_is_that_of_the_last_lines(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", steps=300)
    with (run / "metrics.jsonl").open("ab") as stream:
        for step in range(210, 320, 10):
            line = {"stage": "all", "stage_index": 1, "step": step, "seconds": 40.0}
            stream.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
    found = summarise(read_run(run))
    assert found["seconds_per_step"] == pytest.approx(4.0)
    assert found["seconds_left"] == pytest.approx(90 * 4.0)


def test_machines_that_a_run_was_on_are_all_named(tmp_path: Path) -> None:
    machines = [{"exonym": "0.1.0", "threads": 2}, {"exonym": "0.2.0", "threads": 8}]
    moved = write_run(tmp_path / "moved", steps=20, machines=machines)
    rows = table(page(tmp_path, moved), "What moved runs with")
    assert [row for row in rows if "threads" in row[0]] == [
        ["threads (1 of 2)", "2"], ["threads (2 of 2)", "8"],
    ]  # fmt: skip
    older = write_run(tmp_path / "older", steps=20, machines=None, versions={"exonym": "0.0.9"})
    assert "Exonym 0.0.9" in text_of(page(tmp_path, older))


def test_a_finished_run_needs_no_more_time(done: Path) -> None:
    run = read_run(done)
    assert run_state(run) == "finished: 500 steps"
    assert summarise(run)["seconds_left"] is None


def test_a_run_that_has_just_begun_has_a_report(tmp_path: Path) -> None:
    begun = write_run(tmp_path / "begun", steps=0)
    assert run_state(read_run(begun)) == "has begun; no step is logged yet"
    tree = page(tmp_path, begun)
    assert "No loss is logged yet." in text_of(tree)
    assert tree.xpath("//svg") == []
    assert summarise(read_run(begun))["seconds_per_step"] is None


def test_one_line_alone_is_enough_for_a_pace(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path / "run", steps=10))
    assert run.seconds_per_step() == pytest.approx(0.5)


def test_a_line_cut_in_half_is_counted_and_the_others_are_there(
    middle: Path, tmp_path: Path
) -> None:
    path = middle / "metrics.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(
        b"".join([*lines[:5], lines[5][:40] + b"\n", b"[]\n", *lines[6:-1], lines[-1][:99]])
    )
    run = read_run(middle)
    assert dict(run.unread) == {
        "not a line of metrics": 2,
        "the last line is cut short (being written, or the run was killed)": 1,
    }
    assert len(run.total["train"]) + len(run.total["held_out"]) == len(lines) - 2
    assert run.place == (1, 220)
    rows = table(page(tmp_path, middle), "Passed over")
    assert ["middle", "not a line of metrics", "2"] in rows


@settings(max_examples=25)
@given(st.data())
def test_a_file_cut_anywhere_can_be_read(data: st.DataObject) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        path = write_run(Path(name) / "run", steps=60)
        whole = (path / "metrics.jsonl").read_bytes()
        end = data.draw(st.integers(0, len(whole)))
        (path / "metrics.jsonl").write_bytes(whole[:end])
        run = read_run(path)
        read = sum(len(series) for series in run.total.values())
        assert read == whole[:end].count(b"\n")
        assert sum(run.unread.values()) == (0 if end == 0 or whole[end - 1 : end] == b"\n" else 1)


def test_an_old_run_without_kinds_languages_and_times_is_training(tmp_path: Path) -> None:
    old = write_run(tmp_path / "old", steps=200, old=True)
    found = summarise(read_run(old))
    assert found["train"]["words"] == 9 - 200 / 500
    assert found["held_out"] == {}
    assert found["seconds_left"] is None
    tree = page(tmp_path, old)
    assert "The metrics have no figures by language." in text_of(tree)
    assert table(tree, "Losses (nats)")[1:] == [["masked words", "8.600", "0.100", "–", "–"]]


def test_keys_kinds_and_values_unknown_here_do_no_harm(middle: Path, tmp_path: Path) -> None:
    with (middle / "metrics.jsonl").open("ab") as stream:
        for record in (
            {"kind": "of tomorrow", "stage_index": 1, "step": 240},
            {"stage": "all", "stage_index": 1, "step": 240, "words": "many", "entities": None,
             "new": {"deep": [1]}, "languages": {"en": None, "ja": {"words": "x"}}},
            {"stage": "all", "stage_index": "1", "step": 250},
        ):  # fmt: skip
            stream.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
    run = read_run(middle)
    assert run.place == (1, 240)
    assert run.total["train"].last("words") is None
    assert run.languages["train"]["ja"].last("words") is None
    assert dict(run.unread) == {
        "of the kind 'of tomorrow', which this version does not know": 1,
        "not a line of metrics": 1,
    }
    page(tmp_path, middle)


def test_a_half_written_checkpoint_is_counted(middle: Path) -> None:
    (middle / "checkpoints" / "01-00000200" / "state.json").write_bytes(b'{"held_')
    (middle / "checkpoints" / ".01-00000300.partial-77").mkdir()
    run = read_run(middle)
    assert [saved.step for saved in run.checkpoints] == [100]
    assert dict(run.unread) == {"a checkpoint that is not whole": 1}


def test_stages_beyond_the_recipe_are_counted_by_what_is_logged(tmp_path: Path) -> None:
    short = recipe()
    short["stages"] = [{"name": "entities"}]
    run = read_run(write_run(tmp_path / "run", steps=330, recipe=short))
    assert run.steps is None
    assert run.steps_done == 330
    assert run.stage_name == "all"
    assert run.seconds_left() is None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda _: None, r"not a run folder \(no such folder\)"),
        (lambda path: path.write_text("x"), r"not a run folder \(is a file\)"),
        (lambda path: path.mkdir(), r"not a run folder \(no manifest\.json in it\)"),
        (lambda path: write_run(path, format="exonym-corpus"), "found 'exonym-corpus'"),
        (lambda path: write_run(path, recipe=None), "field recipe"),
        (lambda path: write_run(path, recipe={"name": "x"}), r"field recipe\.stages: .*missing"),
    ],
)
def test_a_folder_that_is_no_run_is_a_clean_error(
    tmp_path: Path, make: Callable[[Path], object], message: str
) -> None:
    make(tmp_path / "x")
    with pytest.raises(InputError, match=message) as caught:
        read_run(tmp_path / "x")
    assert "exonym pretrain --out" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_damaged_manifest_is_a_clean_error(middle: Path) -> None:
    (middle / "manifest.json").write_bytes(b'{"format": "exonym-')
    with pytest.raises(FormatError, match=r"manifest\.json: not valid JSON"):
        read_run(middle)


def test_the_format_is_that_of_the_folders_that_training_makes() -> None:
    from exonym.training.run_folder import FORMAT

    assert FORMAT == RUN_FORMAT


# --- curves ---------------------------------------------------------------------------------


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.floats(-5, 5), st.integers(1, 9)), max_size=300),
    st.integers(2, 40),
)
def test_a_thinned_curve_keeps_the_mean_and_its_place(
    lines: list[tuple[int, float, int]], most: int
) -> None:
    lines.sort(key=lambda line: line[0])
    series = Series(("words", "words_targets"))
    for step, (stage, value, targets) in enumerate(lines):
        series.append(stage, step, {"words": value, "words_targets": targets})
    run = Run(Path(), {}, None, False, {"train": series}, {}, Counter())  # type: ignore[arg-type]
    object.__setattr__(run, "recipe", type("R", (), {"stages": [{"steps": 1000}] * 4})())
    pieces = thinned(series, "words", run, most, weight="words_targets")
    assert len(pieces) == len({stage for stage, _, _ in lines})
    assert sum(map(len, pieces)) <= most + 2 * len(pieces)
    for piece, stage in zip(pieces, sorted({stage for stage, _, _ in lines}), strict=True):
        of_stage = [(value, n) for s, value, n in lines if s == stage]
        first = 1000 * stage + [s for s, _, _ in lines].index(stage)
        assert [x for x, _ in piece] == sorted(x for x, _ in piece)
        assert first <= piece[0][0] <= piece[-1][0] <= first + len(of_stage) - 1
        low, high = min(v for v, _ in of_stage), max(v for v, _ in of_stage)
        assert all(low - 1e-9 <= y <= high + 1e-9 for _, y in piece)
    if most == 2 and len(lines) > 2 and len(pieces) == 1:
        half = len(lines) // 2
        wanted = np.average([v for _, v, _ in lines[:half]], weights=[n for *_, n in lines[:half]])
        assert pieces[0][0][1] == pytest.approx(float(wanted))


def test_a_long_run_gives_a_page_that_is_not_long(tmp_path: Path) -> None:
    long = recipe()
    long["stages"][1]["steps"] = 10**6
    run = write_run(tmp_path / "run", steps=0, recipe=long)
    template = next(iter(records(10)))
    with (run / "metrics.jsonl").open("wb") as stream:
        for step in range(10, 60_000, 10):
            line = {**template, "stage": "all", "stage_index": 1, "step": step}
            stream.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
    tree = page(tmp_path, run)
    assert curves(tree, "words-loss") == [("words", 300)]
    assert (tmp_path / "report.html").stat().st_size < 300_000


def test_every_objective_and_figure_has_a_chart_and_every_language_one(
    middle: Path, tmp_path: Path
) -> None:
    tree = page(tmp_path, middle)
    keys = [str(value).split("-title")[0] for value in tree.xpath("//svg/@aria-labelledby")]
    assert keys == [
        "words-loss", "words-accuracy", "entities-loss", "entities-accuracy",
        "words-0", "words-1", "words-2", "entities-0", "entities-1", "entities-2",
        "learning-rate", "gradient-norm", "words-per-second", "entities-per-second", "memory-mib",
    ]  # fmt: skip
    # Two stages, not joined: ten lines of the first and 23 of the second.
    assert curves(tree, "words-loss") == [("words", 10), ("words", 23)]
    chart = tree.xpath("//svg[starts-with(@aria-labelledby, 'words-loss')]")[0]
    assert len(chart.xpath("./circle")) == 6, "a dot for every held-out line"
    said = text_of(chart.xpath("./desc")[0])
    assert said == "training from 8.88 to 5.04; held out from 8.65 to 5.65."
    names = [text_of(c) for c in tree.xpath("//div[@class='small']//figcaption")]
    assert names == ["English", "Japanese", "Swahili"] * 2, "most training first"


def test_several_runs_are_laid_over_each_other(middle: Path, done: Path, tmp_path: Path) -> None:
    tree = page(tmp_path, middle, done)
    assert curves(tree, "words-loss") == [
        ("line-a", 10), ("line-a", 23), ("line-b", 10), ("line-b", 40),
    ]  # fmt: skip
    rows = table(tree, "Losses (nats)")
    assert [row[0] for row in rows[1:]] == [
        "middle: masked words", "middle: masked entities",
        "done: masked words", "done: masked entities",
    ]  # fmt: skip
    assert rows[1][1:] == ["5.040", "0.430", "5.650", "0.400"]
    where = {row[0]: row for row in table(tree, "Where it is")[1:]}
    assert where["middle"][2:5] == ["all", "230 of 400", "330 of 500"]
    assert where["middle"][5:7] == ["0.5 s", "1 min 25 s"]
    assert where["done"][2] == "finished"


def test_runs_of_equal_folder_names_are_told_apart(tmp_path: Path) -> None:
    paths = [write_run(tmp_path / name / "run", steps=20) for name in ("a", "b")]
    labels = [one.label for one in shown([read_run(path) for path in paths])]
    assert labels == [str(path) for path in paths]


# --- the page -------------------------------------------------------------------------------


def test_recipe_departures_stages_and_checkpoints_appear(middle: Path, tmp_path: Path) -> None:
    tree = page(tmp_path, middle)
    assert table(tree, "Departures")[1] == ["batch_sequences", "96", "2,048", "a small corpus"]
    stages = table(tree, "Stages of middle")
    assert stages[1][1:4] == [
        "100 of 100",
        "what XLM-R lacks (entity embeddings and entity head)",
        "masked words, masked entities",
    ]
    assert stages[2][2] == (
        "luke.encoder.layer.1*, what XLM-R lacks (entity embeddings and entity head); not *.bias; "
        "what XLM-R lacks (entity embeddings and entity head) at 0.5 times the rate"
    )
    assert table(tree, "Checkpoints")[1:] == [
        ["middle", "entities", "100", "3", "4.125"],
        ["middle", "all", "200", "3", "4.125"],
    ]
    by_language = table(tree, "Last values by language")
    assert [row[0] for row in by_language[1:]] == ["English", "Japanese", "Swahili"]
    assert by_language[3][1:5] == ["5.240", "0.430", "5.650", "0.400"]
    assert "torch" in text_of(tree)
    last = datetime.fromtimestamp((middle / "metrics.jsonl").stat().st_mtime, UTC)
    assert f"{last:%Y-%m-%d %H:%M} UTC" in text_of(tree)


def test_the_page_is_whole_refers_to_nothing_else_and_is_equal_for_equal_folders(
    middle: Path, done: Path, tmp_path: Path
) -> None:
    tree = page(tmp_path, middle, done)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    balance = Balance()
    balance.feed(re.sub(r"<(\w+)([^<>]*)/>", r"<\1\2></\1>", text))
    assert balance.open == []
    ids = Counter(tree.xpath("//@id"))
    assert [name for name, number in ids.items() if number > 1] == []
    assert {str(link).removeprefix("#") for link in tree.xpath("//@href")} <= set(ids)
    named = " ".join(str(value) for value in tree.xpath("//@aria-labelledby"))
    assert set(named.split()) <= set(ids)
    assert "http" not in text
    assert "@import" not in text
    assert tree.xpath("//script | //link | //img | //iframe | //object | //@src") == []
    used = set(re.findall(r"var\((--[a-z-]+)\)", text))
    assert used <= set(re.findall(r"(--[a-z-]+):", text))
    assert "nan" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL).lower().split()
    page(tmp_path, middle, done)
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == text


def test_hostile_names_are_shown_and_not_obeyed(tmp_path: Path) -> None:
    hostile = recipe(HOSTILE)
    hostile["stages"][0]["name"] = hostile["departures"]["batch_sequences"] = HOSTILE
    run = write_run(tmp_path / "<b>run", steps=200, recipe=hostile, machines=[{"exonym": HOSTILE}])
    line = {"stage": "x", "stage_index": 1, "step": 110, "languages": {HOSTILE: losses(0.5, 10)}}
    with (run / "metrics.jsonl").open("ab") as stream:
        stream.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
    tree = page(tmp_path, run)
    assert tree.xpath("//script | //img | //@onerror | //h1/b") == []
    assert HOSTILE in tree.text_content()


def test_a_failed_report_leaves_the_old_one(
    middle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page(tmp_path, middle)
    before = (tmp_path / "report.html").read_bytes()

    def fails(*_: object) -> None:
        raise OSError("disk")

    monkeypatch.setattr("os.fsync", fails)
    with pytest.raises(OSError, match="disk"):
        page(tmp_path, middle)
    assert (tmp_path / "report.html").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("name", ["manifest.json", "report", "folder.html"])
def test_a_page_goes_only_where_a_page_may(middle: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(InputError, match=r"HTML file\. Give a name that ends in \.html"):
        write_run_report([read_run(middle)], tmp_path / name)


def test_matplotlib_is_not_needed(
    middle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    page(tmp_path, middle)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtraError, match="jinja2"):
        page(tmp_path, middle)


# --- the command ----------------------------------------------------------------------------


def run_command(*arguments: object) -> Any:
    from typer.testing import CliRunner

    app = typer.Typer()
    app.command()(report)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_command_prints_a_table_and_writes_into_the_run(middle: Path) -> None:
    ended = run_command(middle)
    assert ended.exit_code == 0, ended.output
    lines = ended.stdout.splitlines()
    assert lines[0].replace("\N{NO-BREAK SPACE}", " ") == (
        f"{middle}: made-up, stage all, step 230 of 400, 66.0 % of all steps, "
        "1 min 25 s left at this pace"
    )
    assert lines[2].split() == [
        "objective", "loss", "accuracy", "held-out", "loss", "held-out", "accuracy",
    ]  # fmt: skip
    assert lines[3].split() == ["masked", "words", "5.040", "0.430", "5.650", "0.400"]
    assert lines[4].split() == ["masked", "entities", "3.360", "0.528", "3.850", "0.480"]
    assert lines[-1] == f"Everything in detail: {middle / 'report.html'}"
    assert (middle / "report.html").is_file()


def test_several_runs_go_into_one_page(
    middle: Path, done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = run_command(middle, done)
    assert ended.exit_code == 0, ended.output
    assert (tmp_path / "report.html").is_file()
    assert [line.split()[0] for line in ended.stdout.splitlines()[4:8]] == [
        str(middle), str(middle), str(done), str(done),
    ]  # fmt: skip


def test_json_has_the_last_values(middle: Path, tmp_path: Path) -> None:
    ended = run_command(middle, "--json", "--out", tmp_path / "x.html")
    found = orjson.loads(ended.stdout)
    assert found["report"] == str(tmp_path / "x.html")
    assert [run["steps_done"] for run in found["runs"]] == [330]


def test_what_was_passed_over_is_said(middle: Path) -> None:
    with (middle / "metrics.jsonl").open("ab") as stream:
        stream.write(b"half")
    assert "passed over: 1 (the last line is cut short" in run_command(middle).stdout


def test_a_run_that_vanishes_is_an_error_before_anything_is_written(
    middle: Path, tmp_path: Path
) -> None:
    shutil.rmtree(middle)
    ended = run_command(middle, "--out", tmp_path / "x.html")
    assert isinstance(ended.exception, InputError)
    assert not (tmp_path / "x.html").exists()
