"""Atlas's dumps, read back: what was told is known."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from exonym.atlas import write_atlas
from exonym.knowledge import EntityVocabulary, KnowledgeBase, Triple, build_knowledge_base

TABLE = Path(__file__).resolve().parents[1] / "data" / "tiny_table.jsonl"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("world") / "dumps"
    write_atlas(directory, table=TABLE)
    return directory


@pytest.fixture(scope="module")
def atlas_kb(world: Path, tmp_path_factory: pytest.TempPathFactory) -> KnowledgeBase:
    return build_knowledge_base([world], tmp_path_factory.mktemp("atlas") / "kb")


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_entity_of_the_table_is_one_entity_with_its_names(atlas_kb: KnowledgeBase) -> None:
    entities = {line["id"]: line for line in _lines(TABLE) if line["type"] == "entity"}
    assert sorted(atlas_kb) == sorted(entities)
    for key, entity in entities.items():
        for language, names in entity["names"].items():
            known = {name.surface for name in atlas_kb.names(key, language)}
            assert names[0] in known
            assert atlas_kb.label(key, language) == names[0]


def test_every_fact_that_is_told_is_a_triple(atlas_kb: KnowledgeBase, world: Path) -> None:
    triples = set(atlas_kb.triples())
    for line in _lines(world / "ledger.jsonl"):
        for target in line["objects"] if line["told_in"] else ():
            assert Triple(line["subject"], line["relation"], target) in triples


def test_every_link_that_atlas_wrote_is_found_and_resolved(
    atlas_kb: KnowledgeBase, world: Path
) -> None:
    counts = json.loads((world / "manifest.json").read_text())["counts"]
    for language in atlas_kb.languages:
        written = counts[language]
        assert atlas_kb.manifest["languages"][language]["links resolved"] == written["links"]
        assert atlas_kb.manifest["languages"][language]["articles"] == written["articles"]


def test_the_most_linked_entities_get_rows(atlas_kb: KnowledgeBase, tmp_path: Path) -> None:
    vocabulary = EntityVocabulary.build(atlas_kb, tmp_path / "entities", min_languages=3)
    links: Counter[str] = Counter()
    for language in atlas_kb.languages:
        for article in atlas_kb.articles(language):
            links.update(str(m.entity) for text in article.paragraphs for m in text.mentions)
    expected = sorted(links, key=lambda key: (-links[key], key))
    expected = [key for key in expected if len(atlas_kb.languages_of(key)) >= 3]
    assert [vocabulary.key(row) for row in range(4, len(vocabulary))] == expected
