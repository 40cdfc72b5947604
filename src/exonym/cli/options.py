"""Options that several commands take."""

from __future__ import annotations

from exonym.foundation.errors import InputError


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
