"""Wikidata dumps, old and new, whole and broken."""

from __future__ import annotations

import bz2
from pathlib import Path
from typing import Any

import orjson
import pytest

from exonym.foundation.errors import FormatError, InputError
from exonym.foundation.files import atomic_file
from exonym.wikimedia import Item, Property, open_wikidata


def statement(value: dict[str, Any] | None, rank: str = "normal") -> dict[str, Any]:
    snak: dict[str, Any] = {"snaktype": "value" if value else "somevalue"}
    if value:
        snak["datavalue"] = {"type": "wikibase-entityid", "value": value}
    return {"mainsnak": snak, "rank": rank, "type": "statement"}


BERLIN = {
    "id": "Q64",
    "type": "item",
    "labels": {"de": {"language": "de", "value": "Berlin"}, "ja": {"value": "ベルリン"}},
    "aliases": {"de": [{"value": "Spree-Athen"}, {"value": "Bundeshauptstadt"}]},
    "descriptions": {"en": {"value": "capital of Germany"}},
    "sitelinks": {"dewiki": {"site": "dewiki", "title": "Berlin"}, "commonswiki": {"title": "B"}},
    "claims": {
        "P17": [
            statement({"entity-type": "item", "id": "Q183", "numeric-id": 183}, "preferred"),
            statement({"entity-type": "item", "numeric-id": 713750}),
            statement({"entity-type": "item", "id": "Q7318"}, "deprecated"),
            statement({"entity-type": "item", "id": "Q183"}),
            statement(None),
        ],
        "P1000": [
            statement({"entity-type": "property", "id": "P5"}),
            statement({"id": "L5-F1"}),
            statement({"entity-type": "item", "id": "X-sub-de1"}),
            {"mainsnak": {"snaktype": "value", "datavalue": {"type": "string", "value": "x"}}},
        ],
    },
}
CAPITAL = {
    "id": "P36",
    "type": "property",
    "datatype": "wikibase-item",
    "labels": {"en": {"value": "capital"}},
    "aliases": [],
    "descriptions": [],
}


def write(path: Path, lines: list[bytes]) -> Path:
    with atomic_file(path) as stream:
        stream.write(b"[\n" + b",\n".join(lines) + b"\n]\n")
    return path


@pytest.mark.parametrize("suffix", ["", ".bz2", ".gz", ".xz", ".zst"])
def test_items_and_properties_are_read_from_every_compression(tmp_path: Path, suffix: str) -> None:
    lines = [orjson.dumps(BERLIN), orjson.dumps(CAPITAL)]
    with open_wikidata(write(tmp_path / f"wikidata.json{suffix}", lines)) as reader:
        assert list(reader) == [
            Item(
                "Q64",
                {"de": "Berlin", "ja": "ベルリン"},
                {"de": ("Spree-Athen", "Bundeshauptstadt")},
                {"en": "capital of Germany"},
                {"dewiki": "Berlin", "commonswiki": "B"},
                (("P17", "Q183"), ("P17", "Q713750"), ("P1000", "X-sub-de1")),
            ),
            Property("P36", {"en": "capital"}, {}, {}, "wikibase-item"),
        ]
        assert not reader.skipped


def test_only_the_wanted_languages_are_kept(tmp_path: Path) -> None:
    path = write(tmp_path / "wikidata.json", [orjson.dumps(BERLIN)])
    (item,) = open_wikidata(path, languages=["ja"])
    assert isinstance(item, Item)
    assert (item.labels, item.aliases, item.descriptions) == ({"ja": "ベルリン"}, {}, {})
    assert len(item.sitelinks) == 2


def test_lines_without_the_brackets_of_an_array_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "wikidata.json"
    path.write_bytes(orjson.dumps(BERLIN) + b"\n\n" + orjson.dumps(CAPITAL) + b"\n")
    assert len(list(open_wikidata(path))) == 2


def test_redirects_and_lexemes_are_counted(tmp_path: Path) -> None:
    lines = [b'{"entity":"Q1","redirect":"Q2"}', b'{"id":"L1","type":"lexeme"}']
    reader = open_wikidata(write(tmp_path / "wikidata.json", lines))
    assert list(reader) == []
    assert dict(reader.skipped) == {"redirect": 1, "not an item or property": 1}


BROKEN = {
    b'{"id":"Q1","type":"it': "not valid JSON",
    b'{"type":"item"}': "no field 'id'",
    b'{"type":"item","id":5}': "impossible id 5",
    b'{"type":"item","id":"Q1","labels":{"en":"x"}}': "another type",
    b'{"type":"item","id":"Q1","labels":[1]}': "another type",
    b'{"type":"item","id":"Q1","claims":{"P1":[{}]}}': "no field 'mainsnak'",
    b"17": "another type",
    b'["a"]': "another type",
    b"\xff": "not valid JSON",
}


@pytest.mark.parametrize("line", BROKEN)
def test_a_broken_line_is_named_or_counted(tmp_path: Path, line: bytes) -> None:
    path = write(tmp_path / "wikidata.json", [orjson.dumps(CAPITAL), line, orjson.dumps(BERLIN)])
    with pytest.raises(FormatError, match=r"wikidata\.json:3: .*--keep-going") as caught:
        list(open_wikidata(path))
    assert BROKEN[line] in str(caught.value)
    reader = open_wikidata(path, keep_going=True)
    assert [entity.id for entity in reader] == ["P36", "Q64"]
    assert dict(reader.skipped) == {"malformed": 1}


@pytest.mark.parametrize("compressed", [False, True])
def test_a_truncated_file_is_noticed(tmp_path: Path, compressed: bool) -> None:
    lines = [orjson.dumps(CAPITAL | {"id": f"P{number}"}) for number in range(5000)]
    data = write(tmp_path / "whole.json", lines).read_bytes()
    path = tmp_path / ("wikidata.json.bz2" if compressed else "wikidata.json")
    if compressed:
        packed = bz2.compress(data, 1)
        path.write_bytes(packed[: len(packed) // 2])
    else:
        path.write_bytes(data[: data.index(b"\n", len(data) // 2)])
    with pytest.raises(FormatError, match="--keep-going"):
        list(open_wikidata(path))
    reader = open_wikidata(path, keep_going=True)
    assert 0 < len(list(reader)) < 5000
    assert dict(reader.skipped) == {"truncated": 1}


def test_an_empty_or_missing_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wikidata.json"
    path.write_bytes(b"")
    with pytest.raises(FormatError, match="empty"):
        list(open_wikidata(path))
    with pytest.raises(InputError, match="absent"):
        open_wikidata(tmp_path / "absent.json")


def test_a_dump_is_read_once(tmp_path: Path) -> None:
    reader = open_wikidata(write(tmp_path / "wikidata.json", [orjson.dumps(BERLIN)]))
    assert len(list(reader)) == 1
    with pytest.raises(InputError, match="Open it again"):
        iter(reader)
