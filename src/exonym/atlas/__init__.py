"""The embedded world: a table of real facts, told as genuine Wikimedia dumps.

`write_atlas` writes a folder of files; nothing else in Exonym reads this room by a back door.
"""

from __future__ import annotations

from exonym.atlas.noise import PageOptions
from exonym.atlas.options import TellingOptions
from exonym.atlas.table import FactTable, load_table
from exonym.atlas.titles import LinkOptions
from exonym.atlas.writing import AtlasReport, write_atlas

__all__ = [
    "AtlasReport",
    "FactTable",
    "LinkOptions",
    "PageOptions",
    "TellingOptions",
    "load_table",
    "write_atlas",
]
