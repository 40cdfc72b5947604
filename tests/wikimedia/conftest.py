"""What the tests of this room share."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from wiki_dumps import WriteDump, dump_xml, make_site

from exonym.foundation.files import atomic_file
from exonym.wikimedia import SiteInfo


@pytest.fixture
def german() -> SiteInfo:
    return make_site("de")


@pytest.fixture
def write_dump(tmp_path: Path) -> WriteDump:
    """Write a dump of pages (XML strings) under a name; the suffix says how to compress."""

    def write(name: str, pages: Iterable[str], **options: object) -> Path:
        path = tmp_path / name
        with atomic_file(path) as stream:
            stream.write(dump_xml(pages, **options).encode())  # type: ignore[arg-type]
        return path

    return write
