"""What the encoder and the models with heads share: reading and writing checkpoint directories."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from exonym.foundation.errors import FormatError
from exonym.knowledge.vocabulary_import import rows_at_hand
from exonym.modeling.checkpoint import (
    CONFIG_FILE,
    PREFIX,
    find_checkpoint,
    read_shape,
    read_weights,
    weight_files,
    write_checkpoint,
)
from exonym.modeling.config import EncoderConfig
from exonym.modeling.loading import (
    POOLER,
    LoadReport,
    Places,
    SortedTensors,
    as_parameter,
    choose_dtype,
    sort_tensors,
    stored_dtypes,
)

ENTITY_TABLE = "entity_embeddings.entity_embeddings.weight"


class _NoRandomNumbers(TorchFunctionMode):
    """Leaves tensors without memory as they are, where new weights would be drawn.

    To draw numbers for them, torch would first import its compiler, which takes a second.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        named = kwargs or {}
        if getattr(func, "__name__", "") in ("normal_", "uniform_", "kaiming_uniform_"):
            return args[0] if args else named["tensor"]
        return func(*args, **named)


class Pretrained(nn.Module):
    """A model that is a LUKE checkpoint directory on disk.

    A subclass says which of transformers' classes it is, and has modules whose names are those of
    the checkpoint's tensors. `config` is its shape; `load_report` says what became of the
    checkpoint's tensors, and is None in a model that was not loaded.
    """

    architecture: ClassVar[str]
    """The name of transformers' class, for ``architectures`` in ``config.json``."""
    prefix: ClassVar[str] = PREFIX
    """What the names of the encoder's tensors begin with."""
    tied: ClassVar[Mapping[str, str]] = {}
    """Decoders that transformers' class has, each with the tensor that it is."""
    layout_has_pooler: ClassVar[bool] = True
    """Whether transformers' class has a pooler, used or not."""
    without_head: ClassVar[str] = "EntityEncoder.from_pretrained reads what it has"
    """What to do when a checkpoint lacks the head."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.load_report: LoadReport | None = None
        # An encoder's: tensors of its checkpoint that nothing here uses, to be written back.
        self.kept_tensors: dict[str, Tensor] = {}

    def initialise(self, module: nn.Module) -> None:
        """Draw new weights for one module, as LUKE does; for `torch.nn.Module.apply`."""
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=self.config.initializer_range)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)

    @classmethod
    def from_pretrained(
        cls,
        dir_or_id: str | Path,
        *,
        revision: str | None = None,
        local_files_only: bool = False,
        dtype: torch.dtype | str = torch.float32,
    ) -> Self:
        """Read a LUKE checkpoint; the model is in evaluation mode.

        Small tensors are copied into memory, large tables (64 MiB and more) stay in the mapped
        file until their rows are used, if they have the wanted dtype. So a checkpoint of gigabytes
        opens in the time its layers take to copy. Do not write into the file while it is in use;
        `save_pretrained` may replace it.

        Args:
            dir_or_id: a checkpoint directory, or a name on the hub.
            revision: branch, tag or commit on the hub.
            local_files_only: take what the hub's cache has, ask nobody.
            dtype: of the parameters; ``"auto"`` takes the one of the files.

        Raises:
            InputError: there is no checkpoint.
            FormatError: it is damaged, or its tensors do not fit its configuration; the message
                names the first, and both shapes.
        """
        directory = find_checkpoint(dir_or_id, revision=revision, local_files_only=local_files_only)
        return cls._load(directory, read_shape(directory), dtype)

    @classmethod
    def _load(
        cls,
        directory: Path,
        config: EncoderConfig,
        dtype: torch.dtype | str,
        *,
        new: tuple[str, ...] = (),
        optional: tuple[str, ...] = (),
    ) -> Self:
        """Build a model without memory of its own, then give it the checkpoint's tensors."""
        tensors = read_weights(directory)
        try:
            with torch.device("meta"), _NoRandomNumbers():
                model = cls(config, **cls._options(tensors))
        except (RuntimeError, OverflowError) as error:  # sizes beyond any memory
            raise FormatError(
                f"no model can have this shape ({str(error).splitlines()[0]})",
                where=directory / CONFIG_FILE,
            ) from error
        found = sort_tensors(tensors, model._places(directory, new, optional))
        require_entity_rows(directory, config, found.loaded[f"{cls.prefix}{ENTITY_TABLE}"])
        chosen = choose_dtype(dtype, found.loaded.values())
        loaded = {name: as_parameter(tensor, chosen) for name, tensor in found.loaded.items()}
        model.load_state_dict(loaded, strict=False, assign=True)
        model._make_new(found.missing, chosen)
        everything = itertools.chain(model.named_parameters(), model.named_buffers())
        left = [name for name, tensor in everything if tensor.is_meta]
        assert not left, f"{left[0]} got no values"
        model._keep(found.kept)
        model.load_report = report_of(directory, chosen, found)
        return model.eval()

    def load_pretrained(self, directory: str | Path) -> None:
        """Copy the tensors of a checkpoint directory of the same shape into this model.

        Raises:
            InputError: no weights file.
            FormatError: a tensor is missing, unknown or of another shape.
        """
        self._copy_from(read_weights(Path(directory)), Path(directory))

    def _copy_from(
        self, tensors: Mapping[str, Tensor], directory: Path, *, new: tuple[str, ...] = ()
    ) -> None:
        """Copy tensors into this model; what is ``new`` keeps the values it has."""
        found = sort_tensors(tensors, self._places(directory, new, ()))
        self.load_state_dict(found.loaded, strict=False)
        self._keep({} if new else found.kept)
        dtype = next(self.parameters()).dtype
        self.load_report = report_of(directory, dtype, found)

    def _keep(self, tensors: Mapping[str, Tensor]) -> None:
        self._encoder.kept_tensors = {
            name.removeprefix(self.prefix): tensor for name, tensor in tensors.items()
        }

    @property
    def _encoder(self) -> Pretrained:
        encoder: Pretrained = self.get_submodule(self.prefix.removesuffix("."))  # type: ignore[assignment]
        return encoder

    @classmethod
    def _options(cls, tensors: Mapping[str, Tensor]) -> dict[str, Any]:  # noqa: ARG003
        """Arguments of the class, besides the configuration, that fit a checkpoint's tensors."""
        return {}

    def _places(self, directory: Path, new: tuple[str, ...], optional: tuple[str, ...]) -> Places:
        return Places(
            shapes={name: tensor.shape for name, tensor in self.state_dict().items()},
            prefix=self.prefix,
            tied=self.tied,
            new=new,
            optional=optional,
            keeps_pooler=self.layout_has_pooler,
            without_head=self.without_head,
            where=directory,
        )

    def _make_new(self, names: Sequence[str], dtype: torch.dtype) -> None:
        for owner in sorted({name.rpartition(".")[0] for name in names}):
            module = self.get_submodule(owner)
            module.to_empty(device="cpu").to(dtype)
            self.initialise(module)

    def save_pretrained(
        self, directory: str | Path, weights: Mapping[str, Tensor] | None = None
    ) -> None:
        """Write ``config.json`` and ``model.safetensors``, which transformers 4 reads as well.

        Tied decoders are not written. Tensors of the loaded checkpoint that no computation here
        uses are written back. The layout has a pooler, which pretraining does not train: a model
        that has none writes zeros.

        Args:
            directory: is made where it is missing.
            weights: what `state_dict` gives, for a model whose own tensors lie in several
                processes; None takes its own.
        """
        own = dict(self.state_dict() if weights is None else weights)
        dtype = next(iter(own.values())).dtype
        width = self.config.hidden_size
        unused = dict(self._encoder.kept_tensors)
        if self.layout_has_pooler:
            pooler = (torch.zeros(width, width), torch.zeros(width))
            unused = dict(zip(POOLER, pooler, strict=True)) | unused
        kept = {f"{self.prefix}{name}": tensor.to(dtype) for name, tensor in unused.items()}
        config = {
            "architectures": [self.architecture],
            **self.config.to_json(),
            "torch_dtype": str(dtype).removeprefix("torch."),
        }
        write_checkpoint(Path(directory), config, kept | own)


