"""Rows of a vocabulary of titles, found by the keys of a knowledge base."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from knowledge_dumps import item, write_wiki, write_wikidata

from exonym.knowledge import (
    EntityVocabulary,
    JoinedVocabulary,
    KnowledgeBase,
    VocabularyRow,
    build_knowledge_base,
)
from exonym.knowledge.vocabulary import SPECIAL_ENTITIES

ROWS = (
    VocabularyRow("en:Japan", {"de": "Japan", "ja": "日本", "en": "Japan"}, 0),
    VocabularyRow("ja:東京都", {"ja": "東京都"}, 0),
    VocabularyRow("en:Elsewhere", {"en": "Elsewhere"}, 0),
)


def vocabulary(path: Path, *rows: VocabularyRow) -> EntityVocabulary:
    special = (VocabularyRow(name, {}, 0) for name in SPECIAL_ENTITIES)
    return EntityVocabulary.write(path, [*special, *rows])


def test_items_lead_to_rows_that_are_known_by_titles(kb: KnowledgeBase, tmp_path: Path) -> None:
    plain = vocabulary(tmp_path / "entities", *ROWS)
    joined = JoinedVocabulary(plain, kb)
    expected = {"Q17": 4, "Q1490": 5, "de:Tōkyō": 5, "en:Elsewhere": 6, "Q48": None, "Q99": None}
    assert {key: joined.row(key) for key in expected} == expected
    for many in (1, 20):  # few keys and many are looked up in different ways
        rows = [1 if row is None else row for row in expected.values()]
        assert joined.rows([*expected] * many).tolist() == rows * many
    assert plain.row("Q17") is None
    assert joined.row("Q17", exact=True) is None, "as transformers would"
    assert "Q17" in joined
    again = pickle.loads(pickle.dumps(joined))
    assert (type(again), again.row("Q17")) == (JoinedVocabulary, 4)


def test_a_title_that_changed_hands_does_not_lead_to_another_entitys_row(
    kb: KnowledgeBase, tmp_path: Path
) -> None:
    """Two of the row's three titles are Japan's."""
    titles = {"de": "Paris (Texas)", "ja": "日本"}
    row = VocabularyRow("de:Japan", titles, 0)
    joined = JoinedVocabulary(vocabulary(tmp_path / "entities", row), kb)
    other = kb.resolve("de", "Paris (Texas)")
    assert other not in {None, "Q17"}
    assert joined.row("Q17") == 4
    assert joined.row(str(other)) is None
    assert joined.row("de:Paris (Texas)") == 4, "the vocabulary's own titles are believed"


def test_the_row_is_the_one_that_most_titles_lead_to(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for code in ("de", "fr", "ja"):
        write_wiki(source / f"{code}wiki.xml", code, [("A", "a"), ("B", "b")])
    write_wikidata(
        source / "wikidata.json",
        [
            item("Q1", {"dewiki": "B", "frwiki": "A", "jawiki": "A"}),
            item("Q2", {"dewiki": "A", "frwiki": "B", "jawiki": "B"}),
        ],
    )
    kb = build_knowledge_base([source], tmp_path / "kb")
    rows = [
        VocabularyRow(f"de:{name}", dict.fromkeys(("de", "fr", "ja"), name), 0) for name in "AB"
    ]
    joined = JoinedVocabulary(vocabulary(tmp_path / "entities", *rows), kb)
    assert [joined.row(key) for key in ("Q1", "Q2")] == [4, 5]


@pytest.mark.parametrize("key", ["[MASK]", "", "Q", "xx:Tokio", "de:"])
def test_a_key_of_nothing_has_no_row(key: str, kb: KnowledgeBase, tmp_path: Path) -> None:
    joined = JoinedVocabulary(vocabulary(tmp_path / "entities", *ROWS), kb)
    assert joined.row(key) == (joined.mask_row if key == "[MASK]" else None)
