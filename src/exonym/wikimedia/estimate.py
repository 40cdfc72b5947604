"""What building a knowledge base costs, in plain numbers, before anything is downloaded.

The coefficients are per byte of compressed dump. Until they are measured on full dumps they are
assumptions, and the commands that print them say so.
"""

from __future__ import annotations

from dataclasses import dataclass

WIKI_BYTES_PER_SECOND = 4_000_000
"""Compressed bytes of Wikipedia dumps (bz2) that one process reads in a second."""

WIKIDATA_BYTES_PER_SECOND = 3_000_000
"""The same of Wikidata's JSON dump."""

WIKI_DISK = 1.2
"""Bytes of knowledge base per compressed byte of Wikipedia dumps."""

WIKIDATA_DISK = 1.2
"""The same per compressed byte of Wikidata's dump."""

SCRATCH = 0.3
"""Files that the build deletes at its end, as a share of the knowledge base."""

MEMORY_BYTES = 1_500_000_000
"""Memory of the process that joins what the others read."""

MEMORY_PER_PROCESS = 500_000_000
"""Memory of each process that reads."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a build takes.

    Args:
        seconds: from the start to the finished directory.
        disk_bytes: at most at a time, beside the dumps.
        memory_bytes: of all processes together.
    """

    seconds: float
    disk_bytes: int
    memory_bytes: int


def estimate_build(wiki_bytes: int, wikidata_bytes: int, processes: int) -> Estimate:
    """Estimate ``exonym kb build``.

    Args:
        wiki_bytes: of all Wikipedia dumps, compressed.
        wikidata_bytes: of Wikidata's dump, compressed; 0 without one.
        processes: that read at a time, at least one.
    """
    reading = wiki_bytes / WIKI_BYTES_PER_SECOND + wikidata_bytes / WIKIDATA_BYTES_PER_SECOND
    kept = wiki_bytes * WIKI_DISK + wikidata_bytes * WIKIDATA_DISK
    return Estimate(
        seconds=reading / processes,
        disk_bytes=round(kept * (1 + SCRATCH)),
        memory_bytes=MEMORY_BYTES + MEMORY_PER_PROCESS * processes,
    )
