"""Every rule of the table format, and what a line that breaks it says."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from exonym.atlas import load_table
from exonym.foundation.errors import ConfigError, FormatError, InputError

HEADER = {"type": "table", "name": "t", "version": "1"}
RELATION = {
    "type": "relation", "id": "P1", "names": {"en": "r"}, "templates": {"en": ["[X] r [Y]."]},
}  # fmt: skip
ONE = {"type": "entity", "id": "Q1", "names": {"en": ["One"]}}
TWO = {"type": "entity", "id": "X-two", "kind": "Q1", "names": {"en": ["Two", "Second"]}}
FACT = {"type": "fact", "subject": "Q1", "relation": "P1", "object": "X-two"}
GOOD = [HEADER, RELATION, ONE, TWO, FACT]


def write(path: Path, lines: list[Any]) -> Path:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    path.write_text(text + "\n")
    return path


def test_a_good_table_is_read_in_order(tmp_path: Path) -> None:
    table = load_table(write(tmp_path / "t.jsonl", GOOD))
    assert list(table.entities) == ["Q1", "X-two"]
    assert table.entities["X-two"].names["en"] == ("Two", "Second")
    assert table.facts[0].object == "X-two"
    assert table.languages() == ("en",)
    assert not table.relations["P1"].everywhere


def test_a_compressed_table_is_read_alike(tmp_path: Path) -> None:
    plain = write(tmp_path / "t.jsonl", GOOD)
    packed = tmp_path / "t.jsonl.xz"
    packed.write_bytes(lzma.compress(plain.read_bytes()))
    assert load_table(packed).facts == load_table(plain).facts


BROKEN = [
    ("not JSON", [HEADER, "{"], 2, "not valid JSON"),
    ("not an object", [HEADER, "[1]"], 2, "expected a JSON object"),
    ("no header", [ONE], 1, "first line"),
    ("second header", [HEADER, HEADER], 2, "first line"),
    ("unknown type", [HEADER, {"type": "thing"}], 2, "'thing'"),
    ("header without a name", [{"type": "table", "version": "1"}], 1, "'name'"),
    ("sources not a list", [{**HEADER, "sources": "x"}], 1, "'sources'"),
    ("unknown field", [HEADER, {**ONE, "label": "x"}], 2, "'label'"),
    ("wrong order", [HEADER, ONE, RELATION], 3, "order"),
    ("relation id", [HEADER, {**RELATION, "id": "a/b"}], 2, "'a/b'"),
    ("relation twice", [HEADER, RELATION, RELATION], 3, "line 2"),
    ("no [Y]", [HEADER, {**RELATION, "templates": {"en": ["[X]."]}}], 2, "exactly once"),
    ("two [X]", [HEADER, {**RELATION, "templates": {"en": ["[X] [X] [Y]"]}}], 2, "exactly once"),
    ("wordless", [HEADER, {**RELATION, "templates": {"en": ["[X] [Y]"]}}], 2, "no words"),
    ("markup", [HEADER, {**RELATION, "templates": {"en": ["[X] {{a}} [Y]"]}}], 2, "'{'"),
    ("no wording", [HEADER, {**RELATION, "templates": {"en": []}}], 2, "'en'"),
    ("everywhere", [HEADER, {**RELATION, "everywhere": 1}], 2, "'everywhere'"),
    ("entity id", [HEADER, {**ONE, "id": "en:One"}], 2, "'en:One'"),
    ("entity twice", [HEADER, ONE, ONE], 3, "line 2"),
    ("language code", [HEADER, {**ONE, "names": {"EN!": ["One"]}}], 2, "'EN!'"),
    ("names not lists", [HEADER, {**ONE, "names": {"en": "One"}}], 2, "list"),
    ("no name", [HEADER, {**ONE, "names": {"en": []}}], 2, "'en'"),
    ("nameless", [HEADER, {**ONE, "names": {}}], 2, "name"),
    ("blank name", [HEADER, {**ONE, "names": {"en": [" "]}}], 2, "expected a name"),
    ("markup in a name", [HEADER, {**ONE, "names": {"en": ["[[One]]"]}}], 2, "'['"),
    ("control character", [HEADER, {**ONE, "names": {"en": ["O\x07ne"]}}], 2, "control"),
    ("name twice", [HEADER, {**ONE, "names": {"en": ["One", "One"]}}], 2, "twice"),
    ("kind unknown", [HEADER, {**ONE, "kind": "Q9"}], 2, "'Q9'"),
    ("subject unknown", [HEADER, RELATION, ONE, {**FACT, "subject": "Q9"}], 4, "'Q9'"),
    ("object unknown", [HEADER, RELATION, ONE, FACT], 4, "'X-two'"),
    ("relation unknown", [*GOOD, {**FACT, "relation": "P9"}], 6, "'P9'"),
    ("fact twice", [*GOOD, FACT], 6, "line 5"),
]


@pytest.mark.parametrize(
    ("lines", "number", "said"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN]
)
def test_a_broken_rule_names_file_and_line(
    tmp_path: Path, lines: list[Any], number: int, said: str
) -> None:
    path = write(tmp_path / "t.jsonl", lines)
    with pytest.raises(FormatError) as caught:
        load_table(path)
    assert str(caught.value).startswith(f"{path}:{number}: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="at least one entity"):
        load_table(write(tmp_path / "t.jsonl", [HEADER]))


def test_a_missing_table_says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--table FILE"):
        load_table(tmp_path / "none.jsonl")


def test_a_smaller_world_keeps_the_kinds_it_needs(tmp_path: Path) -> None:
    last = {"type": "entity", "id": "Q3", "names": {"en": ["Kind"]}}
    mine = {"type": "entity", "id": "Q2", "kind": "Q3", "names": {"en": ["Mine"]}}
    table = load_table(write(tmp_path / "t.jsonl", [HEADER, RELATION, mine, ONE, last]))
    assert list(table.first(1).entities) == ["Q2", "Q3"]
    assert table.first(99).entities == table.entities
    with pytest.raises(ConfigError, match="at least 1"):
        table.first(0)
