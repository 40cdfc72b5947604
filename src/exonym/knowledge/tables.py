"""Tables on disk: columns, strings and look-ups that are memory-mapped, so opening costs nothing.

A table is a few files with a common name: numpy columns (``name.part.npy``) and UTF-8 text
(``name.utf8``, with ``name.offsets.npy`` saying where each string begins and ends). They are
written once, in row order, inside a directory that is atomic as a whole.
"""

from __future__ import annotations

import hashlib
import itertools
import mmap
import shutil
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from exonym.foundation.errors import FormatError

Column = NDArray[Any]
HashFunction = Callable[[bytes], int]
_ROWS_AT_A_TIME = 1 << 16


def hash64(data: bytes) -> int:
    """The 64-bit BLAKE2b hash that the look-ups are sorted by."""
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


def save_column(
    directory: Path, name: str, values: Column | array[int] | list[int], dtype: str
) -> None:
    """Write one column as ``name.npy``; ``dtype`` names a little-endian numpy type."""
    np.save(directory / f"{name}.npy", np.asarray(values, dtype=dtype), allow_pickle=False)


def map_column(directory: Path, name: str) -> Column:
    """Map a column that `save_column` wrote, read-only.

    Raises:
        FormatError: the file is missing or damaged.
    """
    path = directory / f"{name}.npy"
    try:
        if path.stat().st_size <= 128:  # a column without rows cannot be mapped
            return np.asarray(np.load(path, allow_pickle=False))
        # A plain array over the mapping: slicing a `numpy.memmap` is several times slower.
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        raise _damaged(path, error) from error


def numbers(column: Column) -> memoryview[int]:
    """A whole-number column to read one by one: several times faster than numpy's scalars."""
    native = column.astype(column.dtype.newbyteorder("="), copy=False)
    return memoryview(native)  # type: ignore[arg-type]


def _damaged(path: Path, error: Exception) -> FormatError:
    return FormatError(
        f"a file of this directory is missing or damaged ({error})",
        where=path,
        remedy="Build the directory anew",
    )


class StringTableWriter:
    """Write the strings of a `StringTable`, in row order."""

    def __init__(self, directory: Path, name: str) -> None:
        self._directory, self._name = directory, name
        self._stream = (directory / f"{name}.utf8").open("wb")
        self._offsets = array("Q", [0])

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def append(self, text: str) -> int:
        """Add a string; returns its row."""
        data = text.encode()
        self._stream.write(data)
        self._offsets.append(self._offsets[-1] + len(data))
        return len(self._offsets) - 2

    def extend(self, texts: Sequence[bytes]) -> None:
        """Add many strings, UTF-8 encoded."""
        self._stream.write(b"".join(texts))
        lengths = np.fromiter(map(len, texts), np.uint64, len(texts))
        ends = np.cumsum(lengths, dtype=np.uint64) + np.uint64(self._offsets[-1])
        self._offsets.frombytes(ends.tobytes())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stream.close()
        save_column(self._directory, f"{self._name}.offsets", self._offsets, "<u8")


class StringTable:
    """Strings by row, memory-mapped.

    Args:
        directory: where the table's files are.
        name: the table's name.

    Raises:
        FormatError: a file is missing or damaged.
    """

    def __init__(self, directory: Path, name: str) -> None:
        path = directory / f"{name}.utf8"
        self._offsets = numbers(map_column(directory, f"{name}.offsets"))
        self._data: bytes | mmap.mmap = b""
        try:
            size = path.stat().st_size
            if size:  # an empty file cannot be mapped
                with path.open("rb") as stream:
                    self._data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as error:
            raise _damaged(path, error) from error
        if not len(self._offsets) or self._offsets[-1] != size:
            raise _damaged(path, ValueError(f"its size, {size} bytes, is not the expected one"))

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def encoded(self, row: int) -> bytes:
        """The UTF-8 bytes of a row."""
        return self._data[self._offsets[row] : self._offsets[row + 1]]

    def __getitem__(self, row: int) -> str:
        return self.encoded(row).decode()

    def strings(self, start: int, stop: int) -> list[str]:
        """The strings of rows [start, stop); one by one takes longer."""
        return [data.decode() for data in self.encoded_rows(start, stop)]

    def encoded_rows(self, start: int, stop: int) -> list[bytes]:
        """The UTF-8 bytes of rows [start, stop)."""
        offsets = self._offsets[start : stop + 1].tolist()
        data = self._data[offsets[0] : offsets[-1]]
        ends = [offset - offsets[0] for offset in offsets]
        return [data[a:b] for a, b in itertools.pairwise(ends)]


