"""Knowledge bases built once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from knowledge_dumps import (
    GERMAN,
    ITEMS,
    JAPANESE,
    BuildPages,
    Page,
    write_wiki,
    write_wikidata,
)

from exonym.knowledge import KnowledgeBase, build_knowledge_base


@pytest.fixture(scope="session")
def dumps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a German, a Japanese and a Wikidata dump, and files that are no dumps."""
    directory = tmp_path_factory.mktemp("dumps")
    write_wiki(directory / "dewiki-20260101-pages-articles.xml.bz2", "de", GERMAN)
    write_wiki(directory / "jawiki-20260102-pages-articles.xml", "ja", JAPANESE)
    write_wikidata(directory / "wikidata-20260101-all.json.bz2", ITEMS)
    (directory / "manifest.json").write_text('{"format": "something else"}')
    (directory / "README.txt").write_text("no dump")
    return directory


@pytest.fixture(scope="session")
def kb(dumps: Path, tmp_path_factory: pytest.TempPathFactory) -> KnowledgeBase:
    """The knowledge base of `dumps`."""
    return build_knowledge_base([dumps], tmp_path_factory.mktemp("kb") / "kb")


@pytest.fixture
def build_pages(tmp_path: Path) -> BuildPages:
    """Build a knowledge base of one wiki's pages and, if given, Wikidata records."""

    def build(
        pages: Sequence[Page],
        records: Sequence[Mapping[str, Any]] = (),
        *,
        language: str = "de",
        **options: Any,
    ) -> KnowledgeBase:
        source = tmp_path / "source"
        source.mkdir()
        write_wiki(source / f"{language}wiki.xml", language, pages)
        if records:
            write_wikidata(source / "wikidata.json", records)
        return build_knowledge_base([source], tmp_path / "kb", **options)

    return build
