"""`Weights`: what fine-tuning trains of a model, AdamW over it, and the best values so far."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from exonym.foundation.errors import ConfigError
from exonym.modeling.embeddings import EntityEmbeddings, WordEmbeddings
from exonym.training.fine_tuning_rows import SeenRows
from exonym.training.optimizer import decays

Tables = Literal["all", "seen", "frozen"]
"""Which rows of a table train."""


@dataclass(frozen=True, slots=True)
class AdamW:
    """Its constants."""

    betas: tuple[float, float]
    epsilon: float
    weight_decay: float


class Weights:
    """The parameters that train; a context that leaves the model's flags as it found them.

    Args:
        model: parameters that need no gradient stay as they are.
        adam: constants.
        words: what trains of tables of word pieces.
        entities: what trains of tables of entities.

    Raises:
        ConfigError: nothing is left to train.
    """

    def __init__(self, model: nn.Module, adam: AdamW, *, words: Tables, entities: Tables) -> None:
        self._frozen: list[Tensor] = []
        self._sparse: list[WordEmbeddings | EntityEmbeddings] = []
        self.rows: list[SeenRows] = []
        apart: set[int] = set()
        for module, table, kind in _tables(model, words, entities):
            if kind == "all" or not table.weight.requires_grad:
                continue
            apart.add(id(table.weight))
            if kind == "frozen":
                self._frozen.append(table.weight)
            else:
                self._sparse.append(module)
                self.rows.append(
                    SeenRows(
                        table,
                        betas=adam.betas,
                        epsilon=adam.epsilon,
                        weight_decay=adam.weight_decay,
                    )
                )
        groups: dict[bool, list[nn.Parameter]] = {True: [], False: []}
        for name, parameter in model.named_parameters():
            if parameter.requires_grad and id(parameter) not in apart:
                groups[decays(name)].append(parameter)
        self.dense = [parameter for members in groups.values() for parameter in members]
        if not self.dense:
            raise ConfigError("nothing of the model is left to train")
        self._optimizer = torch.optim.AdamW(
            [
                {"params": members, "weight_decay": adam.weight_decay if decaying else 0.0}
                for decaying, members in groups.items()
                if members
            ],
            betas=adam.betas,
            eps=adam.epsilon,
            fused=True,
        )
        self._best: tuple[list[Tensor], list[Tensor]] | None = None

    def __enter__(self) -> Weights:
        for parameter in self._frozen:
            parameter.requires_grad_(False)
        for module in self._sparse:
            module.touched_rows_only = True
        return self

    def __exit__(self, *_: object) -> None:
        self._optimizer.zero_grad(set_to_none=True)
        for parameter in self._frozen:
            parameter.requires_grad_(True)
        for module in self._sparse:
            module.touched_rows_only = False

    def step(self, rate: float, *, scale: float, max_norm: float | None) -> float:
        """Do a step with the gradients that are there, and drop them.

        Args:
            rate: learning rate.
            scale: a factor on the gradients.
            max_norm: the largest norm that gradients may have; None for any.

        Returns:
            The norm that they had. Where it is not finite, no weight has moved.
        """
        for rows in self.rows:
            rows.take_gradient()
        gradients = [p.grad for p in self.dense if p.grad is not None]
        gradients += [rows.gradient for rows in self.rows if rows.gradient is not None]
        norm = scale * float(nn.utils.get_total_norm(gradients))
        if max_norm is not None and norm > max_norm:
            scale *= max_norm / norm
        if norm < float("inf"):
            if scale != 1.0:
                torch._foreach_mul_(gradients, scale)
            for group in self._optimizer.param_groups:
                group["lr"] = rate
            self._optimizer.step()
            for rows in self.rows:
                rows.step(rate)
        self._optimizer.zero_grad(set_to_none=True)
        return norm

    def keep(self) -> None:
        """Remember the present values as the best."""
        self._best = None  # the memory of the last ones, before that of the new ones
        dense = [parameter.detach().to("cpu", copy=True) for parameter in self.dense]
        self._best = dense, [rows.values() for rows in self.rows]

    @torch.no_grad()
    def restore(self) -> None:
        """Go back to what `keep` remembered."""
        assert self._best is not None, "nothing was kept"
        for parameter, value in zip(self.dense, self._best[0], strict=True):
            parameter.copy_(value)
        for rows, values in zip(self.rows, self._best[1], strict=True):
            rows.restore(values)


def _tables(
    model: nn.Module, words: Tables, entities: Tables
) -> Iterator[tuple[WordEmbeddings | EntityEmbeddings, nn.Embedding, Tables]]:
    for module in model.modules():
        if isinstance(module, WordEmbeddings):
            yield module, module.word_embeddings, words
        elif isinstance(module, EntityEmbeddings):
            yield module, module.entity_embeddings, entities
