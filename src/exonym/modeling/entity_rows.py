"""New rows of an entity table: what they start from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from exonym.foundation.errors import FormatError, InputError
from exonym.foundation.files import JSON, read_json_lines
from exonym.knowledge import VocabularyRow
from exonym.knowledge.titles import plain_title
from exonym.knowledge.vocabulary_writing import SPECIAL_ENTITIES

MASK, NAMES = "[MASK]", "names"
_CHUNK = 1 << 16

Pieces = Callable[[Sequence[str]], Sequence[Any]]
"""From texts to the word ids of each: `WordTokenizer.encode_words`."""


@dataclass(frozen=True, slots=True)
class AddedEntity:
    """An entity that is to get a row.

    Args:
        key: its Wikidata item or a title key.
        titles: its page titles by language; names it is found by.
        start: what its row begins as. ``"[MASK]"``: the row of the entity [MASK]. ``"names"``: the
            vector that, projected to the encoder's width, comes nearest (least squares) to the mean
            word embedding of its titles, scaled to the mean length of the other entities' rows.
            Or the row itself, as many numbers as the table is wide.
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
        means = torch.stack(
            [_mean_word(added[place], tables.words, pieces) for place in from_names]
        )
        rows[from_names] = _scaled(_projected_back(means, tables.projection), tables)
    return rows.to(tables.table.dtype)


def _mean_word(entity: AddedEntity, words: Tensor, pieces: Pieces) -> Tensor:
    """The mean over titles of the mean embedding of each title's pieces, in float64."""
    names = [plain_title(entity.titles[language]) for language in sorted(entity.titles)]
    found = [torch.as_tensor(ids, dtype=torch.long) for ids in pieces(names)]
    found = [ids for ids in found if len(ids)]
    if not found:
        raise InputError(f"{entity.key!r} has no title to make its row from")
    return torch.stack([words[ids].double().mean(dim=0) for ids in found]).mean(dim=0)


def _projected_back(means: Tensor, projection: Tensor | None) -> Tensor:
    if projection is None:
        return means
    solved: Tensor = torch.linalg.lstsq(projection.double(), means.T).solution
    return solved.T


def _scaled(rows: Tensor, tables: EntityTables) -> Tensor:
    """Rows as long as the table's entities are on average; as they are where it has none."""
    length = _mean_length(tables)
    if length is None:
        return rows
    return rows * (length / _lengths(rows).clamp(min=torch.finfo(rows.dtype).tiny))[:, None]


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
