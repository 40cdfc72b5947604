"""What the tests fetch: one dump of one file, and a client's patience that tests can afford."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from exonym.wikimedia.fetching import FetchReport, Patience

DATE = "20260901"
NAME = f"swwiki-{DATE}-pages-articles-multistream.xml.bz2"
PATH = f"swwiki/{DATE}/{NAME}"
CONTENT = random.Random(0).randbytes(50_000)
HURRY = Patience(
    connect_seconds=2,
    read_seconds=10,
    slowest=1_000,
    retries=4,
    first_wait=0.002,
    longest_wait=0.01,
    longest_asked=5,
)
"""For what fails at once."""

BRIEF = replace(HURRY, read_seconds=0.5, retries=2)
"""For what stalls; elsewhere a busy machine would be taken for a stalled server."""

Run = Callable[..., FetchReport]
