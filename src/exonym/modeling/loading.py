"""From a checkpoint's tensors into a model: which belongs where, and a report of the rest."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from exonym.foundation.errors import ConfigError, FormatError
from exonym.modeling.checkpoint import CONFIG_FILE, PREFIX

POOLER = ("pooler.dense.weight", "pooler.dense.bias")
EXTRA_QUERIES = ("w2e_query", "e2w_query", "e2e_query")

# Larger tensors stay in the mapped file, so that an entity table costs no memory for the rows that
# nobody asks for. Smaller ones are copied: a file's tensors begin at odd addresses, and a product
# with such a matrix is slower, up to 7 % for few words.
_MAPPED_BYTES = 64 << 20


class MissingHeadError(FormatError):
    """A whole checkpoint of another kind of model: its encoder is there, the wanted head is not."""


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What became of a checkpoint's tensors; names are those of the loaded model.

    Args:
        directory: where they came from.
        files: the names of the files of weights.
        dtype: of the model's parameters.
        stored_dtypes: those that occur in the files.
        missing: tensors that the files lack and that were made new (``new_head=True``).
        unexpected: tensors that the model has no place for: heads of other kinds, mostly.
        tied: decoders that the files hold although they are their tables; they were equal.
        differing: decoders that differ from the tables they are tied to; the tables count, as in
            transformers 4.
        kept: tensors that no computation uses and that `save_pretrained` writes back: a pooler,
            queries of entity-aware attention where the configuration switches it off.
    """

    directory: Path
    files: tuple[str, ...]
    dtype: torch.dtype
    stored_dtypes: tuple[torch.dtype, ...]
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    tied: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()

    @property
    def sharded(self) -> bool:
        """Whether the tensors lie in several files."""
        return len(self.files) > 1


@dataclass(frozen=True, slots=True)
class Places:
    """What a model has places for.

    Args:
        shapes: of its parameters, by name.
        prefix: of the encoder's parameters: ``"luke."``, or nothing in a bare encoder.
        tied: decoders of the layout that the model has not, each with the parameter it is.
        new: the beginnings of names that are made new and not loaded.
        optional: the beginnings of names that are made new where the checkpoint lacks them.
        keeps_pooler: whether a pooler is kept although the model has none.
        without_head: what to do when a checkpoint lacks the model's head.
        where: the checkpoint, for messages.
    """

    shapes: Mapping[str, torch.Size]
    prefix: str
    tied: Mapping[str, str]
    new: tuple[str, ...]
    optional: tuple[str, ...]
    keeps_pooler: bool
    without_head: str
    where: Path


@dataclass(slots=True)
class SortedTensors:
    """A checkpoint's tensors, sorted by what becomes of them (see `LoadReport`)."""

    loaded: dict[str, Tensor] = field(default_factory=dict)
    kept: dict[str, Tensor] = field(default_factory=dict)
    decoders: dict[str, Tensor] = field(default_factory=dict)
    unexpected: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    tied: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)


def sort_tensors(tensors: Mapping[str, Tensor], places: Places) -> SortedTensors:
    """Decide for every tensor of a checkpoint what becomes of it.

    Raises:
        FormatError: a tensor is missing, has another shape than the configuration says, or is one
            of the model's parts that the configuration does not have; names the first.
    """
    result, unknown = SortedTensors(), list[str]()
    own_parts = {_part(name, places.prefix) for name in places.shapes}
    for name, tensor in renamed(tensors, places.prefix).items():
        inner = name.removeprefix(places.prefix)
        if name.startswith(places.new):
            result.unexpected.append(name)
        elif name in places.shapes:
            result.loaded[name] = tensor
        elif name in places.tied:
            result.decoders[name] = tensor
        elif name.startswith(places.prefix) and _is_kept(inner, name, places):
            result.kept[name] = tensor
        elif _part(name, places.prefix) in own_parts:
            unknown.append(name)
        else:
            result.unexpected.append(name)
    for decoder, table in places.tied.items():
        if table not in result.loaded and decoder in result.decoders:
            result.loaded[table] = result.decoders[decoder]  # written under its other name only
    _require_all(result, places)
    if unknown:
        raise FormatError(
            f"the tensor {min(unknown)!r} is not known to the model that {CONFIG_FILE} describes "
            f"({len(unknown)} such)",
            where=places.where,
        )
    _check_shapes(result, places)
    _compare_decoders(result, places)
    return result


