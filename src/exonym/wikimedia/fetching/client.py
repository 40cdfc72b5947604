"""Requests to a dump site: polite, patient within limits, and never waiting for ever.

Says who it is, as Wikimedia's user-agent policy asks; opens no more connections than it was
allowed; waits longer after each failure, and at least as long as the server asks.
"""

from __future__ import annotations

import contextlib
import random
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)

from exonym.foundation.errors import InputError, ResourceError
from exonym.wikimedia.fetching.headers import retry_after, user_agent

CHUNK = 1 << 18
MOST_TEXT = 64 << 20
"""Bytes that a listing or a file of checksums may have; real ones have less than one million."""

_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_TOLD_SECONDS = 5.0  # waits of this length are told of
_FIRST_TRIES = 2  # repetitions while nobody has answered yet: then it is no passing trouble
_REDIRECTS = urllib3.Retry(total=None, connect=0, read=0, redirect=5, status=0, other=0)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited for what.

    Args:
        connect_seconds: for a connection.
        read_seconds: for the next bytes; also the time over which ``slowest`` is measured.
        slowest: bytes per second below which a connection counts as stalled.
        retries: repetitions in a row that bring nothing before it is given up.
        first_wait: seconds before the first repetition; twice as many before each further one.
        longest_wait: seconds that a wait of our own never exceeds.
        longest_asked: seconds that a server may ask for (Retry-After) before it is given up.
    """

    connect_seconds: float = 20.0
    read_seconds: float = 60.0
    slowest: int = 1_000
    retries: int = 8
    first_wait: float = 1.0
    longest_wait: float = 60.0
    longest_asked: float = 3_600.0


class AttemptError(Exception):
    """One attempt failed in a way that another may not.

    Args:
        reason: what happened, as it is counted and printed.
        after: seconds that the server asks to wait.
        progress: whether the attempt brought enough to start counting failures anew.
    """

    def __init__(self, reason: str, *, after: float | None = None, progress: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.after, self.progress = reason, after, progress


class RefusedError(InputError):
    """The server answered, and the answer is no: not found, forbidden. Asking again is no use."""

    def __init__(self, url: str, status: int, *, remedy: str | None = None) -> None:
        super().__init__(f"the server answers {status}", where=url, remedy=remedy)
        self.status = status


class UnreachableError(ResourceError):
    """The server gave nothing usable, however often it was asked."""


class ClientStoppedError(Exception):
    """This client was told to stop; whoever told it knows why."""


class Client:
    """Asks one dump site, from one thread or several.

    Args:
        contact: mail address or page for the User-Agent.
        patience: how long is waited.
        connections: how many are open at most, per host.

    Attributes:
        troubles: how often which trouble was met; what was overcome is counted too.
    """

    def __init__(
        self,
        *,
        contact: str | None = None,
        patience: Patience | None = None,
        connections: int = 1,
    ) -> None:
        self.contact, self.patience = contact, patience or Patience()
        self.troubles: Counter[str] = Counter()
        self._headers = {"User-Agent": user_agent(contact), "Accept-Encoding": "identity"}
        self._connections = connections
        self._managers: dict[str, urllib3.PoolManager] = {}
        self._open: set[urllib3.BaseHTTPResponse] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._answered = False

    def text(self, url: str) -> str:
        """A page as text.

        Raises:
            RefusedError: not found, or not for us.
            UnreachableError: no usable answer.
        """

        def attempt() -> str:
            with self.open(url) as response:
                content = bytearray()
                for chunk in self.chunks(response):
                    content += chunk
                    if len(content) > MOST_TEXT:
                        raise UnreachableError(
                            f"sends more than {MOST_TEXT:,} bytes; expected a list", where=url
                        )
            return content.decode("utf-8", errors="replace")

        return self.persist(url, attempt)

    def length(self, url: str) -> int:
        """How many bytes the server says a file has, without fetching it."""

        def attempt() -> int:
            with self.open(url, method="HEAD") as response:
                stated = response.headers.get("Content-Length", "")
                response.drain_conn()  # nothing comes, and the connection can be used again
            if not stated.isdecimal():
                raise UnreachableError("the server does not say how long it is", where=url)
            return int(stated)

        return self.persist(url, attempt)

    def persist(self, url: str, attempt: Callable[[], _T]) -> _T:
        """Make attempts until one succeeds or patience ends.

        Raises:
            UnreachableError: it ended; the message has the last reason.
            ClientStoppedError: `stop` was called.
        """
        failures = 0
        while True:
            if self._stop.is_set():
                raise ClientStoppedError
            try:
                return attempt()
            except AttemptError as trouble:
                if self._stop.is_set():
                    raise ClientStoppedError from trouble
                self.count(trouble.reason)
                failures = 1 if trouble.progress else failures + 1
                most = self.patience.retries
                if not self._answered:
                    most = min(most, _FIRST_TRIES)
                if failures > most:
                    raise UnreachableError(
                        f"{trouble.reason}, {failures} times in a row",
                        where=url,
                        remedy="Look at the network, or try --base-url with another mirror; the "
                        "same command goes on where it stopped",
                    ) from trouble
                self._wait(url, failures, trouble)

    def open(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        method: str = "GET",
        accept: Collection[int] = (200,),
    ) -> contextlib.closing[urllib3.BaseHTTPResponse]:
        """Make one request; redirects are followed. Use the answer in a ``with``.

        Raises:
            AttemptError: no answer, or one that says to come back later.
            RefusedError: an answer that is none of ``accept``.
        """
        try:
            response = self._manager(url).request(
                method,
                url,
                headers={**self._headers, **(headers or {})},
                preload_content=False,
                decode_content=False,
                retries=_REDIRECTS,
            )
        except ValueError as error:  # of urllib3 or of Python, in the URL or a redirect's
            raise InputError(f"leads to no address ({error})", where=url) from error
        except HTTPError as error:
            raise self._interruption(error, url) from error
        self._answered = True
        if response.status in accept:
            return _Tracked(response, self)
        _end(response)
        if response.status in _TRY_AGAIN:
            asked = retry_after(response.headers.get("Retry-After"))
            raise AttemptError(f"the server answers {response.status}", after=asked)
        remedy = None
        if response.status == 403 and not self.contact:
            remedy = "Give --contact YOU@EXAMPLE.ORG: sites refuse programs that name nobody"
        raise RefusedError(url, response.status, remedy=remedy)

    def chunks(self, response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
        """The body as it comes, compressed as it is.

        Raises:
            AttemptError: it breaks off, or comes slower than a stalled connection.
            ClientStoppedError: `stop` was called.
        """
        since, received = time.monotonic(), 0
        while True:
            try:
                chunk = response.read1(CHUNK)
            except HTTPError as error:
                raise self._interruption(error, response.url or "") from error
            if self._stop.is_set():
                raise ClientStoppedError
            if not chunk:
                return
            yield chunk
            received += len(chunk)
            seconds = time.monotonic() - since
            if seconds >= self.patience.read_seconds:
                if received < self.patience.slowest * seconds:
                    raise AttemptError("the connection stalled")
                since, received = time.monotonic(), 0

    def count(self, reason: str) -> None:
        """Note a trouble."""
        with self._lock:
            self.troubles[reason] += 1

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stop.is_set()

    def stop(self) -> None:
        """End all requests of all threads soon, those that wait for bytes too."""
        self._stop.set()
        with self._lock:
            responses = list(self._open)
        for response in responses:
            with contextlib.suppress(ValueError, RuntimeError):  # it has just ended by itself
                response.shutdown()

    def track(self, response: urllib3.BaseHTTPResponse, *, is_open: bool) -> None:
        """Remember which answers `stop` has to end."""
        with self._lock:
            (self._open.add if is_open else self._open.discard)(response)

    def _wait(self, url: str, failures: int, trouble: AttemptError) -> None:
        asked = trouble.after or 0.0
        if asked > self.patience.longest_asked:
            raise UnreachableError(
                f"the server asks to come back in {asked:,.0f} seconds",
                where=url,
                remedy="The same command goes on where it stopped",
            )
        ours = min(self.patience.longest_wait, self.patience.first_wait * 2 ** (failures - 1))
        # Not at the same moment as everybody else whom the same trouble has stopped.
        seconds = max(asked, ours * random.uniform(0.5, 1.0))
        if seconds >= _TOLD_SECONDS:
            host = urlsplit(url).netloc
            print(f"{host}: {trouble.reason}; waiting {seconds:.0f} s", file=sys.stderr, flush=True)
        self._stop.wait(seconds)

    def _interruption(self, error: HTTPError, url: str) -> AttemptError:
        """What went wrong below HTTP, in few words; some of it will not pass."""
        cause = getattr(error, "reason", None) or error
        if isinstance(cause, SSLError) and "CERTIFICATE_VERIFY" in str(cause):
            raise UnreachableError("the server's certificate is not trusted", where=url) from error
        match cause:
            case ReadTimeoutError():
                return AttemptError("the connection stalled")
            case NewConnectionError() | ConnectTimeoutError():
                return AttemptError(f"no connection to {urlsplit(url).netloc}")
            case _ if "too many redirects" in str(cause):
                raise UnreachableError(
                    "leads in circles (too many redirects)", where=url
                ) from error
        return AttemptError("the connection broke off")

    def _manager(self, url: str) -> urllib3.PoolManager:
        """Connections straight to the host, or through the proxy that the environment names."""
        parts = urlsplit(url)
        proxy = urllib.request.getproxies().get(parts.scheme, "")
        if proxy and urllib.request.proxy_bypass(parts.hostname or ""):
            proxy = ""
        with self._lock:
            if proxy not in self._managers:
                self._managers[proxy] = self._new_manager(proxy)
            return self._managers[proxy]

    def _new_manager(self, proxy: str) -> urllib3.PoolManager:
        waits = urllib3.Timeout(
            connect=self.patience.connect_seconds, read=self.patience.read_seconds
        )
        many = self._connections
        if proxy:
            return urllib3.ProxyManager(proxy, maxsize=many, block=True, timeout=waits)
        return urllib3.PoolManager(maxsize=many, block=True, timeout=waits)


class _Tracked(contextlib.closing[urllib3.BaseHTTPResponse]):
    """An answer that its client knows of while it is being read."""

    def __init__(self, response: urllib3.BaseHTTPResponse, client: Client) -> None:
        super().__init__(response)
        self._response, self._client = response, client

    def __enter__(self) -> urllib3.BaseHTTPResponse:
        self._client.track(self._response, is_open=True)
        return super().__enter__()

    def __exit__(self, *_: object) -> None:
        self._client.track(self._response, is_open=False)
        _end(self._response)


def _end(response: urllib3.BaseHTTPResponse) -> None:
    """Hang up if there is more to come, and let others have the connection's place."""
    response.close()
    response.release_conn()
