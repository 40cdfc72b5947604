"""The model before the first step, and what must fit together for a run to begin."""

from __future__ import annotations

import torch

from exonym.corpus import Corpus
from exonym.foundation.errors import ConfigError, ResourceError
from exonym.foundation.machine import available_memory
from exonym.foundation.seeds import derive_seed
from exonym.modeling import EncoderConfig, EntityMaskedLM
from exonym.modeling.checkpoint import CONFIG_FILE, read_config
from exonym.modeling.extension import load_extended, marker_likenesses
from exonym.tokenization import EntityTokenizer
from exonym.training.recipe import Recipe

_BYTES_PER_PARAMETER_BYTE = 4  # parameters, gradients, two moments


def initial_model(corpus: Corpus, tokenizer: EntityTokenizer, recipe: Recipe) -> EntityMaskedLM:
    """The model that a recipe begins with; the same bits in every process.

    Raises:
        ConfigError: recipe, corpus and backbone do not fit together.
        ResourceError: the machine has too little memory for this model.
    """
    torch.manual_seed(derive_seed(recipe.seed, "initial weights"))
    model = _started(tokenizer, recipe)
    if recipe.model.entity_position_init == "words" and recipe.model.checkpoint is None:
        model.copy_word_positions()
    _require_fit(corpus, tokenizer, recipe, model.config)
    return model


def _started(tokenizer: EntityTokenizer, recipe: Recipe) -> EntityMaskedLM:
    words, entities = len(tokenizer.words), len(tokenizer.entities)
    shape = recipe.model
    if shape.backbone is not None:
        return EntityMaskedLM.from_backbone(
            shape.backbone,
            entity_vocab_size=entities,
            entity_emb_size=shape.entity_emb_size,
            entity_position_pooling=shape.entity_position_pooling,
            added_words_like=marker_likenesses(
                tokenizer.words, read_config(shape.backbone).get("vocab_size", 0)
            ),
        )
    if shape.checkpoint is not None:
        return load_extended(shape.checkpoint, tokenizer, seed=recipe.seed)
    config = shape.config(words=words, entities=entities)
    _require_memory(
        config.parameter_bytes() * _BYTES_PER_PARAMETER_BYTE,
        "this model",
        "Lower the model's sizes (model.hidden_size, model.num_hidden_layers) or the "
        "vocabularies (exonym corpus build --vocabulary-size, --entity-vocabulary-size)",
    )
    return EntityMaskedLM(config)


def _require_fit(
    corpus: Corpus, tokenizer: EntityTokenizer, recipe: Recipe, config: EncoderConfig
) -> None:
    shape, words = recipe.model, len(tokenizer.words)
    given = shape.backbone or shape.checkpoint
    _require_memory(
        _batch_bytes(corpus, recipe, config),
        f"a batch of {recipe.sequences_at_once or recipe.batch_sequences:,} sequences",
        "Lower sequences_at_once (--set sequences_at_once=…)",
    )
    if config.vocab_size != words:
        raise ConfigError(
            f"the model has {config.vocab_size} pieces, the corpus {words}",
            where=given and given / CONFIG_FILE,
            remedy="Build the corpus with that model's tokenizer (--tokenizer)",
        )
    first = recipe.stages[0]
    if first.trained == ("new",) and given is None:
        raise ConfigError(
            f"stage {first.name!r} trains only what is new, over words that nothing has trained",
            remedy="Set model.backbone to an XLM-R directory, or begin with a stage of words",
        )
    longest = corpus.manifest["options"]["max_words"] + 2
    if longest > config.max_words:
        raise ConfigError(
            f"the corpus has sequences of up to {longest} pieces, the model positions for "
            f"{config.max_words}",
            remedy=f"Set model.max_position_embeddings to at least "
            f"{longest + config.pad_token_id + 1}, or build with a smaller --max-words",
        )


def _batch_bytes(corpus: Corpus, recipe: Recipe, config: EncoderConfig) -> float:
    """A lower bound of what one forward pass holds: states of every layer."""
    totals = corpus.manifest["totals"]
    sequences = min(recipe.sequences_at_once or recipe.batch_sequences, recipe.batch_sequences)
    pieces: float = sequences * totals["words"] / max(totals["sequences"], 1)
    return 4 * config.hidden_size * config.num_hidden_layers * pieces


def _require_memory(needed: float, what: str, remedy: str) -> None:
    free = available_memory()
    if free is not None and needed > free and not torch.accelerator.is_available():
        raise ResourceError(
            f"{what} needs at least {needed / 2**30:.1f} GiB to train, "
            f"{free / 2**30:.1f} GiB are free",
            remedy=remedy,
        )
