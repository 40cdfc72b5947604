"""How a run was set: every field, what departs from the published recipe and why."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from exonym.foundation.files import JSON
from exonym.reports.formats import ABSENT, setting
from exonym.reports.page import Table
from exonym.reports.summary import RecipeRecord, Summary

_FLAGS = {
    "entities": "--entities",
    "table": "--table",
    "languages": "--languages",
    "recipe": "--recipe",
    "vocabulary_size": "--vocabulary-size",
    "max_words": "--max-words",
    "seed": "--seed",
}


def flatten(recipe: Mapping[str, Any]) -> dict[str, object]:
    """A recipe's fields by dotted path; a stage goes by its name."""
    flat: dict[str, object] = {}
    for key, value in recipe.items():
        if key in ("name", "departures"):
            continue
        if isinstance(value, list) and all(isinstance(item, Mapping) for item in value):
            for stage in value:
                fields = {name: item for name, item in stage.items() if name != "name"}
                flat |= {f"{key}.{stage.get('name')}.{name}": v for name, v in fields.items()}
        elif isinstance(value, Mapping):
            flat |= {f"{key}.{name}": item for name, item in value.items()}
        else:
            flat[key] = value
    return flat


def _value(flat: Mapping[str, object], path: str) -> str:
    """A field's value, or the fields under it; a dash where there is neither."""
    if path in flat:
        return setting(flat[path])
    under = {
        key.removeprefix(f"{path}."): v for key, v in flat.items() if key.startswith(f"{path}.")
    }
    return setting({key.replace("_", " "): value for key, value in under.items()}) or ABSENT


def departures(recipe: RecipeRecord, published: JSON) -> Table:
    """Fields that depart from the published recipe: here, there, and why."""
    here, there = flatten(recipe.model_dump()), flatten(published)
    rows = tuple(
        (path, _value(here, path), _value(there, path), why)
        for path, why in recipe.departures.items()
    )
    return Table(
        "Departures from the published recipe",
        ("Field", "Here", "Published", "Why"),
        rows,
        text=True,
    )


def settings(recipe: RecipeRecord, published: JSON) -> Table:
    """Every field of the recipe, beside the published one's."""
    here, there = flatten(recipe.model_dump()), flatten(published)
    rows = tuple((path, setting(here[path]), _value(there, path)) for path in here)
    return Table(
        f"All fields of the recipe {recipe.name}", ("Field", "Here", "Published"), rows, text=True
    )


def command(summary: Summary) -> str:
    """The command line that runs this quickstart again."""
    words = ["exonym", "quickstart"]
    for name, flag in _FLAGS.items():
        value = summary.options.get(name)
        if name == "entities" and value is None:
            value = 0
        if value is not None:
            words += [flag, ",".join(value) if isinstance(value, list) else str(value)]
    for change in summary.options.get("changes") or ():
        words += ["--set", str(change)]
    return shlex.join(words)
