"""`Recipe`: everything that decides a pretraining run, read from one TOML file.

Unknown names and impossible values are errors that name the file and the field.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from exonym.corpus import LanguageSampling, Masking
from exonym.foundation.errors import ConfigError, InputError
from exonym.foundation.files import JSON
from exonym.modeling import EncoderConfig

Trained = Literal["all", "words", "new"]
Objective = Literal["words", "entities"]
_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class ModelShape:
    """The encoder's shape; the defaults are XLM-R base with mLUKE's entity table.

    Args:
        backbone: an XLM-R directory to start from (its shape then replaces the fields here, but
            for ``entity_emb_size``); None starts from random weights.
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
        train: ``"new"`` only what XLM-R lacks (entity embeddings and head), ``"words"`` only what
            it has, ``"all"`` both.
        objectives: which losses are added; without ``"entities"`` the input has none either.
    """

    name: str
    steps: int
    learning_rate: float
    warmup_steps: int = 0
    train: Trained = "all"
    objectives: tuple[Objective, ...] = ("words", "entities")

    def __post_init__(self) -> None:
        if self.steps < 1 or self.warmup_steps < 0 or self.learning_rate <= 0:
            raise ConfigError(
                f"stage {self.name!r} needs steps >= 1, warmup_steps >= 0, learning_rate > 0"
            )
        if not self.objectives:
            raise ConfigError(f"stage {self.name!r} has no objective")

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
        batch_sequences: sequences per step.
        seed: decides every random choice.
        precision: ``"float32"``; ``"bfloat16"`` for products under autocast; or ``"auto"``:
            bfloat16 on a GPU and on a processor that multiplies it.
        adam_beta1: of AdamW.
        adam_beta2: of AdamW.
        adam_epsilon: of AdamW.
        weight_decay: of AdamW, not on biases and layer normalisation.
        max_gradient_norm: gradients with a larger norm are scaled down to it; the paper does not.
        checkpoint_seconds: least time between two checkpoints within a stage.
        keep_checkpoints: how many of the newest are kept while running.
        departures: for every field that departs from the paper, why.
    """

    name: str
    stages: tuple[Stage, ...]
    model: ModelShape = field(default_factory=ModelShape)
    masking: Masking = field(default_factory=Masking)
    sampling: LanguageSampling = field(default_factory=LanguageSampling)
    batch_sequences: int = 2048
    seed: int = 0
    precision: Literal["auto", "float32", "bfloat16"] = "float32"
    adam_beta1: float = 0.9
    adam_beta2: float = 0.999
    adam_epsilon: float = 1e-6
    weight_decay: float = 0.01
    max_gradient_norm: float | None = None
    checkpoint_seconds: float = 120.0
    keep_checkpoints: int = 2
    departures: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [stage.name for stage in self.stages]
        if not names or len(set(names)) < len(names):
            raise ConfigError("a recipe needs at least one stage, and every stage its own name")
        if self.batch_sequences < 1 or self.keep_checkpoints < 1:
            raise ConfigError("batch_sequences and keep_checkpoints must be at least 1")
        for stage in self.stages:
            entities = "entities" in stage.objectives
            if entities and not self.masking.with_entities:
                raise ConfigError(
                    f"stage {stage.name!r} predicts entities, but masking.with_entities is false"
                )
            if stage.train == "new" and not entities:
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
        value: JSON = _ADAPTER.dump_python(self, mode="json")
        return value


for _kind in (ModelShape, Stage, Recipe, Masking, LanguageSampling):
    setattr(_kind, "__pydantic_config__", _STRICT)  # noqa: B010 - where pydantic looks for it
_ADAPTER: TypeAdapter[Recipe] = TypeAdapter(Recipe)


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


def recipe_from(value: JSON, *, where: object = None) -> Recipe:
    """Check plain values and make a recipe of them.

    Raises:
        ConfigError: an unknown field or an impossible value; the message names it.
    """
    try:
        return _ADAPTER.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "recipe"
        raise ConfigError(f"{place}: {first['msg']}", where=where) from error
    except ConfigError as error:
        raise ConfigError(error.what, where=where) from error


def load_recipe(path: Path, changes: Sequence[str] = ()) -> Recipe:
    """Read a recipe from a TOML file.

    Args:
        path: the file.
        changes: ``"field=value"`` or ``"stages.NAME.field=value"``, values as in TOML.

    Raises:
        InputError: no such file.
        ConfigError: not TOML, an unknown field, an impossible value.
    """
    try:
        value = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=path) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"not TOML ({error})", where=path) from error
    for change in changes:
        _apply(value, change)
    return recipe_from(value, where=path)


def _apply(value: Any, change: str) -> None:
    name, equals, text = change.partition("=")
    parts = name.strip().split(".")
    if not equals or not all(parts):
        raise ConfigError(
            f"expected field=value, got {change!r}", remedy="For example --set seed=1"
        )
    try:
        new = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        new = text.strip()  # a bare word is a string
    for part in parts[:-1]:
        if isinstance(value, list):
            named = [item for item in value if isinstance(item, dict) and item.get("name") == part]
            if not named:
                raise ConfigError(f"there is no stage {part!r} in the recipe")
            value = named[0]
        elif isinstance(value, dict):
            value = value.setdefault(part, {})
    if not isinstance(value, dict):
        raise ConfigError(f"{name.strip()!r} is no field of the recipe")
    value[parts[-1]] = new
