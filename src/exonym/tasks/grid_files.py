"""Grids and settings by name: from TOML files, and from changes such as ``patience=2``."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from exonym.foundation.errors import ConfigError, InputError
from exonym.foundation.toml import read_toml, value_of
from exonym.tasks.recipes import GRIDS, RECIPES
from exonym.tasks.tuning import Grid
from exonym.training.fine_tuning import FineTuning

SEARCHED = {"learning_rates": float, "batch_sizes": int, "epochs": int}
"""The fields of a grid that have several values, each with its type."""

_ONE_OF_GRID = frozenset({"learning_rate", "batch_size", "epochs", "seed"})
_Settings = TypeVar("_Settings")


def named_grid(task: str, name: str) -> Grid:
    """A grid by its name, or from a TOML file.

    Args:
        task: ``"ner"``, ``"relation"`` or ``"qa"``.
        name: ``"around"``: learning rates and batch sizes around those of mLUKE's released
            configurations (`tasks.recipes.GRIDS`); ``"released"``: these alone; or a file's path.
            Which grid the paper's authors searched, they do not say.

    Raises:
        InputError: no such grid or file.
        ConfigError: not TOML, an unknown field, an impossible value.
    """
    if name == "around":
        return GRIDS[task]
    if name == "released":
        return Grid.of(RECIPES[task])
    path = Path(name)
    if not path.exists():
        raise InputError(
            f"no grid and no file {name!r}",
            where="--grid",
            remedy="Give around, released, or a TOML file with learning_rates = [1e-5, 3e-5]",
        )
    return load_grid(path, RECIPES[task])


def load_grid(path: Path, base: FineTuning) -> Grid:
    """Read a grid from a TOML file.

    The file has lists, ``learning_rates``, ``batch_sizes``, ``epochs``, and single values of all
    other fields of `FineTuning`; what it does not name is the base's.

    Args:
        path: the file.
        base: where a field's value comes from if the file has none.

    Raises:
        InputError: it cannot be read.
        ConfigError: not TOML, an unknown field, an impossible value.
    """
    value = read_toml(path)
    lists = {name: value.pop(name) for name in SEARCHED if name in value}
    known = names_of(base) - _ONE_OF_GRID | set(SEARCHED)
    for name in value:
        if name not in known:
            raise _unknown(name, known, path)
    for name, values in lists.items():
        kind = SEARCHED[name]
        if not isinstance(values, list) or not all(_is_number(one, kind) for one in values):
            raise ConfigError(
                f"{name} must be a list of {'whole ' if kind is int else ''}numbers, "
                f"got {values!r}",
                where=path,
            )
        lists[name] = tuple(map(kind, values))
    try:
        return replace(Grid.of(changed(base, value)), **lists)
    except ConfigError as error:
        raise ConfigError(error.what, where=path) from error


def _is_number(value: object, kind: type) -> bool:
    return isinstance(value, int if kind is int else int | float) and not isinstance(value, bool)


def with_changes(grid: Grid, changes: Mapping[str, object]) -> Grid:
    """A grid with some fields of its base changed.

    Raises:
        ConfigError: an unknown field, an impossible value, or one that a grid has a list of.
    """
    for name in changes:
        if name in _ONE_OF_GRID:
            raise ConfigError(
                f"{name} is an option of its own", where="--set", remedy=f"Give --{_OPTIONS[name]}"
            )
    return replace(grid, base=changed(grid.base, changes))


_OPTIONS = {
    "learning_rate": "learning-rate",
    "batch_size": "batch",
    "epochs": "epochs",
    "seed": "seeds",
}


def changed(settings: _Settings, changes: Mapping[str, object]) -> _Settings:
    """A frozen dataclass with some fields changed, their names and types checked.

    Raises:
        ConfigError: an unknown field, or an impossible value.
    """
    known = names_of(settings)
    for name in changes:
        if name not in known:
            raise _unknown(name, known)
    if not changes:
        return settings
    values = {name: getattr(settings, name) for name in known}
    try:
        return TypeAdapter(type(settings)).validate_python({**values, **changes})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"] if part in known)
        raise ConfigError(f"{place}: {first['msg']}, got {first['input']!r}") from error


def names_of(settings: Any) -> frozenset[str]:
    """The names of a dataclass's fields."""
    return frozenset(one.name for one in fields(settings))


def parse_changes(changes: Sequence[str]) -> dict[str, object]:
    """``["patience=2", "precision=float32"]`` as names and values.

    Values are as in TOML; a bare word is a string, and ``none`` no value.

    Raises:
        ConfigError: no ``=`` in one, or a name twice.
    """
    found: dict[str, object] = {}
    for change in changes:
        name, equals, text = change.partition("=")
        name = name.strip()
        if not equals or not name or name in found:
            raise ConfigError(
                f"expected name=value, each name once, got {change!r}",
                remedy="For example --set patience=2",
            )
        found[name] = value_of(text)
    return found


def split_changes(
    changes: Mapping[str, object], *dataclasses: Any
) -> tuple[dict[str, object], ...]:
    """Share changes out to the dataclasses that have fields of these names.

    Raises:
        ConfigError: none of them has such a field.
    """
    shares: tuple[dict[str, object], ...] = tuple({} for _ in dataclasses)
    for name, value in changes.items():
        owner = next((i for i, one in enumerate(dataclasses) if name in names_of(one)), None)
        if owner is None:
            raise _unknown(name, frozenset().union(*map(names_of, dataclasses)))
        shares[owner][name] = value
    return shares


def _unknown(name: str, known: frozenset[str] | set[str], where: object = None) -> ConfigError:
    near = difflib.get_close_matches(name, sorted(known), n=1)
    remedy = f"Did you mean {near[0]}?" if near else f"There are {', '.join(sorted(known))}"
    return ConfigError(f"unknown setting {name!r}", where=where, remedy=remedy)
