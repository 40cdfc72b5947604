"""Options that several commands take."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from exonym.foundation.errors import ConfigError, InputError

LANGUAGES = typer.Option(help="Only these, as in en,ja,sw.")
ENTITIES = typer.Option(
    min=0, help="Size of the world: the first entities of the table; 0 takes all."
)
TABLE = typer.Option(help="Another table of names, facts and templates.")
RECIPE = typer.Option(help="Name or path of a recipe.")
SET = typer.Option("--set", help="Change a field of the recipe.")
VOCABULARY = typer.Option(help="Most pieces of the tokenizer.")


def language_codes(text: str | None) -> tuple[str, ...] | None:
    """Codes separated by commas or blanks; None, the option's default, stays None.

    Raises:
        InputError: there is no code in it.
    """
    if text is None:
        return None
    codes = tuple(text.replace(",", " ").split())
    if not codes:
        raise InputError("--languages names no language", remedy="For example --languages en,ja,sw")
    return codes


def require_one_of(option: str, value: str, known: Sequence[str]) -> None:
    """Refuse what an option cannot be.

    Raises:
        ConfigError: the value is none of the known ones.
    """
    if value not in known:
        raise ConfigError(f"must be {' or '.join(known)}, got {value!r}", where=option)


def codes_of(text: str, option: str, example: str) -> tuple[str, ...]:
    """Values separated by commas or blanks.

    Args:
        text: as it was given.
        option: whose value it is.
        example: what would do.

    Raises:
        InputError: there is none in it.
    """
    codes = tuple(text.replace(",", " ").split())
    if not codes:
        raise InputError(f"{option} names nothing", remedy=f"For example {option} {example}")
    return codes
