"""What building a knowledge base costs, in plain numbers, before anything is downloaded.

The coefficients are per byte of compressed dump. They were measured on samples of real dumps of
some megabytes and on made-up worlds (``benchmarks/dumps.py``, ``benchmarks/knowledge_scale.py``),
not on full Wikipedias: take them for the order of magnitude.
"""

from __future__ import annotations

from dataclasses import dataclass

WIKI_BYTES_PER_SECOND = 1_200_000
"""Compressed bytes of Wikipedia dumps (bz2) that a process takes in a second, all steps together.

One core reads 7 MB of XML in a second, a fourth of that when compressed; resolving links and
counting names takes about half as long again.
"""

WIKIDATA_BYTES_PER_SECOND = 1_600_000
"""The same of Wikidata's JSON dump, of which a byte of bz2 holds seventeen."""

WIKI_DISK = 0.8
"""Bytes of knowledge base per compressed byte of Wikipedia dumps, nearly all of it text."""

WIKIDATA_DISK = 0.1
"""The same per compressed byte of Wikidata's dump; most of it has no article."""

SCRATCH = 1.2
"""Files that the build deletes at its end, per byte of knowledge base."""

MEMORY_BYTES = 500_000_000
"""Memory of the process that started the others, and of the last step."""

MEMORY_PER_PROCESS = 200_000_000
"""Memory of each process that reads."""

WIKI_MEMORY = 0.12
"""Bytes of memory per compressed byte of Wikipedia dumps: the titles and names of the languages
that are joined at one time; a third of all bytes being English, as of the 24 languages of mLUKE.
"""


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
        memory_bytes=round(
            MEMORY_BYTES + MEMORY_PER_PROCESS * processes + WIKI_MEMORY * wiki_bytes
        ),
    )