class PretrainedClassifier(Pretrained):
    """A model with a head that is trained for a task, and that can be made new on an encoder."""

    head: ClassVar[str] = "classifier"
    """The name of the head's module."""
    without_head = "for a new one, to be trained, pass new_head=True"

    @classmethod
    def from_pretrained(
        cls,
        dir_or_id: str | Path,
        *,
        revision: str | None = None,
        local_files_only: bool = False,
        dtype: torch.dtype | str = torch.float32,
        new_head: bool = False,
        labels: Sequence[str] | None = None,
        fields: Mapping[str, Any] | None = None,
    ) -> Self:
        """Read a LUKE checkpoint with this head, or start a new head on any LUKE checkpoint.

        Args:
            dir_or_id: a checkpoint directory, or a name on the hub.
            revision: branch, tag or commit on the hub.
            local_files_only: take what the hub's cache has, ask nobody.
            dtype: of the parameters; ``"auto"`` takes the one of the files.
            new_head: draw a new head from torch's random numbers, to be trained. Heads in the
                checkpoint are passed over; `load_report` names them.
            labels: the names of the classifier's rows; None takes those of ``config.json``.
            fields: further fields of ``config.json``, such as ``exonym_variant``; they replace
                those of the same name, and are written when the model is saved.

        Raises:
            InputError: there is no checkpoint.
            FormatError: it is damaged, has no such head, or its tensors do not fit its
                configuration; the message names the first, and both shapes.
        """
        directory = find_checkpoint(dir_or_id, revision=revision, local_files_only=local_files_only)
        config = read_shape(directory)
        if labels is not None:
            config = replace(config, labels=tuple(labels))
        if fields is not None:
            config = replace(config, other={**config.other, **fields})
        if not new_head:
            return cls._load(directory, config, dtype)
        optional = (f"{PREFIX}pooler.",)  # trained with the head, where there is one
        return cls._load(directory, config, dtype, new=(f"{cls.head}.",), optional=optional)


