"""TOML files of settings, and single settings as they stand in commands."""

from __future__ import annotations

import tomllib
from pathlib import Path

from exonym.foundation.errors import ConfigError, InputError
from exonym.foundation.files import JSON


def read_toml(path: Path) -> JSON:
    """Read a TOML file.

    Raises:
        InputError: it cannot be read.
        ConfigError: it is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=path) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"not TOML ({error})", where=path) from error


def value_of(text: str) -> object:
    """A value as in TOML; a bare word is a string, and ``none`` what TOML has no word for."""
    try:
        value: object = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        word = text.strip()
        return None if word == "none" else word
    return value
