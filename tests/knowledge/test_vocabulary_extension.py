"""An extended vocabulary: the old rows stay, nobody gets two, and everything is counted."""

from __future__ import annotations

import json
from operator import itemgetter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from knowledge_dumps import BuildPages, item

from exonym.foundation.errors import ConfigError, ExistsError
from exonym.knowledge import EntityVocabulary, KnowledgeBase, NewEntities, VocabularyRow
from exonym.knowledge.vocabulary_extension import changed_name

ODD = [
    VocabularyRow("[MASK]", {}, 0),
    VocabularyRow("de:Tokio", {"de": "Tokio", "fr": "Tokyo"}, 7),
    VocabularyRow("[PAD]", {}, 0),
    VocabularyRow("Q3", {"fr": "Atlantide"}, 2),
    VocabularyRow("[MASK2]", {}, 0),
    VocabularyRow("[UNK]", {}, 0),
]
"""Special rows anywhere, an entity known by titles only, one that the knowledge base has not."""


@pytest.fixture
def odd(tmp_path: Path) -> EntityVocabulary:
    return EntityVocabulary.write(tmp_path / "odd", ODD)


def require_old_rows(old: EntityVocabulary, new: EntityVocabulary) -> None:
    """Every name leads where it led, special rows are the same, and `changed_name` agrees."""
    assert new.special_rows == old.special_rows
    for row in range(len(old)):
        assert all(new.row(name, exact=True) == row for name in old.names(row))
        assert new.count(row) == old.count(row)
    assert changed_name(old, new) is None


def test_old_rows_stay_gain_items_and_names_and_new_ones_come_behind(
    kb: KnowledgeBase, odd: EntityVocabulary, tmp_path: Path
) -> None:
    new = odd.extended(kb, tmp_path / "new")
    require_old_rows(odd, new)
    assert [new.key(row) for row in range(len(new))] == [
        "[MASK]", "Q1490", "[PAD]", "Q3", "[MASK2]", "[UNK]", "Q17", "X-stadt-1",
    ]  # fmt: skip
    assert new.names(1) == ("de:Tokio", "fr:Tokyo", "Q1490", "ja:東京都")
    assert new.titles(6) == {"de": "Japan", "ja": "日本"}
    assert [new.count(row) for row in (6, 7)] == [3, 1]
    assert new.manifest["extension"] == {
        "rows kept": 6, "rows added": 2, "entities known": 1,
        "entities not in the knowledge base": 1, "entities that another row has": 0,
        "items gained": 1, "names kept": 8, "names gained": 2,
        "titles that an old row has": 0, "entities whose key an old row has": 0,
    }  # fmt: skip
    assert new.manifest["left_out"] == {
        "beyond the size": 0, "in too few languages": 0, "never linked": 1,
    }  # fmt: skip


def test_released_vocabularies_know_titles_only(kb: KnowledgeBase, tmp_path: Path) -> None:
    """Titles may be redirects, rows may be without a name, and several may mean one entity."""
    names = {
        "[PAD]": 0, "[UNK]": 1, "[MASK]": 2, "de:Tōkyō": 4, "ja:日本": 6, "de:Japan": 5,
        "fr:Japon": 5, "ja:日本国": 5, "[MASK2]": 7,
    }  # fmt: skip
    path = tmp_path / "entity_vocab.json"
    path.write_text(json.dumps(names), "utf-8")
    old = EntityVocabulary.import_json(path, tmp_path / "old")
    new = old.extended(kb, tmp_path / "new", NewEntities(size=1))
    require_old_rows(old, new)
    assert new.row("Q1490") == new.row("de:Tokio") == 4
    assert new.row("Q17") == 5, "the row with more of its titles"
    assert new.row("ja:日本") == 6
    assert new.key(3) == ""
    assert [new.key(row) for row in range(8, len(new))] == ["X-stadt-1"]
    assert new.manifest["extension"]["entities that another row has"] == 1


