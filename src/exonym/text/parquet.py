"""The Parquet form of `AnnotatedText`: one row per text, lossless, read and written in groups.

The columns are ``text``, ``language``, ``source``, ``page_id`` and ``mentions``, a list of
``start``, ``end``, ``entity`` and ``score``; offsets count code points. The same columns are what
`exonym.corpus.export_text` publishes.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from exonym.foundation.errors import FormatError, InputError, MissingExtraError
from exonym.foundation.files import atomic_file
from exonym.text.annotated import AnnotatedText, Mention

GROUP_TEXTS = 10_000  # texts held in memory at a time
_NEEDED = ("text", "language", "source", "mentions")


class ParquetTextWriter:
    """Adds texts to an open Parquet file; `parquet_writer` makes one."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._group: list[tuple[AnnotatedText, int | None]] = []

    def write(self, text: AnnotatedText, page_id: int | None = None) -> None:
        """Add a text, with the id of the page it is from where that is known.

        Raises:
            InputError: the text has half of a surrogate pair.
        """
        self._group.append((text, page_id))
        if len(self._group) >= GROUP_TEXTS:
            self.flush()

    def flush(self) -> None:
        """Write what waits as a row group."""
        if not self._group:
            return
        try:
            self._file.write_table(_table(self._group))
        except UnicodeEncodeError as error:
            raise InputError(
                f"a text has half of a surrogate pair, which is no character ({error})"
            ) from error
        self._group = []


@contextlib.contextmanager
def parquet_writer(path: Path) -> Iterator[ParquetTextWriter]:
    """Open a Parquet file of texts, which appears under its name only when it is whole.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    schema = _schema(_arrow("pyarrow"))
    parquet = _arrow("pyarrow.parquet")
    with (
        atomic_file(path) as stream,
        parquet.ParquetWriter(stream, schema, compression="zstd") as file,
    ):
        writer = ParquetTextWriter(file)
        yield writer
        writer.flush()


def write_parquet(path: Path, texts: Iterable[AnnotatedText]) -> int:
    """Write texts as Parquet, atomically; returns how many.

    Raises:
        MissingExtraError: pyarrow is not installed.
        InputError: a text has half of a surrogate pair.
    """
    count = 0
    with parquet_writer(path) as writer:
        for count, text in enumerate(texts, start=1):  # noqa: B007 - the count is returned
            writer.write(text)
    return count


def read_parquet(path: Path) -> Iterator[AnnotatedText]:
    """Read texts written by `write_parquet`, or by other programs with the same columns.

    Whole numbers and strings of any width are read; ``page_id`` is not.

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
            schema = _readable(arrow, file.schema_arrow, path)
            for batch in file.iter_batches(GROUP_TEXTS, columns=list(_NEEDED)):
                table = arrow.Table.from_batches([batch]).select(_NEEDED).cast(schema)
                for values in _rows(table):
                    row += 1
                    yield _text(values)
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


def _table(group: list[tuple[AnnotatedText, int | None]]) -> Any:
    """A table of texts, made column by column."""
    arrow = _arrow("pyarrow")
    schema = _schema(arrow)
    mentions = [mention for text, _ in group for mention in text.mentions]
    borders = [0]
    for text, _ in group:
        borders.append(borders[-1] + len(text.mentions))
    kind = schema.field("mentions").type.value_type
    columns = [
        arrow.array(values, kind.field(name).type)
        for name, values in (
            ("start", [mention.start for mention in mentions]),
            ("end", [mention.end for mention in mentions]),
            ("entity", [mention.entity for mention in mentions]),
            ("score", [mention.score for mention in mentions]),
        )
    ]
    structs = arrow.StructArray.from_arrays(columns, fields=list(kind))
    lists = arrow.ListArray.from_arrays(
        arrow.array(borders, arrow.int32()), structs, type=schema.field("mentions").type
    )
    return arrow.Table.from_arrays(
        [
            arrow.array([text.text for text, _ in group], arrow.string()),
            arrow.array([text.language for text, _ in group], arrow.string()),
            arrow.array([text.source for text, _ in group], arrow.string()),
            arrow.array([page_id for _, page_id in group], arrow.int64()),
            lists,
        ],
        schema=schema,
    )


def _readable(arrow: Any, found: Any, path: Path) -> Any:
    """The schema that the columns of a file are read with.

    Raises:
        FormatError: they are other columns.
    """
    schema = arrow.schema([_schema(arrow).field(name).with_nullable(True) for name in _NEEDED])
    if not set(_NEEDED) <= set(found.names):
        raise FormatError(
            "has other columns than annotated texts have",
            where=path,
            remedy="Write it with exonym.text.parquet.write_parquet",
        )
    return schema


def _rows(table: Any) -> Iterator[tuple[Any, ...]]:
    """Text, language, source and mentions of each row, the latter as tuples."""
    lists = table.column("mentions").combine_chunks()
    flat = lists.flatten()
    names = ("start", "end", "entity", "score")
    mentions = list(zip(*(flat.field(name).to_pylist() for name in names), strict=True))
    place = 0
    counts = [count or 0 for count in lists.value_lengths().to_pylist()]
    others = (table.column(name).to_pylist() for name in _NEEDED[:3])
    for text, language, source, count in zip(*others, counts, strict=True):
        yield text, language, source, mentions[place : place + count]
        place += count


def _text(values: tuple[Any, ...]) -> AnnotatedText:
    text, language, source, mentions = values
    if text is None or language is None:
        raise FormatError("a text and its language cannot be null")
    if any(start is None or end is None for start, end, _, _ in mentions):
        raise FormatError("a mention's start and end cannot be null")
    return AnnotatedText(text, language, tuple(Mention(*mention) for mention in mentions), source)


def _schema(arrow: Any) -> Any:
    mention = arrow.struct(
        [
            arrow.field("start", arrow.int32(), nullable=False),
            arrow.field("end", arrow.int32(), nullable=False),
            arrow.field("entity", arrow.string()),
            arrow.field("score", arrow.float64()),
        ]
    )
    return arrow.schema(
        [
            arrow.field("text", arrow.string(), nullable=False),
            arrow.field("language", arrow.string(), nullable=False),
            arrow.field("source", arrow.string()),
            arrow.field("page_id", arrow.int64()),
            arrow.field("mentions", arrow.list_(mention)),
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
