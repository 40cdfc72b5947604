"""The experiments on Atlas: what differs between variants, runs done once, means and tables."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from exonym.atlas import write_atlas
from exonym.foundation.errors import InputError
from exonym.systems import mluke
from exonym.systems.recipes import mluke_atlas
from exonym.training.recipe import Recipe

TABLE = Path(__file__).resolve().parents[1] / "data" / "tiny_table.jsonl"
TOOLS = Path(__file__).resolve().parents[2] / "tools"


@pytest.fixture(autouse=True)
def _tools_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TOOLS))


def differing(one: Recipe, other: Recipe) -> set[str]:
    """Fields, and within the model, masking and sampling theirs, that are not the same."""
    found = set()
    for field in fields(one):
        here, there = getattr(one, field.name), getattr(other, field.name)
        if here != there and field.name in ("model", "masking", "sampling"):
            found |= {
                f.name for f in fields(here) if getattr(here, f.name) != getattr(there, f.name)
            }
        elif here != there and field.name != "departures":
            found.add(field.name)
    return found


def test_every_variant_differs_in_what_it_is_called_for_and_has_as_many_steps() -> None:
    from experiments.plan import ABLATIONS, ALPHAS, ENTITY_TABLE, FULL

    full = mluke_atlas().only(*mluke.STAGES)
    found = {v.name: v.change(full) for v in (*ABLATIONS, *ALPHAS)}
    assert {name: differing(full, recipe) for name, recipe in found.items()} == {
        FULL: set(),
        "words-only": {"name", "stages"},
        "no-stage-1": {"stages"},
        "frozen-table": {"stages"},
        "random-table": set(),
        "hidden-words-0": {"hidden_words"},
        "hidden-names-0": {"hidden_names"},
        "decay-1": {"weight_decay"},
        "sum-pooling": {"entity_position_pooling"},
        "alpha-0": {"alpha"},
        "alpha-1": {"alpha"},
    }
    assert {recipe.steps for recipe in found.values()} == {full.steps}
    assert found["frozen-table"].stages[0] == full.stages[0], "trained in the first stage"
    assert found["frozen-table"].stages[1].freeze == (ENTITY_TABLE,)
    assert found["alpha-0"].sampling.alpha == 0


def test_a_run_is_done_once_and_leaves_scores_of_every_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from experiments import running
    from experiments.plan import ABLATIONS, STUDIES, Size, World
    from experiments.running import Planned, run

    monkeypatch.setattr(
        running, "write_atlas", lambda out, **given: write_atlas(out, table=TABLE, **given)
    )
    changes = {v.name: v for v in ABLATIONS}
    study = replace(
        STUDIES["ablations"],
        world=World("tiny", None, ("en", "de"), vocabulary_size=300),
        size=Size(batch=4, backbone=2, entities=2, all=4, every=2),
    )
    for name in ("full", "random-table"):
        run(Planned(study, changes[name], 0), tmp_path)
    results = {path.stem: path for path in (tmp_path / "results").iterdir()}
    full = json.loads(results["ablations-full-0"].read_bytes())
    assert [asked["step"] for asked in full["asked"]] == [4, 6]
    last = full["asked"][-1]["kinds"]["untold"]
    assert set(last) == {"chance", "most_frequent", "mluke_w", "mluke_e_y", "mluke_e_xy"}
    assert len({len(scores) for scores in last.values()}) == 1
    assert len(last["chance"]) == full["questions"]["untold here"]
    redrawn = json.loads(results["ablations-random-table-0"].read_bytes())["asked"]
    assert redrawn[0]["kinds"]["untold"]["mluke_w"] == last["mluke_w"], "words need no table"
    results["ablations-full-0"].write_text("{}")
    run(Planned(study, changes["full"], 0), tmp_path)
    assert results["ablations-full-0"].read_text() == "{}"


def _result(shift: float) -> dict[str, Any]:
    """A made-up result: two facts in two languages, right as often as ``shift`` says."""
    scores = [[code, fact, shift] for code in ("en", "sw") for fact in ("Q1 P1", "Q2 P1")]
    ways = dict.fromkeys(("mluke_w", "mluke_e_y", "mluke_e_xy"), scores)
    languages = {code: {"sequences": 10} for code in ("en", "sw")}
    return {
        "asked": [{"step": 5, "kinds": {"untold": ways, "control": {}}}],
        "seconds": 1.0,
        "questions": {"untold here": 4},
        "corpus": {"totals": {"sequences": 20}, "languages": languages},
    }


def test_results_are_means_over_seeds_and_every_seed_is_kept(tmp_path: Path) -> None:
    from experiments.plan import STUDIES
    from experiments.results import collect

    with pytest.raises(InputError, match="no results here"):
        collect(STUDIES.values(), tmp_path)
    (tmp_path / "results").mkdir()
    for seed, shift in enumerate((0.0, 0.5, 1.0)):
        path = tmp_path / "results" / f"shares-told-0.5-{seed}.json"
        path.write_text(json.dumps(_result(shift)))
    found = collect(STUDIES.values(), tmp_path)
    assert list(found) == ["shares"]
    assert list(found["shares"]["variants"]) == ["told-0.5"]
    way = found["shares"]["variants"]["told-0.5"]["last"]["untold"]["mluke_e_xy"]
    assert (way["accuracy"], way["seeds"], way["questions"]) == (0.5, [0.0, 0.5, 1.0], 12)
    assert way["low"] <= way["accuracy"] <= way["high"]
    assert way["by_language"] == {"en": 0.5, "sw": 0.5}


def test_tables_and_plots_go_into_the_page_and_its_text_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    from experiments import page

    docs, work = tmp_path / "docs", tmp_path / "work"
    (docs / "results").mkdir(parents=True)
    (work / "results").mkdir(parents=True)
    (work / "results" / "shares-told-0.0-0.json").write_text(json.dumps(_result(0.25)))
    marks = [f"<!-- {n}:begin -->old<!-- {n}:end -->" for n in page._TABLES]
    (docs / page.PAGE).write_text("\n".join(["before", *marks, "after"]))
    monkeypatch.setattr(page, "DOCS", docs)
    page.write_page(work)
    text = (docs / page.PAGE).read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter")
    assert "-->old<!--" not in text
    assert "| one language | 20 | 4 | 0.25 (0.25–0.25) | 0.25 (0.25–0.25) |" in text
    assert text.count("Not measured yet.") == len(page._TABLES) - 1
    plot = (docs / "ablations" / "shares.svg").read_bytes()
    page.write_page(work)
    assert (docs / "ablations" / "shares.svg").read_bytes() == plot
    (docs / page.PAGE).write_text("no marks")
    with pytest.raises(Exception, match=r"has no <!-- .*:begin -->"):
        page.write_page(work)
