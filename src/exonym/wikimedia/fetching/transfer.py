"""Fetching one file: resumed where it stopped, taken only with the checksum published."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import urllib3

from exonym.foundation.errors import ResourceError
from exonym.wikimedia.fetching.catalog import DumpFile
from exonym.wikimedia.fetching.client import AttemptError, Client
from exonym.wikimedia.fetching.part import Part

PROGRESS_BYTES = 1 << 20
"""What a connection must bring, beyond all before it, for failures to be counted anew."""

_FETCHES = 2  # of the whole file: a second one where the first has the wrong checksum
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)\Z")


class BadContentError(ResourceError):
    """What the server sends is not what it published. Other files may still be good."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """How a file came.

    Args:
        received: bytes that came over the network.
        resumed: bytes that an earlier run had left.
        size: bytes of the file.
    """

    received: int
    resumed: int
    size: int


class Transfer:
    """One file on its way.

    Args:
        client: who asks.
        file: what is fetched.
        target: the name it gets when it is whole and right.
    """

    def __init__(self, client: Client, file: DumpFile, target: Path) -> None:
        self._client, self._file, self._target = client, file, target
        self._total = file.size if file.size_is_published else None
        self._received = self._highest = 0
        self._part: Part | None = None

    @property
    def position(self) -> int:
        """Bytes of the file that are here."""
        return self._part.size if self._part is not None else 0

    def run(self) -> Fetched:
        """Fetch the file.

        Raises:
            BadContentError: its checksum is wrong, twice.
            RefusedError: the server does not give it.
            UnreachableError: it cannot be had now; what came is kept.
        """
        part = self._part = Part(self._target, self._file, self._client)
        try:
            resumed = self._highest = part.size
            digests: list[str] = []
            while True:
                whole = part.size == 0
                if whole or part.digest != self._file.digest:
                    self._client.persist(self._file.url, lambda: self._fill(part))
                if part.digest == self._file.digest:
                    part.finish()
                    return Fetched(self._received, resumed, part.size)
                self._client.count("wrong checksum")
                if whole:  # what an earlier run left may be to blame for the rest
                    digests.append(part.digest)
                part.begin()
                self._highest = 0
                if len(digests) == _FETCHES:
                    raise self._bad_content(digests)
        finally:
            part.close()

    def _fill(self, part: Part) -> None:
        """Make one request, and take what it brings.

        Raises:
            AttemptError: the file is not whole yet.
        """
        if part.size and part.size == self._total:
            return
        if self._total is not None and part.size > self._total:
            part.begin()
        before = part.size
        headers = _range_headers(part)
        try:
            with self._client.open(
                self._file.url, headers=headers, accept=(200, 206, 416)
            ) as response:
                if not self._place(part, response):
                    return
                for chunk in self._client.chunks(response):
                    room = len(chunk) if self._total is None else self._total - part.size
                    part.append(chunk[:room])
                    self._received += len(chunk)
                    if part.size == self._total:
                        return
            if self._total is not None:
                raise AttemptError("the connection broke off")
        except AttemptError as trouble:
            trouble.progress = part.size >= self._highest + PROGRESS_BYTES
            self._highest = max(self._highest, part.size)
            raise
        if part.size == before:
            raise AttemptError("an empty answer")

    def _place(self, part: Part, response: urllib3.BaseHTTPResponse) -> bool:
        """Make the part end where the answer begins.

        Returns:
            Whether there is anything to take: not where the part is whole already.
        """
        etag = response.headers.get("ETag")
        if response.status == 416:
            return self._past_the_end(part, response)
        if response.status == 200:
            if part.size:
                changed = part.etag is not None and etag is not None and part.etag != etag
                self._client.count(
                    "the file has changed" if changed else "the server did not resume"
                )
            self._check_length(response)
            part.begin(etag, response.headers.get("Last-Modified"))
            return True
        if part.etag is not None and etag is not None and part.etag != etag:
            part.begin()
            raise AttemptError("the file has changed")
        self._check_range(part, response)
        return True

    def _past_the_end(self, part: Part, response: urllib3.BaseHTTPResponse) -> bool:
        """The server has nothing behind the part: it is whole, or of something else."""
        stated = response.headers.get("Content-Range", "")
        published = self._file.size_is_published
        if part.size and not published and stated == f"bytes */{part.size}":
            self._total = part.size
            return False
        part.begin()
        raise AttemptError("the server could not resume")

    def _check_length(self, response: urllib3.BaseHTTPResponse) -> None:
        """A length that differs from the published one is counted: the checksum will decide."""
        stated = response.headers.get("Content-Length", "")
        length = int(stated) if stated.isdecimal() else None
        if not self._file.size_is_published:
            self._total = length
        elif length is not None and length != self._total:
            self._client.count("the server states another length than is published")

    def _check_range(self, part: Part, response: urllib3.BaseHTTPResponse) -> None:
        """The answer must begin at the part's end, and be of a file as long as ours."""
        match = _RANGE.match(response.headers.get("Content-Range", ""))
        right = match is not None and part.size > 0 and int(match[1]) == part.size
        if right and match is not None and match[3] != "*":
            if self._total is None:
                self._total = int(match[3])
            right = part.size < int(match[3]) == self._total
        if not right:
            part.begin()
            raise AttemptError("the server sent another range than was asked for")

    def _bad_content(self, digests: list[str]) -> BadContentError:
        name, algorithm = self._file.name, self._file.algorithm
        same = ", the same one twice" if len(set(digests)) == 1 else ""
        return BadContentError(
            f"{name} has the {algorithm} checksum {digests[-1]}{same}; "
            f"{self._file.digest} is published",
            where=self._file.url,
            remedy="It was deleted. Try again later, or --base-url with another mirror",
        )


def _range_headers(part: Part) -> dict[str, str]:
    """Ask for the rest; or for all, if the file is no longer the one that we have a part of."""
    if not part.size:
        return {}
    headers = {"Range": f"bytes={part.size}-"}
    if part.etag is not None and not part.etag.startswith("W/"):  # weak ones are not allowed here
        headers["If-Range"] = part.etag
    elif part.last_modified is not None:
        headers["If-Range"] = part.last_modified
    return headers
