"""The quickstart's report, on a directory of made-up figures."""

from __future__ import annotations

import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import orjson
import pytest
from lxml import html
from made_up_quickstart import ANSWERS, write_quickstart

from exonym.foundation.errors import FormatError, InputError, MissingExtraError
from exonym.reports import write_quickstart_report

VOID = {"meta", "link", "br", "img", "hr", "input"}
HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=y>"


class Balance(HTMLParser):
    """Complains about an end tag that does not close what is open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - theirs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page(quickstart: Path) -> str:
    return write_quickstart_report(quickstart).read_text(encoding="utf-8")


def parsed(quickstart: Path) -> html.HtmlElement:
    return html.fromstring(page(quickstart))


def rewrite(quickstart: Path, values: dict[str, Any]) -> None:
    (quickstart / "summary.json").write_bytes(orjson.dumps(values))


def text_of(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


def test_the_report_lies_in_the_quickstart_and_is_one_html_file(quickstart: Path) -> None:
    path = write_quickstart_report(quickstart)
    assert path == quickstart / "report.html"
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>\n<html lang=")
    assert not [p for p in quickstart.iterdir() if p.name.startswith(".")]


def test_every_tag_is_closed_and_every_id_is_given_once(text: str, tree: html.HtmlElement) -> None:
    balance = Balance()
    balance.feed(text)
    assert balance.open == []
    ids = Counter(tree.xpath("//@id"))
    assert [name for name, n in ids.items() if n > 1] == []


def test_every_reference_leads_to_a_place_on_the_page(text: str, tree: html.HtmlElement) -> None:
    ids = set(tree.xpath("//@id"))
    links = [str(value) for value in tree.xpath("//@href")]
    links += re.findall(r"url\(([^)]*)\)", text)
    assert links
    assert {link.removeprefix("#") for link in links} <= ids
    named = " ".join(str(value) for value in tree.xpath("//@aria-labelledby"))
    assert set(named.split()) <= ids


def test_nothing_is_loaded_from_elsewhere(text: str, tree: html.HtmlElement) -> None:
    assert "http://" not in text
    assert "https://" not in text
    assert "@import" not in text
    assert tree.xpath("//script | //link | //img | //iframe | //object | //@src") == []


def test_equal_figures_give_equal_bytes(
    quickstart: Path, tmp_path: Path, values: dict[str, Any]
) -> None:
    first = write_quickstart_report(quickstart).read_bytes()
    assert write_quickstart_report(quickstart).read_bytes() == first
    elsewhere = write_quickstart(tmp_path / "other", values)
    assert write_quickstart_report(elsewhere).read_bytes() == first


def test_matplotlib_settings_of_the_user_change_nothing(quickstart: Path) -> None:
    import matplotlib

    first = page(quickstart)
    with matplotlib.rc_context({"font.size": 20, "axes.grid": True, "svg.fonttype": "path"}):
        assert page(quickstart) == first


def figures(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        for item in value.values():
            yield from figures(item)
    elif isinstance(value, float | int):
        yield value


@pytest.mark.parametrize("kind", ["untold", "control"])
def test_every_accuracy_of_the_summary_is_in_a_table(
    tree: html.HtmlElement, values: dict[str, Any], kind: str
) -> None:
    cells = " ".join(text_of(cell) for cell in tree.xpath("//td"))
    for row in values["cloze"][kind].values():
        assert f"{row['low']:.3f}–{row['high']:.3f}" in cells
        assert f"{row['questions']:,}" in cells
        for figure in (row["accuracy"], *row["by_language"].values()):
            assert f"{figure:.3f}" in cells


def test_bias_counts_times_and_sizes_of_the_summary_appear(
    tree: html.HtmlElement, values: dict[str, Any]
) -> None:
    text = text_of(tree)
    for row in values["language_bias"].values():
        assert f"{100 * row['share']:.1f}\N{NO-BREAK SPACE}%".replace("\xa0", " ") in text
        assert all(f"{share:.3f}" in text for share in row["by_language"].values())
    for block in ("atlas", "knowledge_base", "corpus"):
        for figure in figures(values[block]):
            assert f"{figure:,}" in text
    for speed in values["words_per_second"].values():
        if speed != values["words_per_second"]["words-only"]:  # a step that has no time here
            assert f"{speed:,.0f}" in text
    assert "5 min 18 s" in text
    assert "1,234 MiB" in text


def test_recipe_departures_and_command_appear(
    tree: html.HtmlElement, values: dict[str, Any]
) -> None:
    text = text_of(tree)
    for field, why in values["recipe"]["departures"].items():
        assert field in text
        assert why in text
    assert "2,048" in text  # the published batch, beside the 96 here
    assert "exonym quickstart --entities 613 --seed 7" in text
    assert "torch 2.13.0" in text


def test_every_table_has_a_caption_and_scopes(tree: html.HtmlElement) -> None:
    tables = tree.xpath("//table")
    assert len(tables) > 10
    for table in tables:
        assert text_of(table.xpath("./caption")[0])
        columns = table.xpath("./thead/tr/th[@scope='col']")
        for row in table.xpath("./tbody/tr"):
            assert len(row.xpath("./th[@scope='row']")) == 1
            assert len(row) == len(columns)


def test_every_figure_has_a_text_alternative_and_a_caption(tree: html.HtmlElement) -> None:
    figures = tree.xpath("//figure")
    assert len(figures) == 6  # two tables drawn, languages, three runs
    for figure in figures:
        assert figure.xpath("./svg/@role") == ["img"]
        assert all(text_of(figure.xpath(f"./svg/{name}")[0]) for name in ("title", "desc"))
        assert text_of(figure.xpath("./figcaption")[0])


def test_curves_of_losses_are_those_of_training(tree: html.HtmlElement) -> None:
    said = [text_of(d) for d in tree.xpath("//section[@id='training']//svg/desc")]
    assert said == [
        "masked words from 8.216 to 3.402.",
        "masked words from 8.216 to 3; masked entities from 4.8 to 0.4465.",
        "masked words from 8.216 to 3.",
    ]


def test_figures_are_drawn_in_the_colours_of_the_page(text: str) -> None:
    used = set(re.findall(r"var\((--[a-z-]+)\)", text))
    assert "#0102" not in text
    assert used <= set(re.findall(r"(--[a-z-]+):", text))


def test_languages_that_tell_most_come_first_in_the_plot(tree: html.HtmlElement) -> None:
    figure = tree.xpath("//figure[@class='tall']")[0]
    labels = [text_of(t) for t in figure.xpath(".//text") if "(" in text_of(t)]
    assert labels[0] == "English (1,039)"
    assert labels[6] == "Swahili (457)"


def test_samples_are_in_their_own_script_and_direction(tree: html.HtmlElement) -> None:
    samples = tree.xpath("//ol[@class='samples']/li")
    assert len(samples) == 20
    arabic = [s for s in samples if s.xpath(".//p[@lang='ar']")]
    assert len(arabic) == 5
    for sample in arabic:
        assert sample.xpath(".//p[@lang='ar']/@dir") == ["rtl"]
        assert text_of(sample.xpath(".//strong[@lang='ar']")[0]) == ANSWERS["ar"]
        assert set(sample.xpath(".//bdi/@dir")) == {"rtl"}


def test_right_and_wrong_are_told_by_sign_and_text(tree: html.HtmlElement) -> None:
    sample = tree.xpath("//ol[@class='samples']/li")[0]
    cells = {text_of(r[0]): text_of(r[1]) for r in sample.xpath(".//tbody/tr")}
    assert cells["mLUKE-E([X]&[Y])"] == "✓right: Nairobi"
    assert cells["mLUKE-W"] == "✗wrong: Ulaanbaatar"
    assert cells["Most frequent object"] == "✗wrong: no answer"


def test_hostile_labels_are_shown_and_not_obeyed(quickstart: Path, values: dict[str, Any]) -> None:
    sample = values["samples"][0]
    sample["language"] = sample["question"] = HOSTILE
    sample["right"] = [HOSTILE]
    sample["answers"]["mluke_e_y"]["label"] = HOSTILE
    sample["answers"][HOSTILE] = {"label": HOSTILE, "correct": True}
    values["recipe"]["departures"]["batch_sequences"] = HOSTILE
    for row in values["cloze"]["untold"].values():
        row["by_language"][HOSTILE] = row["by_language"]["$x^$"] = 0.5
    values["options"]["table"] = HOSTILE
    rewrite(quickstart, values)
    text = page(quickstart)
    assert "<script" not in text
    assert "<img" not in text
    tree = html.fromstring(text)
    assert tree.xpath("//script | //img | //@onerror") == []
    assert HOSTILE in tree.xpath("//ol[@class='samples']/li[1]")[0].text_content()
    assert "$x^$" in text_of(tree.xpath("//figure[@class='tall']")[0])


PATHS = [
    ("seed",),
    ("atlas", "counts"),
    ("corpus", "word_vocabulary"),
    ("recipe", "stages"),
    ("cloze", "untold", "mluke_e_xy"),
    ("cloze", "control", "words_only", "low"),
    ("language_bias", "mluke_w", "share"),
    ("samples",),
]


@pytest.mark.parametrize("path", PATHS, ids=".".join)
def test_a_missing_key_is_named(
    quickstart: Path, values: dict[str, Any], path: tuple[str, ...]
) -> None:
    place = values
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    rewrite(quickstart, values)
    with pytest.raises(FormatError) as caught:
        write_quickstart_report(quickstart)
    message = str(caught.value)
    assert f"field {'.'.join(path)}: " in message
    assert "it is missing" in message
    assert str(quickstart / "summary.json") in message
    assert "\n" not in message
    assert not (quickstart / "report.html").exists()


def test_a_value_of_another_kind_is_named(quickstart: Path, values: dict[str, Any]) -> None:
    values["cloze"]["untold"]["mluke_w"]["accuracy"] = None
    rewrite(quickstart, values)
    with pytest.raises(FormatError, match=r"cloze\.untold\.mluke_w\.accuracy: .*found None"):
        write_quickstart_report(quickstart)


def test_a_summary_that_is_no_object_is_refused(quickstart: Path) -> None:
    (quickstart / "summary.json").write_text("[]")
    with pytest.raises(FormatError, match=r"summary\.json"):
        write_quickstart_report(quickstart)


def test_a_damaged_line_of_metrics_is_named(quickstart: Path) -> None:
    path = quickstart / "mluke" / "metrics.jsonl"
    path.write_bytes(path.read_bytes() + b'{"stage": "all"}\n')
    with pytest.raises(FormatError, match=r"mluke/metrics\.jsonl:49: field stage_index"):
        write_quickstart_report(quickstart)


def test_a_run_without_metrics_is_an_error_that_names_the_file(quickstart: Path) -> None:
    (quickstart / "backbone" / "metrics.jsonl").unlink()
    with pytest.raises(InputError, match=r"backbone/metrics\.jsonl"):
        write_quickstart_report(quickstart)


def test_an_unfinished_quickstart_says_how_to_finish_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="exonym quickstart --out"):
        write_quickstart_report(tmp_path)


@pytest.mark.parametrize("module", ["jinja2", "matplotlib"])
def test_a_missing_extra_is_named_with_the_command(
    quickstart: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=rf"{module}.*pip install 'exonym\[report\]'"):
        write_quickstart_report(quickstart)


def test_a_world_without_control_facts_says_so(quickstart: Path, values: dict[str, Any]) -> None:
    del values["cloze"]["control"]
    rewrite(quickstart, values)
    text = text_of(parsed(quickstart))
    assert "no facts that nobody told" in text


def test_a_failed_report_leaves_the_old_one(quickstart: Path) -> None:
    before = write_quickstart_report(quickstart).read_bytes()
    shutil.rmtree(quickstart / "backbone")
    with pytest.raises(InputError):
        write_quickstart_report(quickstart)
    assert (quickstart / "report.html").read_bytes() == before
