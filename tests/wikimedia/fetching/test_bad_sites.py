"""A server that cuts connections, stalls, lies, forgets and serves wrong bytes: the file is right.

Each fault is met on the way to one file. Where it can be overcome, the file is right and the
trouble counted; where it cannot, there is one line, and nothing under the file's name.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from one_dump import BRIEF, CONTENT, DATE, HURRY, NAME, PATH, Run

from exonym.foundation.errors import ExonymError
from exonym.wikimedia.fetching import BadContentError, RefusedError, UnreachableError
from loopback_dumps import (
    IGNORED_RANGE,
    SPOILED,
    WRONG_RANGE,
    Fault,
    LoopbackDumps,
    cut,
    etag,
    lie,
    raw,
    slow,
    stall,
    status,
)


def left(target: Path) -> list[str]:
    """What lies in the file's folder, hidden files too."""
    return sorted(path.name for path in target.parent.iterdir()) if target.parent.exists() else []


@pytest.mark.parametrize(
    ("faults", "troubles", "ranges"),
    [
        ([cut(20_000)], {"the connection broke off": 1}, [0, 20_000]),
        ([cut(20_000), cut(10_000), cut(0)], {"the connection broke off": 3},
         [0, 20_000, 30_000, 30_000]),
        ([stall(20_000)], {"the connection stalled": 1}, [0, 20_000]),
        ([lie(by=400)], {"the server states another length than is published": 1}, [0]),
        ([lie(by=-400)],
         {"the server states another length than is published": 1, "the connection broke off": 1},
         [0, 49_600]),
        ([cut(20_000), lie(by=400)], {"the connection broke off": 1}, [0, 20_000]),
        ([cut(20_000), IGNORED_RANGE],
         {"the connection broke off": 1, "the server did not resume": 1}, [0, 20_000]),
        ([cut(20_000), etag('"other"')],
         {"the connection broke off": 1, "the file has changed": 1}, [0, 20_000]),
        ([cut(20_000), WRONG_RANGE],
         {"the connection broke off": 1, "the server sent another range than was asked for": 1},
         [0, 20_000, 0]),
        ([cut(20_000), status(416)],
         {"the connection broke off": 1, "the server could not resume": 1}, [0, 20_000, 0]),
        ([SPOILED], {"wrong checksum": 1}, [0, 0]),
        ([status(503)], {"the server answers 503": 1}, [0, 0]),
        ([status(500), status(502), status(504)],
         {"the server answers 500": 1, "the server answers 502": 1, "the server answers 504": 1},
         [0, 0, 0, 0]),
        ([status(302, location=f"/{PATH}")], {}, [0, 0]),
    ],
    ids=["cut", "cut thrice", "stall", "length too long", "length too short", "length of the rest",
         "range ignored", "changed ETag", "wrong range", "416", "wrong bytes", "503", "50x",
         "redirect"],
)  # fmt: skip
def test_what_can_be_overcome_is_and_is_counted(
    faults: list[Fault], troubles: dict[str, int], ranges: list[int], site: LoopbackDumps,
    run: Run, target: Path,
) -> None:  # fmt: skip
    site.once[PATH] = list(faults)
    report = run(patience=BRIEF if stall(20_000) in faults else HURRY)
    assert target.read_bytes() == CONTENT
    assert left(target) == [NAME]
    assert dict(report.troubles) == troubles
    asked = [get.headers.get("Range", "bytes=0-") for get in site.gets(NAME)]
    assert asked == [f"bytes={start}-" for start in ranges]


def test_a_changed_file_is_noticed_though_the_server_ignores_if_range(
    site: LoopbackDumps, run: Run, target: Path
) -> None:
    site.once[PATH] = [cut(20_000), Fault(headers={"ETag": '"other"'}, ignores_condition=True)]
    report = run()
    assert target.read_bytes() == CONTENT
    assert report.troubles == {"the connection broke off": 1, "the file has changed": 1}
    first, second, third = site.gets(NAME)
    assert second.headers["If-Range"].startswith('"')
    assert "Range" not in first.headers
    assert "Range" not in third.headers


def test_a_trickle_counts_as_stalled(site: LoopbackDumps, run: Run, target: Path) -> None:
    site.once[PATH] = [slow(0.02)]  # bytes keep coming, 50 in a second
    before = time.monotonic()
    report = run(patience=BRIEF)
    assert time.monotonic() - before < 20  # and not the thousand seconds of the whole file
    assert target.read_bytes() == CONTENT
    assert report.troubles == {"the connection stalled": 1}


def test_retry_after_is_kept(site: LoopbackDumps, run: Run, target: Path) -> None:
    site.once[PATH] = [status(429, retry_after="1")]
    before = time.monotonic()
    report = run()
    assert time.monotonic() - before >= 1
    assert report.troubles == {"the server answers 429": 1}
    assert target.read_bytes() == CONTENT


def test_a_server_that_asks_for_too_long_a_wait_is_left(
    site: LoopbackDumps, run: Run, target: Path
) -> None:
    site.once[PATH] = [cut(20_000), status(503, retry_after="86400")]
    with pytest.raises(UnreachableError, match=r"asks to come back in 86,400 seconds\. The same"):
        run()
    assert left(target) == [f".{NAME}.part", f".{NAME}.part.json"]


