"""What was measured of a model, item by item, so that intervals can be drawn afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from exonym.foundation.errors import FormatError
from exonym.foundation.files import atomic_file, read_json

Floats = npt.NDArray[np.float64]
_REMEDY = "Delete it, and the same command measures it again"


@dataclass(frozen=True)
class Items:
    """What each item adds to the sums that scores follow from (`analysis.task_scores`).

    Args:
        languages: of each item.
        clusters: of each item; those of one cluster are drawn together.
        table: (items, columns).
    """

    languages: tuple[str, ...]
    clusters: tuple[str, ...]
    table: Floats

    @classmethod
    def joined(cls, parts: Sequence[Items]) -> Items:
        """All items of several."""
        return cls(
            tuple(code for part in parts for code in part.languages),
            tuple(cluster for part in parts for cluster in part.clusters),
            np.concatenate([part.table for part in parts]),
        )

    def of(self, language: str) -> Floats:
        """(columns,) sums of one language."""
        return np.asarray(self.table[[code == language for code in self.languages]].sum(axis=0))

    def write(self, path: Path) -> None:
        """Keep them, languages and clusters by number."""
        codes, clusters = sorted(set(self.languages)), sorted(set(self.clusters))
        places = {code: place for place, code in enumerate(codes)}
        numbers = {cluster: number for number, cluster in enumerate(clusters)}
        _write(
            path,
            {
                "kind": "items",
                "languages": codes,
                "clusters": clusters,
                "language": [places[code] for code in self.languages],
                "cluster": [numbers[cluster] for cluster in self.clusters],
                "table": self.table.tolist(),
            },
        )

    @classmethod
    def read(cls, path: Path) -> Items:
        """The inverse of `write`.

        Raises:
            InputError: there is no such file.
            FormatError: it is damaged.
        """
        value = _read(path, "items")
        try:
            codes, clusters = value["languages"], value["clusters"]
            return cls(
                tuple(codes[place] for place in value["language"]),
                tuple(clusters[number] for number in value["cluster"]),
                np.asarray(value["table"], dtype=np.float64),
            )
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise FormatError("not what was measured", where=path, remedy=_REMEDY) from error


@dataclass(frozen=True)
class Halves:
    """A measure that is no function of sums, on all items and on random halves of them.

    Args:
        value: on all.
        of_halves: on each half; the halves are the same for all models.
        clusters: how many there are.
        by_language: where it can be said of one.
    """

    value: float
    of_halves: tuple[float, ...]
    clusters: int
    by_language: Mapping[str, float]

    def write(self, path: Path) -> None:
        """Keep it."""
        _write(
            path,
            {
                "kind": "halves",
                "value": self.value,
                "of_halves": self.of_halves,
                "clusters": self.clusters,
                "by_language": dict(self.by_language),
            },
        )

    @classmethod
    def read(cls, path: Path) -> Halves:
        """The inverse of `write`.

        Raises:
            InputError: there is no such file.
            FormatError: it is damaged.
        """
        value = _read(path, "halves")
        try:
            halves = tuple(map(float, value["of_halves"]))
            return cls(float(value["value"]), halves, value["clusters"], value["by_language"])
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError("not what was measured", where=path, remedy=_REMEDY) from error


def _write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as stream:
        stream.write(orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE))


def _read(path: Path, kind: str) -> Any:
    value = read_json(path)
    if not isinstance(value, dict) or value.get("kind") != kind:
        raise FormatError("not what was measured", where=path, remedy=_REMEDY)
    return value
