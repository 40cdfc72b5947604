"""`NerSettings`: which spans a model looks at, and how it reads the text around them.

A fine-tuned model keeps them in its ``config.json`` (``exonym_ner``), so that it predicts as it was
trained. A checkpoint that has none was made by others: it gets `OTHERS`, with which it computes
what transformers computes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from exonym.foundation.errors import ConfigError
from exonym.modeling import EncoderConfig, EntitySpanClassifier
from exonym.modeling.classifiers import SPAN_FEATURE_FIELD
from exonym.modeling.config import VARIANT_FIELD, Variant
from exonym.tasks.kept_settings import KeptSettings
from exonym.tokenization.borders import Boundary

SETTINGS_FIELD = "exonym_ner"

Units = Literal["words", "text"]
Unspaced = Literal["characters", "pieces"]
Overlaps = Literal["flat", "nested"]
SpanFeature = Literal["words+entity", "entity"]
BOTH: SpanFeature = "words+entity"


@dataclass(frozen=True, slots=True)
class NerSettings(KeptSettings):
    """Which spans are candidates, and what surrounds them.

    Args:
        span_limit: most pieces of a span (the released code: 16).
        max_length: most pieces of an input, ``<s>`` and ``</s>`` included.
        context: whether the other sentences of a document stand around a sentence, on both sides,
            as far as ``max_length`` goes.
        spans_at_once: most spans in one input. All see each other, so that the number changes the
            result; a sentence with more is computed several times, with even shares of them (the
            released code: 128).
        units: spans begin and end at ``"words"``, as a file has them (where it has none, as
            ``"text"``), or always where characters say so: ``"text"``.
        unspaced: in scripts without blanks a span may begin and end at all ``"characters"``, or
            at the borders of ``"pieces"``. Thai and its relatives always have the latter.
        boundary: see `EntityTokenizer`: ``"faithful"``, or ``"hf"``, for which every word begins
            with "▁".
        variant: ``"entities"``: an entity [MASK] lies over every span; or ``"words"``: the input
            has words alone (mLUKE-W).
        span_feature: what the classifier sees of a span where there are entities:
            ``"words+entity"``, its first word, its last word and its entity, as the released
            checkpoints have it; or ``"entity"`` alone, as the paper has it (section 4.3).
        overlaps: predictions that are ``"flat"`` do not overlap; ``"nested"`` ones may lie inside
            each other, and do not cross.
    """

    kept_as: ClassVar[str] = SETTINGS_FIELD
    elsewhere: ClassVar[frozenset[str]] = frozenset({"variant", "span_feature"})

    span_limit: int = 16
    max_length: int = 512
    context: bool = True
    spans_at_once: int = 1024
    units: Units = "words"
    unspaced: Unspaced = "characters"
    boundary: Boundary = "faithful"
    variant: Variant = "entities"
    span_feature: SpanFeature = BOTH
    overlaps: Overlaps = "flat"

    def __post_init__(self) -> None:
        self._require_whole(span_limit=1, max_length=3, spans_at_once=1)
        if self.span_limit > self.max_length - 2:
            raise ConfigError(
                f"span_limit={self.span_limit} is more than the {self.max_length - 2} pieces that "
                f"max_length={self.max_length} leaves",
                remedy="Pass a smaller span_limit, or a larger max_length",
            )
        if type(self.context) is not bool:
            raise ConfigError(f"context must be true or false, got {self.context!r}")
        self._require_known(
            units=Units,
            unspaced=Unspaced,
            boundary=Boundary,
            variant=Variant,
            span_feature=SpanFeature,
            overlaps=Overlaps,
        )

    @property
    def feature(self) -> str:
        """What the classifier sees of a span: ``"words+entity"``, ``"entity"`` or ``"words"``."""
        return "words" if self.variant == "words" else self.span_feature

    @classmethod
    def of(cls, config: EncoderConfig) -> NerSettings:
        """The settings that a checkpoint was trained with.

        One that has none was made by others; it gets those of `OTHERS`.

        Raises:
            ConfigError: ``exonym_ner`` has an unknown field or an impossible value.
        """
        kept = config.other.get(SETTINGS_FIELD)
        settings = OTHERS if kept is None else cls.from_json(kept)
        feature = EntitySpanClassifier.feature_of(config)
        chosen = replace(settings, variant=config.variant)
        if feature != "words":
            chosen = replace(chosen, span_feature="entity" if feature == "entity" else BOTH)
        return chosen.fitted(config)

    def fitted(self, config: EncoderConfig) -> NerSettings:
        """The same with no longer inputs, and spans, than a model has positions for."""
        length = min(self.max_length, config.max_words)
        return replace(self, max_length=length, span_limit=min(self.span_limit, length - 2))

    def kept_in(self, config: EncoderConfig) -> EncoderConfig:
        """The configuration that holds these settings, as far as they fit it."""
        own = {
            VARIANT_FIELD: self.variant,
            SPAN_FEATURE_FIELD: self.span_feature,
            SETTINGS_FIELD: self.fitted(config).to_json(),
        }
        return replace(config, other={**config.other, **own})


OTHERS = NerSettings(spans_at_once=8192, boundary="hf")
"""For checkpoints of others: all spans of a sentence at once, words as transformers reads them."""
