"""Fetching the files of a plan, one after the other or a few at a time."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from exonym.foundation.errors import ExonymError, InputError, ResourceError
from exonym.foundation.progress import Progress, stage
from exonym.wikimedia.fetching.catalog import DumpFile
from exonym.wikimedia.fetching.client import Client, ClientStoppedError, RefusedError
from exonym.wikimedia.fetching.folder import DumpFolder
from exonym.wikimedia.fetching.plan import Plan, room
from exonym.wikimedia.fetching.transfer import BadContentError, Fetched, Transfer

MOST_CONNECTIONS = 3
"""Wikimedia's dump site allows three from one address."""

_LOOK_SECONDS = 0.1
_FAREWELL_SECONDS = 5.0
_OF_ONE_FILE = (BadContentError, RefusedError)  # such troubles leave the other files as they are


@dataclass(frozen=True, slots=True)
class Obtained:
    """How a file was come by.

    Args:
        place: folder and name.
        date: of the dump, eight digits.
        size: in bytes.
        how: ``"already there"``, ``"checked"`` (there, and its checksum was read), ``"fetched"``,
            ``"resumed"`` (fetched from where an earlier run stopped) or ``"replaced"`` (what was
            there was wrong).
        received: bytes that came over the network.
    """

    place: str
    date: str
    size: int
    how: str
    received: int


@dataclass(frozen=True, slots=True)
class FetchReport:
    """What a fetch did.

    Args:
        files: in the order of the plan; those that failed are not among them.
        failures: what was wrong with those, by place.
        troubles: how often what went wrong on the way, overcome or not.
        seconds: from beginning to end.
    """

    files: tuple[Obtained, ...]
    failures: Mapping[str, ExonymError]
    troubles: Mapping[str, int]
    seconds: float

    @property
    def received(self) -> int:
        """Bytes that came over the network."""
        return sum(file.received for file in self.files)

    def as_dict(self) -> dict[str, Any]:
        """The same for JSON."""
        return {
            "files": [asdict(file) for file in self.files],
            "failures": {place: str(error) for place, error in self.failures.items()},
            "troubles": dict(sorted(self.troubles.items())),
            "received": self.received,
            "seconds": round(self.seconds, 3),
        }

    def require_all(self) -> None:
        """Raises the error of the file that failed, or one that counts them if several did."""
        if len(self.failures) == 1:
            raise next(iter(self.failures.values()))
        if self.failures:
            first = next(iter(self.failures.values()))
            total = len(self.files) + len(self.failures)
            raise ResourceError(
                f"{len(self.failures)} of {total} files were not fetched; the first: {first.what}",
                where=first.where,
                remedy="The same command tries them again",
            )


def fetch(
    client: Client,
    plan: Plan,
    folder: DumpFolder,
    *,
    connections: int = 1,
    verify: bool = False,
) -> FetchReport:
    """Fetch what is missing. Ctrl-C and kill leave what came; the same call goes on from there.

    Args:
        client: who asks; it is used up by an error or Ctrl-C.
        plan: the files.
        folder: where they go.
        connections: files fetched at a time, at most `MOST_CONNECTIONS`.
        verify: read the checksums of all files that are there, not only of those that somebody
            else put there.

    Raises:
        InputError: too many connections.
        ResourceError: the disk is too small; another process fetches to the folder; the site
            cannot be reached. A file that is refused or has a wrong checksum raises nothing here:
            see `FetchReport.require_all`.
    """
    if not 1 <= connections <= MOST_CONNECTIONS:
        raise InputError(
            f"--connections {connections} is not between 1 and {MOST_CONNECTIONS}",
            remedy="The site's rule; more are not faster, and may be blocked",
        )
    with folder.lock():
        space = room(plan, folder)
        space.require(folder)
        return _Crew(client, plan, folder, verify).work(connections, plan.bytes)


class _Crew:
    """Threads that fetch, and the one that waits for them, counts, and hears Ctrl-C."""

    def __init__(self, client: Client, plan: Plan, folder: DumpFolder, verify: bool) -> None:
        self._client, self._plan, self._folder, self._verify = client, plan, folder, verify
        self._open: queue.SimpleQueue[DumpFile] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[DumpFile, Obtained | Exception]] = queue.SimpleQueue()
        self._moving: dict[str, Transfer] = {}
        for file in plan.files:
            self._open.put(file)

    def work(self, connections: int, total: int) -> FetchReport:
        start = time.monotonic()
        obtained: dict[str, Obtained] = {}
        failures: dict[str, ExonymError] = {}
        threads = [threading.Thread(target=self._run, daemon=True) for _ in range(connections)]
        try:
            with stage("fetch dumps", total=total, unit="bytes") as progress:
                shown = 0
                for thread in threads:
                    thread.start()
                while len(obtained) + len(failures) < len(self._plan.files):
                    self._take_one(obtained, failures)
                    shown = self._show(progress, obtained, failures, shown)
        finally:
            self._client.stop()
            deadline = time.monotonic() + _FAREWELL_SECONDS
            for thread in threads:
                if thread.ident is not None:  # Ctrl-C may have come before it was started
                    thread.join(max(0.0, deadline - time.monotonic()))
        places = [file.place for file in self._plan.files]
        return FetchReport(
            tuple(obtained[place] for place in places if place in obtained),
            {place: failures[place] for place in places if place in failures},
            dict(self._client.troubles),
            time.monotonic() - start,
        )

    def _take_one(self, obtained: dict[str, Obtained], failures: dict[str, ExonymError]) -> None:
        """Wait a moment for a file to be done with, and write it down."""
        try:
            file, result = self._done.get(timeout=_LOOK_SECONDS)
        except queue.Empty:
            return
        self._moving.pop(file.place, None)
        if isinstance(result, Obtained):
            if result.how != "already there":
                self._folder.record(file)
            obtained[file.place] = result
        elif isinstance(result, _OF_ONE_FILE):
            failures[file.place] = result
        else:
            raise result

    def _show(
        self,
        progress: Progress,
        obtained: Mapping[str, Obtained],
        failures: Mapping[str, ExonymError],
        shown: int,
    ) -> int:
        moving = dict(self._moving)
        here = sum(file.size for file in obtained.values())
        here += sum(transfer.position for transfer in moving.values())
        if failures:
            progress.note(f"{len(failures)} failed")
        elif moving:
            progress.note(", ".join(sorted(moving)))
        progress.advance(here - shown)
        return here

    def _run(self) -> None:
        """Fetch files until there are none, in a thread of its own."""
        while not self._client.stopped:
            try:
                file = self._open.get_nowait()
            except queue.Empty:
                return
            try:
                self._done.put((file, self._obtain(file)))
            except ClientStoppedError:
                return
            except Exception as error:  # whatever it is, it is raised where everybody waits
                self._done.put((file, error))

    def _obtain(self, file: DumpFile) -> Obtained:
        folder, target = self._folder, self._folder.target(file)
        there = target.is_file()
        if folder.is_recorded(file) and not self._verify:
            return _obtained(file, "already there", Fetched(0, 0, target.stat().st_size))
        if there and folder.is_right(file):
            return _obtained(file, "checked", Fetched(0, 0, target.stat().st_size))
        transfer = self._moving[file.place] = Transfer(self._client, file, target)
        fetched = transfer.run()
        how = "replaced" if there else "resumed" if fetched.resumed else "fetched"
        return _obtained(file, how, fetched)


def _obtained(file: DumpFile, how: str, fetched: Fetched) -> Obtained:
    return Obtained(file.place, file.date, fetched.size, how, fetched.received)
