"""TOML files, and single values in commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from exonym.foundation.errors import ConfigError, InputError
from exonym.foundation.toml import read_toml, value_of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2", 2),
        (" 1e-5", 1e-5),
        ("true", True),
        ("[1, 2]", [1, 2]),
        ('"none"', "none"),
        ("none", None),
        (" float32 ", "float32"),
        ("", ""),
    ],
)
def test_a_value_is_tomls_or_a_bare_word(text: str, value: object) -> None:
    found = value_of(text)
    assert found == value
    assert type(found) is type(value)


def test_files_that_are_no_toml_are_named(tmp_path: Path) -> None:
    path = tmp_path / "grid.toml"
    path.write_text("seed = 3\n[one]\nname = 'a'\n")
    assert read_toml(path) == {"seed": 3, "one": {"name": "a"}}
    for damaged in (b"seed = ", b"\xff\xfe"):
        path.write_bytes(damaged)
        with pytest.raises(ConfigError, match=r"grid\.toml.*not TOML"):
            read_toml(path)
    with pytest.raises(InputError, match=r"none\.toml.*cannot be read"):
        read_toml(tmp_path / "none.toml")
