"""What a model is called with: refused in one line where it is something else."""

from __future__ import annotations

from typing import Any, NoReturn

from exonym.foundation.errors import InputError
from exonym.text import AnnotatedText


def require_several(given: Any) -> None:
    """Refuse one text where many are taken: a string would be read character by character.

    Raises:
        InputError: it is a text.
    """
    if isinstance(given, str | bytes | AnnotatedText):
        raise InputError(
            f"predict takes any number of inputs, got one {type(given).__name__}",
            remedy="Call the model itself with one, or give predict a list",
        )


def refuse(given: Any, wanted: str) -> NoReturn:
    """Raise the error that says what a model takes.

    Args:
        given: something else.
        wanted: what it takes, in words.

    Raises:
        InputError: always.
    """
    remedy = "predict takes many" if isinstance(given, list | tuple) else None
    raise InputError(f"expected {wanted}, got {type(given).__name__}", remedy=remedy)