@pytest.mark.parametrize(
    ("fault", "kind", "message"),
    [
        (
            SPOILED,
            BadContentError,
            rf"{NAME} has the sha1 checksum \w+, the same one twice; \w+ is",
        ),
        (cut(0), UnreachableError, "the connection broke off, 5 times in a row"),
        (stall(0), UnreachableError, "the connection stalled, 3 times in a row"),
        (status(503), UnreachableError, "the server answers 503, 5 times in a row"),
        (status(404), RefusedError, "the server answers 404"),
        (status(403), RefusedError, "the server answers 403"),
        (status(302, location=f"/{PATH}"), UnreachableError, "leads in circles"),
    ],
    ids=["wrong bytes", "cut", "stall", "503", "404", "403", "redirects"],
)
def test_what_cannot_be_overcome_is_one_line_and_leaves_nothing(
    fault: Fault, kind: type[ExonymError], message: str, site: LoopbackDumps, run: Run,
    target: Path,
) -> None:  # fmt: skip
    site.always[PATH] = fault
    with pytest.raises(kind, match=message) as error:
        run(patience=BRIEF if fault == stall(0) else HURRY)
    assert "\n" not in str(error.value)
    assert f"{site.url}/{PATH}" in str(error.value)
    assert left(target) == []


def test_a_wrong_checksum_is_fetched_once_more_and_no_oftener(
    site: LoopbackDumps, run: Run, target: Path
) -> None:
    site.always[PATH] = SPOILED
    with pytest.raises(BadContentError):
        run()
    assert len(site.gets(NAME)) == 2
    assert not target.exists()


def test_a_wrong_list_of_checksums_is_an_error_that_says_so(
    site: LoopbackDumps, run: Run, target: Path
) -> None:
    listed = json.loads(site.files[f"swwiki/{DATE}/dumpstatus.json"])
    listed["jobs"]["articlesmultistreamdump"]["files"][NAME]["sha1"] = "0" * 40
    site.files[f"swwiki/{DATE}/dumpstatus.json"] = json.dumps(listed).encode()
    with pytest.raises(BadContentError, match=rf"twice; {'0' * 40} is published"):
        run()
    assert left(target) == []


def test_bytes_beyond_the_published_length_are_not_taken(
    site: LoopbackDumps, run: Run, target: Path
) -> None:
    site.files[PATH] = CONTENT + b"more"
    run()
    assert target.read_bytes() == CONTENT


def test_a_server_that_never_resumes_and_always_cuts_is_left_in_the_end(
    site: LoopbackDumps, run: Run
) -> None:
    site.always[PATH] = Fault(ignores_range=True, cut=30_000)
    with pytest.raises(UnreachableError, match="5 times in a row"):
        run()
    assert len(site.gets(NAME)) == HURRY.retries + 1


def test_a_connection_that_brings_much_lets_failures_be_counted_anew(
    site: LoopbackDumps, run: Run, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exonym.wikimedia.fetching.transfer.PROGRESS_BYTES", 4_000)
    site.once[PATH] = [cut(4_000)] * 11
    report = run()
    assert report.troubles == {"the connection broke off": 11}
    assert target.read_bytes() == CONTENT


def test_a_list_that_is_cut_or_late_is_asked_for_again(site: LoopbackDumps, run: Run) -> None:
    site.once[f"swwiki/{DATE}/dumpstatus.json"] = [cut(30), stall(40)]
    report = run(patience=BRIEF)
    assert report.troubles == {"the connection broke off": 1, "the connection stalled": 1}


def test_nobody_there_is_found_out_soon(run: Run) -> None:
    before = time.monotonic()
    with pytest.raises(UnreachableError, match=r"no connection to 127\.0\.0\.1:9, 3 times"):
        run(base_url="http://127.0.0.1:9")
    assert time.monotonic() - before < 20


HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\0" * 300,
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 2\r\n\r\n",
        HEAD,
        HEAD + b"Content-Length: many\r\n\r\n" + CONTENT[:100],
        HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
        HEAD + b"Content-Length: -5\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nff\r\nabc",
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        HEAD + b"A" * 70_000 + b": b\r\n\r\n",
        HEAD + b"".join(b"A%d: b\r\n" % n for n in range(200)) + b"\r\n",
        b"HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-2/3\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nabc",
    ],
)
def test_what_is_no_answer_is_an_attempt_that_failed(
    answer: bytes, site: LoopbackDumps, run: Run, target: Path
) -> None:
    site.once[PATH] = [cut(20_000), raw(answer)]
    try:
        run()
    except ExonymError as error:  # some are hopeless; then all is as it was
        assert "\n" not in str(error), error  # noqa: PT017
        run()
    assert target.read_bytes() == CONTENT
    assert left(target) == [NAME]


def test_a_length_need_not_be_stated(site: LoopbackDumps, run: Run, target: Path) -> None:
    site.once[PATH] = [raw(HEAD + b"Connection: close\r\n\r\n" + CONTENT)]
    assert run().troubles == {}
    assert target.read_bytes() == CONTENT


def test_a_compressed_file_is_kept_as_it_is_whatever_its_coding_is_called(
    site: LoopbackDumps, run: Run, target: Path
) -> None:
    site.always[PATH] = Fault(headers={"Content-Encoding": "x-gzip"})
    run()
    assert target.read_bytes() == CONTENT
    assert site.gets(NAME)[0].headers["Accept-Encoding"] == "identity"
