"""mLUKE's recipes, each a function: as published, for a day of one GPU, for minutes of a processor.

``exonym pretrain --recipe NAME --show`` prints one as TOML, which can be changed and given back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from exonym.corpus import Masking
from exonym.foundation.errors import ConfigError
from exonym.training import ModelShape, Recipe, Stage

BACKBONE, STAGES = "backbone", ("entities", "all")
"""Names of stages: the stand-in for XLM-R, and the paper's two."""

_PAPER_STEPS, _PAPER_WARMUP = 540_326, 2_500


def mluke_base(*, backbone: Path | None = None, sequences_at_once: int | None = None) -> Recipe:
    """mLUKE base as published.

    Ri, Yamada, Tsuruoka (ACL 2022), section 3.1 and appendix A; the number of steps is that of
    the released code (github.com/studio-ousia/luke, pretraining_config/mluke_base_stage1.json and
    mluke_base_stage2.json, 42b7ea0), whose batch, rates, warm-up and AdamW's constants are these,
    too; AdamW's bias correction is off in those files. Everything not named here is a default of
    `Recipe`, which is the paper's.

    Args:
        backbone: a directory with XLM-R base.
        sequences_at_once: most sequences of a forward pass, as memory allows.
    """
    return Recipe(
        name="mluke-base",
        stages=_published_stages(5e-4, 1e-4),
        model=ModelShape(backbone=backbone),
        precision="bfloat16",
        adam_bias_correction=False,
        sequences_at_once=sequences_at_once,
    )


def mluke_large(*, backbone: Path | None = None, sequences_at_once: int | None = None) -> Recipe:
    """mLUKE large as published: the shape of XLM-R large, half the rate in the second stage.

    The second stage is that of pretraining_config/mluke_large_stage2.json (43e3526). The first has
    no file of its own there; its rate is that of the base model, and of LUKE large.

    Args:
        backbone: a directory with XLM-R large.
        sequences_at_once: most sequences of a forward pass, as memory allows.
    """
    return Recipe(
        name="mluke-large",
        stages=_published_stages(5e-4, 5e-5),
        model=ModelShape(
            hidden_size=1024,
            num_hidden_layers=24,
            num_attention_heads=16,
            intermediate_size=4096,
            backbone=backbone,
        ),
        precision="bfloat16",
        adam_bias_correction=False,
        sequences_at_once=sequences_at_once,
    )


def _published_stages(first_rate: float, second_rate: float) -> tuple[Stage, ...]:
    return (
        Stage("entities", _PAPER_STEPS, first_rate, _PAPER_WARMUP, train="new"),
        Stage("all", _PAPER_STEPS, second_rate, _PAPER_WARMUP, train="all"),
    )


def mluke_mini(*, backbone: Path | None = None, sequences_at_once: int = 32) -> Recipe:
    """mLUKE from XLM-R base in a day of one GPU, for a corpus with 100,000 to 300,000 entities.

    How the day was reckoned (nobody has run it yet). A sequence of the paper's corpus has 510
    pieces, about 35 entities and 77 masked pieces. Forward and backward through 85 M weights of
    XLM-R base, its attention and its 250,002-piece head cost about 0.4 TFLOP; the first stage,
    which needs no gradients of those weights, about two thirds of that. 20,000 steps of 256
    sequences in the first stage and 50,000 in the second are 6.5 EFLOP: 15 hours on a GPU with
    312 TFLOP/s in bfloat16 (A100) of which 40 % are reached, and still one day at 24 %. Steps
    follow in proportion for another GPU (``stages.all.steps``).

    Args:
        backbone: a directory with XLM-R base.
        sequences_at_once: most sequences of a forward pass; 32 of 512 pieces need about 6 GB
            beside the 5 GB of parameters, gradients and moments.
    """
    return Recipe(
        name="mluke-mini",
        stages=(
            Stage("entities", 20_000, 2e-4, 1_000, train="new"),
            Stage("all", 50_000, 4e-5, 1_000, train="all"),
        ),
        model=ModelShape(backbone=backbone),
        batch_sequences=256,
        precision="bfloat16",
        adam_bias_correction=False,
        sequences_at_once=sequences_at_once,
        departures={
            "batch_sequences": "An eighth of the paper's, so that a day still has many steps.",
            "stages.entities.steps": "A day of one GPU instead of weeks of sixteen; the first "
            "stage is the shorter, since it only makes the new table fit what is there.",
            "stages.entities.learning_rate": "The paper's, divided by the root of eight as the "
            "batch is an eighth.",
            "stages.entities.warmup_steps": "As long as the fewer steps allow.",
            "stages.all.steps": "A day of one GPU instead of weeks of sixteen.",
            "stages.all.learning_rate": "As in the first stage.",
            "stages.all.warmup_steps": "As long as the fewer steps allow.",
        },
    )


ATLAS_SEQUENCES = 60_000
"""Sequences of Atlas's first 500 entities in 24 languages, which the quickstart takes."""

_PASSES = 11.0
_LEAST_STEPS, _MOST_STEPS = 3_500, 10_000
_LEAST_BATCH, _MOST_BATCH = 64, 192
_RATE, _MOST_DECAY = 3e-3, 1.0
_MEMORY_PASSES = 2.5


