"""`RelationSettings`: how a text with two mentions becomes input.

A fine-tuned model keeps them in its ``config.json`` (``exonym_relation``), so that it predicts as
it was trained. A checkpoint that has none was made by others: its text is cut as transformers cuts
it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from exonym.foundation.errors import ConfigError
from exonym.modeling import EncoderConfig
from exonym.modeling.config import VARIANT_FIELD, Variant
from exonym.tasks.kept_settings import KeptSettings
from exonym.tokenization.borders import Boundary

SETTINGS_FIELD = "exonym_relation"
_LEAST = 8  # <s>, </s>, four markers, and a piece for each mention


@dataclass(frozen=True, slots=True)
class RelationSettings(KeptSettings):
    """How much of a text a model sees, and how.

    Args:
        max_length: most pieces of an input, special ones and markers included.
        boundary: of the tokenizer: ``"faithful"``, or ``"hf"`` as transformers cuts.
        variant: ``"entities"``: the model classifies by the states of two entities, [MASK] and
            [MASK2]; or ``"words"``: by those of the words at the two first markers (mLUKE-W).

    Raises:
        ConfigError: a value is impossible.
    """

    kept_as: ClassVar[str] = SETTINGS_FIELD

    max_length: int = 512
    boundary: Boundary = "faithful"
    variant: Variant = "entities"

    def __post_init__(self) -> None:
        self._require_whole(max_length=_LEAST)
        self._require_known(boundary=Boundary, variant=Variant)

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
