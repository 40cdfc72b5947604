"""Changing a checkpoint: entity table and vocabulary together, dtype, form of the files."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from exonym.foundation.errors import ConfigError, FormatError, InputError
from exonym.foundation.files import JSON, atomic_directory
from exonym.knowledge import EntityVocabulary, KnowledgeBase
from exonym.knowledge.vocabulary_import import DIRECTORY, mark_source
from exonym.knowledge.vocabulary_json import VOCABULARY_FILE
from exonym.knowledge.vocabulary_selection import (
    Selection,
    items_from,
    rows_with_titles_in,
    select_rows,
)
from exonym.modeling.checkpoint import (
    CONFIG_FILE,
    PREFIX,
    read_config,
    read_shape,
    read_weights,
    weight_files,
    write_checkpoint,
)
from exonym.modeling.config import EncoderConfig
from exonym.modeling.entity_rows import (
    NAMES,
    AddedEntity,
    EntityTables,
    Pieces,
    new_rows,
    random_rows,
)
from exonym.modeling.heads import EntityMaskedLM
from exonym.modeling.loading import choose_dtype, renamed
from exonym.modeling.pretrained import ENTITY_TABLE
from exonym.tokenization.words import TOKENIZER_FILES, WordTokenizer

PROJECTION = "entity_embeddings.entity_embedding_dense.weight"
WORD_TABLE = "embeddings.word_embeddings.weight"
ENTITY_BIAS = "entity_predictions.bias"
# Files beside the tensors that go with a checkpoint.
COPIED = (
    *TOKENIZER_FILES,
    "generation_config.json",
    "README.md",
    "LICENSE",
    "LICENSE.txt",
    "NOTICE",
)


@dataclass(frozen=True, slots=True)
class Changes:
    """What to change in a checkpoint; without any, its files are written anew as they are.

    Args:
        languages: keep the rows that have a title in one of these, and only those titles.
        entities: keep the rows of these keys.
        lite: keep the special rows only.
        added: entities to put behind the others.
        kb: gives rows their Wikidata items.
        dtype: of all tensors with a point: ``"float32"``, ``"float16"`` or ``"bfloat16"``.
        random_entities: a seed: draw the rows of all entities anew at last; see `random_rows`.
    """

    languages: Collection[str] | None = None
    entities: Collection[str] | None = None
    lite: bool = False
    added: Sequence[AddedEntity] = ()
    kb: KnowledgeBase | None = None
    dtype: str | None = None
    random_entities: int | None = None

    def __post_init__(self) -> None:
        if self.lite and (self.languages is not None or self.entities is not None):
            raise ConfigError(
                "lite keeps no entity, so it goes with neither languages nor entities"
            )


@dataclass(frozen=True, slots=True)
class Conversion:
    """What `convert_checkpoint` did; everything that was left out is counted.

    Args:
        rows: of the entity table, before and after.
        names: of the entity vocabulary, before and after.
        rows_left_out: by reason.
        names_left_out: of rows that are gone, and titles in other languages.
        added: new rows.
        unknown: keys of ``entities`` that the vocabulary does not have.
        items: rows that were given their Wikidata item.
        items_taken: rows whose item another row has, so that they were not given it.
        changed: the tensors that have other rows than before.
        redrawn: rows that were drawn anew.
        left_out: tensors that are not written, with the reason.
        files: what was copied.
        files_left_out: what was not.
    """

    rows: tuple[int, int]
    names: tuple[int, int]
    rows_left_out: Mapping[str, int]
    names_left_out: int
    added: int
    unknown: tuple[str, ...]
    items: int
    items_taken: int
    changed: tuple[str, ...]
    left_out: Mapping[str, str]
    files: tuple[str, ...]
    files_left_out: tuple[str, ...]
    redrawn: int = 0


@dataclass(slots=True)
class _Choice:
    """The table's rows that are kept, in order; None for all."""

    rows: NDArray[np.int64] | None = None
    left_out: dict[str, int] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()


@dataclass(slots=True)
class _Checkpoint:
    """What was read, to be changed in place; ``left_out`` as in `Conversion`."""

    config: JSON
    tensors: dict[str, Tensor]
    prefix: str
    left_out: Mapping[str, str]
    vocabulary: EntityVocabulary

    @property
    def table(self) -> Tensor:
        return self.tensors[self.prefix + ENTITY_TABLE]


