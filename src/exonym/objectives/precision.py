"""In which types of numbers a loss is computed."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from exonym.foundation.machine import multiplies_bfloat16


@dataclass(frozen=True, slots=True)
class Precision:
    """Types of numbers.

    Args:
        operand: to which factors of a product are rounded.
        product: in which products are taken.
        sum: in which everything is added up, and in which logits and exponentials are.
    """

    operand: torch.dtype
    product: torch.dtype
    sum: torch.dtype

    @classmethod
    def of(cls, states: Tensor, table: Tensor) -> Precision:
        """Autocast's type; without autocast, the wider one of the two."""
        device = states.device.type
        operand = torch.promote_types(states.dtype, table.dtype)
        if operand != torch.float64 and torch.is_autocast_enabled(device):
            operand = torch.get_autocast_dtype(device)
        total = torch.float64 if operand == torch.float64 else torch.float32
        # A CPU that does not multiply bfloat16 itself is faster, and no less exact, in float32.
        emulated = device == "cpu" and operand.itemsize == 2 and not multiplies_bfloat16()
        return cls(operand, total if emulated else operand, total)

    def factor(self, values: Tensor) -> Tensor:
        """A factor of a product."""
        return values.to(self.operand).to(self.product)

    def multiply(self, left: Tensor, right: Tensor, out: Tensor, *, add: bool = False) -> Tensor:
        """Write the product of two factors into ``out``, or add it to what is there."""
        if self.product == self.sum:
            return out.addmm_(left, right) if add else torch.mm(left, right, out=out)
        if left.device.type == "cuda":
            product = torch.mm(left, right, out_dtype=self.sum)
        else:
            product = torch.mm(left, right)
        return out.add_(product) if add else out.copy_(product)
