"""`KeptSettings`: settings of a task that a fine-tuned model keeps in its ``config.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, ClassVar, Self, get_args

from exonym.foundation.errors import ConfigError
from exonym.foundation.files import JSON


class KeptSettings:
    """For frozen dataclasses of plain values.

    Attributes:
        kept_as: the field of ``config.json``.
        elsewhere: settings that have a field of their own there.
    """

    __slots__ = ()

    kept_as: ClassVar[str]
    elsewhere: ClassVar[frozenset[str]] = frozenset({"variant"})

    def to_json(self) -> JSON:
        """For ``config.json``."""
        return {name: getattr(self, name) for name in self._names()}

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """The inverse of `to_json`.

        Raises:
            ConfigError: an unknown field, or an impossible value.
        """
        names = cls._names()
        if not isinstance(value, Mapping) or not set(value) <= set(names):
            strange = sorted(set(value) - set(names))[0] if isinstance(value, Mapping) else value
            raise ConfigError(
                f"{cls.kept_as} has the unknown setting {strange!r}; "
                f"known are {', '.join(sorted(names))}"
            )
        return cls(**value)

    def _require_whole(self, **least: int) -> None:
        """Refuse settings that are no whole number of at least what is given for each."""
        for name, bound in least.items():
            value = getattr(self, name)
            if type(value) is not int or value < bound:
                raise ConfigError(
                    f"{name} must be a whole number of at least {bound}, got {value!r}"
                )

    def _require_known(self, **kinds: object) -> None:
        """Refuse settings that are none of the words of the ``Literal`` given for each."""
        for name, kind in kinds.items():
            known, value = get_args(kind), getattr(self, name)
            if value not in known:
                raise ConfigError(f"{name} must be {' or '.join(map(repr, known))}, got {value!r}")

    @classmethod
    def _names(cls) -> list[str]:
        return [f.name for f in fields(cls) if f.name not in cls.elsewhere]  # type: ignore[arg-type]
