"""Rows and entities, both ways."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from knowledge_dumps import BuildPages

from exonym.foundation.errors import ConfigError, ExistsError, InputError
from exonym.knowledge import EntityVocabulary, KnowledgeBase, VocabularyRow


@pytest.fixture(scope="module")
def vocabulary(kb: KnowledgeBase, tmp_path_factory: pytest.TempPathFactory) -> EntityVocabulary:
    return EntityVocabulary.build(kb, tmp_path_factory.mktemp("vocabulary") / "entities")


def test_special_rows_come_first_then_the_most_linked(vocabulary: EntityVocabulary) -> None:
    assert [vocabulary.key(row) for row in range(len(vocabulary))] == [
        "[PAD]", "[UNK]", "[MASK]", "[MASK2]", "Q1490", "Q17", "X-stadt-1",
    ]  # fmt: skip
    assert vocabulary.special_rows == (0, 1, 2, 3)
    assert [vocabulary.count(row) for row in range(len(vocabulary))] == [0, 0, 0, 0, 5, 3, 1]
    assert vocabulary.manifest["left_out"] == {
        "beyond the size": 0, "in too few languages": 0, "never linked": 1,
    }  # fmt: skip


def test_rows_are_found_by_item_and_by_title(vocabulary: EntityVocabulary) -> None:
    assert vocabulary.row("Q1490") == vocabulary.row("ja:東京都") == 4
    assert vocabulary.row_of_title("de", "Paris_(Texas)") == 6
    assert vocabulary.row("de:Nippon") is None
    assert vocabulary.row("Q99") is None
    assert vocabulary.titles(4) == {"de": "Tokio", "ja": "東京都"}
    assert vocabulary.titles(0) == {}
    assert vocabulary.rows(["Q17", "Q99", "de:Tokio", "[MASK]"]).tolist() == [5, 1, 4, 2]
    assert vocabulary.rows([]).shape == (0,)
    assert "Q17" in vocabulary
    assert "Q99" not in vocabulary
    with pytest.raises(InputError, match="row 7 of an entity vocabulary of 7 rows"):
        vocabulary.key(7)


def test_size_and_languages_limit_it_and_what_is_left_out_is_counted(
    kb: KnowledgeBase, tmp_path: Path
) -> None:
    small = EntityVocabulary.build(kb, tmp_path / "small", size=1)
    assert len(small) == 5
    assert small.manifest["left_out"]["beyond the size"] == 2
    both = EntityVocabulary.build(kb, tmp_path / "both", min_languages=2)
    assert [both.key(row) for row in range(4, len(both))] == ["Q1490", "Q17"]
    assert both.manifest["left_out"]["in too few languages"] == 1
    with pytest.raises(ConfigError, match="size must be at least 1"):
        EntityVocabulary.build(kb, tmp_path / "none", size=0)
    with pytest.raises(ExistsError):
        EntityVocabulary.build(kb, tmp_path / "small")


def test_ties_are_broken_by_key(build_pages: BuildPages, tmp_path: Path) -> None:
    kb = build_pages([("Z", "[[A]] [[M]] [[Z]]"), ("M", "x"), ("A", "x")])
    for size, keys in ((2, ["de:A", "de:M"]), (None, ["de:A", "de:M", "de:Z"])):
        vocabulary = EntityVocabulary.build(kb, tmp_path / f"v{size}", size=size)
        assert [vocabulary.key(row) for row in range(4, len(vocabulary))] == keys


def test_a_copy_answers_the_same(vocabulary: EntityVocabulary, tmp_path: Path) -> None:
    copy = vocabulary.copy_to(tmp_path / "checkpoint" / "entities")
    assert copy.row("de:Tokio") == 4
    assert len(pickle.loads(pickle.dumps(copy))) == len(vocabulary)
    with pytest.raises(ExistsError):
        vocabulary.copy_to(tmp_path / "checkpoint" / "entities")


def test_special_rows_may_be_anywhere(tmp_path: Path) -> None:
    rows = [
        VocabularyRow("[MASK]", {}, 0),
        VocabularyRow("en:Tokyo", {"en": "Tokyo", "ja": "東京都"}, 9),
        VocabularyRow("[PAD]", {}, 0),
        VocabularyRow("[MASK2]", {}, 0),
        VocabularyRow("[UNK]", {}, 0),
    ]
    vocabulary = EntityVocabulary.write(tmp_path / "imported", rows)
    assert vocabulary.special_rows == (2, 4, 0, 3)
    assert vocabulary.row("ja:東京都") == 1
    assert vocabulary.rows(["Q1"]).tolist() == [4]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([VocabularyRow("[PAD]", {}, 0)], r"needs a row \[UNK\]"),
        ([VocabularyRow("Q1", {}, 0), VocabularyRow("Q1", {}, 0)], "'Q1' has two rows"),
        (
            [VocabularyRow("Q1", {"de": "A"}, 0), VocabularyRow("Q2", {"de": "A"}, 0)],
            "'de:A' has two rows",
        ),
    ],
)
def test_an_impossible_vocabulary_is_refused(
    tmp_path: Path, rows: list[VocabularyRow], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        EntityVocabulary.write(tmp_path / "bad", rows)
    assert not any(tmp_path.iterdir())


def test_a_knowledge_base_is_not_a_vocabulary(kb: KnowledgeBase) -> None:
    with pytest.raises(InputError, match=r"exonym-entity-vocabulary.*EntityVocabulary\.build"):
        EntityVocabulary.open(kb.path)
