"""Exact nearest neighbours by cosine, a block of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from exonym.foundation.errors import InputError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_PRODUCTS = 1 << 22  # cosines in memory at once: 32 MiB
_SPARE = 8  # further neighbours that are kept at hand


def unit_vectors(vectors: npt.NDArray[np.floating]) -> Floats:
    """(vectors, width) in float64, each of length 1.

    Raises:
        InputError: not a matrix, or a vector is zero or has no finite length.
    """
    if vectors.ndim != 2:
        raise InputError(f"expected (vectors, width), got an array of shape {vectors.shape}")
    wide = np.asarray(vectors, dtype=np.float64)
    lengths = np.linalg.norm(wide, axis=1)
    bad = ~(np.isfinite(lengths) & (lengths > 0))
    if bad.any():
        row = int(bad.argmax())
        raise InputError(f"vector {row} has the length {lengths[row]}, so it has no direction")
    units: Floats = wide / lengths[:, None]
    return units


def blocks(rows: int, columns: int) -> Iterator[slice]:
    """Slices of rows that make some tens of MiB of products with so many columns."""
    step = max(1, _PRODUCTS // max(columns, 1))
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))


class Neighbours:
    """The nearest neighbours of each of some vectors; of equally near ones the first count.

    Args:
        units: (vectors, width), of length 1.
        k: how many.
    """

    def __init__(self, units: Floats, k: int) -> None:
        self._units, self._k = units, k
        at_hand = min(4 * k + _SPARE, len(units) - 1)
        self._nearest, self._cosines = _nearest(
            units, np.arange(len(units)), np.ones(len(units), np.bool_), at_hand
        )

    def all(self) -> tuple[Ints, Floats]:
        """(vectors, k) places and cosines, the nearest first."""
        return self._nearest[:, : self._k], self._cosines[:, : self._k]

    def among(self, stays: npt.NDArray[np.bool_]) -> tuple[Ints, Floats]:
        """The same among some of the vectors only.

        Args:
            stays: (vectors,) which.

        Returns:
            (those that stay, k) places among those that stay, and cosines; -1 and 0 where there are
            not as many.
        """
        rows = np.flatnonzero(stays)
        place = np.cumsum(stays) - 1
        at_hand, cosines = self._nearest[rows], self._cosines[rows]
        usable = stays[at_hand]
        order = np.argsort(~usable, axis=1, kind="stable")[:, : self._k]
        nearest = np.take_along_axis(at_hand, order, axis=1)
        found = np.take_along_axis(cosines, order, axis=1)
        lacking = usable.sum(axis=1) < min(self._k, len(rows) - 1)
        if lacking.any():
            some, some_cosines = _nearest(self._units, rows[lacking], stays, self._k)
            nearest[lacking], found[lacking] = some, some_cosines
        enough = np.arange(self._k) < min(self._k, len(rows) - 1)
        return np.where(enough, place[nearest], -1), np.where(enough, found, 0.0)


def _nearest(
    units: Floats, rows: Ints, stays: npt.NDArray[np.bool_], k: int
) -> tuple[Ints, Floats]:
    """(rows, k) places and cosines of the nearest of those that stay, without the row itself."""
    nearest = np.zeros((len(rows), k), dtype=np.int64)
    cosines = np.zeros((len(rows), k))
    for part in blocks(len(rows), len(units)):
        here = rows[part]
        products = units[here] @ units.T
        products[:, ~stays] = -np.inf
        products[np.arange(len(here)), here] = -np.inf
        nearest[part] = _largest(products, k)
        cosines[part] = np.take_along_axis(products, nearest[part], axis=1)
    return nearest, cosines


def _largest(values: Floats, k: int) -> Ints:
    """(rows, k) places of the largest values of each row, the first of equal ones."""
    least = np.partition(values, values.shape[1] - k, axis=1)[:, -k][:, None]
    above, equal = values > least, values == least
    room = k - above.sum(axis=1, keepdims=True)
    chosen = np.nonzero(above | (equal & (np.cumsum(equal, axis=1) <= room)))[1].reshape(-1, k)
    order = np.argsort(-np.take_along_axis(values, chosen, axis=1), axis=1, kind="stable")
    return np.asarray(np.take_along_axis(chosen, order, axis=1))
