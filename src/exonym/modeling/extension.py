"""Going on with a whole checkpoint on a corpus with more entities: its table and head grow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from exonym.foundation.errors import ConfigError, FormatError
from exonym.foundation.hub import WEIGHTS, locate
from exonym.foundation.seeds import generator
from exonym.knowledge import EntityVocabulary
from exonym.knowledge.vocabulary_extension import changed_name
from exonym.knowledge.vocabulary_import import DIRECTORY
from exonym.knowledge.vocabulary_json import VOCABULARY_FILE
from exonym.modeling.checkpoint import CONFIG_FILE
from exonym.modeling.entity_rows import EntityTables, Pieces, rows_from_names
from exonym.modeling.heads import EntityMaskedLM
from exonym.tokenization import EntityTokenizer, WordTokenizer
from exonym.tokenization.words import TOKENIZER_FILES

_CHUNK = 1 << 16
_LIKE_MARKERS = ("@", "#")
_TABLES = ("word_embeddings.weight", "entity_embeddings.entity_embeddings.weight")


def load_extended(
    directory: str | Path, tokenizer: EntityTokenizer, *, seed: int
) -> EntityMaskedLM:
    """A checkpoint to train on, its entity table as long as a larger vocabulary.

    Everything that the checkpoint has is taken as it is, to the bit: encoder, both heads, the rows
    and biases of its entities and of [MASK] and the other special ones. Rows of its table that its
    vocabulary does not reach stand for nothing and go. The row of each further entity starts from
    the words of its titles (`new_entity_rows`), its bias is the mean of the old entities'.

    Args:
        directory: a directory with the whole checkpoint, tokenizer and entity vocabulary beside
            it, or a name on the hub.
        tokenizer: of the corpus. Its entity vocabulary must begin with the checkpoint's
            (`EntityVocabulary.extended`), its pieces must be the checkpoint's; ``<ent>`` and
            ``<ent2>`` are added where the checkpoint has none (`marker_likenesses`).
        seed: of what is drawn at random.

    Returns:
        The model, in training mode and float32. Nothing of it lies in the checkpoint's files.

    Raises:
        InputError: there is no checkpoint.
        FormatError: it is damaged, or has not both heads.
        ConfigError: tokenizer or vocabulary are not the checkpoint's, extended.
    """
    found = locate(
        directory,
        patterns=[
            CONFIG_FILE, *WEIGHTS, *TOKENIZER_FILES, VOCABULARY_FILE, f"{DIRECTORY}/*",
        ],
    )  # fmt: skip
    old, new = EntityVocabulary.from_pretrained(found), tokenizer.entities
    if (reason := changed_name(old, new)) is not None:
        raise ConfigError(
            f"the corpus's entity vocabulary does not begin with this checkpoint's: {reason}",
            where=found,
            remedy="Build the corpus with it: exonym corpus build --entities "
            f"{found} --add-entities N --tokenizer {found}",
        )
    model = EntityMaskedLM.from_pretrained(found)
    if len(old) > model.config.entity_vocab_size:
        raise FormatError(
            f"the entity vocabulary has {len(old)} rows, the entity table "
            f"{model.config.entity_vocab_size}",
            where=found,
        )
    added = _added_words(found, tokenizer.words, model.config.vocab_size)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if not name.endswith(_TABLES):  # which get new memory below
                parameter.data = parameter.data.clone()
        _extend_words(model, added)
        _extend_entities(model, old, tokenizer, seed)
    config = replace(
        model.config,
        vocab_size=model.config.vocab_size + len(added),
        entity_vocab_size=len(new),
    )
    model.config = model.luke.config = config
    return model.train()


def new_entity_rows(
    titles: Sequence[Mapping[str, str]],
    tables: EntityTables,
    pieces: Pieces,
    rng: np.random.Generator,
) -> Tensor:
    """Rows for entities of which a model knows nothing but, perhaps, the words of their titles.

    They start from their titles (`rows_from_names`): on Atlas such rows were learnt sooner than
    rows drawn like the old ones, drawn around zero, or equal to [MASK]'s, and the old entities lost
    no more (docs/continuing.md). Without a title a row is drawn with mean and standard deviation
    of the old entities' rows in each of its numbers.

    Args:
        titles: of each new entity, by language.
        tables: of the model.
        pieces: cuts titles into word ids.
        rng: where rows without a title are drawn from.

    Returns:
        (entities, width), in the table's dtype.
    """
    rows, named = rows_from_names(titles, tables, pieces)
    if not bool(named.all()):
        mean, std = _moments(tables.table, tables.special_rows)
        nameless = torch.from_numpy(
            rng.standard_normal((int((~named).sum()), len(mean)), np.float32)
        )
        rows[~named] = (mean + std * nameless).double()
    return rows.to(tables.table.dtype)


def _moments(table: Tensor, special_rows: Sequence[int]) -> tuple[Tensor, Tensor]:
    """(width,) mean and standard deviation of the entities' rows; 0 and 0.02 without entities."""
    keep = torch.ones(len(table), dtype=torch.bool)
    keep[list(special_rows)] = False
    total = torch.zeros(2, table.shape[1], dtype=torch.float64)
    for start in range(0, len(table), _CHUNK):
        rows = table[start : start + _CHUNK][keep[start : start + _CHUNK]].double()
        total += torch.stack([rows.sum(0), rows.square().sum(0)])
    entities = int(keep.sum())
    if not entities:
        return torch.zeros(table.shape[1]), torch.full((table.shape[1],), 0.02)
    mean, square = total / entities
    return mean.float(), (square - mean.square()).clamp(min=0).sqrt().float()