def require_entity_rows(directory: Path, config: EncoderConfig, table: Tensor) -> None:
    """Check the entity table against the vocabulary that lies beside it.

    A large ``entity_vocab.json`` that was never opened is not counted here, but by
    `EntityTokenizer.from_pretrained`. A table may have rows that the vocabulary does not name;
    `exonym checkpoint check` tells of them.

    Raises:
        FormatError: the vocabulary has more rows than the table.
    """
    rows = rows_at_hand(directory)
    if rows is not None and rows > config.entity_vocab_size:
        raise FormatError(
            f"the tensor {ENTITY_TABLE!r} has shape {tuple(table.shape)}, the entity vocabulary "
            f"beside it needs ({rows}, {config.entity_emb_size})",
            where=directory,
            remedy="Put the vocabulary of the same model beside it",
        )


def report_of(directory: Path, dtype: torch.dtype, found: SortedTensors) -> LoadReport:
    """What became of a checkpoint's tensors."""
    return LoadReport(
        directory=directory,
        files=tuple(path.name for path in weight_files(directory)),
        dtype=dtype,
        stored_dtypes=stored_dtypes(found.loaded.values()),
        missing=tuple(found.missing),
        unexpected=tuple(sorted(found.unexpected)),
        tied=tuple(found.tied),
        differing=tuple(found.differing),
        kept=tuple(sorted(found.kept)),
    )
