"""An index on disk: built from a knowledge base, mapped, and refused where it does not belong."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from exonym.foundation.errors import (
    ExistsError,
    FormatError,
    InputError,
    ResourceError,
    VersionError,
)
from exonym.knowledge import KnowledgeBase
from exonym.linking import name_table_building
from exonym.linking.folding import fold
from exonym.linking.name_index import NameIndex


@pytest.fixture(scope="module")
def index(world: KnowledgeBase, tmp_path_factory: pytest.TempPathFactory) -> NameIndex:
    return NameIndex.build(world, tmp_path_factory.mktemp("index") / "names")


def test_every_name_of_a_knowledge_base_is_found_with_its_rows(
    world: KnowledgeBase, index: NameIndex
) -> None:
    surfaces = world.surfaces
    names = surfaces.texts(0, len(surfaces))
    by_form: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        by_form.setdefault(fold(name), []).append(row)
    by_form.pop("", None)
    assert len(index) == len(by_form) < len(names)
    result = index.find(names)
    whole = [
        place
        for place, (text, start, end) in enumerate(
            zip(result.text.tolist(), result.start.tolist(), result.end.tolist(), strict=True)
        )
        if fold(names[text]) == fold(names[text][start:end])
    ]
    assert result.text[whole].tolist() == [row for row, name in enumerate(names) if fold(name)]
    for place in whole:
        form = fold(names[int(result.text[place])])
        assert index.surfaces(int(result.name[place])).tolist() == by_form[form]


def test_an_index_travels_to_other_processes_by_its_path(
    world: KnowledgeBase, index: NameIndex
) -> None:
    data = pickle.dumps(index)
    assert len(data) < 1000
    text = world.surfaces.text(0)
    assert len(pickle.loads(data).find([text])) == len(index.find([text])) > 0
    listed = pickle.loads(pickle.dumps(NameIndex.of(["a", "b"])))
    assert listed.find(["b a"]).start.tolist() == [0, 2]


def test_the_same_knowledge_base_gives_the_same_bytes(
    world: KnowledgeBase, index: NameIndex, tmp_path: Path
) -> None:
    again = NameIndex.build(world, tmp_path / "again")
    assert index.path is not None
    assert again.path is not None
    files = sorted(path.name for path in index.path.iterdir())
    assert files == sorted(path.name for path in again.path.iterdir())
    for name in files:
        assert (index.path / name).read_bytes() == (again.path / name).read_bytes()


def test_what_is_there_is_replaced_only_if_asked(world: KnowledgeBase, tmp_path: Path) -> None:
    (tmp_path / "names").mkdir()
    (tmp_path / "names" / "mine.txt").write_text("mine")
    with pytest.raises(ExistsError, match="already exists"):
        NameIndex.build(world, tmp_path / "names")
    assert (tmp_path / "names" / "mine.txt").exists()
    NameIndex.build(world, tmp_path / "names", overwrite=True)
    assert not (tmp_path / "names" / "mine.txt").exists()


@pytest.mark.parametrize(
    ("field", "value", "error", "message"),
    [
        ("knowledge_base", "0", InputError, r"knowledge base as it is now.*Build it anew"),
        ("folding", "0", InputError, r"rules of folding.*Build it anew"),
        ("version", 99, VersionError, r"format version 99.*Build it anew"),
        ("format", "exonym-corpus", InputError, r"expected format.*Build it anew"),
    ],
)
def test_an_index_of_something_else_is_refused(
    world: KnowledgeBase,
    index: NameIndex,
    tmp_path: Path,
    field: str,
    value: object,
    error: type[Exception],
    message: str,
) -> None:
    assert index.path is not None
    shutil.copytree(index.path, tmp_path / "names")
    path = tmp_path / "names" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), field: value}))
    with pytest.raises(error, match=message):
        NameIndex.open(tmp_path / "names", world)


def test_no_index_and_a_missing_file_are_told_apart(
    world: KnowledgeBase, index: NameIndex, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"no such directory.*Build it anew"):
        NameIndex.open(tmp_path / "names", world)
    assert index.path is not None
    shutil.copytree(index.path, tmp_path / "names")
    (tmp_path / "names" / "hash.npy").unlink()
    with pytest.raises(FormatError, match=r"hash\.npy.*missing or damaged"):
        NameIndex.open(tmp_path / "names", world)


def test_names_that_fold_to_nothing_are_counted(tmp_path: Path) -> None:
    table = name_table_building.build_table(["a", "\u200b", "", "A"])
    assert (len(table), table.empty) == (1, 2)
    table.save(tmp_path)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".npy"] * 7


def test_names_that_a_hash_function_mixes_up_get_another(monkeypatch: pytest.MonkeyPatch) -> None:
    build, spoiled = name_table_building.HashTable.build, []

    def mixing(hashes: np.ndarray) -> object:  # type: ignore[type-arg]
        spoiled.append(len(hashes))
        return build(hashes & np.uint64(0) if len(spoiled) < limit else hashes)

    monkeypatch.setattr(name_table_building.HashTable, "build", mixing)
    limit = 3
    table = name_table_building.build_table(["a", "b", "B"])
    assert (table.seed, len(table)) == (2, 2)
    found = NameIndex(table).find(["b a c"])
    assert [NameIndex(table).surfaces(name).tolist() for name in found.name.tolist()] == [
        [1, 2],
        [0],
    ]
    limit = 100
    with pytest.raises(ResourceError, match="8 hash functions"):
        name_table_building.build_table(["a", "b"])
