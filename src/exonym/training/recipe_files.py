"""Recipes as TOML: read, changed field by field, and written.

Unknown names and impossible values are errors that name the file and the field.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from exonym.foundation.errors import ConfigError
from exonym.foundation.files import JSON
from exonym.foundation.toml import read_toml, value_of
from exonym.training.recipe import ADAPTER, Recipe


def recipe_from(value: JSON, *, where: object = None) -> Recipe:
    """Check plain values and make a recipe of them.

    Raises:
        ConfigError: an unknown field or an impossible value; the message names it.
    """
    try:
        return ADAPTER.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "recipe"
        raise ConfigError(f"{place}: {first['msg']}", where=where) from error
    except ConfigError as error:
        raise ConfigError(error.what, where=where) from error


def load_recipe(path: Path, changes: Sequence[str] = ()) -> Recipe:
    """Read a recipe from a TOML file.

    Args:
        path: the file.
        changes: ``"field=value"`` or ``"stages.NAME.field=value"``, values as in TOML; ``none``
            for no value.

    Raises:
        InputError: no such file.
        ConfigError: not TOML, an unknown field, an impossible value.
    """
    value = read_toml(path)
    for change in changes:
        _apply(value, change)
    return recipe_from(value, where=path)


def _apply(value: Any, change: str) -> None:
    name, equals, text = change.partition("=")
    parts = name.strip().split(".")
    if not equals or not all(parts):
        raise ConfigError(
            f"expected field=value, got {change!r}", remedy="For example --set seed=1"
        )
    new = value_of(text)
    for part in parts[:-1]:
        if isinstance(value, list):
            named = [item for item in value if isinstance(item, dict) and item.get("name") == part]
            if not named:
                raise ConfigError(f"there is no stage {part!r} in the recipe")
            value = named[0]
        elif isinstance(value, dict):
            value = value.setdefault(part, {})
    if not isinstance(value, dict):
        raise ConfigError(f"{name.strip()!r} is no field of the recipe")
    value[parts[-1]] = new


def changed(recipe: Recipe, changes: Sequence[str]) -> Recipe:
    """A recipe with some fields changed; see `load_recipe` for their form.

    Raises:
        ConfigError: no such field, or an impossible value.
    """
    if not changes:
        return recipe
    value = recipe.to_json()
    for change in changes:
        _apply(value, change)
    return recipe_from(value, where=recipe.name)


def to_toml(recipe: Recipe) -> str:
    """The whole recipe as a TOML file that `load_recipe` reads back to the same recipe."""
    return tomli_w.dumps(_without_none(recipe.to_json()))


def _without_none(value: Any) -> Any:
    """TOML has no null: a field that is None is left out, which is its default."""
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_none(item) for item in value]
    return value
