"""`Engine`: the processes of a run, by accelerate over torch.distributed.

A run is one process, or several that ``torchrun`` or ``accelerate launch`` has started. They hold
whole copies of the model (DDP), or a part of every tensor each (FSDP2), gradients and optimiser
state included.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Any, Self, TypeVar

import torch
import torch.distributed
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import (
    DistributedDataParallelKwargs,
    DistributedType,
    FullyShardedDataParallelPlugin,
    InitProcessGroupKwargs,
    broadcast_object_list,
)
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, distribute_tensor

from exonym.foundation.errors import ConfigError, ResourceError
from exonym.modeling.layers import Layer

_SHARD = "ACCELERATE_USE_FSDP"  # what `accelerate launch --use_fsdp` sets
_ENDED = (  # what gloo and NCCL say
    "Connection closed by peer",
    "Connection reset by peer",
    "Broken pipe",
    "Timed out waiting",
)
_Value = TypeVar("_Value")


class Engine:
    """This process's part in a run.

    Args:
        shard: keep only a part of every tensor in each process (FSDP2); ``accelerate launch
            --use_fsdp`` asks for the same. Means nothing to a single process.
        timeout_seconds: how long a process waits for the others.
    """

    def __init__(self, *, shard: bool = False, timeout_seconds: float = 1800.0) -> None:
        wanted = os.environ.get(_SHARD)
        shard = shard or (wanted or "").lower() == "true"
        if shard and os.environ.get("FSDP_VERSION", "2") != "2":
            raise ConfigError(
                "this run asks for FSDP in its first version, which is not supported",
                remedy="Pass --fsdp_version 2 to accelerate launch",
            )
        self._environment = wanted
        plugin = _sharding() if shard else None
        self._accelerator = Accelerator(
            cpu=not torch.accelerator.is_available(),
            mixed_precision="no",  # the model's forward casts by itself
            fsdp_plugin=plugin,
            kwargs_handlers=[InitProcessGroupKwargs(timeout=timedelta(seconds=timeout_seconds))],
        )
        state = self._accelerator.state
        if shard and state.distributed_type == DistributedType.MULTI_CPU:
            # accelerate offers FSDP on accelerators only, though torch has it on CPUs as well.
            state.distributed_type = DistributedType.FSDP
            state.fsdp_plugin = plugin
        self.sharded = state.distributed_type == DistributedType.FSDP

    @property
    def rank(self) -> int:
        """Number of this process, from 0."""
        return int(self._accelerator.process_index)

    @property
    def world(self) -> int:
        """Number of processes."""
        return int(self._accelerator.num_processes)

    @property
    def is_main(self) -> bool:
        """Whether this process writes files and speaks."""
        return bool(self._accelerator.is_main_process)

    @property
    def device(self) -> torch.device:
        """Where this process computes."""
        return torch.device(self._accelerator.device)

    def prepare(
        self, module: nn.Module, optimizer: torch.optim.Optimizer, *, uses_all: bool
    ) -> tuple[nn.Module, torch.optim.Optimizer]:
        """Move a module to the device and wrap it for its part in the run.

        Args:
            module: the same in every process.
            optimizer: over its parameters.
            uses_all: whether every trained parameter takes part in every step.
        """
        self._accelerator.free_memory()
        self._accelerator.ddp_handler = DistributedDataParallelKwargs(
            find_unused_parameters=not uses_all, gradient_as_bucket_view=True
        )
        prepared, wrapped = self._accelerator.prepare(module, optimizer)
        return prepared, wrapped.optimizer

    @contextlib.contextmanager
    def adding_up(self, module: nn.Module, *, last: bool) -> Iterator[None]:
        """Around one of several backward passes of a step; gradients meet in the last one."""
        if last or self.world == 1:
            yield
        else:
            with self._accelerator.no_sync(module):
                yield

    def backward(self, loss: Tensor) -> None:
        """Add this process's gradients; ``loss`` is its part of the sum over all processes."""
        # DDP and FSDP take the mean over the processes.
        self._accelerator.backward(loss * self.world)

    def sum(self, values: Tensor) -> Tensor:
        """The sum of a tensor over all processes, in every one of them."""
        if self.world == 1:
            return values
        summed: Tensor = self._accelerator.reduce(values.to(self.device), "sum")
        return summed

    def from_main(self, value: _Value) -> _Value:
        """The main process's value, in every process."""
        if self.world == 1:
            return value
        box: list[Any] = [value]
        broadcast_object_list(box, from_process=0)
        told: _Value = box[0]
        return told

    def wait(self) -> None:
        """Wait for all processes."""
        self._accelerator.wait_for_everyone()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._accelerator.free_memory()
        if torch.distributed.is_initialized() and error is None:
            torch.distributed.destroy_process_group()
        AcceleratorState._reset_state(reset_partial_state=True)
        if self._environment is None:
            os.environ.pop(_SHARD, None)  # accelerate has set it for its plugin
        if isinstance(error, RuntimeError) and any(said in str(error) for said in _ENDED):
            raise ResourceError(
                f"process {self.rank} of {self.world} lost another process of this run",
                remedy="Look for that one's message; the same command with --resume goes on, "
                "with any number of processes",
            ) from error


def _sharding() -> FullyShardedDataParallelPlugin:
    return FullyShardedDataParallelPlugin(
        fsdp_version=2,
        auto_wrap_policy="transformer_based_wrap",
        transformer_cls_names_to_wrap=[Layer.__name__],
        reshard_after_forward=True,
        cpu_ram_efficient_loading=False,
    )


def whole(tensor: Tensor) -> Tensor:
    """A tensor that may be sharded, whole; every process must call it."""
    tensor = tensor.detach()
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def part_of(value: Tensor, like: Tensor) -> Tensor:
    """A whole tensor, sharded and placed as another one is."""
    if isinstance(like, DTensor) and value.dim():
        return distribute_tensor(
            value.to(like.device), like.device_mesh, like.placements, src_data_rank=None
        )
    return value.to(like.device)


def gradient_norm(parameters: Sequence[nn.Parameter]) -> Tensor:
    """The 2-norm of all gradients together; a scalar."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    return whole(nn.utils.get_total_norm(gradients)).float()
