"""The public Parquet form: it says what the knowledge base says, to anyone who reads Parquet."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exonym.atlas import write_atlas
from exonym.corpus import CorpusOptions, build_corpus, export_text
from exonym.corpus.sources import ParquetText, open_source
from exonym.foundation.errors import (
    ConfigError,
    ExistsError,
    FormatError,
    InputError,
    MissingExtraError,
    VersionError,
)
from exonym.foundation.files import read_json, sha256, write_json
from exonym.knowledge import KnowledgeBase, build_knowledge_base
from exonym.text.parquet import read_parquet

pytest.importorskip("pyarrow")
TABLE = Path(__file__).resolve().parents[1] / "data" / "tiny_table.jsonl"
OPTIONS = CorpusOptions(vocabulary_size=600, min_languages=1, max_words=40)
LANGUAGES = ("en", "ja", "th")


@pytest.fixture(scope="module")
def knowledge_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    write_atlas(folder / "dumps", table=TABLE, seed=3)
    build_knowledge_base([folder / "dumps"], folder / "kb")
    return folder / "kb"


@pytest.fixture(scope="module")
def exported(knowledge_base: Path, tmp_path_factory: pytest.TempPathFactory) -> ParquetText:
    """In small files, so that there are several."""
    out = tmp_path_factory.mktemp("export") / "text"
    return export_text(knowledge_base, out, languages=LANGUAGES, file_bytes=1_000)


def contents(directory: Path) -> dict[str, bytes]:
    files = (path for path in sorted(directory.rglob("*")) if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in files}


def rows_of(directory: Path, language: str) -> list[dict[str, Any]]:
    """All rows of a language, read by pyarrow alone."""
    dataset = importlib.import_module("pyarrow.dataset")
    files = sorted(str(path) for path in (directory / "data" / language).iterdir())
    rows: list[dict[str, Any]] = dataset.dataset(files, format="parquet").to_table().to_pylist()
    return rows


def test_every_paragraph_is_a_row_with_its_page_and_entities(
    exported: ParquetText, knowledge_base: Path
) -> None:
    kb = KnowledgeBase.open(knowledge_base)
    for language in LANGUAGES:
        expected = [
            {
                "text": text.text,
                "language": language,
                "source": f"{language}:{article.title}",
                "page_id": article.id,
                "mentions": [
                    {"start": m.start, "end": m.end, "entity": m.entity, "score": None}
                    for m in text.mentions
                ],
            }
            for article in kb.articles(language)
            for text in article.paragraphs
        ]
        rows = rows_of(exported.path, language)
        assert rows == expected
        assert any(m["entity"].startswith("Q") for row in rows for m in row["mentions"])
        counts = exported.manifest["languages"][language]
        assert counts["texts"] == len(rows)
        assert counts["pages"] == len({row["page_id"] for row in rows})
        assert counts["mentions"] == sum(len(row["mentions"]) for row in rows)
        assert counts["bytes"] == sum(len(row["text"].encode()) for row in rows)


def test_files_are_numbered_and_hold_whole_pages(exported: ParquetText) -> None:
    for language in LANGUAGES:
        files = exported.manifest["languages"][language]["files"]
        assert len(files) > 2
        seen: set[str | None] = set()
        for number, file in enumerate(files):
            name = f"data/{language}/train-{number:05}-of-{len(files):05}.parquet"
            assert file["name"] == name
            assert file["sha256"] == sha256(exported.path / name)
            sources = {text.source for text in read_parquet(exported.path / name)}
            assert len(sources) == file["pages"]
            assert not sources & seen
            seen |= sources
        folder = exported.path / "data" / language
        assert len(list(folder.iterdir())) == len(files)


def test_any_range_of_pages_can_be_read(exported: ParquetText, knowledge_base: Path) -> None:
    kb = KnowledgeBase.open(knowledge_base)
    pages = [article.paragraphs for article in kb.articles("ja") if article.paragraphs]
    assert exported.count("ja") == len(pages)
    assert list(exported.pages("ja")) == pages
    for first, last in ((0, 1), (3, 3), (2, 7), (len(pages) - 1, len(pages)), (5, None)):
        assert list(exported.pages("ja", first, last)) == pages[first:last]


def test_a_corpus_of_the_text_is_the_corpus_of_the_knowledge_base(
    exported: ParquetText, knowledge_base: Path, tmp_path: Path
) -> None:
    options = replace(OPTIONS, languages=LANGUAGES)
    direct = build_corpus(knowledge_base, tmp_path / "direct", options)
    options = replace(options, tokenizer=direct.path, entities=direct.path)
    other = build_corpus(exported.path, tmp_path / "other", options)
    for name in ("words.i32", "entities.i32", "spans.i32", "word_offsets.i64"):
        for language in LANGUAGES:
            one, two = direct.path / language / name, other.path / language / name
            assert one.read_bytes() == two.read_bytes()
    assert other.manifest["text_sha256"] == sha256(exported.path / "manifest.json")


def test_text_alone_does_not_say_which_entities_get_a_row(
    exported: ParquetText, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="--entities DIR"):
        build_corpus(exported.path, tmp_path / "out", OPTIONS)
    with pytest.raises(InputError, match="the text has no language 'xx'; it has en, ja, th"):
        build_corpus(exported.path, tmp_path / "out", replace(OPTIONS, languages=("xx",)))
    assert not list(tmp_path.iterdir())


def test_the_bytes_are_the_same_for_any_number_of_processes(
    exported: ParquetText, knowledge_base: Path, tmp_path: Path
) -> None:
    again = export_text(
        knowledge_base, tmp_path / "t", languages=LANGUAGES[::-1], file_bytes=1_000, processes=2
    )
    assert contents(again.path) == contents(exported.path)


def test_the_card_has_settings_licence_and_counts(exported: ParquetText) -> None:
    card = (exported.path / "README.md").read_text()
    _, settings, body = card.split("---\n", 2)
    assert "license: cc-by-sa-4.0" in settings
    for language in LANGUAGES:
        assert f'- config_name: "{language}"' in settings
        pattern = re.search(rf'"(data/{language}/.*)"', settings)
        assert pattern is not None
        files = exported.manifest["languages"][language]["files"]
        assert len(list(exported.path.glob(pattern[1]))) == len(files)
        assert f"| {language} | {exported.count(language):,} |" in body
    for source in exported.manifest["sources"]:
        assert f"| {source['name']} |" in body
    assert "authors of Wikipedia" in body
    assert "{" not in body.replace('{"', "")


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda m: m.update(version=99), VersionError, "version 99"),
        (lambda m: m.update(format="else"), InputError, "exonym-knowledge-base"),
        (
            lambda m: m["languages"]["en"]["files"][0].update(pages=1),
            FormatError,
            r"train-00000-of-00001\.parquet: expected 1 pages, found",
        ),
    ],
)
def test_a_wrong_manifest_is_an_error(
    change: Callable[[Any], None],
    error: type[Exception],
    message: str,
    knowledge_base: Path,
    tmp_path: Path,
) -> None:
    text = export_text(knowledge_base, tmp_path / "text", languages=("en",))
    manifest = read_json(text.path / "manifest.json")
    change(manifest)
    write_json(text.path / "manifest.json", manifest)
    with pytest.raises(error, match=message):
        list(open_source(text.path).pages("en"))


def test_an_export_that_fails_leaves_nothing(
    knowledge_base: Path, exported: ParquetText, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="has no language 'xx'"):
        export_text(knowledge_base, tmp_path / "out", languages=("xx",))
    with pytest.raises(ExistsError, match="--overwrite"):
        export_text(knowledge_base, exported.path)
    with pytest.raises(ConfigError, match="file_bytes must be at least 1, got 0"):
        export_text(knowledge_base, tmp_path / "out", file_bytes=0)

    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(MissingExtraError, match=r"pip install 'exonym\[parquet\]'"):
        export_text(knowledge_base, tmp_path / "out")
    assert not list(tmp_path.iterdir())
