"""The paper re-run: from dumps to claims on a tiny world, and its plan at the paper's scale."""

from __future__ import annotations

import dataclasses
import json
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from exonym.analysis.resampling import Interval
from exonym.cli.app import app
from exonym.foundation.errors import ConfigError, FormatError, InputError
from exonym.systems.reproduction import Reproduction, ReproductionOptions, plan
from exonym.systems.reproduction.checks import check_data
from exonym.systems.reproduction.claims import CLAIMS, judge
from exonym.systems.reproduction.comparing import (
    by_language,
    difference_of_halves,
    difference_over_seeds,
    mean_over_seeds,
)
from exonym.systems.reproduction.folder import open_folder
from exonym.systems.reproduction.items import Halves, Items
from exonym.systems.reproduction.paper import FIGURES, average_of
from exonym.systems.reproduction.published import commands, totals
from exonym.systems.reproduction.questions import groups_of
from exonym.systems.reproduction.tables import TABLES
from exonym.tasks.qa.records import QuestionExample
from exonym.text import AnnotatedText
from exonym.text.languages import MLUKE_LANGUAGES

TABLE = Path(__file__).resolve().parents[1] / "data" / "tiny_table.jsonl"
OPTIONS = ReproductionOptions(
    seeds=1,
    entities=None,
    table=TABLE,
    languages=("en", "de", "ja"),
    changes=(
        "batch_sequences=8", "model.hidden_size=16", "model.entity_emb_size=8",
        "model.num_hidden_layers=1", "model.num_attention_heads=2", "model.intermediate_size=24",
        "stages.backbone.steps=2", "stages.entities.steps=2", "stages.all.steps=6",
    ),
    vocabulary_size=400,
    train=24,
    validation=4,
    test=12,
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _short_training() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for task, recipe in plan.TRAINING.items():
            patch.setitem(plan.TRAINING, task, replace(recipe, epochs=1))
        yield


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("reproduction") / "out"
    return out, Reproduction(out, OPTIONS).run()


def figures(summary: dict[str, Any]) -> str:
    return json.dumps([summary["tables"], summary["claims"]], sort_keys=True)


def test_every_table_has_its_rows_and_every_claim_an_outcome(
    done: tuple[Path, dict[str, Any]],
) -> None:
    out, summary = done
    assert list(summary["tables"]) == list(TABLES)
    for name, rows in summary["tables"].items():
        assert [row["row"] for row in rows] == list(TABLES[name].rows)
        for row in rows:
            for score in row["scores"].values():
                assert score["low"] <= score["high"]
    languages = {row["row"]: set(row["by_language"]) for row in summary["tables"]["ner"]}
    assert list(languages) == ["words_only", "mluke_w", "mluke_e"]
    assert all(codes == {"de", "en", "ja"} for codes in languages.values())
    assert {"de, asked in en", "en, asked in de"} == set(summary["tables"]["xqa"][0]["by_language"])
    assert [claim["text"] for claim in summary["claims"]] == [claim.text for claim in CLAIMS]
    assert json.loads((out / "summary.json").read_bytes())["seeds"] == [0]
    assert (out / "seed-0" / "random" / "model.safetensors").is_file()


def test_what_is_done_is_not_done_again_and_what_is_lost_comes_out_the_same(
    done: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    out, summary = done
    again = tmp_path / "out"
    shutil.copytree(out, again)
    lost = ["relation-mluke_e-0.json", "cloze-mluke_w-0.json", "retrieval-mluke_e-0.json"]
    for name in lost:
        (again / "measured" / name).unlink()
    shutil.rmtree(again / "tuned" / "relation" / "mluke_e-0")
    (again / ".kb.partial-1").mkdir()  # what a process may leave that dies while it writes
    before = {path: path.stat().st_mtime_ns for path in again.rglob("*.safetensors")}
    assert figures(Reproduction(again, OPTIONS).run()) == figures(summary)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert not list(again.glob(".*"))


def test_a_folder_takes_more_seeds_but_no_other_options(
    done: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    out, _ = done
    open_folder(out, replace(OPTIONS, seeds=5), overwrite=False)
    with pytest.raises(InputError, match=r"other options \(test, train\).*--overwrite"):
        open_folder(out, replace(OPTIONS, train=9, test=9), overwrite=False)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError):
        open_folder(tmp_path, OPTIONS, overwrite=True)
    assert (tmp_path / "notes.txt").exists()


def test_a_world_that_is_too_small_for_a_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"too small|no fact|too few"):
        Reproduction(tmp_path / "out", replace(OPTIONS, entities=3)).run()


def test_tasks_need_english_and_another_language() -> None:
    for languages in (("de", "ja"), ("en",)):
        with pytest.raises(ConfigError, match="give en and others"):
            replace(OPTIONS, languages=languages)
    with pytest.raises(ConfigError, match="seeds"):
        replace(OPTIONS, seeds=0)


# Intervals.


def items(rights: list[list[float]]) -> Items:
    """Questions that are asked in two languages; each row is a question's scores."""
    table = [[score, 1.0] for row in rights for score in row]
    codes = ("de", "ja") * len(rights)
    clusters = tuple(str(number) for number, row in enumerate(rights) for _ in row)
    return Items(codes, clusters, np.asarray(table))


def share(sums: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.asarray(sums[..., 0] / np.maximum(sums[..., 1], 1))


def random_items(seed: int, rate: float, count: int = 40) -> Items:
    rng = np.random.default_rng(seed)
    return items((rng.random((count, 2)) < rate).astype(float).tolist())


def test_a_model_does_not_differ_from_itself() -> None:
    runs = [random_items(seed, 0.5) for seed in range(3)]
    same = difference_over_seeds(runs, runs, share)
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_the_interval_is_that_of_drawing_questions_and_seeds_by_hand() -> None:
    ours, theirs = ([random_items(seed + at, rate) for seed in range(3)] for at, rate in
                    ((0, 0.6), (10, 0.4)))  # fmt: skip
    found = difference_over_seeds(ours, theirs, share, draws=4000)
    rng, drawn = np.random.default_rng(5), []
    gaps = [
        (one.table[:, 0] - two.table[:, 0]).reshape(-1, 2)
        for one, two in zip(ours, theirs, strict=True)
    ]
    for _ in range(4000):
        questions, seeds = rng.integers(40, size=40), rng.integers(3, size=3)
        drawn.append(np.mean([gaps[seed][questions].mean() for seed in seeds]))
    assert found.value == pytest.approx(np.mean(gaps))
    assert [found.low, found.high] == pytest.approx(np.quantile(drawn, (0.025, 0.975)), abs=0.02)
    assert found.clusters == 40


def test_seeds_that_disagree_widen_the_interval() -> None:
    steady = [random_items(1, 0.5)] * 3
    apart = [random_items(1, rate) for rate in (0.1, 0.5, 0.9)]
    narrow, wide = (mean_over_seeds(runs, share) for runs in (steady, apart))
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


def test_figures_by_language_are_means_over_seeds() -> None:
    runs = [items([[1, 0], [1, 0]]), items([[0, 1], [1, 0]])]
    assert by_language(runs, share) == {"de": 0.75, "ja": 0.25}


def test_models_that_were_measured_on_other_items_are_not_compared() -> None:
    with pytest.raises(InputError, match="same items"):
        difference_over_seeds([random_items(1, 0.5, 40)], [random_items(1, 0.5, 39)], share)
    with pytest.raises(InputError, match="runs of one model"):
        difference_over_seeds([random_items(1, 0.5)] * 2, [random_items(1, 0.5)], share)


def test_halves_are_compared_half_by_half() -> None:
    base = np.random.default_rng(0).normal(0.5, 0.1, 50)
    ours = [Halves(0.6, tuple(base + 0.1), 40, {})]
    theirs = [Halves(0.5, tuple(base), 40, {})]
    found = difference_of_halves(ours, theirs)
    assert (found.value, found.low, found.high) == pytest.approx((0.1, 0.1, 0.1))


def test_what_was_measured_is_read_back(tmp_path: Path) -> None:
    first, second = tmp_path / "measured" / "a.json", tmp_path / "b.json"
    kept, half = random_items(3, 0.5), Halves(0.25, (0.2, 0.3), 7, {"de": 0.5})
    kept.write(first)
    half.write(second)
    read = Items.read(first)
    assert (read.languages, read.clusters) == (kept.languages, kept.clusters)
    assert (read.table == kept.table).all()
    assert Halves.read(second) == half
    for read_it, path in ((Items.read, second), (Halves.read, first)):
        with pytest.raises(FormatError, match=r"not what was measured.*Delete it"):
            read_it(path)


def test_questions_about_one_passage_are_one_group_in_all_languages() -> None:
    def asked(number: str, language: str, passage: str) -> QuestionExample:
        text = AnnotatedText(passage, language)
        return QuestionExample(number, AnnotatedText("?", language), text)

    english = [asked("1", "en", "a"), asked("2", "en", "a"), asked("3", "en", "b")]
    swahili = [asked("2", "sw", "x"), asked("4", "sw", "x"), asked("3", "sw", "y")]
    assert groups_of([english, swahili]) == {"1": "1", "2": "1", "3": "3", "4": "1"}


# Claims and the paper's figures.


@pytest.mark.parametrize(
    ("table", "low", "high", "outcome"),
    [
        ("qa", 0.01, 0.03, "comes out"),
        ("qa", -0.03, -0.01, "does not come out"),
        ("qa", -0.01, 0.03, "cannot be said"),
        ("qa", 0.0, 0.0, "cannot be said"),
        ("modularity", -0.03, -0.01, "comes out"),
        ("modularity", 0.01, 0.03, "does not come out"),
    ],
)
def test_a_claim_comes_out_where_the_interval_lies_on_its_side(
    table: str, low: float, high: float, outcome: str
) -> None:
    claim = next(claim for claim in CLAIMS if claim.table == table)
    assert judge(claim, Interval((low + high) / 2, low, high, 9)).outcome == outcome
    assert judge(claim, None).outcome == "cannot be said"


def test_claims_speak_of_rows_that_are_measured() -> None:
    for claim in CLAIMS:
        assert {claim.better, claim.worse} <= set(TABLES[claim.table].rows)
    assert len({claim.text for claim in CLAIMS}) == len(CLAIMS)


def test_the_papers_figures_have_sources_and_places() -> None:
    for figure in FIGURES:
        assert figure.source
        assert figure.row is None or figure.row in TABLES[figure.table].rows
        assert figure.row is not None or not figure.average
    published = average_of("qa", "mluke_e")
    assert published is not None
    assert published.value == 74.2
    assert average_of("ner", "mluke_e") is None
    assert len({(figure.table, figure.what) for figure in FIGURES}) == len(FIGURES)


def test_the_average_of_the_released_model_is_that_of_its_languages() -> None:
    released = [one for one in FIGURES if one.table == "ner" and "released" in one.what]
    (average,) = (one for one in released if "average" in one.what)
    languages = [one.value for one in released if one is not average]
    assert len(languages) == 4
    assert average.value == pytest.approx(sum(languages) / 4, abs=0.05)


# The paper's scale.


def parsed(line: str) -> dict[str, Any]:
    """A command line, as Exonym understands it."""
    program, *words = shlex.split(line)
    assert program == "exonym"
    command: Any = typer.main.get_command(app)
    path: list[str] = []
    while hasattr(command, "commands"):
        path.append(words.pop(0))
        command = command.commands[path[-1]]
    with command.make_context(" ".join(path), words) as context:
        params: dict[str, Any] = context.params
        return params


def test_every_command_of_the_plan_is_one_that_exonym_understands() -> None:
    steps = commands(Path("data"), Path("out"), wiki_bytes=10**9)
    for step in steps:
        assert parsed(step.line)
    days, disk = totals(steps)
    assert 50 < days < 1000
    assert disk > 10
    assert [step.disk_gb for step in steps if " kb build " in step.line] == [pytest.approx(1.76)]


def test_facts_are_asked_for_both_tables_in_the_languages_that_are_there(tmp_path: Path) -> None:
    def asked(data: Path) -> list[dict[str, Any]]:
        lines = [step.line for step in commands(data, Path("out")) if " cloze " in step.line]
        return [parsed(line) for line in lines]

    assert [one["unknown"] for one in asked(tmp_path)] == ["leave-out", "words"]
    assert len({one["out"] for one in asked(tmp_path)}) == 2
    assert all(one["candidates"] == "typed" and one["keep_going"] for one in asked(tmp_path))
    assert {one["languages"] for one in asked(tmp_path)} == {",".join(MLUKE_LANGUAGES)}
    for code in ("ca", "de", "ja"):
        (tmp_path / "mlama" / code).mkdir(parents=True)
    assert {one["languages"] for one in asked(tmp_path)} == {"de,ja"}


def test_a_dry_run_reads_facts_as_the_plan_does(tmp_path: Path) -> None:
    folder = tmp_path / "mlama" / "de"
    folder.mkdir(parents=True)
    templates = [{"relation": "P36", "template": "[X] [Y]"}, {"relation": "P1", "template": "[X]"}]
    (folder / "templates.jsonl").write_text("\n".join(map(json.dumps, templates)))
    fact = dict.fromkeys(("sub_uri", "sub_label", "obj_uri", "obj_label"), "Q1")
    (folder / "P36.jsonl").write_text(json.dumps(fact))
    (found,) = (check for check in check_data(tmp_path) if check.path == "mlama")
    assert found.state == "there"
    assert found.found.startswith("1 questions in 1 languages; none in ar, bn, ")
    assert found.found.endswith("; templates without both slots: 1")
    folder.rename(tmp_path / "mlama" / "xx")
    (found,) = (check for check in check_data(tmp_path) if check.path == "mlama")
    assert (found.state, found.found) == ("wrong", "no questions in a language of mLUKE")


def test_a_dry_run_says_what_is_missing_and_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "xlm-r").mkdir()
    (tmp_path / "xlm-r" / "config.json").write_text('{"hidden_size": 1024}')
    (tmp_path / "conll" / "en").mkdir(parents=True)
    (tmp_path / "conll" / "en" / "train.txt").write_text("Tokyo NNP B-NP B-LOC\n. . O O\n\n")
    (tmp_path / "relx").mkdir()
    (tmp_path / "relx" / "RELX_en.txt").write_text("not a relation")
    (tmp_path / "xquad").mkdir()
    qas = [{"id": "1", "question": "Who?", "answers": [{"text": "a", "answer_start": 0}]}]
    document = {"data": [{"paragraphs": [{"context": "a b", "qas": qas}]}]}
    (tmp_path / "xquad" / "xquad.de.json").write_text(json.dumps(document))
    found = {check.path: check for check in check_data(tmp_path)}
    assert {path for path, check in found.items() if check.state == "there"} == {
        "conll/en/train.txt"
    }
    wrong = {path: check.found for path, check in found.items() if check.state == "wrong"}
    assert wrong["xlm-r"] == "hidden_size is 1024, expected 768"
    assert wrong["xquad/xquad.de.json"] == "1 questions, expected 1,190"
    assert set(wrong) == {"xlm-r", "xquad/xquad.de.json", "relx/RELX_en.txt"}
    assert found["mlama"].state == "missing"
    assert sum(path.startswith("mlqa/") for path in found) == 49
    assert all(check.source for check in found.values())


def test_real_files_pass_the_dry_run(shared_data: Path) -> None:
    found = {check.path: check for check in check_data(shared_data)}
    for path in ("kbp37/train.txt", "relx/RELX_de.txt", "xquad/xquad.zh.json"):
        assert found[path].state == "there", found[path]


def test_the_command_prints_the_plan_and_refuses_what_does_not_fit(tmp_path: Path) -> None:
    def run(*words: str) -> Any:
        return CliRunner().invoke(app, ["reproduce", "mluke", "--out", "out", *words])

    shown = run("--scale", "paper")
    assert shown.exit_code == 0
    assert "exonym pretrain --corpus out/corpus --recipe mluke-base" in shown.output
    told = json.loads(run("--scale", "paper", "--data", str(tmp_path), "--json").output)
    assert told["gpu_days"] > 50
    missing = run("--scale", "paper", "--data", str(tmp_path), "--dry-run")
    assert "SQuAD 1.1" in missing.output
    assert "78 of 78" in str(missing.exception)
    for words, message in (
        (["--scale", "moon"], "must be atlas or paper, got 'moon'"),
        (["--dry-run"], "for the paper's scale"),
        (["--scale", "paper", "--dry-run"], "a dry run looks at files"),
        (["--scale", "paper", "--data", str(tmp_path / "none")], "no such directory"),
    ):
        assert message in str(run(*words).exception)


def test_options_are_kept_as_plain_values() -> None:
    assert json.loads(json.dumps(OPTIONS.to_json()))["languages"] == ["en", "de", "ja"]
    assert set(OPTIONS.identity()) == {
        field.name for field in dataclasses.fields(OPTIONS) if field.name != "seeds"
    }
