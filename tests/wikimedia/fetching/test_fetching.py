"""A fetch as a whole: only what is missing, killed and gone on with, alone in its folder."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from one_dump import CONTENT, DATE, HURRY, NAME, PATH, Run

from exonym.foundation.errors import (
    ExonymError,
    FormatError,
    InputError,
    ResourceError,
    VersionError,
)
from exonym.wikimedia.fetching import (
    BadContentError,
    Client,
    DumpFolder,
    Patience,
    Request,
    UnreachableError,
    fetch,
    in_bytes,
    make_plan,
    room,
)
from exonym.wikimedia.fetching.part import Part
from exonym.wikimedia.layouts import files_below, read_name
from loopback_dumps import (
    IGNORED_RANGE,
    SPOILED,
    WRONG_RANGE,
    Fault,
    LoopbackDumps,
    cut,
    etag,
    lie,
    slow,
    stall,
    status,
)

OTHER = f"swwiki-{DATE}-pages-articles-multistream2.xml-p9p20.bz2"
SLOWLY = """
import sys
from pathlib import Path
from exonym.wikimedia.fetching import Client, DumpFolder, Request, fetch, make_plan

client = Client(contact="test@example.org")
request = Request(languages=("sw",), wikidata="none", base_url=sys.argv[1])
fetch(client, make_plan(client, request), DumpFolder(Path(sys.argv[2]))).require_all()
"""


def hows(run: Run, **wanted: object) -> list[str]:
    return [file.how for file in run(**wanted).files]


def leave_a_part(site: LoopbackDumps, run: Run, bytes_of_it: int = 20_000) -> None:
    """As if an earlier run had ended in the middle."""
    site.once[PATH] = [cut(bytes_of_it), *[cut(0)] * (HURRY.retries + 1)]
    with pytest.raises(UnreachableError):
        run()
    site.once[PATH].clear()
    site.asked.clear()


def test_a_second_fetch_asks_for_no_file(site: LoopbackDumps, run: Run, target: Path) -> None:
    assert hows(run) == ["fetched"]
    before = target.stat().st_mtime_ns
    site.asked.clear()
    assert hows(run) == ["already there"]
    assert site.gets(NAME) == []
    assert target.stat().st_mtime_ns == before


def test_a_fetch_that_was_cut_short_goes_on_in_the_next_run(
    site: LoopbackDumps, run: Run, target: Path
) -> None:
    leave_a_part(site, run)
    report = run()
    assert [file.how for file in report.files] == ["resumed"]
    assert report.received == len(CONTENT) - 20_000
    assert target.read_bytes() == CONTENT
    (asked,) = site.gets(NAME)
    assert asked.headers["Range"] == "bytes=20000-"
    assert asked.headers["If-Range"] == f'"{hashlib.md5(CONTENT).hexdigest()}"'


def test_a_part_that_is_whole_is_not_fetched_again(
    site: LoopbackDumps, run: Run, target: Path
) -> None:
    leave_a_part(site, run)
    target.with_name(f".{NAME}.part").write_bytes(CONTENT)
    run()
    assert site.gets(NAME) == []
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    "part", [b"\0" * 20_000, b"\0" * 50_000, b"\0" * 60_000], ids=["short", "whole", "too long"]
)
def test_a_damaged_part_costs_a_fetch_and_no_more(
    part: bytes, site: LoopbackDumps, run: Run, target: Path
) -> None:
    leave_a_part(site, run)
    target.with_name(f".{NAME}.part").write_bytes(part)
    site.once[PATH] = [] if len(part) < 50_000 else [SPOILED]
    run()
    assert target.read_bytes() == CONTENT
    assert len(site.gets(NAME)) == 2


@pytest.mark.parametrize("note", [None, b"{", b"[]", b'{"digest": "0"}'])
def test_a_part_of_nobody_knows_what_is_begun_anew(
    note: bytes | None, site: LoopbackDumps, run: Run, target: Path
) -> None:
    leave_a_part(site, run)
    path = target.with_name(f".{NAME}.part.json")
    path.unlink() if note is None else path.write_bytes(note)
    assert hows(run) == ["fetched"]
    assert "Range" not in site.gets(NAME)[0].headers
    assert target.read_bytes() == CONTENT


def test_another_mirror_goes_on_with_the_part_without_asking_for_the_first_ones_etag(
    site: LoopbackDumps, run: Run, target: Path
) -> None:
    leave_a_part(site, run)
    site.always[PATH] = etag('"of the mirror"')
    assert hows(run, base_url=site.url.replace("127.0.0.1", "localhost")) == ["resumed"]
    (asked,) = site.gets(NAME)
    assert asked.headers["Range"] == "bytes=20000-"
    assert "If-Range" not in asked.headers
    assert target.read_bytes() == CONTENT


def test_a_file_that_somebody_put_there_is_checked_and_kept(
    site: LoopbackDumps, run: Run, target: Path
) -> None:
    target.parent.mkdir(parents=True)
    target.write_bytes(CONTENT)
    assert hows(run) == ["checked"]
    assert site.gets(NAME) == []
    assert hows(run) == ["already there"]


@pytest.mark.parametrize("content", [b"", b"\0" * len(CONTENT), CONTENT[:-1]])
def test_a_wrong_file_under_the_name_is_replaced_when_the_right_one_is_whole(
    content: bytes, site: LoopbackDumps, run: Run, target: Path
) -> None:
    target.parent.mkdir(parents=True)
    target.write_bytes(content)
    site.always[PATH] = cut(0)
    with pytest.raises(UnreachableError):
        run()
    assert target.read_bytes() == content
    site.always.clear()
    assert hows(run) == ["replaced"]
    assert target.read_bytes() == CONTENT


def test_verify_reads_what_the_record_believes(run: Run, target: Path) -> None:
    run()
    target.write_bytes(b"\0" * len(CONTENT))
    assert hows(run) == ["already there"]
    assert hows(run, verify=True) == ["replaced"]
    assert hows(run, verify=True) == ["checked"]
    assert target.read_bytes() == CONTENT


def test_a_dump_that_was_published_anew_is_fetched_anew(
    site: LoopbackDumps, run: Run, target: Path
) -> None:
    run()
    site.add_classic("swwiki", DATE, {"articlesmultistreamdump": {NAME: CONTENT[::-1]}})
    assert hows(run) == ["replaced"]
    assert target.read_bytes() == CONTENT[::-1]


def test_one_bad_file_does_not_keep_the_others_away(
    site: LoopbackDumps, run: Run, target: Path
) -> None:
    files = {NAME: CONTENT, OTHER: b"other" * 100}
    site.add_classic("swwiki", DATE, {"articlesmultistreamdump": files})
    site.always[PATH] = SPOILED
    with pytest.raises(BadContentError):
        run()
    assert target.with_name(OTHER).read_bytes() == files[OTHER]
    site.always[f"swwiki/{DATE}/{OTHER}"] = site.always[PATH]
    target.with_name(OTHER).unlink()
    with pytest.raises(ResourceError, match=r"2 of 2 files were not fetched; the first: swwiki-"):
        run()


def test_content_files_are_right_though_nobody_publishes_their_length(
    site: LoopbackDumps, run: Run, target: Path
) -> None:
    site.add_content("swwiki", "2026-10-01", {"p1p9": CONTENT, "p10p11": CONTENT[:999]})
    path = next(path for path in site.files if path.endswith("p1p9.xml.bz2"))
    site.once[path] = [cut(100), lie(by=-300), SPOILED]
    report = run(layout="content")
    sizes = {path.name: path.stat().st_size for path in target.parent.iterdir()}
    assert sizes == {
        "swwiki-2026-10-01-p1p9.xml.bz2": 50_000, "swwiki-2026-10-01-p10p11.xml.bz2": 999,
    }  # fmt: skip
    assert report.troubles == {"the connection broke off": 2, "wrong checksum": 1}


def test_whole_parts_of_unpublished_length_are_noticed_by_the_servers_answer(
    site: LoopbackDumps, run: Run
) -> None:
    site.add_content("swwiki", "2026-10-01", {"p1p9": CONTENT})
    path = next(path for path in site.files if path.endswith("p1p9.xml.bz2"))
    site.once[path] = [lie(by=300)]  # the rest never comes, since there is none
    report = run(layout="content")
    assert report.received == len(CONTENT)
    assert report.troubles == {"the connection broke off": 1}


def test_one_connection_is_the_rule_and_three_are_the_most(
    site: LoopbackDumps, run: Run, target: Path
) -> None:
    files = {f"swwiki-{DATE}-{n}.xml-p{n}p{n}.bz2": bytes([n]) * 60 for n in range(8)}
    site.add_classic("swwiki", DATE, {"articlesmultistreamdump": files})
    site.always = {f"swwiki/{DATE}/{name}": slow(0.001) for name in files}
    patience = Patience(slowest=1)
    run(patience=patience)
    assert site.most == 1
    for path in target.parent.iterdir():
        path.unlink()
    assert len(run(connections=3, patience=patience).files) == 8
    assert 2 <= site.most <= 3
    with pytest.raises(InputError, match="--connections 4 is not between 1 and 3"):
        run(connections=4)


def test_two_processes_do_not_fetch_to_one_folder(
    site: LoopbackDumps, run: Run, target: Path, tmp_path: Path
) -> None:
    site.once[PATH] = [stall(20_000)]
    program = [sys.executable, "-c", SLOWLY, site.url, str(tmp_path / "dumps")]
    with subprocess.Popen(program, stderr=subprocess.DEVNULL) as other:
        part = target.with_name(f".{NAME}.part")
        wait_for(lambda: part.exists() and part.stat().st_size == 20_000)
        with pytest.raises(ResourceError, match=rf"another process \({other.pid}\) is fetching"):
            run()
        other.kill()  # as with kill -9: what came is kept, and the folder is free at once
    assert hows(run) == ["resumed"]
    assert target.read_bytes() == CONTENT


def wait_for(condition: object) -> None:
    deadline = time.monotonic() + 15
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def test_control_c_ends_a_fetch_that_waits_for_bytes_and_keeps_them(
    site: LoopbackDumps, run: Run, target: Path
) -> None:
    site.once[PATH] = [stall(20_000)]
    part = target.with_name(f".{NAME}.part")

    def interrupt() -> None:
        wait_for(lambda: part.exists() and part.stat().st_size == 20_000)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    before = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run(patience=Patience(read_seconds=60))
    assert time.monotonic() - before < 20
    assert part.stat().st_size == 20_000
    assert hows(run) == ["resumed"]
    assert target.read_bytes() == CONTENT


FAULTS = st.sampled_from(
    [cut(0), cut(1), cut(17_000), lie(33), lie(-33), IGNORED_RANGE, WRONG_RANGE, SPOILED,
     etag('"new"'), status(416), status(429, retry_after="0"), status(503), status(404),
     status(206), Fault(ignores_condition=True, headers={"ETag": '"x"'}),
     Fault(ignores_range=True, cut=9_000), Fault(spoiled=True, cut=25_000),
     Fault(shifted=3, length=5)]
)  # fmt: skip


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(faults=st.lists(FAULTS, max_size=7))
def test_whatever_a_server_does_no_wrong_bytes_get_the_name(
    faults: list[Fault], site: LoopbackDumps
) -> None:
    site.once[PATH] = list(faults)
    request = Request(languages=("sw",), wikidata="none", base_url=site.url)
    with tempfile.TemporaryDirectory() as place:
        folder = DumpFolder(Path(place))
        target = folder.path / "swwiki" / NAME
        for _ in range(len(faults) + 1):  # a run that fails has used up a fault
            client = Client(contact="test@example.org", patience=HURRY)
            try:
                fetch(client, make_plan(client, request), folder).require_all()
            except ExonymError:
                assert not target.exists()
            else:
                break
        assert target.read_bytes() == CONTENT
        assert [path.name for path in target.parent.iterdir()] == [NAME]


def test_a_disk_that_is_too_small_is_refused_with_numbers(
    site: LoopbackDumps, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_a_part(site, run)

    class Usage:
        free = 29_999

    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage)
    told = r"30\.0 kB more are needed \(50\.0 kB in all, 20\.0 kB are there\), 30\.0 kB are free"
    with pytest.raises(ResourceError, match=told):
        run()
    assert site.gets(NAME) == []
    Usage.free = 30_000
    assert hows(run) == ["resumed"]


def test_a_disk_that_fills_up_on_the_way_keeps_what_came(
    site: LoopbackDumps, run: Run, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(part: Part, chunk: bytes) -> None:
        original(part, chunk[: max(0, 30_000 - part.size)])
        if part.size >= 30_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    original = Part.append
    monkeypatch.setattr(Part, "append", full)
    with pytest.raises(OSError, match="No space left"):
        run()
    monkeypatch.setattr(Part, "append", original)
    site.asked.clear()
    assert hows(run) == ["resumed"]
    assert site.gets(NAME)[0].headers["Range"] == "bytes=30000-"
    assert target.read_bytes() == CONTENT


def test_room_is_measured_where_the_folder_will_be(
    site: LoopbackDumps, client: Client, tmp_path: Path
) -> None:
    plan = make_plan(client, Request(languages=("sw",), wikidata="none", base_url=site.url))
    space = room(plan, DumpFolder(tmp_path / "not" / "yet" / "there"))
    assert (space.needed, space.there) == (50_000, 0)
    assert space.free > 0
    assert list(tmp_path.iterdir()) == []


def test_the_record_says_what_lies_there(run: Run, target: Path) -> None:
    run()
    folder = DumpFolder(target.parents[1])
    assert [(f.place, f.date, f.size, f.state) for f in folder.held(verify=True)] == [
        (f"swwiki/{NAME}", DATE, 50_000, "complete")
    ]
    target.write_bytes(b"\0" * len(CONTENT))
    assert [file.state for file in folder.held()] == ["complete"]
    assert [file.state for file in folder.held(verify=True)] == ["damaged"]
    target.write_bytes(b"short")
    assert [file.state for file in folder.held()] == ["damaged"]
    target.unlink()
    assert [file.state for file in folder.held()] == ["missing"]


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        ("{", FormatError, "not valid JSON"),
        ("[]", FormatError, "is not a list of fetched dumps"),
        ('{"format": "exonym-corpus"}', FormatError, "is not a list of fetched dumps"),
        ('{"format": "exonym-dumps", "version": 9}', VersionError, "format version 9"),
        (json.dumps({"format": "exonym-dumps", "version": 1, "files": {"a": {"size": 1}}}),
         FormatError, "is damaged"),
    ],
)  # fmt: skip
def test_a_record_that_is_none_is_one_line(
    content: str, kind: type[ExonymError], message: str, tmp_path: Path
) -> None:
    (tmp_path / "fetched.json").write_text(content)
    with pytest.raises(kind, match=message):
        DumpFolder(tmp_path)


def test_what_is_fetched_is_found_again_by_those_who_read_dumps(
    site: LoopbackDumps, run: Run, target: Path
) -> None:
    jobs = {
        "articlesdump": {f"elwiki-{DATE}-pages-articles1.xml-p1p9.bz2": b"1"},
        "langlinkstable": {f"elwiki-{DATE}-langlinks.sql.gz": b"2"},
        "pagepropstable": {f"elwiki-{DATE}-page_props.sql.gz": b"3"},
    }
    site.add_classic("elwiki", DATE, jobs)
    site.add_wikidata(DATE, {"gz": b"4"})
    run(languages=("el",), langlinks=True, wikidata="gz")
    site.add_content("swwiki", "2026-10-01", {"p1p9": b"5"})
    run(layout="content", date="20261001")
    found = [read_name(path) for path in files_below(target.parents[1])]
    assert [(name.wiki, name.kind) for name in found if name is not None] == [
        ("elwiki", "langlinks"), ("elwiki", "page_props"), ("elwiki", "articles"),
        ("swwiki", "content-current"), ("wikidatawiki", "items"),
    ]  # fmt: skip


def test_sizes_are_told_in_powers_of_thousand() -> None:
    told = [in_bytes(count) for count in (0, 999, 1_000, 26_564_488_717, 2_500_000_000_000)]
    assert told == ["0 bytes", "999 bytes", "1.0 kB", "26.6 GB", "2.5 TB"]
