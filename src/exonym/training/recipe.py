"""`Recipe`: everything that decides a pretraining run."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from exonym.corpus import LanguageSampling, Masking
from exonym.foundation.errors import ConfigError
from exonym.foundation.files import JSON
from exonym.modeling import EncoderConfig

Objective = Literal["words", "entities"]
OBJECTIVES: tuple[Objective, ...] = ("words", "entities")
TRAINED = ("all", "words", "new")
"""Names for sets of parameters; anything else is a pattern of their names."""


@dataclass(frozen=True, slots=True)
class ModelShape:
    """The encoder's shape; the defaults are XLM-R base with mLUKE's entity table.

    Args:
        backbone: an XLM-R directory to start from (its shape then replaces the fields here, but
            for ``entity_emb_size``); None starts from random weights.
        checkpoint: a whole mLUKE checkpoint to go on from, its entities included; entities that
            the corpus has beyond them get new rows. Its shape replaces all fields here.
        entity_position_init: ``"words"`` copies the word position table, ``"random"`` does not.
    """

    hidden_size: int = 768
    entity_emb_size: int = 256
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    dropout: float = 0.1
    max_position_embeddings: int = 514
    initializer_range: float = 0.02
    entity_position_pooling: Literal["mean", "sum"] = "mean"
    entity_position_init: Literal["random", "words"] = "random"
    backbone: Path | None = None
    checkpoint: Path | None = None

    def __post_init__(self) -> None:
        if self.backbone is not None and self.checkpoint is not None:
            raise ConfigError("give model.backbone or model.checkpoint, not both")

    def config(self, *, words: int, entities: int) -> EncoderConfig:
        """The encoder configuration for a tokenizer's sizes."""
        return EncoderConfig(
            vocab_size=words,
            entity_vocab_size=entities,
            hidden_size=self.hidden_size,
            entity_emb_size=self.entity_emb_size,
            num_hidden_layers=self.num_hidden_layers,
            num_attention_heads=self.num_attention_heads,
            intermediate_size=self.intermediate_size,
            hidden_dropout_prob=self.dropout,
            attention_probs_dropout_prob=self.dropout,
            max_position_embeddings=self.max_position_embeddings,
            initializer_range=self.initializer_range,
            entity_position_pooling=self.entity_position_pooling,
        )


