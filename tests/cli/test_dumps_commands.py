"""``exonym dumps``: what is printed before, what lies there after, and one line when it fails."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import Command, start

from loopback_dumps import SPOILED, LoopbackDumps, loopback_dumps, stall, status

DATE = "20260901"
SWAHILI = f"swwiki-{DATE}-pages-articles-multistream.xml.bz2"
GREEK = f"elwiki-{DATE}-pages-articles-multistream.xml.bz2"
WIKIDATA = "wikidata-20260903-all.json.bz2"
PATH = f"swwiki/{DATE}/{SWAHILI}"


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackDumps]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with loopback_dumps() as site:
        site.add_classic("swwiki", DATE, {"articlesmultistreamdump": {SWAHILI: b"s" * 40_000}})
        site.add_classic("elwiki", DATE, {"articlesmultistreamdump": {GREEK: b"g" * 2_000_000}})
        site.add_wikidata("20260831", {"bz2": b"w" * 3_000_000}, named="20260903")
        yield site


@pytest.fixture
def options(site: LoopbackDumps, tmp_path: Path) -> tuple[object, ...]:
    """The fetch of the site's dumps to ``tmp_path / "dumps"``."""
    return ("dumps", "fetch", "--out", tmp_path / "dumps", "--languages", "sw,el",
            "--base-url", site.url, "--contact", "test@example.org")  # fmt: skip


def rows(printed: str) -> dict[str, list[str]]:
    """The cells of the lines, by their first one; two blanks or more are between cells."""
    lines = [[cell.strip() for cell in line.split("  ") if cell.strip()]
             for line in printed.splitlines()]  # fmt: skip
    return {line[0]: line[1:] for line in lines if line}


def test_a_dry_run_prints_plain_numbers_and_writes_nothing(
    exonym: Command, site: LoopbackDumps, options: tuple[object, ...], tmp_path: Path
) -> None:
    shown = exonym(*options, "--dry-run", "--rate", 0.5, "--processes", 2)
    assert shown.status == 0, shown.err
    table = rows(shown.out)
    assert table["swwiki"] == [DATE, "1", "40,000", "0"]
    assert table["elwiki"] == [DATE, "1", "2,000,000", "0"]
    assert table["wikidatawiki"] == ["20260903", "1", "3,000,000", "0"]
    assert table["all"] == ["-", "3", "5,040,000", "0"]
    assert table["to fetch"] == ["5.0 MB"]
    assert table["time for that, at 500.0 kB/s"] == ["10 s"]
    assert table["memory for it"] == ["900.2 MB"]
    assert "Wikidata's dump is of 20260903, the nearest to 20260901." in shown.out
    assert list(tmp_path.iterdir()) == []
    assert not [a for a in site.asked if a.method == "GET" and a.path.endswith(".bz2")]


def test_a_dry_run_as_json_has_every_file(
    exonym: Command, options: tuple[object, ...], tmp_path: Path
) -> None:
    shown = exonym(*options, "--dry-run", "--json", "--date", "2026-09-01")
    told = json.loads(shown.out)
    assert [file["name"] for file in told["files"]] == [SWAHILI, GREEK, WIKIDATA]
    assert (told["bytes"], told["needed"], told["there"]) == (5_040_000, 5_040_000, 0)
    assert told["estimate"]["seconds_to_fetch"] == pytest.approx(1.008)
    assert set(told["estimate"]["build"]) == {"seconds", "disk_bytes", "memory_bytes"}
    assert list(tmp_path.iterdir()) == []


def test_a_fetch_brings_the_files_once_and_says_what_is_next(
    exonym: Command, site: LoopbackDumps, options: tuple[object, ...], tmp_path: Path
) -> None:
    first = exonym(*options)
    assert first.status == 0, first.err
    assert "3 fetched; 5.0 MB in" in first.out
    assert f"exonym kb build --dumps {tmp_path / 'dumps'}" in first.out
    out = tmp_path / "dumps"
    found = sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file())
    assert found == [
        ".fetching.lock", f"elwiki/{GREEK}", "fetched.json", f"swwiki/{SWAHILI}",
        f"wikidatawiki/{WIKIDATA}",
    ]  # fmt: skip
    second = exonym(*options, "--json")
    told = json.loads(second.out)
    assert told["needed"] == 0
    assert {file["how"] for file in told["fetched"]["files"]} == {"already there"}
    assert told["fetched"]["received"] == 0
    assert "3 checked; 0 bytes in" in exonym(*options, "--verify").out
    assert len(site.gets(SWAHILI)) == 1


def test_what_went_wrong_on_the_way_is_told(
    exonym: Command, site: LoopbackDumps, options: tuple[object, ...]
) -> None:
    site.once[PATH] = [SPOILED]
    shown = exonym(*options)
    assert shown.status == 0, shown.err
    assert rows(shown.out)["wrong checksum"] == ["1"]


def test_files_that_failed_are_named_and_the_status_is_not_zero(
    exonym: Command, site: LoopbackDumps, options: tuple[object, ...], tmp_path: Path
) -> None:
    site.always[PATH] = status(404)
    site.always[f"elwiki/{DATE}/{GREEK}"] = SPOILED
    shown = exonym(*options, "--json")
    assert shown.status == 1
    assert shown.error.startswith(f"{site.url}/{PATH}: 2 of 3 files were not fetched; the first:")
    told = json.loads(shown.out)["fetched"]
    assert set(told["failures"]) == {f"swwiki/{SWAHILI}", f"elwiki/{GREEK}"}
    assert (tmp_path / "dumps" / "wikidatawiki" / WIKIDATA).is_file()


