"""A server on this machine that answers like a dump site, and misbehaves when it is told to."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

CONTENT = "other/mediawiki_content_current"
ENTITIES = "wikidatawiki/entities"
_WRITE = 4096


@dataclass(frozen=True)
class Fault:
    """How one answer goes wrong; see the functions below, which make them."""

    cut: int | None = None
    stall: int | None = None
    slow: float = 0.0
    length: int = 0
    ignores_range: bool = False
    ignores_condition: bool = False
    spoiled: bool = False
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    shifted: int = 0
    raw: bytes | None = None


def cut(after: int) -> Fault:
    """The connection ends after so many bytes of the body."""
    return Fault(cut=after)


def stall(after: int) -> Fault:
    """After so many bytes nothing comes any more, and the connection stays open."""
    return Fault(stall=after)


def slow(seconds: float) -> Fault:
    """A byte at a time, with so many seconds between them."""
    return Fault(slow=seconds)


def lie(by: int) -> Fault:
    """Content-Length is larger (or smaller) than the body by so many bytes."""
    return Fault(length=by)


def raw(answer: bytes) -> Fault:
    """These bytes instead of an answer, and the connection ends."""
    return Fault(raw=answer)


def status(code: int, **headers: str) -> Fault:
    """An answer without the file; ``retry_after="1"`` is the header Retry-After."""
    return Fault(status=code, headers={k.replace("_", "-").title(): v for k, v in headers.items()})


def etag(value: str) -> Fault:
    """The file under another ETag; the server then takes it for another file, too."""
    return Fault(headers={"ETag": value})


IGNORED_RANGE = Fault(ignores_range=True)
SPOILED = Fault(spoiled=True)
WRONG_RANGE = Fault(shifted=7)


@dataclass(frozen=True)
class Asked:
    """A request."""

    method: str
    path: str
    headers: Mapping[str, str]


class LoopbackDumps:
    """Files by path, served on a port of the loopback interface.

    Attributes:
        url: the root, without a slash at its end.
        files: what there is; a path that ends in a slash is listed.
        once: faults of the next answers to GET of a path, in order.
        always: a fault of every answer to a path, after those of ``once``.
        asked: everything that was asked, in order.
        most: how many answers were being given at the same time, at most.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.once: defaultdict[str, list[Fault]] = defaultdict(list)
        self.always: dict[str, Fault] = {}
        self.asked: list[Asked] = []
        self.most = self.busy = 0
        self.lock = threading.Lock()
        self.leave = threading.Event()
        self.server = _Server(self)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def add_classic(
        self, wiki: str, date: str, jobs: Mapping[str, Mapping[str, bytes]], **states: str
    ) -> None:
        """A classic dump: content of the files by job; ``JOB="waiting"`` for one not done."""
        folder = f"{wiki}/{date}"
        described: dict[str, Any] = {}
        for job, files in jobs.items():
            described[job] = {
                "status": states.get(job, "done"),
                "files": {
                    name: {
                        "size": len(content),
                        "url": f"/{folder}/{name}",
                        "md5": hashlib.md5(content).hexdigest(),
                        "sha1": hashlib.sha1(content).hexdigest(),
                    }
                    for name, content in files.items()
                },
            }
            self.files |= {f"{folder}/{name}": content for name, content in files.items()}
        status = {"version": "0.8", "jobs": described}
        self.files[f"{folder}/dumpstatus.json"] = json.dumps(status).encode()

    def add_content(self, wiki: str, day: str, pieces: Mapping[str, bytes]) -> None:
        """A dump of the newer layout: content by page range (``"p1p50"``); ``day`` has dashes."""
        folder = f"{CONTENT}/{wiki}/{day}/xml/bzip2"
        files = {f"{wiki}-{day}-{pages}.xml.bz2": content for pages, content in pieces.items()}
        self._add_with_sums(folder, files, "sha256", "SHA256SUMS")

    def add_wikidata(self, day: str, files: Mapping[str, bytes], *, named: str = "") -> None:
        """Wikidata's dump, by suffix (``"bz2"``); ``named``: the date in the names, if another."""
        date = named or day
        dumps = {f"wikidata-{date}-all.json.{suffix}": c for suffix, c in files.items()}
        self._add_with_sums(f"{ENTITIES}/{day}", dumps, "sha1", f"wikidata-{date}-sha1sums.txt")

    def _add_with_sums(
        self, folder: str, files: Mapping[str, bytes], algorithm: str, name: str
    ) -> None:
        sums = [f"{hashlib.new(algorithm, c).hexdigest()}  {n}\n" for n, c in files.items()]
        self.files |= {f"{folder}/{n}": content for n, content in files.items()}
        self.files[f"{folder}/{name}"] = "".join(sums).encode()

    def gets(self, name: str) -> list[Asked]:
        """The requests for a file's content."""
        return [a for a in self.asked if a.method == "GET" and a.path.endswith(f"/{name}")]

    def close(self) -> None:
        """Stop answering, in the middle too."""
        self.leave.set()
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, site: LoopbackDumps) -> None:
        self.site = site
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._counted()

    def do_GET(self) -> None:
        self._counted()

    def _counted(self) -> None:
        site = self.server.site
        with site.lock:
            site.busy += 1
            site.most = max(site.most, site.busy)
        try:
            self._answer()
        finally:
            with site.lock:
                site.busy -= 1

    def _answer(self) -> None:
        site, path = self.server.site, unquote(urlsplit(self.path).path)
        site.asked.append(Asked(self.command, path, dict(self.headers.items())))
        key = path.removeprefix("/")
        fault = site.always.get(key, Fault())
        if self.command == "GET" and site.once[key]:
            fault = site.once[key].pop(0)
        if fault.raw is not None:
            self.wfile.write(fault.raw)
            self.close_connection = True
        elif fault.status is not None:
            self._send(fault.status, b"not now", dict(fault.headers), Fault())
        elif key in site.files:
            self._send_file(site.files[key], fault)
        elif path.endswith("/") and (page := self._listing(key)):
            self._send(200, page, {"Content-Type": "text/html"}, fault)
        else:
            self._send(404, b"<html>Not Found</html>", {}, Fault())

    def _listing(self, folder: str) -> bytes:
        inside = (path.removeprefix(folder) for path in self.server.site.files
                  if path.startswith(folder))  # fmt: skip
        names = sorted({name.split("/")[0] + "/" * ("/" in name) for name in inside})
        lines = [f'<a href="{name}">{name[:40]}</a>  20-Nov-2026 10:00  123' for name in names]
        page = '<html><h1>Index</h1><pre><a href="../">../</a>\n' + "\n".join(lines) + "</pre>"
        return page.encode() if names else b""

    def _send_file(self, content: bytes, fault: Fault) -> None:
        tag = fault.headers.get("ETag", f'"{hashlib.md5(content).hexdigest()}"')
        headers = {"ETag": tag, "Last-Modified": "Thu, 24 Sep 2026 05:20:25 GMT", **fault.headers}
        asked = None if fault.ignores_range else self.headers.get("Range")
        condition = None if fault.ignores_condition else self.headers.get("If-Range")
        if fault.spoiled:
            content = bytes(byte ^ 1 for byte in content)
        if not asked or (condition and condition not in (tag, headers["Last-Modified"])):
            self._send(200, content, headers, fault)
            return
        start = int(asked.removeprefix("bytes=").split("-")[0])
        if start >= len(content):
            self._send(416, b"", {"Content-Range": f"bytes */{len(content)}"}, Fault())
            return
        place = start + fault.shifted
        headers["Content-Range"] = f"bytes {place}-{len(content) - 1}/{len(content)}"
        self._send(206, content[place:], headers, fault)

    def _send(self, code: int, body: bytes, headers: Mapping[str, str], fault: Fault) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) + fault.length))
        self.end_headers()
        if self.command == "HEAD":
            return
        if fault.cut is not None or fault.stall is not None or fault.length:
            self.close_connection = True
        end = fault.cut if fault.cut is not None else fault.stall
        body = body if end is None else body[:end]
        step = 1 if fault.slow else _WRITE
        for start in range(0, len(body), step):
            self.wfile.write(body[start : start + step])
            if fault.slow and self.server.site.leave.wait(fault.slow):
                return
        if fault.stall is not None:
            self.wfile.flush()
            self.server.site.leave.wait(30)


@contextmanager
def loopback_dumps() -> Iterator[LoopbackDumps]:
    """A site that answers while the block runs."""
    site = LoopbackDumps()
    try:
        yield site
    finally:
        site.close()