@dataclass(frozen=True, slots=True)
class Stage:
    """One stretch of training with its own schedule (warm-up, then linear decay to zero).

    Args:
        name: names checkpoints and metrics, and the stream of batches.
        steps: optimiser steps.
        learning_rate: the peak.
        warmup_steps: steps to the peak.
        train: which parameters: ``"new"`` only what XLM-R lacks (entity embeddings and head),
            ``"words"`` only what it has, ``"all"`` both; or patterns of names, as in
            ``["luke.encoder.layer.1?.*", "new"]``.
        freeze: patterns or names of sets that do not train, although ``train`` has them.
        rate_factors: patterns or names of sets, each with a factor on the learning rate of its
            parameters; the first that fits counts.
        objectives: which losses are added; without ``"entities"`` the input has none either.
    """

    name: str
    steps: int
    learning_rate: float
    warmup_steps: int = 0
    train: str | tuple[str, ...] = "all"
    freeze: tuple[str, ...] = ()
    rate_factors: Mapping[str, float] = field(default_factory=dict)
    objectives: tuple[Objective, ...] = OBJECTIVES

    def __post_init__(self) -> None:
        if self.steps < 1 or self.warmup_steps < 0 or self.learning_rate <= 0:
            raise ConfigError(
                f"stage {self.name!r} needs steps >= 1, warmup_steps >= 0, learning_rate > 0"
            )
        if not self.objectives:
            raise ConfigError(f"stage {self.name!r} has no objective")
        if not self.trained:
            raise ConfigError(f"stage {self.name!r} trains nothing")
        for pattern, factor in self.rate_factors.items():
            if not factor > 0:
                raise ConfigError(
                    f"stage {self.name!r}: rate_factors.{pattern} must be above 0, got {factor}",
                    remedy="Name what does not train in freeze",
                )

    @property
    def trained(self) -> tuple[str, ...]:
        """``train`` as a tuple of patterns and names of sets."""
        return (self.train,) if isinstance(self.train, str) else self.train

    def rate(self, step: int) -> float:
        """The learning rate of step number ``step``, counted from 0."""
        if step < self.warmup_steps:
            return self.learning_rate * (step + 1) / self.warmup_steps
        left = self.steps - step
        return self.learning_rate * left / max(self.steps - self.warmup_steps, 1)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A pretraining run.

    Args:
        name: of the recipe.
        stages: in order.
        model: the encoder's shape.
        masking: rates of words and entities.
        sampling: of languages.
        batch_sequences: sequences per step, of all processes together.
        sequences_at_once: most sequences in one forward pass of a process; a process whose share
            of the batch is larger adds up the gradients of several. None takes all at once.
        seed: decides every random choice.
        precision: ``"float32"``; ``"bfloat16"`` for products under autocast; or ``"auto"``:
            bfloat16 on a GPU and on a processor that multiplies it.
        adam_beta1: of AdamW.
        adam_beta2: of AdamW.
        adam_epsilon: of AdamW.
        adam_bias_correction: whether AdamW divides its means by what they lack at first, as
            PyTorch's does; mLUKE's authors pretrained without.
        weight_decay: of AdamW, not on biases and layer normalisation.
        max_gradient_norm: gradients with a larger norm are scaled down to it; the paper does not.
        log_steps: steps between two lines of ``metrics.jsonl``.
        held_out_sequences: sequences of every language that are never trained on (at most one in
            a hundred), for the held-out losses.
        evaluate_steps: steps between two measurements on the held-out part; None measures at the
            end of every stage only, 0 never.
        checkpoint_seconds: least time between two checkpoints within a stage.
        keep_checkpoints: how many of the newest are kept while running.
        keep_every: every so many steps a checkpoint is written and kept for good.
        keep_best: keep the checkpoint with the lowest held-out loss of the last stage for good.
        departures: for every field that departs from the paper, why.
    """

    name: str
    stages: tuple[Stage, ...]
    model: ModelShape = field(default_factory=ModelShape)
    masking: Masking = field(default_factory=Masking)
    sampling: LanguageSampling = field(default_factory=LanguageSampling)
    batch_sequences: int = 2048
    sequences_at_once: int | None = None
    seed: int = 0
    precision: Literal["auto", "float32", "bfloat16"] = "float32"
    adam_beta1: float = 0.9
    adam_beta2: float = 0.999
    adam_epsilon: float = 1e-6
    adam_bias_correction: bool = True
    weight_decay: float = 0.01
    max_gradient_norm: float | None = None
    log_steps: int = 10
    held_out_sequences: int = 100
    evaluate_steps: int | None = None
    checkpoint_seconds: float = 120.0
    keep_checkpoints: int = 2
    keep_every: int | None = None
    keep_best: bool = False
    departures: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [stage.name for stage in self.stages]
        if not names or len(set(names)) < len(names):
            raise ConfigError("a recipe needs at least one stage, and every stage its own name")
        for field_, least in _LEAST.items():
            value = getattr(self, field_)
            if value is not None and value < least:
                raise ConfigError(f"{field_} must be at least {least}, got {value}")
        for stage in self.stages:
            entities = "entities" in stage.objectives
            if entities and not self.masking.with_entities:
                raise ConfigError(
                    f"stage {stage.name!r} predicts entities, but masking.with_entities is false"
                )
            if stage.trained == ("new",) and not entities:
                raise ConfigError(
                    f"stage {stage.name!r} trains only the entity side, but has no entities "
                    "objective"
                )
        for path in self.departures:
            _require_field(self, path)

    @property
    def steps(self) -> int:
        """Optimiser steps of all stages."""
        return sum(stage.steps for stage in self.stages)

    def only(self, *names: str) -> Recipe:
        """The same recipe with some of its stages; departures of the others are left out.

        Raises:
            ConfigError: there is no such stage.
        """
        known = {stage.name: stage for stage in self.stages}
        for name in names:
            if name not in known:
                raise ConfigError(f"the recipe has no stage {name!r}; it has {', '.join(known)}")
        kept = tuple(stage for stage in self.stages if stage.name in names)
        gone = tuple(f"stages.{name}." for name in known if name not in names)
        departures = {
            field: why for field, why in self.departures.items() if not f"{field}.".startswith(gone)
        }
        return replace(self, stages=kept, departures=departures)

    def to_json(self) -> JSON:
        """The resolved recipe as plain values."""
        value: JSON = ADAPTER.dump_python(self, mode="json")
        return value


_HOW = (
    "sequences_at_once",
    "log_steps",
    "evaluate_steps",
    "checkpoint_seconds",
    "keep_checkpoints",
    "keep_every",
    "keep_best",
    "departures",
)
_LEAST = {
    "batch_sequences": 1,
    "sequences_at_once": 1,
    "log_steps": 1,
    "held_out_sequences": 0,
    "evaluate_steps": 0,
    "checkpoint_seconds": 0,
    "keep_checkpoints": 1,
    "keep_every": 1,
}


def deciding(recipe: JSON) -> JSON:
    """What of a recipe in plain values decides which examples are seen and what is learnt of them.

    The rest (how many sequences at once, what is logged and kept) may change within a run. A field
    that the version of Exonym which wrote the recipe did not have is what it is by default.
    """
    # What a newer version wrote, or somebody damaged, stays as it is: it differs, and is named.
    with contextlib.suppress(ValidationError, ConfigError):
        recipe = ADAPTER.validate_python(recipe).to_json()
    return {name: value for name, value in recipe.items() if name not in _HOW}


for _kind in (ModelShape, Stage, Recipe, Masking, LanguageSampling):
    setattr(_kind, "__pydantic_config__", ConfigDict(extra="forbid"))  # noqa: B010 - where pydantic looks for it
ADAPTER: TypeAdapter[Recipe] = TypeAdapter(Recipe)
"""Between recipes and plain values; unknown fields are errors."""


def _require_field(recipe: Recipe, path: str) -> None:
    value: object = recipe
    for name in path.split("."):
        stages = {s.name: s for s in value} if isinstance(value, tuple) else {}
        if name in stages:
            value = stages[name]
        elif is_dataclass(value) and name in {f.name for f in fields(value)}:
            value = getattr(value, name)
        else:
            raise ConfigError(f"departures names {path!r}, which is no field of the recipe")
