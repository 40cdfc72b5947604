"""Names and entities that users add, without a rebuild."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from linking_world import ATLANTA, COUNTRY, MUNICH, STATE

from exonym.foundation.errors import FormatError, InputError
from exonym.knowledge import KnowledgeBase
from exonym.linking import Linker, add_alias, add_entity
from exonym.linking.additions import FILE, Addition, linking_folder, read_additions


@pytest.fixture
def folder(linker: Linker, tmp_path: Path) -> Path:
    """A folder of its own for the additions, with the index of the world."""
    (tmp_path / "linking").mkdir()
    (tmp_path / "linking" / "names").symlink_to(linker.folder / "names")
    return tmp_path / "linking"


def entities(linker: Linker, text: str, language: str) -> list[str | None]:
    return [link.entity for link in linker(text, language).links]


def test_an_alias_takes_effect_in_a_linker_that_is_open(world: KnowledgeBase, folder: Path) -> None:
    linker = Linker.open(world, index=folder)
    assert entities(linker, "The Big Peach is big.", "en") == []
    assert add_alias(world, "Big Peach", "en", ATLANTA, folder=folder)
    (link,) = linker("The BIG PEACH is big.", "en").links
    assert (link.surface, link.entity, link.link_probability) == ("BIG PEACH", ATLANTA, 1.0)
    assert link.candidates[0].count == 0
    assert entities(Linker.open(world, index=folder), "Big Peach", "en") == [ATLANTA]


def test_an_alias_weighs_more_than_what_the_name_meant_before(
    world: KnowledgeBase, folder: Path
) -> None:
    linker = Linker.open(world, index=folder)
    assert entities(linker, "Georgia", "en") == [COUNTRY]
    add_alias(world, "Georgia", "en", MUNICH, folder=folder)
    found = linker("Georgia", "en").links[0].candidates
    assert [one.entity for one in found] == [MUNICH, COUNTRY, STATE]
    assert sum(one.prior for one in found) == pytest.approx(1)


def test_an_alias_of_another_language_is_a_name_too_but_not_the_nearest(
    world: KnowledgeBase, folder: Path
) -> None:
    add_alias(world, "Georgia", "de", MUNICH, folder=folder)
    add_alias(world, "Minga", "de", MUNICH, folder=folder)
    linker = Linker.open(world, index=folder)
    assert entities(linker, "Georgia", "en") == [COUNTRY]
    assert entities(linker, "Georgia", "de") == [MUNICH]
    (link,) = linker("Minga", "en").links
    assert (link.entity, link.link_probability) == (MUNICH, 0.5)


def test_an_entity_that_is_new(world: KnowledgeBase, folder: Path) -> None:
    linker = Linker.open(world, index=folder)
    assert add_entity(
        world,
        "my:lake",
        "Lake Exonym",
        "en",
        description="a lake",
        aliases=["L. E."],
        folder=folder,
    )
    assert entities(linker, "Lake Exonym, or L. E., near Atlanta", "en") == [
        "my:lake", "my:lake", ATLANTA,
    ]  # fmt: skip
    assert add_alias(world, "Exonymsee", "de", "my:lake", folder=folder)
    assert entities(linker, "Der Exonymsee", "de") == ["my:lake"]
    assert read_additions(world, folder)[0] == Addition(
        "Lake Exonym", "en", "my:lake", "Lake Exonym", "a lake"
    )


def test_an_entity_may_be_named_by_its_title(world: KnowledgeBase, folder: Path) -> None:
    add_alias(world, "Beer Town", "en", "de:München", folder=folder)
    assert [a.entity for a in read_additions(world, folder)] == [MUNICH]


def test_additions_lie_beside_the_knowledge_base(world: KnowledgeBase) -> None:
    assert linking_folder(world) == world.path.with_name("kb.linking")


def test_what_was_added_before_is_not_added_again(world: KnowledgeBase, folder: Path) -> None:
    assert add_alias(world, "Big Peach", "en", ATLANTA, folder=folder)
    assert not add_alias(world, "Big Peach", "en", "en:Atlanta", folder=folder)
    assert add_entity(world, "X-new", "New", "en", folder=folder)
    assert not add_entity(world, "X-new", "New", "en", folder=folder)
    assert len((folder / FILE).read_text().splitlines()) == 2


def test_a_line_without_an_end_is_not_glued_to_the_next(world: KnowledgeBase, folder: Path) -> None:
    (folder / FILE).write_text('{"surface":"A b","language":"en","entity":"Q1726"}')
    add_alias(world, "C d", "en", MUNICH, folder=folder)
    assert [a.surface for a in read_additions(world, folder)] == ["A b", "C d"]


def test_many_writers_lose_nothing(world: KnowledgeBase, folder: Path) -> None:
    names = [f"Name {number}" for number in range(12)]
    threads = [
        threading.Thread(
            target=add_alias, args=(world, name, "en", MUNICH), kwargs={"folder": folder}
        )
        for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(a.surface for a in read_additions(world, folder)) == sorted(names)


def test_taking_a_line_out_takes_effect(world: KnowledgeBase, folder: Path) -> None:
    add_alias(world, "Big Peach", "en", ATLANTA, folder=folder)
    linker = Linker.open(world, index=folder)
    assert entities(linker, "Big Peach", "en") == [ATLANTA]
    (folder / FILE).unlink()
    assert entities(linker, "Big Peach", "en") == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("not JSON", "not valid JSON"),
        ("[]", "expected a JSON object"),
        ({"surface": "x", "language": "en"}, "needs the field 'entity'"),
        ({"surface": "x", "language": "en", "entity": "Q1726", "name": 1}, "unknown field 'name'"),
        ({"surface": 5, "language": "en", "entity": "Q1726"}, "surface of an addition"),
        ({"surface": "  ", "language": "en", "entity": "Q1726"}, "surface of an addition"),
        ({"surface": "x", "language": "English", "entity": "Q1726"}, "no language code"),
        ({"surface": "x", "language": "en", "entity": " Q1726"}, "cannot be the key"),
        (
            {"surface": "x", "language": "en", "entity": "Q1726", "label": ""},
            "label of an addition",
        ),
        ({"surface": "x", "language": "en", "entity": "Q999999"}, "no entity 'Q999999'"),
    ],
)
def test_a_bad_line_names_file_and_line(
    line: object, message: str, world: KnowledgeBase, folder: Path
) -> None:
    good = {"surface": "x", "language": "en", "entity": MUNICH}
    text = line if isinstance(line, str) else json.dumps(line)
    (folder / FILE).write_text(f"{json.dumps(good)}\n\n{text}\n")
    with pytest.raises(FormatError, match=message) as caught:
        Linker.open(world, index=folder)
    assert f"{FILE}:3" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_added_is_said_and_nothing_written(
    world: KnowledgeBase, folder: Path
) -> None:
    with pytest.raises(InputError, match=r"no entity 'Q7'.*with a label"):
        add_alias(world, "Seven", "en", "Q7", folder=folder)
    with pytest.raises(InputError, match="has the entity 'Q1726' already"):
        add_entity(world, MUNICH, "Munich", "en", folder=folder)
    with pytest.raises(InputError, match="no Unicode text"):
        add_alias(world, "\ud800", "en", MUNICH, folder=folder)
    with pytest.raises(InputError, match="nothing that could be found"):
        add_alias(world, "\u200b\u200d", "en", MUNICH, folder=folder)
    assert not (folder / FILE).exists()