def test_a_row_is_what_its_item_says_and_titles_change_hands(
    kb: KnowledgeBase, tmp_path: Path
) -> None:
    rows = [
        *(VocabularyRow(name, {}, 0) for name in ("[PAD]", "[UNK]", "[MASK]", "[MASK2]")),
        VocabularyRow("Q17", {"de": "Paris (Texas)", "ja": "東京都"}, 3),
    ]
    old = EntityVocabulary.write(tmp_path / "old", rows)
    new = old.extended(kb, tmp_path / "new")
    require_old_rows(old, new)
    assert new.row("de:Japan") == new.row("Q17") == 4
    assert [new.key(row) for row in range(5, len(new))] == ["Q1490", "X-stadt-1"]
    assert new.titles(5) == {"de": "Tokio"}
    assert new.titles(6) == {}
    assert new.manifest["extension"]["titles that an old row has"] == 2


def test_an_item_that_was_merged_is_found_by_its_titles(kb: KnowledgeBase, tmp_path: Path) -> None:
    rows = [
        *(VocabularyRow(name, {}, 0) for name in ("[PAD]", "[UNK]", "[MASK]", "[MASK2]")),
        VocabularyRow("Q999999", {"ja": "日本"}, 3),
    ]
    old = EntityVocabulary.write(tmp_path / "old", rows)
    new = old.extended(kb, tmp_path / "new")
    require_old_rows(old, new)
    assert new.row("Q17") == 4
    assert new.key(4) == "Q999999"
    assert new.manifest["extension"]["items gained"] == 0


def test_new_entities_can_be_few_none_or_all(
    kb: KnowledgeBase, odd: EntityVocabulary, tmp_path: Path
) -> None:
    def added(name: str, wanted: NewEntities) -> list[str]:
        new = odd.extended(kb, tmp_path / name, wanted)
        require_old_rows(odd, new)
        return [new.key(row) for row in range(len(odd), len(new))]

    assert added("none", NewEntities(size=0)) == []
    assert added("one", NewEntities(size=1)) == ["Q17"]
    assert added("two", NewEntities(min_languages=2)) == ["Q17"]
    assert added("twice", NewEntities(min_links=2)) == ["Q17"]
    assert added("all", NewEntities(size=100)) == ["Q17", "X-stadt-1"]
    with pytest.raises(ConfigError, match="size must be at least 0"):
        NewEntities(size=-1)
    with pytest.raises(ConfigError, match="min_links must be at least 1"):
        odd.extended(kb, tmp_path / "wrong", NewEntities(min_links=0))
    with pytest.raises(ExistsError):
        odd.extended(kb, tmp_path / "all")


def test_extending_twice_is_extending_once(
    kb: KnowledgeBase, odd: EntityVocabulary, tmp_path: Path
) -> None:
    first = odd.extended(kb, tmp_path / "first", NewEntities(size=1))
    again = first.extended(kb, tmp_path / "again")
    once = odd.extended(kb, tmp_path / "once")
    assert len(again) == len(once)
    assert all(again.names(row) == once.names(row) for row in range(len(once)))
    assert again.manifest["extension"]["names gained"] == 0


def test_the_same_input_gives_the_same_bytes(
    kb: KnowledgeBase, odd: EntityVocabulary, tmp_path: Path
) -> None:
    made = [odd.extended(kb, tmp_path / name).path for name in ("a", "b")]
    files = [{path.name: path.read_bytes() for path in sorted(each.iterdir())} for each in made]
    assert files[0] == files[1]


def test_a_knowledge_base_that_knows_nobody_is_refused(kb: KnowledgeBase, tmp_path: Path) -> None:
    old = EntityVocabulary.write(tmp_path / "old", [row for row in ODD if row.key != "de:Tokio"])
    with pytest.raises(ConfigError, match=r"none of the vocabulary's 1 entities.*titles \(fr\)"):
        old.extended(kb, tmp_path / "new")
    lite = EntityVocabulary.write(tmp_path / "lite", [r for r in ODD if r.key.startswith("[")])
    assert len(lite.extended(kb, tmp_path / "full")) == len(lite) + 3