def convert_checkpoint(
    source: Path,
    out: Path,
    changes: Changes,
    *,
    pieces: Pieces | None = None,
    overwrite: bool = False,
) -> Conversion:
    """Write a checkpoint anew: tensors as safetensors, vocabulary in both forms, config, tokenizer.

    The entity table, the bias of the entity head and the entity vocabulary are changed together.
    Rows that are kept stay in their order; the special ones are always kept, and may move. A row
    of the table that the vocabulary does not reach goes as soon as rows change. New rows have the
    mean bias of the entities' (0 where there are none).

    Args:
        source: a LUKE checkpoint directory.
        out: the directory to make; also transformers 4.57 reads it.
        changes: what to change.
        pieces: from names to word ids, for new rows from names; None takes the checkpoint's own
            tokenizer.
        overwrite: replace ``out`` if it exists.

    Raises:
        InputError: there is no checkpoint or no vocabulary; no title in a language; no row of the
            entities; an added name has a row.
        FormatError: a file is damaged, or table, configuration and vocabulary do not fit.
        ExistsError: ``out`` exists and ``overwrite`` is false.
    """
    if out.resolve() == source.resolve():
        raise InputError("a checkpoint cannot be converted onto itself", where=out)
    before = _read(source)
    choice = _choose(before.vocabulary, changes, len(before.table))
    if pieces is None and any(entity.start == NAMES for entity in changes.added):
        pieces = _own_pieces(source)
    with atomic_directory(out, overwrite=overwrite) as directory:
        # First what can fail by the user's input, then the large files.
        selection, names = _write_vocabulary(before.vocabulary, directory, choice, changes)
        changed = _change_rows(before, choice, changes.added, pieces)
        redrawn = 0
        if changes.random_entities is not None:
            redrawn = _draw_rows(before, directory, changes.random_entities)
        config = {**before.config, "entity_vocab_size": len(before.table)}
        if changes.dtype is not None:
            config.pop("torch_dtype", None)  # the name of dtype before transformers 4.56
            config["dtype"] = changes.dtype
            _cast(before.tensors, changes.dtype)
        write_checkpoint(directory, config, before.tensors)
        files, files_left_out = _copy_files(source, directory)
    return Conversion(
        rows=(before.config["entity_vocab_size"], config["entity_vocab_size"]),
        names=(before.vocabulary.names_count, names),
        rows_left_out=choice.left_out,
        names_left_out=selection.names_left_out,
        added=len(changes.added),
        unknown=choice.unknown,
        items=selection.items,
        items_taken=selection.items_taken,
        changed=changed,
        left_out=before.left_out,
        files=files,
        files_left_out=files_left_out,
        redrawn=redrawn,
    )


def _read(source: Path) -> _Checkpoint:
    read_shape(source)
    config, tensors = read_config(source), read_weights(source)
    prefix = PREFIX if any(name.startswith(PREFIX) for name in tensors) else ""
    tensors = renamed(tensors, prefix)
    left_out = _remove_decoders(tensors, prefix)
    rows = _check_table(tensors, prefix, config, source)
    return _Checkpoint(config, tensors, prefix, left_out, _vocabulary(source, rows))


def _remove_decoders(tensors: dict[str, Tensor], prefix: str) -> dict[str, str]:
    """Take out the decoders that are tables by definition; says of each whether it was."""
    left_out = {}
    for decoder, original in EntityMaskedLM.tied.items():
        tensor = tensors.pop(decoder, None)
        if tensor is None:
            continue
        name = original if prefix else original.removeprefix(PREFIX)
        if name not in tensors:
            tensors[name] = tensor  # written under its other name only
            continue
        same = tensor.data_ptr() == tensors[name].data_ptr() or torch.equal(tensor, tensors[name])
        left_out[decoder] = f"is {name}" if same else f"differed from {name}, which counts"
    return left_out


def _check_table(tensors: Mapping[str, Tensor], prefix: str, config: JSON, source: Path) -> int:
    """Whether the entity tensors are as the configuration says; returns their rows."""
    name = prefix + ENTITY_TABLE
    if name not in tensors:
        raise FormatError(f"the tensor {name!r} is missing", where=source)
    rows: int = config["entity_vocab_size"]
    expected = {name: (rows, config.get("entity_emb_size", 256)), ENTITY_BIAS: (rows,)}
    for each, shape in expected.items():
        if each in tensors and tuple(tensors[each].shape) != shape:
            raise FormatError(
                f"the tensor {each!r} has shape {tuple(tensors[each].shape)}, "
                f"{CONFIG_FILE} says {shape}",
                where=source,
            )
    return rows


def _vocabulary(source: Path, rows: int) -> EntityVocabulary:
    vocabulary = EntityVocabulary.from_pretrained(source)
    if len(vocabulary) > rows:
        raise FormatError(
            f"the entity vocabulary has {len(vocabulary)} rows, the entity table {rows}",
            where=source,
        )
    return vocabulary