def mluke_atlas(*, sequences: int = ATLAS_SEQUENCES) -> Recipe:
    """mLUKE in small: some dozens to some thousand entities, minutes of a processor.

    The last stage sees the corpus eleven times, in 3,500 to 10,000 steps; in a small corpus that
    is more often, since facts cross from one language to another long after each language's own
    are known by heart. The stages before it are in proportion. ``docs/lab-notebook.md`` has the
    runs that the figures are from.

    Args:
        sequences: of the corpus, in all languages.

    Raises:
        ConfigError: there are none.
    """
    if sequences < 1:
        raise ConfigError(f"a recipe is for a corpus of at least one sequence, got {sequences}")
    batch = min(max(sequences // 200 // 32 * 32, _LEAST_BATCH), _MOST_BATCH)
    steps = min(max(round(_PASSES * sequences / batch), _LEAST_STEPS), _MOST_STEPS)
    # AdamW draws a weight back by rate · decay in a step, so it remembers 1 / (rate · decay) steps.
    decay = min(batch / (_RATE * _MEMORY_PASSES * sequences), _MOST_DECAY)
    return Recipe(
        name="mluke-atlas",
        stages=(
            Stage(
                BACKBONE,
                max(steps // 12, 150),
                3e-3,
                max(steps // 120, 15),
                train="words",
                objectives=("words",),
            ),
            Stage("entities", max(steps // 35, 50), 5e-3, 10, train="new"),
            Stage("all", steps, _RATE, steps // 18, train="all"),
        ),
        model=ModelShape(
            hidden_size=128,
            entity_emb_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=512,
            dropout=0.0,
            max_position_embeddings=132,
            initializer_range=0.06,
            entity_position_init="words",
        ),
        masking=Masking(hidden_words=0.6, hidden_names=0.4, unlinked_names=0.3),
        batch_sequences=batch,
        precision="auto",
        adam_beta2=0.98,
        weight_decay=round(decay, 3),
        max_gradient_norm=1.0,
        checkpoint_seconds=30.0,
        departures=_ATLAS_DEPARTURES,
    )


_SMALL = "Two cores instead of sixteen GPUs."
_SHORT = "Minutes instead of weeks; the steps follow from the size of the corpus."
_ATLAS_DEPARTURES: Mapping[str, str] = {
    "stages.backbone": "No XLM-R is at hand without a download: a stage of masked language "
    "modelling on the same text stands in for it.",
    "stages.entities.steps": _SHORT,
    "stages.entities.warmup_steps": "In proportion to the steps.",
    "stages.entities.learning_rate": "A small model that trains for minutes needs, and bears, "
    "larger steps.",
    "stages.all.steps": _SHORT,
    "stages.all.warmup_steps": "In proportion to the steps.",
    "stages.all.learning_rate": "A small model that trains for minutes needs, and bears, larger "
    "steps; at 7e-3 it hardly learns.",
    "adam_beta2": "The mean of squares over a thousand steps is too long a memory for a run of a "
    "few thousand: with 0.98 the losses fall sooner.",
    "adam_bias_correction": "As PyTorch has it; what leaving it out does to runs of some thousand "
    "steps was not looked at.",
    "weight_decay": "Hundreds of passes teach a small model each language's facts by heart; what "
    "draws the weights back lets it find the way that all languages share. The larger the corpus, "
    "the less: its memory is to be some passes long.",
    "max_gradient_norm": "At these rates single batches throw the model back; clipping them lets "
    "the losses fall sooner, and keeps worlds that nobody has tried from diverging.",
    "batch_sequences": "The corpus has thousands of sequences, each of one sentence, not hundreds "
    "of millions of long ones; a small corpus gets more steps of smaller batches.",
    "precision": "Bfloat16 products where the processor has them; the loss is taken in float32.",
    "model.hidden_size": _SMALL,
    "model.entity_emb_size": "Half of the encoder's width, for a few hundred entities.",
    "model.num_hidden_layers": _SMALL,
    "model.num_attention_heads": _SMALL,
    "model.intermediate_size": "Four times the width, as in the paper.",
    "model.max_position_embeddings": "Sequences are one sentence of at most 64 pieces (the paper "
    "packs 510): the questions are single sentences too, and a small model learns from them "
    "sooner what is said of whom (300 entities, six million pieces: 0.93 of the untold facts "
    "right by [X]&[Y], against 0.70 with 32 pieces packed).",
    "model.dropout": "The facts are to be memorised, and each is seen a few dozen times only.",
    "model.initializer_range": "The paper's 0.02 suits a width of 768; at 128, 0.06 was the best "
    "of 0.04, 0.06 and 0.1.",
    "model.entity_position_init": "The paper does not say how entity positions start; copied word "
    "positions spare the small model learning them anew.",
    "masking.hidden_words": "In a small corpus the words under a masked entity give its answer "
    "away, and the model would learn names instead of facts.",
    "masking.hidden_names": "Otherwise the small model remembers facts by the words of one "
    "language; so it must know the entity by its embedding, which all languages share.",
    "masking.unlinked_names": "Real pages name entities without a link far more often than Atlas "
    "does; asking by [Y] alone needs that.",
}

RECIPES: Mapping[str, Callable[[], Recipe]] = {
    "mluke-base": mluke_base,
    "mluke-large": mluke_large,
    "mluke-mini": mluke_mini,
    "mluke-atlas": mluke_atlas,
}
"""By the name that the command line takes."""
