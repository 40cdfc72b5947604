"""Fixtures of the report's tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lxml import html
from made_up_quickstart import summary, write_quickstart

from exonym.reports import write_quickstart_report


@pytest.fixture
def values() -> dict[str, Any]:
    """The content of a ``summary.json``, to change at will."""
    return summary()


@pytest.fixture
def quickstart(tmp_path: Path, values: dict[str, Any]) -> Path:
    """A finished quickstart of made-up figures."""
    return write_quickstart(tmp_path / "made-up", values)


@pytest.fixture(scope="session")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report of the made-up figures as they are, written once."""
    directory = write_quickstart(tmp_path_factory.mktemp("reports") / "made-up", summary())
    return write_quickstart_report(directory).read_text(encoding="utf-8")


@pytest.fixture
def tree(text: str) -> html.HtmlElement:
    """The same, parsed."""
    return html.fromstring(text)