def test_without_wikidata_pages_are_matched_by_title(
    build_pages: BuildPages, odd: EntityVocabulary, tmp_path: Path
) -> None:
    kb = build_pages([("Tokio", "[[Japan]] [[Ort]]"), ("Japan", "[[Tokio]]"), ("Ort", "[[Japan]]")])
    new = odd.extended(kb, tmp_path / "new")
    require_old_rows(odd, new)
    assert [new.key(row) for row in range(len(odd), len(new))] == ["de:Japan", "de:Ort"]
    assert new.key(1) == "de:Tokio"


def test_other_rows_are_noticed(odd: EntityVocabulary, tmp_path: Path) -> None:
    def written(name: str, rows: list[VocabularyRow]) -> EntityVocabulary:
        return EntityVocabulary.write(tmp_path / name, rows)

    swapped = written("swapped", [*ODD[:1], ODD[3], ODD[2], ODD[1], *ODD[4:]])
    assert changed_name(odd, swapped) == "'de:Tokio' has row 3, there 1"
    renamed = [VocabularyRow("de:Tokio", {"de": "Tokio"}, 7) if r is ODD[1] else r for r in ODD]
    assert changed_name(odd, written("renamed", renamed)) == "'fr:Tokyo' has no row, there 1"
    assert changed_name(odd, written("short", [r for r in ODD if r is not ODD[3]])) is not None
    assert "it has 6 rows, the other 7" in str(
        changed_name(written("long", [*ODD, VocabularyRow("Q1", {}, 0)]), odd)
    )
    other_order = [VocabularyRow("fr:Tokyo", {"de": "Tokio"}, 7) if r is ODD[1] else r for r in ODD]
    assert changed_name(odd, written("order", other_order)) is None
    assert changed_name(odd, odd) is None


PLACES = [f"Ort {letter}" for letter in "ABCDEFGH"]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeBase:
    """Eight entities with an item each, a title and a redirect; all are linked."""
    from knowledge_dumps import write_wiki, write_wikidata

    from exonym.knowledge import build_knowledge_base

    source = tmp_path_factory.mktemp("places")
    links = " ".join(f"[[{place}]]" for place in PLACES)
    pages = [(place, links) for place in PLACES]
    pages += [(f"Weg {place}", f"#REDIRECT [[{place}]]") for place in PLACES]
    write_wiki(source / "dewiki.xml", "de", pages)
    items = [item(f"Q{n}", {"dewiki": place}) for n, place in enumerate(PLACES, start=1)]
    write_wikidata(source / "wikidata.json", items)
    return build_knowledge_base([source], source / "kb")


@settings(max_examples=30)
@given(
    chosen=st.lists(
        st.tuples(st.integers(0, 7), st.integers(0, 3)), max_size=8, unique_by=itemgetter(0)
    ),
    special=st.permutations(range(4)),
    gap=st.integers(0, 8),
)
def test_every_entity_has_exactly_one_row_whatever_it_was_called(
    places: KnowledgeBase,
    tmp_path_factory: pytest.TempPathFactory,
    chosen: list[tuple[int, int]],
    special: list[int],
    gap: int,
) -> None:
    forms = ("Q{0}", "de:{1}", "de:Weg {1}", "de:Weg_{1}")
    rows = [
        VocabularyRow(forms[form].format(number + 1, PLACES[number]), {}, 1)
        for number, form in chosen
    ]
    specials = [VocabularyRow(("[PAD]", "[UNK]", "[MASK]", "[MASK2]")[n], {}, 0) for n in special]
    folder = tmp_path_factory.mktemp("extended")
    old = EntityVocabulary.write(folder / "old", [*rows[:gap], *specials, *rows[gap:]])
    new = old.extended(places, folder / "new")
    require_old_rows(old, new)
    assert len(new) == 4 + len(PLACES)
    for number, place in enumerate(PLACES, start=1):
        row = new.row(f"Q{number}")
        assert row is not None
        assert new.row(f"de:{place}") == row
        assert new.key(row) == f"Q{number}"
