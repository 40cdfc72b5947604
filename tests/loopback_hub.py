"""A server on this machine that answers like the Hugging Face hub, and counts what it was asked."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "hf_a_token_of_the_tests"
MAIN = "main"
_LARGE = (".safetensors", ".bin", ".model")  # kept elsewhere by the hub, which redirects there


class LoopbackHub:
    """Repositories that `add` made, served on a port of the loopback interface.

    Attributes:
        endpoint: what ``HF_ENDPOINT`` is to be.
        requests: "METHOD path" of everything that was asked, in order.
        resumed: the "Range" headers that were sent.
        cut_once: files whose first answer breaks off in the middle.
        gated: repositories that need `TOKEN`.
        broken: whether every answer is an error of the server.
        page: what is answered to everything instead, as by a server that is no hub.
    """

    def __init__(self) -> None:
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.requests: list[str] = []
        self.resumed: list[str] = []
        self.cut_once: set[str] = set()
        self.gated: set[str] = set()
        self.broken = False
        self.page: bytes | None = None
        self.server = _Server(self)
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"
        self.elsewhere = f"http://localhost:{self.server.server_port}"  # as large files are
        self.closed = False
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def add(self, name: str, files: Mapping[str, bytes | str]) -> None:
        """Make or replace a repository."""
        self.repositories[name] = {
            path: content.encode() if isinstance(content, str) else content
            for path, content in files.items()
        }

    def add_directory(self, name: str, directory: Path) -> None:
        """Make a repository of a directory's files."""
        files = sorted(path for path in directory.rglob("*") if path.is_file())
        self.add(name, {p.relative_to(directory).as_posix(): p.read_bytes() for p in files})

    def commit(self, name: str) -> str:
        """The commit that the main branch is at."""
        digest = hashlib.sha1()
        for path, content in sorted(self.repositories[name].items()):
            digest.update(path.encode() + content)
        return digest.hexdigest()

    def bodies(self) -> list[str]:
        """The files whose content was sent, in order; a forgetting log would hide none of them."""
        sent = [line for line in self.requests if line.startswith("GET /cdn/")]
        sent += [line for line in self.requests if line.startswith("GET") and "/resolve/" in line]
        return [line.rsplit("/", 1)[1] for line in sent]

    def forget(self) -> None:
        """Empty the log of requests."""
        self.requests.clear()
        self.resumed.clear()

    def close(self) -> None:
        """Stop answering, on open connections too; the port then refuses."""
        if self.closed:
            return
        self.closed = True
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, hub: LoopbackHub) -> None:
        self.hub = hub
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        hub = self.server.hub
        if hub.closed:
            self.close_connection = True
            return
        hub.requests.append(f"{self.command} {path}")
        if hub.broken:
            self._refuse(503, "", "the hub is out of order")
        elif hub.page is not None:
            self._send(200, hub.page, {})
        elif path.startswith("/api/models/"):
            self._describe(path.removeprefix("/api/models/").split("/", 3))
        elif path.startswith("/cdn/"):
            _, _, owner, name, file = path.split("/", 4)
            self._send_file(hub.repositories[f"{owner}/{name}"][file], file, {})
        elif path.count("/resolve/") == 1:
            name, place = path.removeprefix("/").split("/resolve/")
            self._resolve(name, *place.split("/", 1))
        else:
            self._refuse(404, "EntryNotFound", "no such page")

    def _describe(self, parts: list[str]) -> None:
        """/api/models/OWNER/NAME[/revision/REVISION | /tree/REVISION]"""
        name, rest = "/".join(parts[:2]), parts[2:]
        if not self._known(name, rest[1] if rest else MAIN):
            return
        files = self.server.hub.repositories[name]
        if rest and rest[0] == "tree":
            self._send_json(
                [
                    {"type": "file", "path": path, "size": len(content), "oid": _etag(content)}
                    for path, content in files.items()
                ]
            )
        else:
            siblings = [{"rfilename": path, "size": len(files[path])} for path in files]
            commit = self.server.hub.commit(name)
            self._send_json({"id": name, "sha": commit, "siblings": siblings})

    def _resolve(self, name: str, revision: str, file: str) -> None:
        """/OWNER/NAME/resolve/REVISION/FILE"""
        if not self._known(name, revision):
            return
        hub, content = self.server.hub, self.server.hub.repositories[name].get(file)
        if name in hub.gated and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._refuse(401, "GatedRepo", f"Access to model {name} is restricted.")
        elif content is None:
            self._refuse(404, "EntryNotFound", "Entry not found")
        else:
            headers = {"X-Repo-Commit": hub.commit(name)}
            if file.endswith(_LARGE):
                headers["X-Linked-Etag"] = f'"{hashlib.sha256(content).hexdigest()}"'
                headers["X-Linked-Size"] = str(len(content))
                headers["Location"] = f"{hub.elsewhere}/cdn/{name}/{file}"
                self._send(302, b"", headers)
            else:
                self._send_file(content, file, headers)

    def _known(self, name: str, revision: str) -> bool:
        hub = self.server.hub
        if name not in hub.repositories:
            self._refuse(404, "RepoNotFound", "Repository not found")
        elif revision not in (MAIN, hub.commit(name)):
            self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        else:
            return True
        return False

    def _send_file(self, content: bytes, file: str, headers: dict[str, str]) -> None:
        hub, asked = self.server.hub, self.headers.get("Range")
        status, start = 200, 0
        if asked:
            hub.resumed.append(asked)
            status, start = 206, int(asked.removeprefix("bytes=").split("-")[0])
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        headers["ETag"] = f'"{_etag(content)}"'
        headers["Accept-Ranges"] = "bytes"
        cut = self.command == "GET" and file in hub.cut_once
        hub.cut_once.discard(file) if cut else None
        self._send(status, content[start:], headers, cut=cut)

    def _send_json(self, value: Any) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _refuse(self, status: int, code: str, message: str) -> None:
        headers = {"X-Error-Code": code, "X-Error-Message": message}
        self._send(status, json.dumps({"error": message}).encode(), headers)

    def _send(
        self, status: int, content: bytes, headers: dict[str, str], *, cut: bool = False
    ) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content[: len(content) // 2] if cut else content)
        if cut:
            self.close_connection = True


def _etag(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


@contextmanager
def loopback_hub() -> Iterator[LoopbackHub]:
    """A hub that answers while the block runs."""
    hub = LoopbackHub()
    try:
        yield hub
    finally:
        hub.close()


def point_at(hub: LoopbackHub, cache: Path, monkeypatch: Any, *, offline: bool = False) -> None:
    """Let this process take its models from ``hub`` and keep them in ``cache``.

    The library reads its variables when it is loaded, which may be long ago.
    """
    from huggingface_hub import constants, file_download

    template = hub.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", hub.endpoint)
    for module in (constants, file_download):  # older versions keep a copy
        monkeypatch.setattr(module, "HUGGINGFACE_CO_URL_TEMPLATE", template, raising=False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", offline)
    monkeypatch.setenv("HF_TOKEN", "")


def variables(hub: LoopbackHub, home: Path) -> dict[str, str]:
    """The same for a process that is still to start."""
    return {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(home), "HF_TOKEN": ""}