def test_the_list_says_what_is_whole(
    exonym: Command, options: tuple[object, ...], tmp_path: Path
) -> None:
    out = tmp_path / "dumps"
    nothing = exonym("dumps", "list", out)
    assert (nothing.status, nothing.error.split(": ")[1]) == (
        2, "no dumps were fetched to it. exonym dumps fetch --out DIR makes such a folder",
    )  # fmt: skip
    exonym(*options, "--wikidata", "none")
    assert rows(exonym("dumps", "list", out, "--verify").out)[f"swwiki/{SWAHILI}"] == [
        DATE, "40,000", "complete",
    ]  # fmt: skip
    (out / "elwiki" / GREEK).write_bytes(b"x" * 2_000_000)
    (out / "swwiki" / ".other.xml.bz2.part").write_bytes(b"1234")
    seen = exonym("dumps", "list", out, "--json")
    assert seen.status == 0
    assert json.loads(seen.out)["beginnings"] == [{"place": "swwiki/other.xml.bz2", "size": 4}]
    seen = exonym("dumps", "list", out, "--verify")
    assert seen.status == 2
    assert "1 of 2 files are missing or damaged, first elwiki/" in seen.error
    assert rows(seen.out)[f"elwiki/{GREEK}"][-1] == "damaged"
    assert rows(seen.out)["swwiki/other.xml.bz2"] == ["4", "not whole yet"]


@pytest.mark.parametrize(
    ("wrong", "status", "message"),
    [
        (("--languages", "sw,qq"), 2, "'qq' is no Wikipedia's language code"),
        (("--languages", " "), 2, "--languages names no language"),
        (("--date", "20200101"), 2, "no complete dump of swwiki of 20200101: there is none. The "
                                    "newest dates there: 20260901"),
        (("--date", "soon"), 2, "--date 'soon' is no date"),
        (("--layout", "old"), 2, "--layout 'old' is not known"),
        (("--wikidata", "gz"), 2, "no complete dump wikidata-...-all.json.gz"),
        (("--connections", "4"), 2, "--connections 4 is not between 1 and 3"),
        (("--timeout", "0"), 2, "--timeout is too small"),
        (("--rate", "nan"), 2, "--rate is too small"),
        (("--contact", "a\nb"), 2, "--contact is to be a mail address"),
        (("--langlinks",), 2, "its langlinkstable is not done"),
        (("--base-url", "http://127.0.0.1:9", "--retries", "0"), 1, "no connection to 127.0.0.1:9"),
    ],
)  # fmt: skip
def test_wrong_input_is_one_line(
    wrong: tuple[str, ...], status: int, message: str, exonym: Command,
    options: tuple[object, ...], tmp_path: Path,
) -> None:  # fmt: skip
    failed = exonym(*options, *wrong)
    assert failed.status == status
    assert message in failed.error
    assert list(tmp_path.rglob("*.bz2")) == []


def test_a_file_in_place_of_the_directory_is_one_line(
    exonym: Command, options: tuple[object, ...], tmp_path: Path
) -> None:
    (tmp_path / "dumps").write_text("")
    assert "is not a directory" in exonym(*options).error


def test_a_small_disk_is_refused_before_anything_is_fetched(
    exonym: Command, site: LoopbackDumps, options: tuple[object, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    class Usage:
        free = 1_000_000

    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage)
    for more in ((), ("--dry-run",), ("--dry-run", "--json")):
        failed = exonym(*options, *more)
        assert failed.status == 1
        assert "5.0 MB more are needed" in failed.error
        assert "1.0 MB are free" in failed.error
    assert site.gets(SWAHILI) == []


def test_control_c_says_how_to_go_on_and_the_same_command_does(
    exonym: Command, site: LoopbackDumps, options: tuple[object, ...], tmp_path: Path
) -> None:
    site.once[PATH] = [stall(30_000)]
    part = tmp_path / "dumps" / "swwiki" / f".{SWAHILI}.part"
    process = start(*options)
    deadline = time.monotonic() + 30
    while not (part.exists() and part.stat().st_size == 30_000):
        assert time.monotonic() < deadline, "it never came so far"
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130, err
    said = err.splitlines()[-1]
    assert said == (
        "exonym: interrupted. What came is kept; the same command goes on where it stopped"
    )
    assert "Traceback" not in err
    assert rows(exonym("dumps", "list", tmp_path / "dumps").out)[f"swwiki/{SWAHILI}"] == [
        "30,000", "not whole yet",
    ]  # fmt: skip
    assert "1 resumed, 2 fetched" in exonym(*options).out
    assert site.gets(SWAHILI)[-1].headers["Range"] == "bytes=30000-"


def test_python_users_have_the_same_in_a_few_calls(site: LoopbackDumps, tmp_path: Path) -> None:
    from exonym.wikimedia.fetching import Client, DumpFolder, Request, fetch, make_plan

    client = Client(contact="test@example.org")
    plan = make_plan(client, Request(languages=("sw",), wikidata="none", base_url=site.url))
    report = fetch(client, plan, DumpFolder(tmp_path))
    report.require_all()
    assert [file.how for file in report.files] == ["fetched"]