def write_hashes(
    directory: Path,
    name: str,
    *,
    hash_function: HashFunction = hash64,
    rows_at_a_time: int = _ROWS_AT_A_TIME,
) -> None:
    """Write the hash of each string of a table that is complete, in row order (``name.hashes``).

    For tables that become parts of a larger one, whose look-up is then only sorted.
    """
    hashes = _hashes(StringTable(directory, name), hash_function, rows_at_a_time)
    save_column(directory, f"{name}.hashes", hashes, "<u8")


def _hashes(table: StringTable, hash_function: HashFunction, rows_at_a_time: int) -> Column:
    hashes = np.empty(len(table), "<u8")
    for start in range(0, len(table), rows_at_a_time):
        stop = min(start + rows_at_a_time, len(table))
        hashes[start:stop] = list(map(hash_function, table.encoded_rows(start, stop)))
    return hashes


def join_tables(directory: Path, name: str, parts: Sequence[Path], part_name: str) -> None:
    """Make one string table, with look-up, of several with hashes (`write_hashes`), in order.

    Args:
        directory: where the table is written.
        name: its name.
        parts: the directories of the parts.
        part_name: the name of the table in each.
    """
    ends, size = [np.zeros(1, "<u8")], np.uint64(0)
    with (directory / f"{name}.utf8").open("wb") as stream:
        for part in parts:
            with (part / f"{part_name}.utf8").open("rb") as source:
                shutil.copyfileobj(source, stream, 1 << 22)
            offsets = map_column(part, f"{part_name}.offsets") + size
            ends.append(offsets[1:])
            size = offsets[-1]
    save_column(directory, f"{name}.offsets", np.concatenate(ends), "<u8")
    hashes = np.concatenate([map_column(part, f"{part_name}.hashes") for part in parts])
    write_hash_index(directory, name, hashes=hashes)


def write_hash_index(
    directory: Path,
    name: str,
    *,
    hash_function: HashFunction = hash64,
    hashes: Column | None = None,
) -> None:
    """Write the look-up of a string table that is complete: sorted hashes and their rows.

    Args:
        directory: where the table is.
        name: the table's name.
        hash_function: of the look-up.
        hashes: (rows,) the strings' hashes, if they are known already.
    """
    if hashes is None:
        hashes = _hashes(StringTable(directory, name), hash_function, _ROWS_AT_A_TIME)
    order = np.argsort(hashes, kind="stable").astype("<u4")
    save_column(directory, f"{name}.hash", hashes[order], "<u8")
    save_column(directory, f"{name}.row", order, "<u4")


