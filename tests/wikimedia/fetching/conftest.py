"""A dump site that can be made to misbehave, and a client without patience."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from one_dump import CONTENT, DATE, HURRY, NAME, Run

from exonym.wikimedia.fetching import Client, DumpFolder, FetchReport, Patience, Request, fetch
from exonym.wikimedia.fetching import make_plan as plan_of
from loopback_dumps import LoopbackDumps, loopback_dumps


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def site() -> Iterator[LoopbackDumps]:
    """A site with one dump of one file."""
    with loopback_dumps() as site:
        site.add_classic("swwiki", DATE, {"articlesmultistreamdump": {NAME: CONTENT}})
        yield site


@pytest.fixture
def client() -> Client:
    return Client(contact="test@example.org", patience=HURRY)


@pytest.fixture
def run(site: LoopbackDumps, tmp_path: Path) -> Run:
    """Fetches to ``tmp_path / "dumps"`` with a fresh client, as the command does."""

    def carry_out(
        *,
        patience: Patience = HURRY,
        connections: int = 1,
        verify: bool = False,
        base_url: str | None = None,
        **wanted: object,
    ) -> FetchReport:
        request = Request(
            **{"languages": ("sw",), "wikidata": "none", "base_url": base_url or site.url, **wanted}  # type: ignore[arg-type]
        )
        client = Client(contact="test@example.org", patience=patience, connections=connections)
        plan = plan_of(client, request)
        folder = DumpFolder(tmp_path / "dumps")
        report = fetch(client, plan, folder, connections=connections, verify=verify)
        report.require_all()
        return report

    return carry_out


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where the site's one file is to lie."""
    return tmp_path / "dumps" / "swwiki" / NAME
