"""Rows of an entity table: what new ones start from, and all drawn at random."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from exonym.foundation.errors import FormatError, InputError
from exonym.foundation.files import JSON
from exonym.foundation.json_lines import read_json_lines
from exonym.foundation.seeds import generator
from exonym.knowledge import VocabularyRow
from exonym.knowledge.titles import plain_title
from exonym.knowledge.vocabulary_writing import SPECIAL_ENTITIES

MASK, NAMES = "[MASK]", "names"
_CHUNK = 1 << 16
_BLOCK = 1 << 12

Pieces = Callable[[Sequence[str]], Sequence[Any]]
"""From texts to the word ids of each: `WordTokenizer.encode_words`."""


@dataclass(frozen=True, slots=True)
class AddedEntity:
    """An entity that is to get a row.

    Args:
        key: its Wikidata item or a title key.
        titles: its page titles by language; names it is found by.
        start: what its row begins as. ``"[MASK]"``: the row of the entity [MASK]. ``"names"``: what
            `rows_from_names` makes of its titles. Or the row itself, as many numbers as the table
            is wide.
    """

    key: str
    titles: Mapping[str, str] = field(default_factory=dict)
    start: str | tuple[float, ...] = MASK

    def row(self) -> VocabularyRow:
        """What the entity vocabulary says of it."""
        return VocabularyRow(self.key, self.titles, 0)


def read_added(path: Path) -> list[AddedEntity]:
    """Read entities from JSON Lines.

    A line is an object with ``key``; optional ``titles``, an object from languages to titles; and
    one of ``from``, which is ``"[MASK]"`` (the default) or ``"names"``, and ``vector``, a list of
    numbers.

    Raises:
        InputError: the file cannot be opened.
        FormatError: a line is of another form; names file and line.
    """
    return [_added(value, f"{path}:{number}") for number, value in read_json_lines(path)]


def _added(value: JSON, where: str) -> AddedEntity:
    def wrong(what: str) -> FormatError:
        return FormatError(what, where=where)

    if unknown := sorted(value.keys() - {"key", "titles", "from", "vector"}):
        raise wrong(f"no field {unknown[0]!r}, only key, titles, from, vector")
    key, titles = value.get("key"), value.get("titles", {})
    if not isinstance(key, str) or not key or key in SPECIAL_ENTITIES:
        raise wrong(f"key must be an item id or a title key, got {key!r}")
    if not isinstance(titles, dict) or not all(t and isinstance(t, str) for t in titles.values()):
        raise wrong("titles must be an object from languages to titles")
    start, vector = value.get("from", MASK), value.get("vector")
    if start not in (MASK, NAMES):
        raise wrong(f"from must be {MASK!r} or {NAMES!r}, got {start!r}")
    if vector is None:
        return AddedEntity(key, titles, start)
    if "from" in value:
        raise wrong("expected from or vector, not both")
    if not isinstance(vector, list) or not all(type(x) in (int, float) for x in vector):
        raise wrong("vector must be a list of numbers")
    return AddedEntity(key, titles, tuple(map(float, vector)))


@dataclass(frozen=True, slots=True)
class EntityTables:
    """The tensors that new rows are made from.

    Args:
        table: (rows, width) the entity table.
        words: (pieces, hidden) the word embeddings.
        projection: (hidden, width) ``entity_embedding_dense.weight``; None where width is hidden.
        mask_row: the row of [MASK].
        special_rows: all special rows; the others are entities.
    """

    table: Tensor
    words: Tensor
    projection: Tensor | None
    mask_row: int
    special_rows: Sequence[int]


def new_rows(added: Sequence[AddedEntity], tables: EntityTables, pieces: Pieces | None) -> Tensor:
    """The rows of new entities, shape (added, width), in the table's dtype.

    Args:
        added: the entities.
        tables: what they are made from.
        pieces: cuts names into word ids; needed for ``start="names"``.

    Raises:
        InputError: a vector has another length than the table is wide or is not finite, or a name
            has no piece.
    """
    width = tables.table.shape[1]
    rows = torch.empty(len(added), width, dtype=torch.float64)
    from_names = [place for place, entity in enumerate(added) if entity.start == NAMES]
    for place, entity in enumerate(added):
        if entity.start == MASK:
            rows[place] = tables.table[tables.mask_row].double()
        elif entity.start != NAMES:
            vector = torch.tensor(entity.start, dtype=torch.float64)
            if len(vector) != width or not bool(torch.isfinite(vector).all()):
                raise InputError(
                    f"the vector of {entity.key!r} has {len(vector)} numbers, expected {width} "
                    f"finite ones"
                )
            rows[place] = vector
    if from_names:
        if pieces is None:
            raise InputError("a tokenizer is needed to make rows from names")
        made, named = rows_from_names([added[place].titles for place in from_names], tables, pieces)
        if not bool(named.all()):
            nameless = added[from_names[int(named.int().argmin())]]
            raise InputError(f"{nameless.key!r} has no title to make its row from")
        rows[from_names] = made
    return rows.to(tables.table.dtype)


def rows_from_names(
    titles: Iterable[Mapping[str, str]], tables: EntityTables, pieces: Pieces
) -> tuple[Tensor, Tensor]:
    """Rows that lie, as the encoder sees them, where the words of the entities' titles lie.

    Each is the vector that, projected to the encoder's width, comes nearest (least squares) to the
    mean over its titles of the mean embedding of their pieces; scaled to the mean length of the
    other entities' rows (as it is where there are none).

    Args:
        titles: of each entity, by language.
        tables: what the rows are made from.
        pieces: cuts names into word ids.

    Returns:
        (entities, width) float64; and (entities,) whether a title has a piece: the rows of those
        without are zeros.
    """
    back = None if tables.projection is None else torch.linalg.pinv(tables.projection.double())
    length = _mean_length(tables)
    parts, named = [torch.zeros(0, tables.table.shape[1], dtype=torch.float64)], []
    waiting = iter(titles)
    while block := list(islice(waiting, _BLOCK)):
        means, found = _mean_words(block, tables.words, pieces)
        rows = means if back is None else means @ back.T
        if length is not None:
            tiny = torch.finfo(rows.dtype).tiny
            rows = rows * (length / _lengths(rows).clamp(min=tiny))[:, None]
        parts.append(rows)
        named.append(found)
    return torch.cat(parts), torch.cat([*named, torch.zeros(0, dtype=torch.bool)])


def random_rows(table: Tensor, special_rows: Sequence[int], std: float, seed: int) -> Tensor:
    """A table whose entities' rows are drawn anew, as new weights are; for an ablation.

    mLUKE's authors draw the entity embeddings at random before fine-tuning, to tell what a task
    owes to the knowledge in them from what it owes to entities as a form of input. The rows of
    [PAD], [UNK], [MASK] and [MASK2] stay: they belong to the form, and know no entity.

    Args:
        table: (rows, width).
        special_rows: those that stay.
        std: of the normal distribution around 0: the configuration's ``initializer_range``.
        seed: the same seed gives the same rows.

    Returns:
        (rows, width), in the table's dtype.
    """
    drawn = generator(seed, "random entity rows").standard_normal(table.shape, np.float32)
    result = (torch.from_numpy(drawn) * std).to(table.dtype)
    result[list(special_rows)] = table[list(special_rows)]
    return result


def _mean_words(
    titles: Sequence[Mapping[str, str]], words: Tensor, pieces: Pieces
) -> tuple[Tensor, Tensor]:
    """(entities, hidden) means over titles of means over pieces, and which have any."""
    names = [plain_title(each[code]) for each in titles for code in sorted(each)]
    owners = [place for place, each in enumerate(titles) for _ in each]
    sums = torch.zeros(len(titles), words.shape[1], dtype=torch.float64)
    counts = torch.zeros(len(titles), dtype=torch.float64)
    for owner, found in zip(owners, pieces(names) if names else (), strict=True):
        if len(found):
            sums[owner] += words[torch.as_tensor(found, dtype=torch.long)].double().mean(dim=0)
            counts[owner] += 1
    return sums / counts.clamp(min=1)[:, None], counts > 0


def _mean_length(tables: EntityTables) -> float | None:
    entities = len(tables.table) - len(tables.special_rows)
    if not entities:
        return None
    total = sum(
        float(_lengths(tables.table[start : start + _CHUNK]).sum())
        for start in range(0, len(tables.table), _CHUNK)
    )
    return (total - float(_lengths(tables.table[list(tables.special_rows)]).sum())) / entities


def _lengths(rows: Tensor) -> Tensor:
    lengths: Tensor = torch.linalg.vector_norm(rows.double(), dim=1)
    return lengths
