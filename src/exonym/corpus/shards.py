"""Training sequences on disk: flat arrays per language, appended while built, memory-mapped later.

A language's folder holds five little-endian files: ``words.i32`` (piece ids without ``<s>`` and
``</s>``), ``entities.i32`` (rows), ``spans.i32`` (pairs: pieces [start, end) within the sequence),
and ``word_offsets.i64``, ``entity_offsets.i64`` (where each sequence starts; one more at the end).
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, TypeVar

import numpy as np
import numpy.typing as npt

from exonym.corpus.packing import PackedSequences
from exonym.foundation.errors import FormatError
from exonym.foundation.files import JSON, read_manifest
from exonym.knowledge import EntityVocabulary
from exonym.tokenization import EntityTokenizer

FORMAT, VERSION = "exonym-corpus", 1
_FILES = ("words.i32", "entities.i32", "spans.i32", "word_offsets.i64", "entity_offsets.i64")

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
_Number = TypeVar("_Number", np.int32, np.int64)


@dataclass(frozen=True, slots=True)
class Sequences:
    """The sequences of one language, memory-mapped; see the module for the arrays."""

    words: Int32
    entities: Int32
    spans: Int32
    word_offsets: Int64
    entity_offsets: Int64

    def __len__(self) -> int:
        return len(self.word_offsets) - 1

    def __getitem__(self, index: int) -> tuple[Int32, Int32, Int32]:
        """(words,) pieces, (entities,) rows and (entities, 2) spans of one sequence."""
        words = slice(self.word_offsets[index], self.word_offsets[index + 1])
        entities = slice(self.entity_offsets[index], self.entity_offsets[index + 1])
        return self.words[words], self.entities[entities], self.spans[entities]

    @classmethod
    def open(cls, directory: Path) -> Sequences:
        """Map a language's folder.

        Raises:
            FormatError: a file is missing or the files do not fit together.
        """
        try:
            words, entities, flat = (_map(directory / name, np.int32) for name in _FILES[:3])
            word_offsets, entity_offsets = (_map(directory / name, np.int64) for name in _FILES[3:])
            spans = flat.reshape(-1, 2)
        except (OSError, ValueError) as error:  # missing; not a whole number of values
            raise FormatError(f"cannot be read ({error})", where=directory) from error
        whole = len(word_offsets) == len(entity_offsets) > 0
        whole = whole and word_offsets[-1] == len(words)
        if not (whole and entity_offsets[-1] == len(entities) == len(spans)):
            raise FormatError(
                "the files of this language do not fit together",
                where=directory,
                remedy="Build the corpus again with `exonym corpus build`",
            )
        return cls(words, entities, spans, word_offsets, entity_offsets)


def _map(path: Path, kind: type[_Number]) -> npt.NDArray[_Number]:
    if path.stat().st_size == 0:
        return np.empty(0, dtype=kind)  # nothing cannot be mapped
    return np.memmap(path, dtype=np.dtype(kind).newbyteorder("<"), mode="r")


class SequenceWriter:
    """Appends sequences to a language's folder in constant memory."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True)
        self._files: list[IO[bytes]] = [(directory / name).open("wb") for name in _FILES]
        self._words = self._entities = 0
        self._write_offsets(np.zeros(1, np.int64), np.zeros(1, np.int64))

    def _write_offsets(self, words: Int64, entities: Int64) -> None:
        self._files[3].write(words.astype("<i8").tobytes())
        self._files[4].write(entities.astype("<i8").tobytes())

    def append(self, words: Int32, entities: Int32, spans: Int32) -> None:
        """Add one sequence; see `Sequences.__getitem__` for the shapes."""
        lengths = np.array([len(words)], np.int64), np.array([len(entities)], np.int64)
        self.extend(PackedSequences(words, lengths[0], entities, spans, lengths[1]))

    def extend(self, sequences: PackedSequences) -> None:
        """Add several sequences at once."""
        arrays = (sequences.words, sequences.entities, sequences.spans)
        for file, values in zip(self._files, arrays, strict=False):
            file.write(np.ascontiguousarray(values, dtype="<i4").tobytes())
        self._write_offsets(
            self._words + np.cumsum(sequences.word_counts),
            self._entities + np.cumsum(sequences.entity_counts),
        )
        self._words += len(sequences.words)
        self._entities += len(sequences.entities)

    def __enter__(self) -> SequenceWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in self._files:
            file.close()


def join_sequences(parts: Sequence[Path], directory: Path) -> None:
    """Make one language's folder of the folders of its parts, in their order, and delete those."""
    directory.mkdir(parents=True)
    for name in _FILES:
        with (directory / name).open("wb") as out:
            base = 0
            if name.endswith(".i64"):
                out.write(np.zeros(1, "<i8").tobytes())
            for part in parts:
                if name.endswith(".i64"):
                    offsets = np.fromfile(part / name, "<i8")
                    out.write((offsets[1:] + base).astype("<i8").tobytes())
                    base += int(offsets[-1])
                else:
                    with (part / name).open("rb") as stream:
                        shutil.copyfileobj(stream, out, 1 << 20)
    for part in parts:
        shutil.rmtree(part)


@dataclass(frozen=True)
class Corpus:
    """A corpus directory: sequences per language, with their tokenizer and entity vocabulary.

    Args:
        path: the directory.
        manifest: counts per language, options and digests.
        languages: sequences by language code, in the order of the codes.
    """

    path: Path
    manifest: JSON
    languages: Mapping[str, Sequences]

    @classmethod
    def open(cls, path: str | Path) -> Corpus:
        """Map a corpus; costs milliseconds whatever its size.

        Raises:
            InputError: not a corpus directory.
            VersionError: written by another version.
            FormatError: damaged.
        """
        path = Path(path)
        manifest = read_manifest(
            path,
            format=FORMAT,
            version=VERSION,
            remedy=f"Make one with `exonym corpus build --kb KB --out {path}`",
        )
        languages = {code: Sequences.open(path / code) for code in sorted(manifest["languages"])}
        return cls(path, manifest, languages)

    def tokenizer(self) -> EntityTokenizer:
        """The tokenizer the corpus was built with."""
        return EntityTokenizer.from_pretrained(self.path)

    def entities(self) -> EntityVocabulary:
        """The entity vocabulary the corpus was built with."""
        return self.tokenizer().entities
