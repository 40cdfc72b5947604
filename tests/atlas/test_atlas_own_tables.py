"""Other people's tables: unknown languages, own ids, odd names, any shape."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import mwparserfromhell
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner
from world_reading import World

from exonym.atlas import write_atlas
from exonym.atlas.layout import lay_out
from exonym.atlas.options import TellingOptions
from exonym.atlas.sites import site_of
from exonym.atlas.table import load_table
from exonym.atlas.telling import tell
from exonym.atlas.titles import make_titles
from exonym.cli.atlas import app

ODD = st.text("aZé漢あกб0 '&#_:;*/=-()\"", min_size=1, max_size=10).filter(str.strip)


def to_lines(*lines: dict) -> str:
    return "".join(json.dumps(line) + "\n" for line in lines)


@st.composite
def tables(draw: st.DrawFn, names: st.SearchStrategy[str] = ODD) -> str:
    """A random table in two languages that no site knows and English."""
    count = draw(st.integers(1, 9))
    ids = [f"Q{n}" if n % 2 else f"X-own-{n}" for n in range(1, count + 1)]
    lines: list[dict] = [{"type": "table", "name": "t", "version": "1"}]
    for relation in ("P1", "P2", "P3"):
        lines.append(
            {
                "type": "relation",
                "id": relation,
                "names": {},
                "templates": {"en": ["[X] a [Y]s.", "[Y]'s b [X]"], "tlh": ["[Y] c [X]"]},
                "everywhere": relation == "P3",
            }
        )
    for key in ids:
        several = st.dictionaries(
            st.sampled_from(["en", "tlh", "xx-yy"]),
            st.lists(names, min_size=1, max_size=3, unique_by=lambda name: " ".join(name.split())),
            min_size=1,
        )
        line = {"type": "entity", "id": key, "names": draw(several)}
        if draw(st.booleans()):
            line["kind"] = draw(st.sampled_from(ids))
        lines.append(line)
    end = st.sampled_from(ids)
    triples = st.tuples(end, st.sampled_from(["P1", "P2", "P3"]), end)
    for subject, relation, object in draw(st.lists(triples, unique=True, max_size=20)):
        lines.append({"type": "fact", "subject": subject, "relation": relation, "object": object})
    return to_lines(*lines)


@settings(max_examples=40)
@given(tables(), st.integers(0, 99))
def test_any_table_with_any_names_is_written_and_shows_its_names(text: str, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "t.jsonl"
        table.write_text(text)
        write_atlas(Path(folder) / "w", table=table, seed=seed)
        world = World.read(Path(folder) / "w", table)
    loaded = {line["id"]: line for line in map(json.loads, text.splitlines()) if "id" in line}
    for language in world.languages:
        pages = world.pages[language]
        assert len({page.title for page in pages}) == len(pages)
        wiki = language.replace("-", "_") + "wiki"
        by_title = {page.title: page for page in pages}
        for key, item in world.wikidata.items():
            if wiki in item.get("sitelinks", {}):
                page = by_title[item["sitelinks"][wiki]["title"]]
                shown = str(mwparserfromhell.parse(page.text).strip_code(collapse=False))
                name = " ".join(loaded[key]["names"][language][0].split())
                assert name[1:] in shown


@settings(max_examples=80)
@given(tables(st.text("abcdefghijkl", min_size=5, max_size=9)), st.integers(0, 99))
def test_no_page_names_both_ends_of_what_its_wiki_does_not_tell(text: str, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.jsonl"
        path.write_text(text)
        table = load_table(path)
    options = TellingOptions(control_min_objects=1, control_max_object_share=1, control_share=0.5)
    ledger = tell(table, table.languages(), options, seed)
    for language in table.languages():
        titles = make_titles(table, site_of(language))
        layout = lay_out(ledger, language, list(titles.pages), options, seed)
        told = set(ledger.told(language, *{g.use for g in ledger.groups}))
        said = [s.fact for plan in layout.plans() for s in (*plan.own, *plan.guests)]
        assert set(said) == told
        for plan in layout.plans():
            for key in plan.present:
                assert plan.present.isdisjoint(layout.untold.get(key, ()))


def small_table(path: Path) -> Path:
    lines: list[dict] = [{"type": "table", "name": "ships", "version": "2", "licence": "CC0"}]
    lines.append(
        {
            "type": "relation",
            "id": "captain",
            "names": {"tlh": "HoD"},
            "templates": {"tlh": ["[X] HoD: [Y]", "[Y] HoD [X]"]},
        }
    )
    for n in range(1, 6):
        lines.append({"type": "entity", "id": f"X-ship-{n}", "names": {"tlh": [f"Duj{n}"]}})
        lines.append({"type": "entity", "id": f"X-man-{n}", "names": {"tlh": [f"loD{n}", "x"]}})
    for n in range(1, 6):
        fact = {"subject": f"X-ship-{n}", "relation": "captain", "object": f"X-man-{n}"}
        lines.append({"type": "fact", **fact})
    path.write_text(to_lines(*lines))
    return path


def test_a_table_in_an_unknown_language_without_qids_is_told(tmp_path: Path) -> None:
    table = small_table(tmp_path / "ships.jsonl")
    report = write_atlas(tmp_path / "w", table=table)
    assert report.languages == ("tlh",)
    assert report.counts["tlh"]["facts told"] == 5
    world = World.read(tmp_path / "w", table)
    assert {page.redirect for page in world.pages["tlh"] if page.redirect} == {"LoD1"}
    lines = (tmp_path / "w/cloze/tlh/captain.jsonl").read_text().splitlines()
    assert json.loads(lines[0]) == {
        "uuid": "tlh_X-ship-1_captain_X-man-1",
        "lineid": 1,
        "sub_uri": "X-ship-1",
        "sub_label": "Duj1",
        "obj_uri": "X-man-1",
        "obj_label": "loD1",
        "told_in": ["tlh"],
    }
    templates = (tmp_path / "w/cloze/tlh/templates.jsonl").read_text()
    assert json.loads(templates) == {
        "relation": "captain",
        "template": "[X] HoD: [Y]",
        "label": "HoD",
    }


def test_languages_without_a_name_are_left_out_and_counted(tmp_path: Path) -> None:
    table = small_table(tmp_path / "ships.jsonl")
    report = write_atlas(tmp_path / "w", table=table, languages=["tlh", "qq"])
    assert report.left_out == ("qq",)
    assert json.loads((tmp_path / "w/manifest.json").read_text())["left_out"] == ["qq"]


def run(*arguments: str):
    return CliRunner().invoke(app, ["write", *arguments])


def test_the_command_writes_and_prints_counts(tmp_path: Path) -> None:
    table = small_table(tmp_path / "ships.jsonl")
    result = run("--out", str(tmp_path / "w"), "--table", str(table), "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["counts"]["total"]["facts told"] == 5
    assert (tmp_path / "w/wikidata-20260101-all.json.bz2").is_file()
    again = run("--out", str(tmp_path / "w"), "--table", str(table), "--overwrite")
    assert "Groups of facts: 5 told" in again.stdout


def test_wrong_input_is_one_plain_error_and_leaves_nothing(tmp_path: Path) -> None:
    table = small_table(tmp_path / "ships.jsonl")
    cases = {
        "no such table": ["--table", str(tmp_path / "none")],
        "none of the languages qq": ["--table", str(table), "--languages", "qq"],
    }
    for said, arguments in cases.items():
        result = run("--out", str(tmp_path / "w"), *arguments)
        assert said in str(result.exception)
        assert result.exception.exit_status == 2
        assert [path.name for path in tmp_path.iterdir()] == ["ships.jsonl"]
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine").touch()
    result = run("--out", str(tmp_path / "full"), "--table", str(table))
    assert "already exists" in str(result.exception)