def marker_likenesses(words: WordTokenizer, vocab_size: int) -> tuple[int, ...]:
    """The pieces whose embeddings ``<ent>`` and ``<ent2>`` start with, where a model has neither.

    XLM-R has none. The authors of mLUKE started them from "@" and "#".

    Args:
        words: the tokenizer, markers included.
        vocab_size: how many pieces the model knows.

    Returns:
        Two ids, or none if the model ends elsewhere than behind ``<mask>``.
    """
    pieces = words.encode_stretches(_LIKE_MARKERS, [False] * len(_LIKE_MARKERS))
    lacking = vocab_size == words.mask_id + 1 == len(words) - len(_LIKE_MARKERS)
    return tuple(int(ids[-1]) for ids in pieces) if lacking else ()


def _added_words(directory: Path, words: WordTokenizer, vocab_size: int) -> tuple[int, ...]:
    """What `marker_likenesses` says, once the pieces are the checkpoint's."""
    added = marker_likenesses(words, vocab_size)
    own = WordTokenizer.from_directory(directory)
    known = vocab_size if added else len(own)
    remedy = f"Build the corpus with its tokenizer: exonym corpus build --tokenizer {directory}"
    if vocab_size + len(added) != len(words):
        raise ConfigError(
            f"the checkpoint has {vocab_size:,} pieces, the corpus {len(words):,}",
            where=directory,
            remedy=remedy,
        )
    for identifier in range(min(known, len(words))):
        ours, theirs = own.piece(identifier), words.piece(identifier)
        if ours != theirs:
            raise ConfigError(
                f"piece {identifier:,} of the checkpoint is {ours!r}, of the corpus {theirs!r}",
                where=directory,
                remedy=remedy,
            )
    return added


def _extend_words(model: EntityMaskedLM, added: tuple[int, ...]) -> None:
    table, like = model.luke.embeddings.word_embeddings, torch.tensor(added, dtype=torch.long)
    _replace(table, torch.cat([table.weight, table.weight[like]]))
    bias = model.lm_head.bias
    model.lm_head.bias = nn.Parameter(torch.cat([bias, bias[like]]))


def _extend_entities(
    model: EntityMaskedLM, old: EntityVocabulary, tokenizer: EntityTokenizer, seed: int
) -> None:
    new, embeddings = tokenizer.entities, model.luke.entity_embeddings
    table, bias = embeddings.entity_embeddings, model.entity_predictions.bias
    dense = embeddings.entity_embedding_dense
    tables = EntityTables(
        table.weight[: len(old)],
        model.luke.embeddings.word_embeddings.weight,
        dense.weight if isinstance(dense, nn.Linear) else None,
        old.mask_row,
        old.special_rows,
    )
    titles = [new.titles(row) for row in range(len(old), len(new))]
    rows = new_entity_rows(
        titles, tables, tokenizer.words.encode_words, generator(seed, "new entity rows")
    )
    entities = torch.from_numpy(np.delete(np.arange(len(old)), old.special_rows))
    mean = bias[entities].double().mean() if len(entities) else torch.zeros(())
    _replace(table, torch.cat([tables.table, rows]))
    model.entity_predictions.bias = nn.Parameter(
        torch.cat([bias[: len(old)], mean.to(bias).expand(len(rows))])
    )


def _replace(table: nn.Embedding, weight: Tensor) -> None:
    """Give a table other rows; in new memory, where a loaded table lies in the mapped file."""
    table.weight, table.num_embeddings = nn.Parameter(weight), len(weight)
