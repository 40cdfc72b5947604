"""What training may run into: numbers that are none, and memory that is not enough."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

from exonym.foundation.errors import ExonymError, ResourceError


class NotANumberError(ExonymError):
    """A loss or a gradient was infinite or not a number."""


@contextlib.contextmanager
def clear_memory_errors(remedy: str) -> Iterator[None]:
    """Turn running out of memory into one line that says what to do."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        # On a CPU, torch raises a plain RuntimeError.
        said = any(words in str(error) for words in ("not enough memory", "can't allocate memory"))
        if not said and not isinstance(error, (MemoryError, torch.OutOfMemoryError)):
            raise
        raise ResourceError("the machine ran out of memory", remedy=remedy) from error
