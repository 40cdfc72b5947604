"""A file read in spans gives the records of the whole file: each once, in order."""

from __future__ import annotations

import bz2
import gzip
import lzma
import pickle
import random
import re
from collections import Counter
from pathlib import Path
from unittest import mock

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exonym.foundation.bzip2 import BlockReader
from exonym.foundation.errors import FormatError, InputError
from exonym.foundation.spans import Span, SpanReader, cut_file, read_span_lines

# Bytes that make the map of used bytes in a block's header read like the start of a block.
FALSE_START = bytes(64 + bit for bit in range(48) if 0x314159265359 >> (47 - bit) & 1)


def whole_lines(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")
    return lines if lines[-1] else lines[:-1]


def span_lines(path: Path, spans: tuple[Span, ...]) -> list[bytes]:
    return [line for span in spans for line in read_span_lines(path, span)]


def noise(size: int, seed: int = 0, letters: bytes = b"abcdefgh \n") -> bytes:
    return bytes(random.Random(seed).choices(letters, k=size))


@st.composite
def bzip2_files(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """(content, .bz2 file): one or many streams, of any block size, some of them empty."""
    content = bytearray()
    packed = bytearray()
    for _ in range(draw(st.integers(1, 6))):
        letters = draw(st.sampled_from([b"ab\n", b"\n", b"0123456789{}\n", FALSE_START + b"\n"]))
        size = draw(st.sampled_from([0, 1, 7, 300, 5_000, 130_000]))
        part = noise(size, draw(st.integers(0, 99)), letters)
        content += part
        packed += bz2.compress(part, draw(st.integers(1, 9)))
    return bytes(content), bytes(packed)


@given(file=bzip2_files(), data=st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bzip2_file_cut_anywhere_gives_each_line_once(
    tmp_path: Path, file: tuple[bytes, bytes], data: st.DataObject
) -> None:
    content, packed = file
    path = tmp_path / "x.json.bz2"
    path.write_bytes(packed)
    smallest = max(1, len(packed) // 60)
    task_bytes = data.draw(st.integers(smallest, max(smallest, len(packed) + 1)))
    read = data.draw(st.sampled_from([61, 97, 1_000] if len(packed) < 9_000 else [4_001, 1 << 20]))
    with mock.patch("exonym.foundation.bzip2._READ", read):
        assert span_lines(path, cut_file(path, task_bytes)) == whole_lines(content)


@given(content=st.binary(max_size=200), task_bytes=st.integers(1, 40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_plain_file_cut_anywhere_gives_each_line_once(
    tmp_path: Path, content: bytes, task_bytes: int
) -> None:
    content = content.replace(b"\x05", b"\n").replace(b"\x00", b"\n")
    path = tmp_path / "x.json"
    path.write_bytes(content)
    spans = cut_file(path, task_bytes)
    assert span_lines(path, spans) == whole_lines(content)
    assert all(span.end - span.start <= task_bytes for span in spans)
    assert [spans[0].start, *(span.end for span in spans)] == [
        *(span.start for span in spans),
        len(content),
    ]


@given(
    lengths=st.lists(st.integers(0, 40), max_size=20),
    stripes=st.integers(1, 5),
    stripe_bytes=st.integers(1, 30),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_stripes_share_the_lines_of_a_file_that_cannot_be_cut(
    tmp_path: Path, lengths: list[int], stripes: int, stripe_bytes: int
) -> None:
    lines = [b"%d" % number + b"x" * length for number, length in enumerate(lengths)]
    path = tmp_path / "x.json.gz"
    path.write_bytes(gzip.compress(b"\n".join(lines)))
    spans = cut_file(path, lines=True, stripes=stripes, stripes_from=1, stripe_bytes=stripe_bytes)
    assert len(spans) == stripes
    assert sorted(span_lines(path, spans)) == sorted(lines)
    one = [list(read_span_lines(path, span)) for span in spans]
    assert all(part == sorted(part, key=lines.index) for part in one)


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [
        (".gz", gzip.compress),
        (".xz", lzma.compress),
        (".zst", zstandard.ZstdCompressor().compress),
    ],
)
def test_other_compressions_are_one_span(tmp_path: Path, suffix: str, compress: object) -> None:
    content = noise(50_000)
    path = tmp_path / f"x.json{suffix}"
    path.write_bytes(compress(content))  # type: ignore[operator]
    spans = cut_file(path, 100)
    assert len(spans) == 1
    assert span_lines(path, spans) == whole_lines(content)


def test_a_mark_on_the_border_belongs_to_the_span_where_it_begins(tmp_path: Path) -> None:
    content = b"head <page>one</page>\n<page>two</page>\n<page>three</page> tail"
    plain, packed = tmp_path / "x.xml", tmp_path / "x.xml.bz2"
    plain.write_bytes(content)

    def read(path: Path, span: Span) -> bytes:
        reader = SpanReader(path, span, b"<page>", behind=False)
        pieces = []
        while piece := reader.read():
            pieces.append(piece)
        reader.close()
        return b"".join(pieces)

    for cut in range(1, len(content)):
        parts = [read(plain, Span(0, cut)), read(plain, Span(cut, len(content)))]
        assert b"".join(parts) == content
        begins = content.rfind(b"<page>", 0, cut + 5)
        assert not parts[1] or parts[1].startswith(b"<page>")
        assert (b"three" in parts[0]) == (0 <= content.rfind(b"<page>") < cut), (cut, begins)
        packed.write_bytes(bz2.compress(content[:cut]) + bz2.compress(content[cut:]))
        size = packed.stat().st_size
        for border in (10, size // 2, size - 10):
            halves = [read(packed, Span(0, border)), read(packed, Span(border, size))]
            assert b"".join(halves) == content


def test_a_false_start_in_a_block_is_survived_wherever_the_cut_is(tmp_path: Path) -> None:
    content = noise(200_000, letters=FALSE_START + b"\n")
    path = tmp_path / "x.bz2"
    path.write_bytes(bz2.compress(content, 1))
    size = path.stat().st_size
    expected = whole_lines(content)
    for cut in [*range(1, 40), size - 1]:
        assert span_lines(path, (Span(0, cut), Span(cut, size))) == expected


def test_a_start_on_the_border_of_two_reads_is_found(tmp_path: Path) -> None:
    content = noise(1_000_000)
    packed = bz2.compress(content, 1)
    path = tmp_path / "x.bz2"
    path.write_bytes(packed)
    bits = bin(int.from_bytes(packed, "big"))[2:].zfill(len(packed) * 8)
    magic = bin(0x314159265359)[2:].zfill(48)
    starts = [match.start() for match in re.finditer(magic, bits)]
    assert len({start % 8 for start in starts}) > 4
    for start in starts[1:]:
        for border in range(start // 8 - 1, start // 8 + 9):
            with mock.patch("exonym.foundation.bzip2._READ", border):
                reader = BlockReader(path)
            assert list(reader._window.starts)[:1] == starts[:1]
            with mock.patch("exonym.foundation.bzip2._READ", len(packed)):
                while reader._window.more(len(packed)):
                    pass
            reader.close()
            assert list(reader._window.starts) == starts


def test_a_span_without_a_block_reads_no_further_than_its_end(tmp_path: Path) -> None:
    path = tmp_path / "x.bz2"
    packed = bz2.compress(noise(300_000), 1)
    path.write_bytes(packed + bytes(40 << 20))
    lines = read_span_lines(path, Span(len(packed) + 100, len(packed) + 200))
    assert list(lines) == []


def damaged(tmp_path: Path) -> tuple[Path, bytes]:
    content = b"".join(b"%d %s\n" % (n, noise(60, n, b"abcdef")) for n in range(20_000))
    packed = bytearray(bz2.compress(content, 1))
    packed[len(packed) // 2] ^= 0x10
    path = tmp_path / "x.json.bz2"
    path.write_bytes(packed)
    return path, content


def test_damage_inside_a_span_names_the_file_and_the_place(tmp_path: Path) -> None:
    path, _ = damaged(tmp_path)
    with pytest.raises(FormatError, match=r"x\.json\.bz2.*damaged in bytes.*byte.*--keep-going"):
        span_lines(path, cut_file(path, 50_000))


@pytest.mark.parametrize("task_bytes", [20_000, 100_000, 1 << 30])
def test_reading_goes_on_behind_damage_and_counts_it(tmp_path: Path, task_bytes: int) -> None:
    path, content = damaged(tmp_path)
    skipped: Counter[str] = Counter()
    found = [
        line
        for span in cut_file(path, task_bytes)
        for line in read_span_lines(path, span, skipped=skipped)
    ]
    expected = whole_lines(content)
    assert set(found) < set(expected)
    assert len(found) > len(expected) - 3_000  # one block of 100 kB, and a line on either side
    assert found == sorted(found, key=lambda line: int(line.split()[0]))
    assert 1 <= skipped["truncated"] <= 2  # a line may begin before the block's span


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.999])
def test_a_file_that_ends_early_is_noticed_in_some_span(tmp_path: Path, kept: float) -> None:
    packed = bz2.compress(noise(400_000), 1)
    path = tmp_path / "x.bz2"
    path.write_bytes(packed[: int(len(packed) * kept)])
    for task_bytes in (30_000, 1 << 30):
        with pytest.raises(FormatError, match="ends early"):
            span_lines(path, cut_file(path, task_bytes))


def test_a_lost_stretch_between_streams_is_noticed(tmp_path: Path) -> None:
    streams = [bz2.compress(noise(3_000, seed)) for seed in range(5)]
    path = tmp_path / "x.bz2"
    streams[2] = bytes(len(streams[2]))
    path.write_bytes(b"".join(streams))
    with pytest.raises(FormatError, match="no bzip2 stream follows"):
        span_lines(path, cut_file(path, 1 << 30))
    skipped: Counter[str] = Counter()
    lines = list(read_span_lines(path, Span(0, path.stat().st_size), skipped=skipped))
    assert skipped == {"truncated": 1}
    assert lines[-1] == noise(3_000, 4).split(b"\n")[-1]


@pytest.mark.parametrize("content", [b"", b"plain text", b"BZh", b"BZh9" + bytes(100)])
def test_what_is_no_bzip2_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.bz2"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"x\.bz2.*does not start with a bzip2 stream"):
        span_lines(path, cut_file(path))


def test_a_file_of_empty_streams_has_no_lines(tmp_path: Path) -> None:
    path = tmp_path / "x.bz2"
    path.write_bytes(bz2.compress(b"") * 3)
    assert span_lines(path, cut_file(path, 10)) == []


def test_the_cut_depends_on_size_and_task_bytes_only(tmp_path: Path) -> None:
    path = tmp_path / "x.xml.bz2"
    with path.open("wb") as stream:
        stream.truncate(1 << 37)  # 128 GB without contents: cutting does not read it
    spans = cut_file(path)
    assert len(spans) == 2048
    assert spans == cut_file(path)
    assert pickle.loads(pickle.dumps(spans)) == spans
    with pytest.raises(InputError, match="absent"):
        cut_file(tmp_path / "absent.bz2")


def test_a_block_that_unpacks_to_much_comes_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "x.bz2"
    path.write_bytes(bz2.compress(bytes(30 << 20)))
    reader = SpanReader(path, Span(0, path.stat().st_size), b"\n", behind=True)
    sizes = []
    while piece := reader.read():
        sizes.append(len(piece))
    assert sum(sizes) == 30 << 20
    assert max(sizes) <= 1 << 20
