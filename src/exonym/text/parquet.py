"""The Parquet form of `AnnotatedText`: one row per text, lossless, read and written in groups."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from exonym.foundation.errors import FormatError, InputError, MissingExtraError
from exonym.foundation.files import atomic_file
from exonym.text.annotated import AnnotatedText

GROUP_TEXTS = 10_000  # texts held in memory at a time


def write_parquet(path: Path, texts: Iterable[AnnotatedText]) -> int:
    """Write texts as Parquet, atomically; returns how many.

    The columns are those of the JSON Lines form: ``text``, ``language``, ``mentions`` (a list of
    ``start``, ``end``, ``entity``, ``score``) and ``source``.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    arrow = _arrow("pyarrow")
    schema = _schema(arrow)
    count, iterator = 0, iter(texts)
    with (
        atomic_file(path) as stream,
        _arrow("pyarrow.parquet").ParquetWriter(stream, schema, compression="zstd") as writer,
    ):
        while group := list(itertools.islice(iterator, GROUP_TEXTS)):
            rows = [text.to_json() for text in group]
            writer.write_table(arrow.Table.from_pylist(rows, schema=schema))
            count += len(group)
    return count


def read_parquet(path: Path) -> Iterator[AnnotatedText]:
    """Read texts written by `write_parquet`.

    Raises:
        MissingExtraError: pyarrow is not installed.
        InputError: there is no such file.
        FormatError: not Parquet, damaged, or with other columns; a text that is wrong is named by
            its row.
    """
    arrow = _arrow("pyarrow")
    row = 0
    try:
        with _arrow("pyarrow.parquet").ParquetFile(path) as file:
            if not file.schema_arrow.equals(_schema(arrow)):
                raise FormatError(
                    "has other columns than annotated texts have",
                    where=path,
                    remedy="Write it with exonym.text.parquet.write_parquet",
                )
            for batch in file.iter_batches(GROUP_TEXTS):
                for value in batch.to_pylist():
                    row += 1
                    yield AnnotatedText.from_json({**value, "mentions": value["mentions"] or ()})
    except FormatError as error:
        raise FormatError(
            error.what, where=error.where or f"{path}: row {row}", remedy=error.remedy
        ) from error
    except InputError as error:
        raise FormatError(error.what, where=f"{path}: row {row}") from error
    except FileNotFoundError as error:
        raise InputError("no such file", where=path) from error
    except (arrow.ArrowException, OSError) as error:
        raise FormatError(f"cannot be read ({error})", where=path) from error


def _schema(arrow: Any) -> Any:
    mention = arrow.struct(
        [
            arrow.field("start", arrow.int64(), nullable=False),
            arrow.field("end", arrow.int64(), nullable=False),
            arrow.field("entity", arrow.string()),
            arrow.field("score", arrow.float64()),
        ]
    )
    return arrow.schema(
        [
            arrow.field("text", arrow.string(), nullable=False),
            arrow.field("language", arrow.string(), nullable=False),
            arrow.field("mentions", arrow.list_(mention)),
            arrow.field("source", arrow.string()),
        ]
    )


def _arrow(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            "Parquet files need pyarrow, which is not installed",
            remedy="Run: pip install 'exonym[parquet]'",
        ) from error