def _choose(vocabulary: EntityVocabulary, changes: Changes, table_rows: int) -> _Choice:
    choice = _Choice()
    keep = np.ones(len(vocabulary), np.bool_)
    special = list(vocabulary.special_rows)

    def keep_only(rows: NDArray[np.int64], reason: str) -> None:
        nonlocal keep
        wanted = np.zeros(len(vocabulary), np.bool_)
        wanted[rows] = wanted[special] = True
        if lost := int((keep & ~wanted).sum()):
            choice.left_out[reason] = lost
        keep &= wanted

    if changes.lite:
        keep_only(np.array(special), "not special")
    if changes.languages is not None:
        keep_only(rows_with_titles_in(vocabulary, changes.languages), "no title in the languages")
    if changes.entities is not None:
        found = {key: vocabulary.row(key) for key in changes.entities}
        choice.unknown = tuple(key for key, row in found.items() if row is None)
        known = np.array([row for row in found.values() if row is not None], np.int64)
        if not len(known):
            raise InputError("none of the entities to keep has a row", where=vocabulary.path)
        keep_only(known, "not among the entities")
    beyond = table_rows - len(vocabulary)
    if keep.all() and not (beyond and changes.added):
        return choice
    if beyond:
        choice.left_out["beyond the vocabulary"] = beyond
    choice.rows = np.flatnonzero(keep)
    return choice


def _write_vocabulary(
    old: EntityVocabulary, directory: Path, choice: _Choice, changes: Changes
) -> tuple[Selection, int]:
    """Write the new vocabulary in both forms; returns how many names it has as well."""
    if choice.rows is None and changes.languages is None and not (changes.kb or changes.added):
        old.save_pretrained(directory)
        return Selection(len(old), old.names_count, 0, 0), old.names_count
    selection = select_rows(
        old,
        directory / DIRECTORY,
        rows=choice.rows,
        languages=changes.languages,
        find_item=items_from(changes.kb, {}) if changes.kb else None,
        added=[entity.row() for entity in changes.added],
    )
    new = EntityVocabulary.open(directory / DIRECTORY)
    new.write_json(directory / VOCABULARY_FILE)
    mark_source(new.path, directory / VOCABULARY_FILE)
    return selection, new.names_count


def _change_rows(
    checkpoint: _Checkpoint, choice: _Choice, added: Sequence[AddedEntity], pieces: Pieces | None
) -> tuple[str, ...]:
    """Give the entity tensors their new rows; returns their names."""
    if choice.rows is None and not added:
        return ()
    tensors, prefix, vocabulary = checkpoint.tensors, checkpoint.prefix, checkpoint.vocabulary
    table, special = checkpoint.table, list(vocabulary.special_rows)
    sources = EntityTables(
        table[: len(vocabulary)],
        tensors[prefix + WORD_TABLE],
        tensors.get(prefix + PROJECTION),
        vocabulary.mask_row,
        special,
    )
    kept = None if choice.rows is None else torch.from_numpy(choice.rows)
    tensors[prefix + ENTITY_TABLE] = _rows(table, kept, new_rows(added, sources, pieces))
    changed = [prefix + ENTITY_TABLE]
    if (bias := tensors.get(ENTITY_BIAS)) is not None:
        entities = torch.from_numpy(np.delete(np.arange(len(vocabulary)), special))
        mean = bias[entities].double().mean() if len(entities) else torch.zeros(())
        tensors[ENTITY_BIAS] = _rows(bias, kept, mean.to(bias.dtype).expand(len(added)))
        changed.append(ENTITY_BIAS)
    return tuple(changed)


def _draw_rows(checkpoint: _Checkpoint, directory: Path, seed: int) -> int:
    """Draw the entities' rows anew; returns how many."""
    special = EntityVocabulary.open(directory / DIRECTORY).special_rows
    std = EncoderConfig.from_json(checkpoint.config).initializer_range
    drawn = random_rows(checkpoint.table, special, std, seed)
    checkpoint.tensors[checkpoint.prefix + ENTITY_TABLE] = drawn
    return len(drawn) - len(special)


def _rows(tensor: Tensor, kept: Tensor | None, further: Tensor) -> Tensor:
    """Some rows of a tensor and further ones behind them, in one new tensor."""
    count = len(tensor) if kept is None else len(kept)
    result = tensor.new_empty((count + len(further), *tensor.shape[1:]))
    if kept is None:
        result[:count] = tensor
    else:
        torch.index_select(tensor, 0, kept, out=result[:count])
    result[count:] = further
    return result


def _cast(tensors: dict[str, Tensor], name: str) -> None:
    dtype = choose_dtype(name, ())
    for key, tensor in tensors.items():
        if tensor.is_floating_point():
            tensors[key] = tensor.to(dtype)


def _own_pieces(source: Path) -> Pieces:
    return WordTokenizer.from_directory(source).encode_words


def _copy_files(source: Path, directory: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    written = {
        CONFIG_FILE,
        VOCABULARY_FILE,
        *(path.name for path in weight_files(source)),
        *(path.name for path in directory.iterdir()),
    }
    copied, rest = [], []
    for path in sorted(source.iterdir()):
        if path.name in written:
            continue
        if path.name in COPIED and path.is_file():
            shutil.copyfile(path, directory / path.name)
            copied.append(path.name)
        else:
            rest.append(path.name)
    return tuple(copied), tuple(rest)
