"""`QaSettings`: how a question and its passage become input, and how answers are read off it.

A fine-tuned model keeps them in its ``config.json`` (``exonym_qa``), so that it predicts as it was
trained. A checkpoint that has none was made by others: its text is cut as transformers cuts it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from exonym.foundation.errors import ConfigError
from exonym.modeling import EncoderConfig
from exonym.modeling.config import VARIANT_FIELD, Variant
from exonym.tasks.kept_settings import KeptSettings
from exonym.tokenization.borders import Boundary

SETTINGS_FIELD = "exonym_qa"
SPECIAL = 4
"""Pieces of an input that are neither of the question nor of the passage."""


@dataclass(frozen=True, slots=True)
class QaSettings(KeptSettings):
    """Sizes of inputs and answers; the defaults are those of mLUKE's code.

    Args:
        window: most pieces of an input, special ones included.
        overlap: pieces of the passage that a window shares with the next ("stride").
        most_question: pieces of a question; longer ones lose their end.
        longest_answer: most pieces of an answer.
        most_entities: most mentions of an input, those of the question first.
        boundary: of the tokenizer: ``"faithful"``, or ``"hf"`` as transformers cuts.
        variant: ``"entities"``, or ``"words"``: mentions are left out of the input (mLUKE-W).

    Raises:
        ConfigError: a value is impossible, or a window has no room behind a question.
    """

    kept_as: ClassVar[str] = SETTINGS_FIELD

    window: int = 384
    overlap: int = 128
    most_question: int = 64
    longest_answer: int = 30
    most_entities: int = 128
    boundary: Boundary = "faithful"
    variant: Variant = "entities"

    def __post_init__(self) -> None:
        self._require_whole(window=1, overlap=0, most_question=1, longest_answer=1, most_entities=0)
        room = self.window - SPECIAL - self.most_question
        if room <= self.overlap:
            raise ConfigError(
                f"a window of {self.window} pieces with a question of {self.most_question} leaves "
                f"{room} for the passage, which must be more than the overlap of {self.overlap}",
                remedy="Pass a larger window, or a smaller most_question or overlap",
            )
        self._require_known(boundary=Boundary, variant=Variant)

    @classmethod
    def within(cls, max_words: int) -> QaSettings:
        """The defaults, or smaller sizes for a model that takes fewer pieces.

        Args:
            max_words: most pieces the model takes.

        Raises:
            ConfigError: it takes too few for questions about passages.
        """
        window = min(cls().window, max_words)
        third = max(window // 3, 1)  # at most for the question, at most for the overlap
        return cls(
            window=window,
            overlap=min(cls().overlap, third),
            most_question=min(cls().most_question, third),
        )

    @classmethod
    def of(cls, config: EncoderConfig) -> QaSettings:
        """The settings that a checkpoint was trained with.

        Raises:
            ConfigError: ``exonym_qa`` has an unknown field or an impossible value.
        """
        kept = config.other.get(SETTINGS_FIELD)
        if kept is None:
            return replace(cls.within(config.max_words), boundary="hf", variant=config.variant)
        return replace(cls.from_json(kept), variant=config.variant)

    def kept_in(self, config: EncoderConfig) -> EncoderConfig:
        """The configuration that holds these settings.

        Raises:
            ConfigError: a window has more pieces than the model takes.
        """
        if self.window > config.max_words:
            raise ConfigError(
                f"a window of {self.window} pieces, but the model takes at most {config.max_words}",
                remedy=f"Pass a window of at most {config.max_words}",
            )
        own = {VARIANT_FIELD: self.variant, SETTINGS_FIELD: self.to_json()}
        return replace(config, other={**config.other, **own})
