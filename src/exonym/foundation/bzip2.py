"""The blocks of a .bz2 file, found and decoded from any place of it on.

A bzip2 stream is a header, blocks that depend on nothing before them, and an end. A block starts
with the digits of pi, at any bit. So one may seek anywhere, look for pi, shift the bits to the
border of a byte, and put a header before and an end behind: a stream of one block, which the
standard library decodes and whose checksum it verifies.
"""

from __future__ import annotations

import bz2
from collections import deque
from pathlib import Path
from typing import IO

import numpy as np

_BLOCK = 0x314159265359
_END = 0x177245385090
_HEADERS = frozenset(b"BZh%d" % level for level in range(1, 10))
_READ = 1 << 20
# No block takes more bytes: 900,000 symbols of at most 20 bits, and its tables.
_LONGEST = 2_300_000
# How many stretches from one start to the next are tried as one block. By chance a block holds
# what looks like a start once in 35 TB; a file made on purpose may hold some.
_MOST_JOINED = 4
# What is kept of the file before a block: the end of a stream and the next one's header.
_MARGIN = 64


def _needles(magic: int) -> tuple[tuple[int, bytes, int, int], ...]:
    """What to search for, for each bit of a byte that a magic number may start at.

    Returns:
        (bit, the whole bytes inside, the bits in the byte before, the bits in the byte after).
    """
    found = [(0, magic.to_bytes(6, "big"), 0, 0)]
    for bit in range(1, 8):
        shifted = magic << (8 - bit)
        inside = (shifted >> 8) & ((1 << 40) - 1)
        found.append((bit, inside.to_bytes(5, "big"), shifted >> 48, shifted & 0xFF))
    return tuple(found)


_BLOCK_NEEDLES = _needles(_BLOCK)
_END_NEEDLES = _needles(_END)


def _find(data: bytes, needles: tuple[tuple[int, bytes, int, int], ...]) -> list[int]:
    """The bits of ``data`` at which a magic number starts, in order."""
    found = []
    for bit, inside, before, after in needles:
        at = data.find(inside)
        while at >= 0:
            if bit == 0:
                found.append(at * 8)
            elif (
                0 < at < len(data) - 5
                and data[at - 1] & (0xFF >> bit) == before
                and data[at + 5] & (0xFF << (8 - bit) & 0xFF) == after
            ):
                found.append((at - 1) * 8 + bit)
            at = data.find(inside, at + 1)
    return sorted(found)


