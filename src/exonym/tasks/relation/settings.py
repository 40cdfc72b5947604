"""`RelationSettings`: how a text with two mentions becomes input.

A fine-tuned model keeps them in its ``config.json`` (``exonym_relation``), so that it predicts as
it was trained. A checkpoint that has none was made by others: its text is cut as transformers cuts
it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, get_args

from exonym.foundation.errors import ConfigError
from exonym.foundation.files import JSON
from exonym.modeling import EncoderConfig
from exonym.modeling.config import VARIANT_FIELD, Variant
from exonym.tokenization.borders import Boundary

SETTINGS_FIELD = "exonym_relation"
_LEAST = 8  # <s>, </s>, four markers, and a piece for each mention


@dataclass(frozen=True, slots=True)
class RelationSettings:
    """How much of a text a model sees, and how.

    Args:
        max_length: most pieces of an input, special ones and markers included.
        boundary: of the tokenizer: ``"faithful"``, or ``"hf"`` as transformers cuts.
        variant: ``"entities"``: the model classifies by the states of two entities, [MASK] and
            [MASK2]; or ``"words"``: by those of the words at the two first markers (mLUKE-W).

    Raises:
        ConfigError: a value is impossible.
    """

    max_length: int = 512
    boundary: Boundary = "faithful"
    variant: Variant = "entities"

    def __post_init__(self) -> None:
        if type(self.max_length) is not int or self.max_length < _LEAST:
            raise ConfigError(
                f"max_length must be a whole number of at least {_LEAST}, got {self.max_length!r}"
            )
        for name, kind in (("boundary", Boundary), ("variant", Variant)):
            known = get_args(kind)
            if getattr(self, name) not in known:
                raise ConfigError(
                    f"{name} must be {' or '.join(map(repr, known))}, got {getattr(self, name)!r}"
                )

    @classmethod
    def of(cls, config: EncoderConfig) -> RelationSettings:
        """The settings that a checkpoint was trained with.

        Raises:
            ConfigError: ``exonym_relation`` has an unknown field or an impossible value.
        """
        kept = config.other.get(SETTINGS_FIELD)
        if kept is None:
            return cls(min(cls().max_length, config.max_words), "hf", config.variant)
        return replace(cls.from_json(kept), variant=config.variant)

    def kept_in(self, config: EncoderConfig) -> EncoderConfig:
        """The configuration that holds these settings.

        Raises:
            ConfigError: they ask for more pieces than the model takes.
        """
        if self.max_length > config.max_words:
            raise ConfigError(
                f"max_length={self.max_length}, but the model takes at most {config.max_words}",
                remedy=f"Pass a max_length of at most {config.max_words}",
            )
        own = {VARIANT_FIELD: self.variant, SETTINGS_FIELD: self.to_json()}
        return replace(config, other={**config.other, **own})

    def to_json(self) -> JSON:
        """For ``config.json``, where the variant has a field of its own."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "variant"}

    @classmethod
    def from_json(cls, value: Any) -> RelationSettings:
        """The inverse of `to_json`.

        Raises:
            ConfigError: an unknown field, or an impossible value.
        """
        names = {f.name for f in fields(cls)} - {"variant"}
        if not isinstance(value, Mapping) or not set(value) <= names:
            strange = sorted(set(value) - names)[0] if isinstance(value, Mapping) else value
            raise ConfigError(
                f"{SETTINGS_FIELD} has the unknown setting {strange!r}; "
                f"known are {', '.join(sorted(names))}"
            )
        return cls(**value)
