"""The report of a reproduction says what came out, what did not, and what nobody can say."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from made_up_reproduction import summary

from exonym.foundation.errors import FormatError, InputError
from exonym.reports.reproduction import NAMES, make_report, write_reproduction_report
from exonym.reports.reproduction_summary import read_reproduction
from exonym.systems.reproduction.tables import TABLES


@pytest.fixture
def written(tmp_path: Path) -> tuple[str, str]:
    (tmp_path / "summary.json").write_text(json.dumps(summary()))
    page, text = write_reproduction_report(tmp_path)
    return page.read_text(), text.read_text()


def test_each_claim_is_a_line_with_its_outcome(written: tuple[str, str]) -> None:
    page, text = written
    assert "1 of 4 claims come out here, 1 do not, 2 cannot be told" in text.splitlines()[0]
    lines = [line for line in text.splitlines() if line.startswith("- ")]
    assert [line[2] for line in lines] == ["✓", "✗", "?", "?"]
    assert "**comes out here** (+0.100 (+0.090 to +0.110)). Paper: abstract" in lines[0]
    assert "does not come out here: the contrary does" in lines[1]
    assert "cannot be said here: the interval contains 0" in lines[2]
    assert lines[2].endswith("Paper: not at hand")
    assert "nothing to measure it by" in lines[3]
    for outcome in ("comes out here", "the contrary does", "the interval contains 0"):
        assert outcome in page
    assert "Made up &lt;comes out&gt;" in page


def test_tables_have_rows_intervals_and_the_papers_figures(written: tuple[str, str]) -> None:
    page, text = written
    assert "| mLUKE-E: entities in the input | 0.500 | 0.480–0.520 " in text
    assert "74.2 (XQuAD, average F1)" in text
    assert "74.2 (XQuAD, average F1)" in page
    words_only = next(
        line for line in text.splitlines() if line.startswith(f"| {NAMES['mluke_w']}")
    )
    assert words_only.endswith("| 3 | not at hand |")
    assert "| Arabic, asked in German | 0.420 |" in text
    assert "less Words only, same training | + | + | +0.100 | +0.090 to +0.110 |" in text
    assert "less Words only, same training | − | + | +0.100 |" in text
    assert "less Words only, same training | not at hand | + | +0.002 |" in text
    assert TABLES["ner"].title not in page, "not measured"


def test_it_says_how_to_run_it_again(written: tuple[str, str]) -> None:
    _, text = written
    assert (
        "exonym reproduce mluke --scale atlas --out DIR --seeds 3 --entities 321 "
        "--languages de,en,ja --vocabulary-size 900" in text
    )
    assert "--set seed=1" in text
    assert "| all | 1 h 23 min |" in text.replace("\N{NO-BREAK SPACE}", " ")


def test_the_page_is_whole_and_needs_no_network(written: tuple[str, str]) -> None:
    page, text = written
    opened: list[str] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag not in ("meta",):
                opened.append(tag)
            for name, value in attrs:
                assert name not in ("src", "href") or (value or "").startswith("#")

        def handle_endtag(self, tag: str) -> None:
            assert opened.pop() == tag

    Parser().feed(page)
    assert not opened
    anchors = set(re.findall(r'href="#(\w+)"', page))
    assert anchors <= set(re.findall(r'id="(\w+)"', page))
    for line in text.splitlines():
        assert "None" not in line


def test_equal_figures_give_equal_bytes(tmp_path: Path, written: tuple[str, str]) -> None:
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "summary.json").write_text(json.dumps(summary()))
    page, text = write_reproduction_report(tmp_path / "again")
    assert (page.read_text(), text.read_text()) == written


def test_a_summary_that_is_missing_or_damaged_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no finished reproduction"):
        read_reproduction(tmp_path)
    broken = summary()
    broken["claims"][1]["outcome"] = "perhaps"
    (tmp_path / "summary.json").write_text(json.dumps(broken))
    with pytest.raises(FormatError, match=r"claims\.1\.outcome"):
        read_reproduction(tmp_path)


def test_every_row_of_every_table_has_a_name() -> None:
    assert {row for table in TABLES.values() for row in table.rows} <= set(NAMES)


def test_a_reproduction_without_any_table_still_has_its_claims(tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text(json.dumps({**summary(), "tables": {}, "claims": []}))
    report = make_report(read_reproduction(tmp_path))
    assert report.sections == ()
    assert report.headline.startswith("0 of 0 claims")