class IndexedStrings(StringTable):
    """A `StringTable` whose rows can be found by string.

    A look-up finds the string's 64-bit hash among the sorted hashes and then compares the
    string itself, so two strings with one hash are never mixed up. Of equal strings the lowest
    row is found.
    """

    def __init__(self, directory: Path, name: str, *, hash_function: HashFunction = hash64) -> None:
        super().__init__(directory, name)
        self._hash_function = hash_function
        self._hash_column = map_column(directory, f"{name}.hash")
        self._hashes = numbers(self._hash_column)
        self._rows = numbers(map_column(directory, f"{name}.row"))
        if not len(self) == len(self._hashes) == len(self._rows):
            error = ValueError(f"it has {len(self._hashes)} entries, the table {len(self)}")
            raise _damaged(directory / f"{name}.hash.npy", error)

    def find(self, text: str) -> int | None:
        """The row of a string, or None."""
        data = text.encode("utf-8", "surrogatepass")  # a query may hold anything
        wanted = self._hash_function(data)
        return self._compare(data, wanted, bisect_left(self._hashes, wanted))

    def find_all(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """The rows of many strings, shape (len(texts),); -1 where there is none."""
        encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
        hashes = list(map(self._hash_function, encoded))
        wanted = np.array(hashes, dtype=np.uint64)
        # In sorted order the searches pass over the file once instead of jumping about in it.
        order = np.argsort(wanted)
        places = np.empty(len(texts), np.int64)
        places[order] = np.searchsorted(self._hash_column, wanted[order])
        found = map(self._compare, encoded, hashes, places.tolist())
        return np.fromiter((-1 if row is None else row for row in found), np.int64, len(texts))

    def repeated(self) -> Iterator[list[int]]:
        """Yield the rows of each string that has more than one, ascending."""
        same = self._hash_column[1:] == self._hash_column[:-1]
        done = 0
        for place in np.flatnonzero(same).tolist():
            if place < done:
                continue
            done = place + 1
            while done < len(same) and same[done]:
                done += 1
            groups: dict[bytes, list[int]] = {}
            for row in sorted(self._rows[place : done + 1]):
                groups.setdefault(self.encoded(row), []).append(row)
            yield from (rows for rows in groups.values() if len(rows) > 1)

    def _compare(self, data: bytes, wanted: int, place: int) -> int | None:
        while place < len(self._hashes) and self._hashes[place] == wanted:
            row = self._rows[place]
            if self.encoded(row) == data:
                return row
            place += 1
        return None


class TextsByLanguageWriter:
    """Write a `TextsByLanguage` table, owner by owner."""

    def __init__(self, directory: Path, name: str, languages: Mapping[str, int]) -> None:
        self._directory, self._name, self._languages = directory, name, languages
        self._texts = StringTableWriter(directory, name)
        self._language = array("H")
        self._starts = array("Q", [0])

    def append(self, texts: Mapping[str, str]) -> None:
        """Add the texts of the next owner; languages outside the table's are left out."""
        for language in sorted(texts.keys() & self._languages.keys()):
            self._texts.append(texts[language])
            self._language.append(self._languages[language])
        self._starts.append(len(self._texts))

    def close(self) -> None:
        """Finish the files."""
        self._texts.__exit__(None, None, None)
        save_column(self._directory, f"{self._name}.language", self._language, "<u2")
        save_column(self._directory, f"{self._name}.start", self._starts, "<u8")


class TextsByLanguage:
    """At most one text per owner (an entity's row) and language: labels, descriptions."""

    def __init__(self, directory: Path, name: str) -> None:
        self._texts = StringTable(directory, name)
        self._language = map_column(directory, f"{name}.language")
        self._starts = map_column(directory, f"{name}.start")

    def get(self, owner: int, language: int) -> str | None:
        """The text of an owner in a language (its number), or None.

        Owners after the last that was written have no texts.
        """
        if owner >= len(self._starts) - 1:
            return None
        start, end = int(self._starts[owner]), int(self._starts[owner + 1])
        for row in range(start, end):
            if self._language[row] == language:
                return self._texts[row]
        return None


class ListsWriter:
    """Writes a list of strings for each owner, in order; see `Lists`."""

    def __init__(self, directory: Path, name: str) -> None:
        self._directory, self._name = directory, name
        self._texts = StringTableWriter(directory, name)
        self._starts = array("Q", [0])

    def append(self, texts: Sequence[str]) -> None:
        """Add the next owner's strings."""
        for text in texts:
            self._texts.append(text)
        self._starts.append(len(self._texts))

    def close(self) -> None:
        """Finish the files."""
        self._texts.__exit__(None, None, None)
        save_column(self._directory, f"{self._name}.start", self._starts, "<u8")


class Lists:
    """A list of strings per owner (an entity's row): its types, a class's parents."""

    def __init__(self, directory: Path, name: str) -> None:
        self._texts = StringTable(directory, name)
        self._starts = map_column(directory, f"{name}.start")

    def get(self, owner: int) -> list[str]:
        """The strings of an owner; owners after the last that was written have none."""
        if owner >= len(self._starts) - 1:
            return []
        return self._texts.strings(int(self._starts[owner]), int(self._starts[owner + 1]))


def group_starts(owners: Column, count: int) -> Column:
    """Where each owner's rows begin in a column sorted by owner; ``count`` + 1 numbers."""
    return np.searchsorted(owners, np.arange(count + 1, dtype=owners.dtype)).astype("<u8")