def _decode(data: bytes, start: int, end: int) -> bytes | None:
    """Decompress the one block that stands between two bits of ``data``; None if it is none."""
    if end - start < 80:
        return None
    raw = np.frombuffer(data, np.uint8)[start // 8 : (end + 7) // 8]
    if shift := start % 8:
        shifted = np.left_shift(raw, np.uint8(shift))
        shifted[:-1] |= np.right_shift(raw[1:], np.uint8(8 - shift))
        raw = shifted
    whole, rest = divmod(end - start, 8)
    block = raw[:whole].tobytes()
    # The end of a stream of one block: the last bits, the magic number, the block's own checksum.
    tail = int(raw[whole]) >> (8 - rest) if rest else 0
    tail = (tail << 80) | (_END << 32) | int.from_bytes(block[6:10], "big")
    padding = -rest % 8
    ending = (tail << padding).to_bytes((rest + 80 + padding) // 8, "big")
    stream = bz2.BZ2Decompressor()
    try:
        decoded = stream.decompress(b"BZh9" + block + ending)
    except OSError:
        return None
    return decoded if stream.eof and not stream.unused_data else None


class _Window:
    """A part of the file that slides over it, and the blocks' starts in it; bits of the file."""

    def __init__(self, file: IO[bytes], start: int) -> None:
        self._file = file
        self._base = self.read_to = start
        self._data = b""
        self.starts: deque[int] = deque()

    def more(self, limit: int) -> bool:
        """Read on, and note the blocks that start there; False at byte ``limit`` or the end."""
        if self.read_to >= limit:
            return False
        self._file.seek(self.read_to)
        fresh = self._file.read(_READ)
        # A magic number on the border is found when its last byte is there.
        seam = max(self._base, self.read_to - 6)
        found = _find(self._data[seam - self._base :] + fresh, _BLOCK_NEEDLES)
        border = (self.read_to - seam) * 8
        self.starts.extend(seam * 8 + bit for bit in found if bit + 48 > border)
        self._data += fresh
        self.read_to += len(fresh)
        return bool(fresh)

    def drop(self, byte: int) -> None:
        """Forget what lies before a byte, but for a margin."""
        if byte - _MARGIN > self._base:
            self._data = self._data[byte - _MARGIN - self._base :]
            self._base = byte - _MARGIN

    def decode(self, start: int, end: int) -> bytes | None:
        """The block between two bits."""
        return _decode(self._data, start - self._base * 8, end - self._base * 8)

    def stream_ends(self, start: int, stop: int) -> list[int]:
        """Where between two bits something looks like the end of a stream."""
        first = start // 8
        data = self._data[first - self._base : (stop + 7) // 8 - self._base]
        found = (first * 8 + bit for bit in _find(data, _END_NEEDLES))
        return [bit for bit in found if start < bit < stop]

    def block_end(self, stop: int, *, last: bool) -> int | None:
        """Where the block before a bit ends: just there, or before the end of its stream.

        Args:
            stop: the bit where the next block starts, or the end of the file if ``last``.
            last: whether it is the end of the file.

        Returns:
            0 if all before ``stop`` are headers and streams without blocks; None if nothing at
            the end of the file ends a stream.
        """
        end = None if last else stop
        position = stop
        headed = not last
        while position % 8 == 0:
            byte = position // 8
            if headed:
                if self._bytes(byte - 4, byte) not in _HEADERS:
                    break
                byte -= 4
            if byte == 0:
                return 0
            found = self._stream_end(byte)
            if found is None:
                break
            end = position = found
            headed = True
        return end

    def _stream_end(self, byte: int) -> int | None:
        """The bit at which the end of a stream starts that reaches to ``byte``."""
        value = int.from_bytes(self._bytes(byte - 11, byte), "big")
        for padding in range(8):
            if (value >> (32 + padding)) & ((1 << 48) - 1) == _END:
                return byte * 8 - 80 - padding
        return None

    def _bytes(self, start: int, stop: int) -> bytes:
        return self._data[max(0, start - self._base) : max(0, stop - self._base)]


class DamagedBlockError(OSError):
    """A stretch of a file is no bzip2."""


class BlockReader:
    """The blocks of a .bz2 file from a byte of it on, in file order.

    Args:
        path: the file.
        start: the first byte in which a block may start.
        limit: the first block must start before this byte, else there is none; so that a
            reader that finds no block in its part does not search all of the file.
    """

    def __init__(self, path: Path, start: int = 0, limit: int | None = None) -> None:
        self._file = path.open("rb")
        self._size = path.stat().st_size
        self._limit = self._size if limit is None else min(limit, self._size)
        self._window = _Window(self._file, start)
        # Whether the next start is known not to lie inside a block.
        self._sure = start == 0
        self._lost = self._check_head() if start == 0 else None

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def read(self) -> tuple[int, bytes] | None:
        """Decode the next block.

        Returns:
            The bit of the file at which the block starts, and its decompressed bytes (0.9 MB as
            a rule, 46 MB at most). None when there is no further block.

        Raises:
            DamagedBlockError: a block is damaged or has no end, or what follows a stream is no
                stream. The next call goes on behind that.
        """
        window = self._window
        while True:
            if self._lost is not None:
                lost, self._lost = self._lost, None
                raise DamagedBlockError(lost)
            while not window.starts:
                window.drop(window.read_to)
                if not window.more(self._size if self._sure else self._limit):
                    return None
            start = window.starts.popleft()
            if not self._sure and start // 8 >= self._limit:
                return None
            window.drop(start // 8)
            block = self._block(window, start)
            if block is not None or self._sure or not self._is_inside(start):
                self._sure = True
                if block is None:
                    raise DamagedBlockError(f"damaged or without its end at byte {start // 8:,}")
                return start, block

    def _check_head(self) -> str | None:
        """Whether the file starts with a stream; if not, a sentence that says so."""
        window = self._window
        while not window.starts and window.more(min(self._size, _LONGEST)):
            pass
        last = not window.starts
        stop = self._size * 8 if last else window.starts[0]
        if self._size and window.block_end(stop, last=last) == 0:
            return None
        return "it does not start with a bzip2 stream"

    def _block(self, window: _Window, start: int) -> bytes | None:
        """The block at ``start``, before which the window's starts lie behind us; or None.

        Starts that turn out to lie inside the block are taken off the window's.
        """
        longest = start + _LONGEST * 8
        for joined in range(_MOST_JOINED):
            stop, last = self._stop(window, joined, longest)
            end = window.block_end(stop, last=last) if stop <= longest else None
            block = window.decode(start, end) if end is not None and end > start else None
            if block is not None:
                for _ in range(joined):
                    window.starts.popleft()
                return block
            if last or stop > longest:
                break
        return self._before_something_else(window, start, longest)

    def _stop(self, window: _Window, joined: int, longest: int) -> tuple[int, bool]:
        """The start after ``joined`` others, or the end of the file and True."""
        while len(window.starts) <= joined and window.read_to * 8 < longest + 64:
            if not window.more(self._size):
                return self._size * 8, True
        return (window.starts[joined] if len(window.starts) > joined else longest + 1), False

    def _before_something_else(self, window: _Window, start: int, longest: int) -> bytes | None:
        """The block at ``start`` if it ends its stream, and what follows is no stream."""
        stop, _ = self._stop(window, 0, longest)
        for end in window.stream_ends(start, min(stop, longest)):
            block = window.decode(start, end)
            if block is not None:
                self._lost = f"no bzip2 stream follows the one that ends at byte {end // 8:,}"
                return block
        return None

    def _is_inside(self, start: int) -> bool:
        """Whether a start that leads to no block lies in a block that starts before it."""
        window = _Window(self._file, max(0, start // 8 - _LONGEST))
        while window.read_to < start // 8 + 8 and window.more(self._size):
            pass
        earlier = [bit for bit in window.starts if bit < start]
        window.starts = deque(bit for bit in window.starts if bit >= start)
        for outer in reversed(earlier[-_MOST_JOINED:]):
            for joined in range(1, _MOST_JOINED):
                stop, last = self._stop(window, joined, outer + _LONGEST * 8)
                end = window.block_end(stop, last=last)
                if end is not None and window.decode(outer, end) is not None:
                    return True
                if last:
                    break
        return False