def renamed(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Tensors under the names that a model with this prefix has; tables of positions are left out.

    A checkpoint of an encoder alone has no prefix, one with a head has; both fit both. Files from
    before 2020 call a layer normalisation's weight and bias gamma and beta.
    """
    has_prefix = any(name.startswith(PREFIX) for name in tensors)
    result = {}
    for old, tensor in tensors.items():
        if old.endswith("position_ids"):  # a buffer 0, 1, 2, ... of transformers before 4.31
            continue
        name = old
        for before, after in ((".gamma", ".weight"), (".beta", ".bias")):
            if old.endswith(f"LayerNorm{before}"):
                name = old.removesuffix(before) + after
        if has_prefix and not prefix:
            name = name.removeprefix(PREFIX)
        elif prefix and not has_prefix:
            name = prefix + name
        result[name] = tensor
    return result


def _part(name: str, prefix: str) -> str:
    """The module of a model that a tensor belongs to: ``luke.encoder``, ``classifier``."""
    inner = name.removeprefix(prefix)
    return (prefix if name.startswith(prefix) else "") + inner.partition(".")[0]


def _is_kept(inner: str, name: str, places: Places) -> bool:
    """Whether a tensor of the encoder, unknown to the model, is part of LUKE's layout."""
    if inner in POOLER:
        return places.keeps_pooler
    for query in EXTRA_QUERIES:
        if f".attention.self.{query}." in inner:
            return name.replace(f".{query}.", ".query.") in places.shapes
    return False


def _require_all(result: SortedTensors, places: Places) -> None:
    missing = sorted(name for name in places.shapes if name not in result.loaded)
    needed = [n for n in missing if not n.startswith(places.new + places.optional)]
    result.missing = missing
    if not needed:
        return
    if not any(name.startswith(PREFIX) for name in needed) and places.prefix:
        raise MissingHeadError(
            _missing(needed),
            where=places.where,
            remedy=f"The checkpoint has no such head; {places.without_head}",
        )
    remedy = None
    if all(any(f".{query}." in name for query in EXTRA_QUERIES) for name in needed):
        remedy = (
            f'Set "use_entity_aware_attention" to false in {CONFIG_FILE} for plain attention, '
            "which is what equal queries compute"
        )
    raise FormatError(_missing(needed), where=places.where, remedy=remedy)


def _missing(needed: Sequence[str]) -> str:
    return f"the tensor {needed[0]!r} is missing ({len(needed)} such)"


def _check_shapes(result: SortedTensors, places: Places) -> None:
    def expected(name: str) -> torch.Size:
        if name in places.tied:
            return places.shapes[places.tied[name]]
        if name in places.shapes:
            return places.shapes[name]
        query = f"{places.prefix}encoder.layer.0.attention.self.query."
        return places.shapes[
            query + name.rpartition(".")[2]
        ]  # a pooler or a query: all hidden wide

    for name, tensor in {**result.loaded, **result.decoders, **result.kept}.items():
        if tensor.shape != expected(name):
            raise FormatError(
                f"the tensor {name!r} has shape {tuple(tensor.shape)}, "
                f"{CONFIG_FILE} says {tuple(expected(name))}",
                where=places.where,
                remedy=f"{CONFIG_FILE} and weights must be of the same model: fetch both again",
            )
        if not tensor.is_floating_point():
            raise FormatError(
                f"the tensor {name!r} holds {_plain(tensor.dtype)}, expected floating point",
                where=places.where,
            )


def _compare_decoders(result: SortedTensors, places: Places) -> None:
    for decoder, tensor in result.decoders.items():
        table = result.loaded[places.tied[decoder]]
        same = tensor.data_ptr() == table.data_ptr() or torch.equal(tensor, table)
        (result.tied if same else result.differing).append(decoder)
    if result.differing:
        warnings.warn(
            f"{places.where}: {', '.join(result.differing)} differ from the tables they are tied "
            f"to; the tables count (transformers 5 writes such files)",
            stacklevel=4,
        )


def choose_dtype(dtype: torch.dtype | str, tensors: Iterable[Tensor]) -> torch.dtype:
    """The dtype of a model's parameters.

    Args:
        dtype: a floating-point dtype of torch, its name, or ``"auto"``: the one that most of the
            tensors' elements have.
        tensors: those that are loaded.

    Raises:
        ConfigError: it is none of these.
    """
    if dtype == "auto":
        elements: dict[torch.dtype, int] = {}
        for tensor in tensors:
            elements[tensor.dtype] = elements.get(tensor.dtype, 0) + tensor.numel()
        return max(elements, key=elements.__getitem__)
    chosen = getattr(torch, dtype, None) if isinstance(dtype, str) else dtype
    if not isinstance(chosen, torch.dtype) or not chosen.is_floating_point:
        raise ConfigError(
            f"dtype must be a floating-point dtype of torch or 'auto', got {dtype!r}",
            remedy="dtype=torch.bfloat16, for example",
        )
    return chosen


def as_parameter(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """A file's tensor as a model can hold it: of this dtype, copied unless it is large."""
    if tensor.dtype != dtype:
        return tensor.to(dtype).contiguous()
    if tensor.numel() * tensor.element_size() < _MAPPED_BYTES:
        return tensor.clone(memory_format=torch.contiguous_format)
    return tensor.contiguous()


def stored_dtypes(tensors: Collection[Tensor]) -> tuple[torch.dtype, ...]:
    """The dtypes that occur, by name."""
    return tuple(sorted({tensor.dtype for tensor in tensors}, key=_plain))


def _plain(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
